//! Browser sessions that end, and the clients that are told of it.

use super::{LawfulStore, done, nothing, redeem};
use crate::{
    model::{
        ClientId, Committed, Issuance, LogoutNotice, NewAuthorization, NewToken, Parent,
        Participant, Timestamp, UserId,
    },
    testing::fixtures::{
        NOW, access, after, authorization, authorization_id, client, code, hash,
        openid_authorization, refresh, scope,
    },
};
use std::sync::Arc;

type Store = Arc<dyn LawfulStore>;

const DAY: u64 = 24 * 3600;

fn participant(sid: &str, client: &str, user: &str) -> Participant {
    Participant { client: ClientId::new(client), user: UserId::new(user), sid: sid.to_owned() }
}

/// An OpenID Connect authorization of this client in the session, called `name`.
fn joining(name: &str, sid: &str, client: &str) -> NewAuthorization {
    NewAuthorization { client: ClientId::new(client), ..openid_authorization(name, sid) }
}

/// Writes the authorization with an access token of its name.
async fn give(store: &dyn LawfulStore, parent: NewAuthorization, name: &str, at: Timestamp) {
    let token = NewToken { client: parent.client.clone(), ..access(name) };
    let given = Issuance { parent: Parent::New(parent), tokens: vec![token], ..nothing(at) };
    done(store, given).await;
}

async fn is_live(store: &dyn LawfulStore, name: &str) -> bool {
    store.token(&hash(name)).await.unwrap().unwrap().is_live(after(5))
}

/// Whom the notices that are due then are for; they are taken for ten seconds.
async fn told(store: &dyn LawfulStore, seconds: u64) -> Vec<Participant> {
    let due = store.due_logouts(after(seconds), after(seconds + 10), 100).await.unwrap();
    let mut told: Vec<_> = due.into_iter().map(|notice| notice.participant).collect();
    told.sort_by(|a, b| (&a.sid, &a.client).cmp(&(&b.sid, &b.client)));
    told
}

pub(super) async fn whoever_took_part_is_told(store: Store) {
    for (name, sid, client) in
        [("1", "s", "d"), ("2", "s", "c"), ("3", "t", "c"), ("4", "s", "c"), ("5", "S", "c")]
    {
        give(&*store, joining(name, sid, client), name, NOW).await;
    }
    let both = [participant("s", "c", "u"), participant("s", "d", "u")];
    assert_eq!(store.end_session("s", after(1)).await.unwrap(), both);
    let mut due = store.due_logouts(after(1), after(9), 100).await.unwrap();
    due.sort_by(|a, b| a.participant.client.cmp(&b.participant.client));
    assert_eq!(due.iter().map(|n| n.participant.clone()).collect::<Vec<_>>(), both);
    assert!(due.iter().all(|n| (n.attempts, n.created_at) == (0, after(1))));
    for (name, lives) in [("1", false), ("2", false), ("3", true), ("4", false), ("5", true)] {
        assert_eq!(is_live(&*store, name).await, lives, "{name}");
    }
    assert_eq!(store.end_session("t", after(2)).await.unwrap(), [participant("t", "c", "u")]);
}

pub(super) async fn a_session_ends_once(store: Store) {
    for unknown in ["", "s", "nul\0"] {
        assert_eq!(store.end_session(unknown, NOW).await.unwrap(), []);
    }
    give(&*store, joining("1", "s", "c"), "1", NOW).await;
    assert_eq!(store.end_session("s", after(1)).await.unwrap(), [participant("s", "c", "u")]);
    assert_eq!(store.end_session("s", after(1)).await.unwrap(), []);
    assert_eq!(store.end_session("s", after(2)).await.unwrap(), []);
    assert_eq!(store.token(&hash("1")).await.unwrap().unwrap().revoked_at, Some(after(1)));
    assert_eq!(told(&*store, 2).await, [participant("s", "c", "u")]);
    // Whoever was let in again is told again.
    give(&*store, joining("2", "s", "c"), "2", after(3)).await;
    assert_eq!(store.end_session("s", after(3)).await.unwrap().len(), 1);
    assert_eq!(told(&*store, 3).await.len(), 1);
    give(&*store, joining("3", "s", "c"), "3", after(3)).await;
    assert_eq!(store.end_session("s", after(3)).await.unwrap().len(), 1);
}

