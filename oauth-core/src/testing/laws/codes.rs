//! Commits, and authorization codes.

use super::{LawfulStore, done, give_code, nothing, redeem};
use crate::{
    model::{
        AuthCode, ClaimRequest, ClaimsRequest, CodeChallenge, Committed, Issuance, Login,
        NewAuthorization, NewCode, NewToken, OpenidContext, Parent, Token, TokenKind, UserId,
    },
    testing::fixtures::{
        ACR, NOW, access, after, authorization, authorization_id, code, consent, hash, login,
        openid_authorization, openid_context, refresh, resource, scope, session_login,
    },
};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};

type Store = Arc<dyn LawfulStore>;

pub(super) async fn what_was_committed_is_found(store: Store) {
    let challenge = Some(CodeChallenge::S256("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".into()));
    let resources = vec![resource("https://a.example/"), resource("urn:b")];
    let plain = Login { amr: Vec::new(), ..session_login("u", "session") };
    let openid = Some(OpenidContext {
        nonce: Some("n\u{0}once \"é\"".to_owned()),
        claims: ClaimsRequest {
            userinfo: BTreeMap::from([("email".to_owned(), ClaimRequest::default())]),
            id_token: BTreeMap::from([(
                "acr".to_owned(),
                ClaimRequest {
                    essential: true,
                    values: vec![json!("1"), json!({ "a": [1.5, null] })],
                },
            )]),
        },
    });
    let parent =
        NewAuthorization { openid: openid.clone(), ..openid_authorization("x", "session") };
    let written = Issuance {
        parent: Parent::New(parent),
        code: Some(NewCode {
            challenge: challenge.clone(),
            resources: resources.clone(),
            login: plain.clone(),
            redirect_uri: None,
            ..code("code")
        }),
        consent: Some(consent("a")),
        ..nothing(after(5))
    };
    done(&*store, written).await;
    let wanted = AuthCode {
        authorization: authorization_id("x"),
        client: authorization("x").client,
        login: plain,
        redirect_uri: None,
        scope: scope("a b"),
        resources,
        challenge,
        openid,
        expires_at: after(60),
        consumed_at: None,
        revoked_at: None,
    };
    assert_eq!(store.code(&hash("code")).await.unwrap(), Some(wanted));
    assert_eq!(store.token(&hash("code")).await.unwrap(), None);
    let agreed = store.consent(&UserId::new("u"), &authorization("x").client).await.unwrap();
    assert_eq!(agreed, Some(consent("a")));
}

pub(super) async fn what_was_issued_is_found(store: Store) {
    let resources = vec![resource("https://a.example/"), resource("urn:b")];
    let written = Issuance {
        parent: Parent::New(authorization("x")),
        tokens: vec![
            NewToken { resources: resources.clone(), issued_at: after(7), ..access("access") },
            NewToken { scope: scope(""), login: None, ..refresh("refresh") },
        ],
        ..nothing(after(5))
    };
    done(&*store, written).await;
    let access = Token {
        kind: TokenKind::Access,
        authorization: Some(authorization_id("x")),
        client: authorization("x").client,
        login: Some(login("u")),
        scope: scope("a"),
        resources,
        issued_at: after(7),
        expires_at: after(300),
        consumed_at: None,
        revoked_at: None,
        openid: None,
        authorized_at: after(5),
    };
    assert_eq!(store.token(&hash("access")).await.unwrap().as_ref(), Some(&access));
    let refresh = Token {
        kind: TokenKind::Refresh,
        login: None,
        scope: scope(""),
        resources: Vec::new(),
        issued_at: NOW,
        expires_at: after(3600),
        ..access
    };
    assert_eq!(store.token(&hash("refresh")).await.unwrap(), Some(refresh));
    assert_eq!(store.code(&hash("access")).await.unwrap(), None);
}

/// What an authorization knows of the sign-in is told with everything below it, whenever that is issued.
pub(super) async fn children_inherit_from_their_authorization(store: Store) {
    let session = |openid| NewAuthorization { openid, ..openid_authorization("x", "session") };
    let strong = Login { acr: Some(ACR.to_owned()), sid: None, ..login("u") };
    let bare = NewAuthorization { openid: None, ..openid_authorization("z", "") };
    for (parent, wanted) in [
        (session(Some(openid_context("n"))), session_login("u", "session")),
        (
            NewAuthorization { id: authorization_id("y"), ..session(None) },
            session_login("u", "session"),
        ),
        (NewAuthorization { sid: None, ..bare }, strong),
        (authorization("plain"), login("u")),
    ] {
        let (id, openid) = (parent.id, parent.openid.clone());
        let (first, later) = (format!("first {id}"), format!("later {id}"));
        let given = Issuance {
            parent: Parent::New(parent),
            tokens: vec![NewToken { login: Some(wanted.clone()), ..refresh(&first) }],
            ..nothing(NOW)
        };
        done(&*store, given).await;
        let more = Issuance {
            parent: Parent::Existing(id),
            tokens: vec![NewToken { login: Some(wanted.clone()), ..access(&later) }],
            ..nothing(after(1))
        };
        done(&*store, more).await;
        for name in [first, later] {
            let found = store.token(&hash(&name)).await.unwrap().unwrap();
            assert_eq!((found.login.as_ref(), &found.openid), (Some(&wanted), &openid), "{name}");
        }
    }
}

