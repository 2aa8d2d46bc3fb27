//! Pending authorizations, and what a person's answer writes.

use super::{LawfulStore, done, nothing};
use crate::{
    model::{
        ClientId, Committed, Consent, Consume, Issuance, Parent, PendingAuthorization, Timestamp,
        UserId,
    },
    testing::fixtures::{
        NOW, after, authorization, authorization_id, code, consent, hash, pending, scope,
    },
};
use std::sync::Arc;

type Store = Arc<dyn LawfulStore>;

/// The answer to the interaction `waiting`.
fn answer(name: &str, at: Timestamp) -> Issuance {
    Issuance {
        consume: Consume::Interaction(hash("waiting")),
        parent: Parent::New(authorization(name)),
        code: Some(code(name)),
        consent: Some(consent(name)),
        ..nothing(at)
    }
}

async fn consented(store: &dyn LawfulStore) -> Option<Consent> {
    store.consent(&UserId::new("u"), &ClientId::new("c")).await.unwrap()
}

pub(super) async fn an_interaction_works_once(store: Store) {
    store.suspend(hash("waiting"), pending()).await.unwrap();
    assert_eq!(store.pending(&hash("waiting")).await.unwrap(), Some(pending()));
    assert_eq!(store.pending(&hash("other")).await.unwrap(), None);
    let next = PendingAuthorization { first: Some(hash("waiting")), ..pending() };
    store.suspend(hash("next"), next.clone()).await.unwrap();
    assert_eq!(store.pending(&hash("next")).await.unwrap(), Some(next));
    done(&*store, answer("a", after(1))).await;
    assert_eq!(store.pending(&hash("waiting")).await.unwrap(), None);

    let again = store.commit(answer("b", after(1))).await.unwrap();
    assert_eq!(again, Committed::Replayed);
    assert_eq!(store.code(&hash("b")).await.unwrap(), None);
    assert_eq!(consented(&*store).await, Some(consent("a")));
    let parent = Parent::Existing(authorization_id("b"));
    let orphan = store.commit(Issuance { parent, ..nothing(NOW) }).await.unwrap();
    assert_eq!(orphan, Committed::Revoked);

    let first = store.code(&hash("a")).await.unwrap().unwrap();
    assert_eq!((first.revoked_at, first.consumed_at), (None, None));
}

pub(super) async fn an_expired_interaction_does_not_work(store: Store) {
    store.suspend(hash("waiting"), pending()).await.unwrap();
    let late = store.commit(answer("a", after(600))).await.unwrap();
    assert_eq!(late, Committed::Replayed);
    assert_eq!(store.code(&hash("a")).await.unwrap(), None);
    assert_eq!(consented(&*store).await, None);
}

pub(super) async fn consents_are_merged(store: Store) {
    let give =
        |text: &str, at| Issuance { consent: Some(Consent { at, ..consent(text) }), ..nothing(at) };
    done(&*store, give("b", NOW)).await;
    done(&*store, give("c a", after(1))).await;
    done(&*store, give("b", after(2))).await;
    let merged = Consent { scope: scope("a b c"), at: after(2), ..consent("a") };
    assert_eq!(consented(&*store).await, Some(merged.clone()));
    let elsewhere = Consent { client: ClientId::new("d"), ..consent("x") };
    let theirs = Consent { user: UserId::new("v"), ..consent("y") };
    for other in [&elsewhere, &theirs] {
        done(&*store, Issuance { consent: Some(other.clone()), ..nothing(NOW) }).await;
    }
    assert_eq!(store.consents(&UserId::new("u")).await.unwrap(), [merged, elsewhere]);
}
