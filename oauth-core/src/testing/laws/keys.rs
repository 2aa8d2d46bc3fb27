//! Signing keys.

use super::LawfulStore;
use crate::{
    model::{SigningAlgorithm, StoredKey},
    testing::fixtures::{NOW, after},
};
use std::sync::Arc;

type Store = Arc<dyn LawfulStore>;

fn key(kid: &str, alg: SigningAlgorithm, sequence: i64) -> StoredKey {
    StoredKey {
        kid: kid.to_owned(),
        alg,
        sequence,
        sealed: vec![0, 1, 2, 255],
        certificate: "-----BEGIN CERTIFICATE-----\n".to_owned(),
        publish_at: NOW,
        sign_from: after(3600),
        retired_at: None,
    }
}

pub(super) async fn keys_come_in_order(store: Store) {
    use SigningAlgorithm::{ES256, RS256};
    let keys = [key("c", ES256, 1), key("b", ES256, 2), key("a", RS256, 1)];
    for one in keys.iter().rev() {
        assert!(store.insert_key(one.clone()).await.unwrap());
    }
    let mut found = store.keys().await.unwrap();
    for alg in [ES256, RS256] {
        let order: Vec<_> = found.iter().filter(|k| k.alg == alg).map(|k| k.sequence).collect();
        assert!(order.is_sorted(), "{alg}");
    }
    found.sort_by(|x, y| y.kid.cmp(&x.kid));
    assert_eq!(found, keys);
    store.remove_key("b").await.unwrap();
    store.remove_key("b").await.unwrap();
    assert_eq!(store.keys().await.unwrap().len(), 2);
}

pub(super) async fn a_sequence_number_is_taken_once(store: Store) {
    use SigningAlgorithm::{ES256, EdDSA};
    assert!(store.insert_key(key("a", ES256, 1)).await.unwrap());
    assert!(!store.insert_key(key("b", ES256, 1)).await.unwrap());
    assert!(!store.insert_key(key("a", ES256, 2)).await.unwrap());
    assert!(store.insert_key(key("c", EdDSA, 1)).await.unwrap());
    assert_eq!(store.keys().await.unwrap().len(), 2);
}

pub(super) async fn the_first_withdrawal_counts(store: Store) {
    assert!(store.insert_key(key("a", SigningAlgorithm::ES256, 1)).await.unwrap());
    assert!(store.retire_key("a", after(1)).await.unwrap());
    assert!(store.retire_key("a", after(2)).await.unwrap());
    assert!(!store.retire_key("b", after(2)).await.unwrap());
    let retired = store.keys().await.unwrap().pop().unwrap();
    assert_eq!(retired.retired_at, Some(after(1)));
}
