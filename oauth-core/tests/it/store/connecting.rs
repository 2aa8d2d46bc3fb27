//! Where a store comes from, and its schema.

use oauth_core::{
    model::ClientId,
    ports::ClientStore,
    seaorm::{Durability, Migrator, SeaStore, StoreOptions},
    testing::{TestDatabase, fixtures::client},
};
use sea_orm::{ConnectionTrait, Statement};
use sea_orm_migration::MigratorTrait;
use std::time::Duration;

async fn works(store: SeaStore) {
    store.migrate().await.unwrap();
    assert!(store.is_ready().await.unwrap());
    assert!(store.insert_client(client("c")).await.unwrap());
    assert!(store.client(&ClientId::new("c")).await.unwrap().is_some());
}

#[tokio::test]
async fn a_store_is_made_from_a_pool_or_a_connection() {
    let (file, server) = (TestDatabase::empty_sqlite().await, TestDatabase::empty_postgres().await);
    works(sqlx::SqlitePool::connect(file.url()).await.unwrap().into()).await;
    works(sqlx::PgPool::connect(server.url()).await.unwrap().into()).await;
    let (file, server) = (TestDatabase::empty_sqlite().await, TestDatabase::empty_postgres().await);
    works(sea_orm::Database::connect(file.url()).await.unwrap().into()).await;
    works(sea_orm::Database::connect(server.url()).await.unwrap().into()).await;
}

#[tokio::test]
async fn readiness_needs_the_whole_schema() {
    for database in [TestDatabase::empty_sqlite().await, TestDatabase::empty_postgres().await] {
        let store = database.store();
        assert!(!store.is_ready().await.unwrap());
        let missing = store.pending_migrations().await.unwrap();
        assert_eq!(missing.len(), Migrator::migrations().len());
        store.migrate().await.unwrap();
        store.migrate().await.unwrap();
        assert!(store.is_ready().await.unwrap());
        assert_eq!(store.pending_migrations().await.unwrap(), Vec::<String>::new());
        Migrator::down(store.database(), None).await.unwrap();
        assert!(!store.is_ready().await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_start_at_once_migrate_once() {
    for database in [TestDatabase::empty_sqlite().await, TestDatabase::empty_postgres().await] {
        let mut starting = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let url = database.url().to_owned();
            starting.spawn(async move {
                let store = SeaStore::connect(&url).await.unwrap();
                store.migrate().await.unwrap();
                assert!(store.is_ready().await.unwrap());
            });
        }
        starting.join_all().await;
    }
}

#[tokio::test]
async fn sqlite_is_durable_unless_told_otherwise() {
    async fn pragma(store: &SeaStore, name: &str) -> String {
        let database = store.database();
        let ask = Statement::from_string(database.get_database_backend(), format!("PRAGMA {name}"));
        let row = database.query_one_raw(ask).await.unwrap().unwrap();
        row.try_get_by_index::<String>(0)
            .or_else(|_| row.try_get_by_index::<i64>(0).map(|n| n.to_string()))
            .unwrap()
    }
    let file = TestDatabase::empty_sqlite().await;
    for (pragma_name, wanted) in
        [("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1")]
    {
        assert_eq!(pragma(&file.store(), pragma_name).await, wanted, "{pragma_name}");
    }
    let options = StoreOptions::default()
        .durability(Durability::Normal)
        .busy_timeout(Duration::from_millis(1234))
        .acquire_timeout(Duration::from_secs(1))
        .max_connections(1);
    let store = SeaStore::connect_with(file.url(), &options).await.unwrap();
    assert_eq!(pragma(&store, "synchronous").await, "1");
    assert_eq!(pragma(&store, "busy_timeout").await, "1234");
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_an_error() {
    for url in [
        "sqlite:///no/such/folder/x.db",
        "postgres://postgres:hidden@127.0.0.1:1/none",
        "redis://user:hidden@127.0.0.1",
        "not a url: hidden",
        "",
    ] {
        let problem = SeaStore::connect(url).await.unwrap_err();
        assert!(!format!("{problem:?}").contains("hidden"), "{problem:?}");
    }
}

#[tokio::test]
async fn a_closed_store_answers_with_errors() {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let store = database.store();
        store.close().await.unwrap();
        assert!(store.client(&ClientId::new("c")).await.is_err());
        assert!(store.insert_client(client("c")).await.is_err());
        assert!(store.is_ready().await.is_err());
    }
}
