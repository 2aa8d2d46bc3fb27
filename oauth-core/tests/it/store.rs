//! The store laws on every store, and what is particular to those on a database.

mod connecting;
mod expiry;
mod group_commit;
mod histories;
mod schema;
mod users;

use oauth_core::{
    memory::MemoryStore,
    model::UserId,
    seaorm::SeaStore,
    testing::{TestDatabase, fixtures, profile, profile_laws, store_laws, user_laws},
};

#[tokio::test]
async fn memory_keeps_the_laws() {
    store_laws(async || (MemoryStore::new(), ())).await;
    let user = fixtures::user("Ada");
    let store = MemoryStore::new().with_user(user.clone(), "correct horse");
    user_laws(&store, &user, "correct horse").await;
    let mut said = profile();
    said.insert("sub".to_owned(), "somebody else".into());
    let store = store.with_profile(&user.id, said);
    profile_laws(&store, &user.id, &UserId::new("other")).await;
}

#[tokio::test]
async fn sqlite_keeps_the_laws() {
    store_laws(async || with_store(TestDatabase::sqlite().await)).await;
}

#[tokio::test]
async fn sqlite_in_memory_keeps_the_laws() {
    store_laws(async || {
        let store = SeaStore::connect("sqlite::memory:").await.unwrap();
        store.migrate().await.unwrap();
        (store, ())
    })
    .await;
}

#[tokio::test]
async fn postgres_keeps_the_laws() {
    store_laws(async || with_store(TestDatabase::postgres().await)).await;
}

fn with_store(database: TestDatabase) -> (SeaStore, TestDatabase) {
    (database.store(), database)
}
