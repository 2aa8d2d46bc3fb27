//! The sweep.

use super::{LawfulStore, done, give_code, give_refresh, nothing, redeem, rotate};
use crate::{
    model::{Committed, Issuance, NewAuthorization, NewToken, Parent, UserId},
    testing::fixtures::{NOW, access, after, authorization, authorization_id, hash, pending},
};
use std::sync::Arc;

type Store = Arc<dyn LawfulStore>;

/// Whether the authorization is still there.
async fn exists(store: &dyn LawfulStore, name: &str) -> bool {
    let parent = Parent::Existing(authorization_id(name));
    store.commit(Issuance { parent, ..nothing(NOW) }).await.unwrap() == Committed::Done
}

pub(super) async fn the_expired_goes_and_the_rest_stays(store: Store) {
    give_code(&*store, "short", NOW).await;
    let family = Issuance {
        parent: Parent::New(authorization("long")),
        tokens: vec![access("access"), crate::testing::fixtures::refresh("refresh")],
        ..nothing(NOW)
    };
    done(&*store, family).await;
    done(&*store, Issuance { tokens: vec![access("alone")], ..nothing(NOW) }).await;
    store.suspend(hash("waiting"), pending()).await.unwrap();
    assert!(store.see("jti", "a", after(100), NOW).await.unwrap());

    assert_eq!(store.sweep(after(59), 100).await.unwrap(), 0);
    // The code and its authorization.
    assert_eq!(store.sweep(after(60), 100).await.unwrap(), 2);
    assert_eq!(store.code(&hash("short")).await.unwrap(), None);
    assert!(!exists(&*store, "short").await);
    assert!(store.seen("jti", "a", after(99)).await.unwrap());
    // The two access tokens and the mark.
    assert_eq!(store.sweep(after(300), 100).await.unwrap(), 3);
    assert_eq!(store.token(&hash("access")).await.unwrap(), None);
    assert_eq!(store.token(&hash("alone")).await.unwrap(), None);
    assert!(store.token(&hash("refresh")).await.unwrap().is_some());
    assert!(exists(&*store, "long").await);
    assert!(store.pending(&hash("waiting")).await.unwrap().is_some());
    // The pending authorization.
    assert_eq!(store.sweep(after(600), 100).await.unwrap(), 1);
    assert_eq!(store.pending(&hash("waiting")).await.unwrap(), None);
    // The refresh token and its authorization.
    assert_eq!(store.sweep(after(3600), 100).await.unwrap(), 2);
    assert!(!exists(&*store, "long").await);
    assert_eq!(store.sweep(after(9999), 100).await.unwrap(), 0);
}

pub(super) async fn a_used_credential_stays_until_it_expires(store: Store) {
    give_code(&*store, "x", NOW).await;
    let short = NewToken { expires_at: after(10), ..access("bought") };
    done(&*store, Issuance { tokens: vec![short], ..redeem("x", "", after(1)) }).await;
    give_refresh(&*store, "r0", NOW).await;
    done(&*store, rotate("r0", "r0", "r1", after(1))).await;
    store.revoke_token(&hash("r1"), after(2)).await.unwrap();

    assert_eq!(store.sweep(after(59), 100).await.unwrap(), 1);
    let replay = store.commit(redeem("x", "again", after(59))).await.unwrap();
    assert_eq!(replay, Committed::Replayed);
    store.sweep(after(3599), 100).await.unwrap();
    let replay = store.commit(rotate("r0", "r0", "other", after(3599))).await.unwrap();
    assert_eq!(replay, Committed::Replayed);
    store.sweep(after(3600), 100).await.unwrap();
    assert_eq!(store.token(&hash("r0")).await.unwrap(), None);
}

pub(super) async fn a_sweep_is_bounded(store: Store) {
    for n in 0..5 {
        let tokens = vec![access(&format!("token {n}"))];
        done(&*store, Issuance { tokens, ..nothing(NOW) }).await;
        assert!(store.see("jti", &n.to_string(), after(10), NOW).await.unwrap());
    }
    assert_eq!(store.sweep(after(300), 0).await.unwrap(), 0);
    assert_eq!(store.sweep(after(300), 3).await.unwrap(), 6);
    assert_eq!(store.sweep(after(300), 3).await.unwrap(), 4);
    assert_eq!(store.sweep(after(300), 3).await.unwrap(), 0);
}

/// As long as anything could still be under way that was begun before.
pub(super) async fn a_revocation_is_known_for_a_day(store: Store) {
    const DAY: u64 = 86_400;
    let before = store.epoch().await.unwrap();
    let begun = |name: &str| {
        let parent = NewAuthorization { since: Some(before), ..authorization(name) };
        Issuance { parent: Parent::New(parent), ..nothing(NOW) }
    };
    store.revoke_user(&UserId::new("u"), None, NOW).await.unwrap();
    let newest = store.epoch().await.unwrap();
    assert_eq!(store.sweep(NOW, 100).await.unwrap(), 0);
    assert_eq!(store.sweep(after(DAY - 1), 100).await.unwrap(), 0);
    assert_eq!(store.commit(begun("early")).await.unwrap(), Committed::Revoked);
    assert_eq!(store.sweep(after(DAY), 100).await.unwrap(), 1);
    done(&*store, begun("late")).await;
    // No epoch comes twice.
    assert_eq!(store.epoch().await.unwrap(), newest);
}