pub(super) async fn only_openid_clients_with_a_session_take_part(store: Store) {
    let plain = NewAuthorization { openid: None, ..joining("plain", "s", "c") };
    let homeless = NewAuthorization { sid: None, ..joining("homeless", "", "d") };
    give(&*store, plain, "plain", NOW).await;
    give(&*store, homeless, "homeless", NOW).await;
    give(&*store, authorization("neither"), "neither", NOW).await;
    assert_eq!(store.end_session("s", after(1)).await.unwrap(), []);
    assert_eq!(told(&*store, 1).await, []);
    for name in ["plain", "homeless", "neither"] {
        assert!(is_live(&*store, name).await, "{name}");
    }
    // What is not written lets nobody take part.
    give(&*store, authorization("x"), "taken", NOW).await;
    let doomed = Issuance {
        parent: Parent::New(joining("y", "s", "c")),
        tokens: vec![access("taken")],
        ..nothing(NOW)
    };
    assert!(store.commit(doomed).await.is_err());
    assert_eq!(store.end_session("s", after(1)).await.unwrap(), []);
}

pub(super) async fn the_later_end_of_participation_counts(store: Store) {
    let until = |name: &str, user: &str, seconds| NewAuthorization {
        user: UserId::new(user),
        participates_until: after(seconds),
        ..joining(name, name, "c")
    };
    for (name, first, second) in [("rising", 100, 200), ("falling", 200, 100)] {
        give(&*store, until(name, "u", first), name, NOW).await;
        let again = format!("{name} again");
        let id = authorization_id(&again);
        give(&*store, NewAuthorization { id, ..until(name, "v", second) }, &again, NOW).await;
    }
    store.sweep(after(199), 100).await.unwrap();
    for name in ["rising", "falling"] {
        let ended = store.end_session(name, after(199)).await.unwrap();
        assert_eq!(ended, [participant(name, "c", "v")]);
    }
}

pub(super) async fn what_is_meant_for_absence_outlives_the_session(store: Store) {
    let absent = scope("offline_access openid");
    let kept = NewAuthorization { scope: absent, ..joining("kept", "s", "c") };
    let lookalike =
        NewAuthorization { scope: scope("openid offline_access2"), ..joining("like", "s", "c") };
    for (parent, name) in [(kept, "kept"), (lookalike, "like"), (joining("gone", "s", "c"), "gone")]
    {
        let given = Issuance {
            parent: Parent::New(parent),
            code: Some(code(name)),
            tokens: vec![refresh(name)],
            ..nothing(NOW)
        };
        done(&*store, given).await;
    }
    store.revoke(authorization_id("gone"), after(1)).await.unwrap();
    assert_eq!(store.end_session("s", after(2)).await.unwrap(), [participant("s", "c", "u")]);
    for (name, at) in [("kept", None), ("like", Some(after(2))), ("gone", Some(after(1)))] {
        assert_eq!(store.token(&hash(name)).await.unwrap().unwrap().revoked_at, at, "{name}");
    }
    done(&*store, redeem("kept", "bought", after(3))).await;
    let refused = store.commit(redeem("like", "refused", after(3))).await.unwrap();
    assert_eq!(refused, Committed::Revoked);
}

/// Lets so many clients take part in the session and ends it.
async fn ended(store: &dyn LawfulStore, sid: &str, clients: usize, at: Timestamp) {
    for n in 0..clients {
        let name = format!("{sid}{n}");
        give(store, joining(&name, sid, &name), &name, NOW).await;
    }
    assert_eq!(store.end_session(sid, at).await.unwrap().len(), clients);
}

pub(super) async fn a_notice_is_taken_once(store: Store) {
    ended(&*store, "s", 1, after(1)).await;
    assert_eq!(store.due_logouts(NOW, after(10), 100).await.unwrap(), []);
    assert_eq!(store.due_logouts(after(1), after(10), 0).await.unwrap(), []);
    let first = store.due_logouts(after(1), after(10), 100).await.unwrap();
    assert_eq!(first.len(), 1);
    for at in [1, 9] {
        assert_eq!(store.due_logouts(after(at), after(20), 100).await.unwrap(), []);
    }
    // Whoever had it is gone.
    let again = store.due_logouts(after(10), after(20), 100).await.unwrap();
    assert_eq!(again, first);
    assert_eq!(store.due_logouts(after(10), after(20), 100).await.unwrap(), []);
}

