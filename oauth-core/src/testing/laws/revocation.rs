//! Revocation, and what is left to revoke.

use super::{LawfulStore, done, give_code, nothing};
use crate::{
    model::{
        AuthorizationId, ClientId, Committed, Consent, Consume, Epoch, Issuance, NewAuthorization,
        NewToken, Parent, UserId,
    },
    testing::fixtures::{
        NOW, access, after, authorization, authorization_id, code, consent, hash, pending, refresh,
    },
};
use std::sync::Arc;

type Store = Arc<dyn LawfulStore>;

pub(super) async fn the_first_revocation_counts(store: Store) {
    give_code(&*store, "x", NOW).await;
    store.revoke(authorization_id("x"), after(1)).await.unwrap();
    store.revoke(authorization_id("x"), after(2)).await.unwrap();
    store.revoke(authorization_id("unknown"), after(2)).await.unwrap();
    assert_eq!(store.code(&hash("x")).await.unwrap().unwrap().revoked_at, Some(after(1)));
}

pub(super) async fn one_token_can_be_revoked(store: Store) {
    let two = Issuance {
        parent: Parent::New(authorization("x")),
        tokens: vec![access("one"), access("other")],
        ..nothing(NOW)
    };
    done(&*store, two).await;
    store.revoke_token(&hash("one"), after(1)).await.unwrap();
    store.revoke_token(&hash("one"), after(2)).await.unwrap();
    store.revoke_token(&hash("unknown"), after(2)).await.unwrap();
    assert_eq!(store.token(&hash("one")).await.unwrap().unwrap().revoked_at, Some(after(1)));
    assert!(store.token(&hash("other")).await.unwrap().unwrap().is_live(after(2)));
    store.revoke(authorization_id("x"), after(3)).await.unwrap();
    assert_eq!(store.token(&hash("one")).await.unwrap().unwrap().revoked_at, Some(after(1)));
    assert_eq!(store.token(&hash("other")).await.unwrap().unwrap().revoked_at, Some(after(3)));
}

/// An authorization, a token and a consent of each pair of users `u` `v` and clients `c` `d`.
async fn four(store: &dyn LawfulStore) {
    for user in ["u", "v"] {
        for client in ["c", "d"] {
            let name = format!("{user}{client}");
            let (user, client) = (UserId::new(user), ClientId::new(client));
            let parent = NewAuthorization {
                client: client.clone(),
                user: user.clone(),
                ..authorization(&name)
            };
            let pair = Issuance {
                parent: Parent::New(parent),
                tokens: vec![NewToken { client: client.clone(), ..access(&name) }],
                consent: Some(Consent { user, client, ..consent("a") }),
                ..nothing(NOW)
            };
            done(store, pair).await;
        }
    }
}

/// Names of the four whose token lives, and of those whose consent is remembered.
async fn left(store: &dyn LawfulStore) -> (Vec<&'static str>, Vec<&'static str>) {
    let (mut live, mut agreed) = (Vec::new(), Vec::new());
    for (user, client, name) in
        [("u", "c", "uc"), ("u", "d", "ud"), ("v", "c", "vc"), ("v", "d", "vd")]
    {
        if store.token(&hash(name)).await.unwrap().unwrap().is_live(after(5)) {
            live.push(name);
        }
        let known = store.consent(&UserId::new(user), &ClientId::new(client)).await.unwrap();
        if known.is_some() {
            agreed.push(name);
        }
    }
    (live, agreed)
}

pub(super) async fn a_user_can_be_revoked_whole(store: Store) {
    four(&*store).await;
    store.revoke_user(&UserId::new("u"), None, after(1)).await.unwrap();
    assert_eq!(left(&*store).await, (vec!["vc", "vd"], vec!["vc", "vd"]));
    store.revoke_user(&UserId::new("u"), None, after(2)).await.unwrap();
    let token = store.token(&hash("uc")).await.unwrap().unwrap();
    assert_eq!(token.revoked_at, Some(after(1)));
}

pub(super) async fn a_user_can_be_revoked_for_one_client(store: Store) {
    four(&*store).await;
    let client = ClientId::new("d");
    store.revoke_user(&UserId::new("u"), Some(&client), after(1)).await.unwrap();
    assert_eq!(left(&*store).await, (vec!["uc", "vc", "vd"], vec!["uc", "vc", "vd"]));
}

