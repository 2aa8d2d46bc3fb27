//! Marks of what may be used once.

use super::LawfulStore;
use crate::testing::fixtures::{NOW, after};
use std::sync::Arc;

type Store = Arc<dyn LawfulStore>;

pub(super) async fn a_mark_is_set_once(store: Store) {
    assert!(!store.seen("jti", "a", NOW).await.unwrap());
    assert!(store.see("jti", "a", after(10), NOW).await.unwrap());
    assert!(!store.see("jti", "a", after(10), NOW).await.unwrap());
    assert!(!store.see("jti", "a", after(20), after(9)).await.unwrap());
    assert!(store.seen("jti", "a", after(9)).await.unwrap());
    assert!(store.see("jti", &"long".repeat(1000), after(10), NOW).await.unwrap());
    assert!(!store.see("jti", &"long".repeat(1000), after(10), NOW).await.unwrap());
}

pub(super) async fn a_mark_ends(store: Store) {
    assert!(store.see("jti", "a", after(10), NOW).await.unwrap());
    assert!(!store.seen("jti", "a", after(10)).await.unwrap());
    assert!(store.see("jti", "a", after(30), after(10)).await.unwrap());
    assert!(!store.see("jti", "a", after(30), after(10)).await.unwrap());
    assert!(store.seen("jti", "a", after(29)).await.unwrap());
}

pub(super) async fn marks_of_different_kinds_do_not_meet(store: Store) {
    for (kind, key) in
        [("jti", "a b"), ("jti a", "b"), ("dpop", "a b"), ("jti", "a\0b"), ("jti", "")]
    {
        assert!(!store.seen(kind, key, NOW).await.unwrap());
        assert!(store.see(kind, key, after(10), NOW).await.unwrap(), "{kind} {key}");
    }
}
