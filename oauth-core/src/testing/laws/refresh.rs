//! Rotation of refresh tokens.

use super::{LawfulStore, done, give_refresh, nothing, rotate};
use crate::{
    model::{Committed, Issuance, NewToken, Parent},
    testing::fixtures::{NOW, access, after, authorization_id, hash, refresh},
};
use std::sync::Arc;

type Store = Arc<dyn LawfulStore>;

async fn is_live(store: &dyn LawfulStore, name: &str, seconds: u64) -> bool {
    store.token(&hash(name)).await.unwrap().is_some_and(|t| t.is_live(after(seconds)))
}

fn repeated(name: &str) -> Committed {
    Committed::Repeated(format!("response with {name}").into_bytes())
}

pub(super) async fn a_refresh_token_rotates(store: Store) {
    give_refresh(&*store, "r0", NOW).await;
    done(&*store, rotate("r0", "r0", "r1", after(1))).await;
    let old = store.token(&hash("r0")).await.unwrap().unwrap();
    assert_eq!((old.consumed_at, old.revoked_at), (Some(after(1)), None));
    assert!(is_live(&*store, "r1", 1).await);
    done(&*store, rotate("r0", "r1", "r2", after(2))).await;
    assert!(is_live(&*store, "r2", 2).await && !is_live(&*store, "r1", 2).await);
}

pub(super) async fn a_lost_answer_is_given_again(store: Store) {
    give_refresh(&*store, "r0", NOW).await;
    done(&*store, rotate("r0", "r0", "r1", after(1))).await;
    for seconds in [1, 5, 11] {
        let again = store.commit(rotate("r0", "r0", "other", after(seconds))).await.unwrap();
        assert_eq!(again, repeated("r1"));
        assert_eq!(store.token(&hash("other")).await.unwrap(), None);
    }
    assert!(is_live(&*store, "r1", 11).await);
    done(&*store, rotate("r0", "r1", "r2", after(12))).await;
}

pub(super) async fn a_late_replay_revokes_the_family(store: Store) {
    give_refresh(&*store, "r0", NOW).await;
    done(&*store, rotate("r0", "r0", "r1", after(1))).await;
    let late = store.commit(rotate("r0", "r0", "other", after(12))).await.unwrap();
    assert_eq!(late, Committed::Replayed);
    assert_eq!(store.token(&hash("other")).await.unwrap(), None);
    let successor = store.token(&hash("r1")).await.unwrap().unwrap();
    assert_eq!(successor.revoked_at, Some(after(12)));
    let after_that = store.commit(rotate("r0", "r1", "r2", after(13))).await.unwrap();
    assert_eq!(after_that, Committed::Revoked);
}

pub(super) async fn a_replay_after_the_successor_was_used_revokes_the_family(store: Store) {
    give_refresh(&*store, "r0", NOW).await;
    done(&*store, rotate("r0", "r0", "r1", after(1))).await;
    done(&*store, rotate("r0", "r1", "r2", after(2))).await;
    let replay = store.commit(rotate("r0", "r0", "other", after(3))).await.unwrap();
    assert_eq!(replay, Committed::Replayed);
    assert!(!is_live(&*store, "r2", 3).await);
}

pub(super) async fn a_revoked_successor_is_not_given_again(store: Store) {
    give_refresh(&*store, "r0", NOW).await;
    done(&*store, rotate("r0", "r0", "r1", after(1))).await;
    store.revoke_token(&hash("r1"), after(2)).await.unwrap();
    let replay = store.commit(rotate("r0", "r0", "other", after(3))).await.unwrap();
    assert_eq!(replay, Committed::Replayed);

    give_refresh(&*store, "s0", NOW).await;
    done(&*store, rotate("s0", "s0", "s1", after(1))).await;
    store.revoke_token(&hash("s0"), after(2)).await.unwrap();
    let replay = store.commit(rotate("s0", "s0", "other", after(3))).await.unwrap();
    assert_eq!(replay, Committed::Replayed);

    give_refresh(&*store, "t0", NOW).await;
    done(&*store, rotate("t0", "t0", "t1", after(1))).await;
    store.revoke(authorization_id("t0"), after(2)).await.unwrap();
    let refused = store.commit(rotate("t0", "t0", "other", after(3))).await.unwrap();
    assert_eq!(refused, Committed::Revoked);
}

pub(super) async fn an_access_token_is_not_a_refresh_token(store: Store) {
    give_refresh(&*store, "r0", NOW).await;
    let more = Issuance {
        parent: Parent::Existing(authorization_id("r0")),
        tokens: vec![access("access")],
        ..nothing(NOW)
    };
    done(&*store, more).await;
    let refused = store.commit(rotate("r0", "access", "r1", after(1))).await.unwrap();
    assert_eq!(refused, Committed::Revoked);
    assert!(is_live(&*store, "access", 1).await && is_live(&*store, "r0", 1).await);
}

pub(super) async fn a_dead_refresh_token_does_not_work(store: Store) {
    let family = Issuance {
        parent: Parent::New(crate::testing::fixtures::authorization("r0")),
        tokens: vec![
            refresh("revoked"),
            NewToken { expires_at: after(5), ..refresh("expired") },
            refresh("fine"),
        ],
        ..nothing(NOW)
    };
    done(&*store, family).await;
    give_refresh(&*store, "stranger", NOW).await;
    store.revoke_token(&hash("revoked"), after(1)).await.unwrap();
    for dead in ["revoked", "expired", "stranger", "unknown"] {
        let refused = store.commit(rotate("r0", dead, "new", after(5))).await.unwrap();
        assert_eq!(refused, Committed::Revoked, "{dead}");
        assert_eq!(store.token(&hash("new")).await.unwrap(), None);
    }
    assert_eq!(store.token(&hash("expired")).await.unwrap().unwrap().consumed_at, None);
    done(&*store, rotate("r0", "fine", "new", after(5))).await;
}