pub(super) async fn a_code_works_once(store: Store) {
    give_code(&*store, "x", NOW).await;
    done(&*store, redeem("x", "first", after(1))).await;
    let code = store.code(&hash("x")).await.unwrap().unwrap();
    assert_eq!((code.consumed_at, code.revoked_at), (Some(after(1)), None));
    assert!(store.token(&hash("first")).await.unwrap().unwrap().is_live(after(1)));
}

pub(super) async fn a_replay_revokes_the_authorization(store: Store) {
    give_code(&*store, "x", NOW).await;
    give_code(&*store, "other", NOW).await;
    done(&*store, redeem("x", "first", after(1))).await;
    done(&*store, redeem("other", "unharmed", after(1))).await;
    let again = store.commit(redeem("x", "second", after(2))).await.unwrap();
    assert_eq!(again, Committed::Replayed);
    assert_eq!(store.token(&hash("second")).await.unwrap(), None);
    let first = store.token(&hash("first")).await.unwrap().unwrap();
    assert_eq!(first.revoked_at, Some(after(2)));
    let code = store.code(&hash("x")).await.unwrap().unwrap();
    assert_eq!((code.consumed_at, code.revoked_at), (Some(after(1)), Some(after(2))));
    assert!(store.token(&hash("unharmed")).await.unwrap().unwrap().is_live(after(2)));
    let third = store.commit(redeem("x", "third", after(3))).await.unwrap();
    assert_eq!(third, Committed::Revoked);
}

pub(super) async fn an_expired_code_does_not_work(store: Store) {
    give_code(&*store, "x", NOW).await;
    let late = store.commit(redeem("x", "late", after(60))).await.unwrap();
    assert_eq!(late, Committed::Revoked);
    assert_eq!(store.token(&hash("late")).await.unwrap(), None);
    assert_eq!(store.code(&hash("x")).await.unwrap().unwrap().consumed_at, None);
    let unknown = store.commit(Issuance {
        parent: Parent::Existing(authorization_id("x")),
        ..redeem("unknown", "late", NOW)
    });
    assert_eq!(unknown.await.unwrap(), Committed::Revoked);
}

pub(super) async fn a_code_works_for_its_own_authorization_only(store: Store) {
    give_code(&*store, "x", NOW).await;
    give_code(&*store, "y", NOW).await;
    let crossed =
        Issuance { parent: Parent::Existing(authorization_id("y")), ..redeem("x", "crossed", NOW) };
    assert_eq!(store.commit(crossed).await.unwrap(), Committed::Revoked);
    assert_eq!(store.token(&hash("crossed")).await.unwrap(), None);
    done(&*store, redeem("x", "first", NOW)).await;
}

pub(super) async fn a_revoked_authorization_stops_a_code(store: Store) {
    give_code(&*store, "x", NOW).await;
    store.revoke(authorization_id("x"), after(1)).await.unwrap();
    let refused = store.commit(redeem("x", "token", after(2))).await.unwrap();
    assert_eq!(refused, Committed::Revoked);
    let code = store.code(&hash("x")).await.unwrap().unwrap();
    assert_eq!((code.consumed_at, code.revoked_at), (None, Some(after(1))));
    assert_eq!(store.token(&hash("token")).await.unwrap(), None);
    let unknown = Issuance {
        parent: Parent::Existing(authorization_id("never given")),
        tokens: vec![access("orphan")],
        ..nothing(NOW)
    };
    assert_eq!(store.commit(unknown).await.unwrap(), Committed::Revoked);
    assert_eq!(store.token(&hash("orphan")).await.unwrap(), None);
}

pub(super) async fn a_failed_write_uses_nothing_up(store: Store) {
    give_code(&*store, "x", NOW).await;
    done(&*store, Issuance { tokens: vec![access("taken")], ..nothing(NOW) }).await;
    let mut doomed = redeem("x", "fresh", NOW);
    doomed.tokens.push(access("taken"));
    assert!(store.commit(doomed).await.is_err());
    assert_eq!(store.token(&hash("fresh")).await.unwrap(), None);
    assert_eq!(store.code(&hash("x")).await.unwrap().unwrap().consumed_at, None);
    done(&*store, redeem("x", "fresh", NOW)).await;
    let no_parent = Issuance { code: Some(code("orphan")), ..nothing(NOW) };
    assert!(store.commit(no_parent).await.is_err());
}

pub(super) async fn tokens_of_a_client_need_no_authorization(store: Store) {
    let own = NewToken { login: None, issued_at: after(1), ..access("own") };
    done(&*store, Issuance { tokens: vec![own.clone()], ..nothing(NOW) }).await;
    let found = store.token(&hash("own")).await.unwrap().unwrap();
    assert_eq!((found.authorization, &found.login), (None, &None));
    assert_eq!(found.authorized_at, after(1));
    assert!(found.is_live(after(299)) && !found.is_live(after(300)));
    assert!(store.commit(Issuance { tokens: vec![own], ..nothing(NOW) }).await.is_err());
    done(&*store, nothing(NOW)).await;
}