pub(super) async fn a_notice_is_tried_again_and_settled(store: Store) {
    ended(&*store, "s", 2, NOW).await;
    let notices = store.due_logouts(NOW, after(10), 100).await.unwrap();
    let [one, other] = <[LogoutNotice; 2]>::try_from(notices).unwrap();
    store.settle_logout(other.id, None).await.unwrap();
    store.settle_logout(one.id, Some(after(5))).await.unwrap();
    assert_eq!(store.due_logouts(after(4), after(50), 100).await.unwrap(), []);
    let again = store.due_logouts(after(5), after(15), 100).await.unwrap();
    assert_eq!(again, [LogoutNotice { attempts: 1, ..one.clone() }]);
    store.settle_logout(one.id, Some(after(100))).await.unwrap();
    assert_eq!(store.due_logouts(after(99), after(150), 100).await.unwrap(), []);
    let third = store.due_logouts(after(100), after(150), 100).await.unwrap();
    assert_eq!(third, [LogoutNotice { attempts: 2, ..one.clone() }]);
    store.settle_logout(one.id, None).await.unwrap();
    // What is settled stays so.
    store.settle_logout(one.id, Some(after(1))).await.unwrap();
    store.settle_logout(other.id, None).await.unwrap();
    assert_eq!(store.due_logouts(after(999), after(1000), 100).await.unwrap(), []);
}

pub(super) async fn notices_come_in_order_and_number(store: Store) {
    ended(&*store, "late", 3, after(2)).await;
    ended(&*store, "early", 3, after(1)).await;
    let mut seen = Vec::new();
    for wanted in [2, 2, 2, 0] {
        let some = store.due_logouts(after(2), after(99), 2).await.unwrap();
        assert_eq!(some.len(), wanted);
        seen.extend(some.into_iter().map(|notice| (notice.participant.sid, notice.id)));
    }
    let sids: Vec<_> = seen.iter().map(|(sid, _)| sid.as_str()).collect();
    assert_eq!(sids, ["early", "early", "early", "late", "late", "late"]);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 6);
}

pub(super) async fn participants_and_notices_are_swept(store: Store) {
    let brief = NewAuthorization { participates_until: after(50), ..joining("brief", "b", "c") };
    let bare = |parent| Issuance { parent: Parent::New(parent), ..nothing(NOW) };
    done(&*store, bare(brief)).await;
    done(&*store, bare(joining("long", "l", "c"))).await;
    ended(&*store, "s", 3, NOW).await;
    let tried = store.due_logouts(NOW, after(1), 1).await.unwrap();
    store.settle_logout(tried.first().unwrap().id, Some(after(99 * DAY))).await.unwrap();
    // The authorizations without children go at once.
    assert_eq!(store.sweep(after(49), 100).await.unwrap(), 2);
    assert_eq!(store.sweep(after(50), 100).await.unwrap(), 1);
    assert_eq!(store.end_session("b", after(50)).await.unwrap(), []);
    // The tokens of the three, their authorizations, and the participant.
    assert_eq!(store.sweep(after(3600), 100).await.unwrap(), 7);
    assert_eq!(store.end_session("l", after(3600)).await.unwrap(), []);
    assert_eq!(store.sweep(after(7 * DAY - 1), 100).await.unwrap(), 0);
    assert_eq!(store.sweep(after(7 * DAY), 2).await.unwrap(), 2);
    assert_eq!(store.sweep(after(7 * DAY), 2).await.unwrap(), 1);
    assert_eq!(told(&*store, 100 * DAY).await, []);
}

pub(super) async fn a_removed_client_is_not_told(store: Store) {
    assert!(store.insert_client(client("c")).await.unwrap());
    for (name, sid, client) in [("1", "s", "c"), ("2", "s", "d"), ("3", "t", "c"), ("4", "t", "d")]
    {
        give(&*store, joining(name, sid, client), name, NOW).await;
    }
    assert_eq!(store.end_session("s", NOW).await.unwrap().len(), 2);
    assert!(store.remove_client(&ClientId::new("c")).await.unwrap());
    assert_eq!(store.end_session("t", NOW).await.unwrap(), [participant("t", "d", "u")]);
    assert_eq!(told(&*store, 0).await, [participant("s", "d", "u"), participant("t", "d", "u")]);
}