/// The answer to the interaction `waiting`, begun in this epoch: an authorization of the user `u` with a code and a
/// consent to the client `c`.
fn begun(name: &str, since: Epoch) -> Issuance {
    Issuance {
        consume: Consume::Interaction(hash("waiting")),
        parent: Parent::New(NewAuthorization { since: Some(since), ..authorization(name) }),
        code: Some(code(name)),
        consent: Some(consent("a")),
        ..nothing(after(5))
    }
}

pub(super) async fn what_was_begun_before_it_is_not_written(store: Store) {
    let (user, client) = (UserId::new("u"), ClientId::new("c"));
    for (name, revoked) in [("whole", None), ("one", Some(&client))] {
        store.suspend(hash("waiting"), pending()).await.unwrap();
        let before = store.epoch().await.unwrap();
        assert_eq!(store.epoch().await.unwrap(), before);
        store.revoke_user(&user, revoked, after(1)).await.unwrap();
        assert_eq!(store.commit(begun(name, before)).await.unwrap(), Committed::Revoked);
        assert_eq!(store.code(&hash(name)).await.unwrap(), None);
        assert_eq!(store.consent(&user, &client).await.unwrap(), None);
        assert!(store.pending(&hash("waiting")).await.unwrap().is_some(), "it can be answered");
        let now = store.epoch().await.unwrap();
        assert!(now > before);
        done(&*store, begun(name, now)).await;
        assert!(store.consent(&user, &client).await.unwrap().is_some());
    }
    // There is one order for all clients of a user, and every user has a row of their own in it.
    let before = store.epoch().await.unwrap();
    store.revoke_user(&user, Some(&ClientId::new("d")), after(2)).await.unwrap();
    assert_eq!(store.commit(begun("other client", before)).await.unwrap(), Committed::Revoked);
    let given = |name: &str, user: &str, since| {
        let user = UserId::new(user);
        let parent = NewAuthorization { user, since, ..authorization(name) };
        Issuance { parent: Parent::New(parent), ..nothing(after(5)) }
    };
    done(&*store, given("another's", "v", Some(before))).await;
    done(&*store, given("unasked", "u", None)).await;
    store.revoke_user(&UserId::new("v"), None, after(3)).await.unwrap();
    let late = store.commit(given("late", "v", Some(before))).await.unwrap();
    assert_eq!(late, Committed::Revoked);
}

async fn listed(store: &dyn LawfulStore, seconds: u64) -> Vec<AuthorizationId> {
    let found = store.authorizations(&UserId::new("u"), after(seconds)).await.unwrap();
    found.iter().map(|a| a.id).collect()
}

pub(super) async fn authorizations_are_listed_while_something_lives(store: Store) {
    let [code, token, long, dead] = ["code", "token", "long", "dead"].map(authorization_id);
    give_code(&*store, "code", NOW).await;
    for (at, name, children) in [
        (1, "token", vec![access("t")]),
        (2, "long", vec![refresh("r")]),
        (3, "dead", vec![access("d1"), refresh("d2")]),
        (4, "bare", vec![]),
    ] {
        let parent = Parent::New(authorization(name));
        done(&*store, Issuance { parent, tokens: children, ..nothing(after(at)) }).await;
    }
    assert_eq!(listed(&*store, 5).await, [dead, long, token, code]);
    let first = store.authorizations(&UserId::new("u"), after(5)).await.unwrap().pop().unwrap();
    assert_eq!((first.scope, first.created_at), (authorization("code").scope, NOW));
    store.revoke_token(&hash("d1"), after(5)).await.unwrap();
    assert_eq!(listed(&*store, 5).await, [dead, long, token, code]);
    store.revoke_token(&hash("d2"), after(5)).await.unwrap();
    assert_eq!(listed(&*store, 5).await, [long, token, code]);
    done(&*store, super::redeem("code", "bought", after(5))).await;
    store.revoke_token(&hash("bought"), after(5)).await.unwrap();
    assert_eq!(listed(&*store, 5).await, [long, token]);
    assert_eq!(listed(&*store, 300).await, [long]);
    store.revoke(long, after(6)).await.unwrap();
    assert_eq!(listed(&*store, 6).await, [token]);
    assert_eq!(store.authorizations(&UserId::new("v"), NOW).await.unwrap(), []);
}
