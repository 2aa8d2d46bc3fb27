//! The schema in steps. A released step is never edited; a later one adds to it.

mod m20261122_000001_create_tables;
mod m20261122_000002_openid_connect;
mod m20261128_000003_people;
mod m20261128_000019_write_paths;
mod m20261129_000022_cutoffs;

use crate::error::PortError;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, DynIden,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
    sea_query::{Alias, IntoIden},
};
use sea_orm_migration::{
    MigrationTrait, MigratorTrait, SchemaManager, async_trait, prelude::TableCreateStatement,
};

/// The tables of the store, all named `oauth_…`.
///
/// [`SeaStore::migrate`](super::SeaStore::migrate) runs it. To nest the steps in a migrator of your
/// own, add `oauth_core::seaorm::Migrator::migrations()` to yours. The steps taken are noted in a table
/// of their own, `oauth_migration`, so this migrator and another one can work on the same database.
#[derive(Clone, Copy, Debug, Default)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261122_000001_create_tables::Migration),
            Box::new(m20261122_000002_openid_connect::Migration),
            Box::new(m20261128_000003_people::Migration),
            Box::new(m20261128_000019_write_paths::Migration),
            Box::new(m20261129_000022_cutoffs::Migration),
        ]
    }

    fn migration_table_name() -> DynIden {
        Alias::new("oauth_migration").into_iden()
    }
}

/// Takes the missing steps. Of several processes the first does it and the others wait and find it done.
pub(super) async fn run(database: &DatabaseConnection) -> Result<(), PortError> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = database.begin_with_options(options).await?;
    lock(&transaction).await?;
    Migrator::up(&transaction, None).await?;
    unlock(&transaction).await?;
    transaction.commit().await?;
    Ok(())
}

/// The names of the missing steps. Needs no right to change the schema.
pub(super) async fn pending(database: &DatabaseConnection) -> Result<Vec<String>, PortError> {
    let missing = Migrator::get_pending_migrations_read_only(database).await?;
    Ok(missing.iter().map(|step| step.name().to_owned()).collect())
}

/// Whoever else migrates waits. On SQLite the immediate transaction is the lock.
async fn lock(on: &DatabaseTransaction) -> Result<(), DbErr> {
    match on.get_database_backend() {
        // The bytes of "oauthmig"; the lock goes with the transaction.
        DbBackend::Postgres => raw(on, "SELECT pg_advisory_xact_lock(8025825153779591527)").await,
        DbBackend::MySql => raw(on, "SELECT GET_LOCK('oauth_migration', 60)").await,
        _ => Ok(()),
    }
}

async fn unlock(on: &DatabaseTransaction) -> Result<(), DbErr> {
    match on.get_database_backend() {
        DbBackend::MySql => raw(on, "SELECT RELEASE_LOCK('oauth_migration')").await,
        _ => Ok(()),
    }
}

/// MariaDB and MySQL compare without regard to case unless told otherwise.
fn exact(mut table: TableCreateStatement, manager: &SchemaManager<'_>) -> TableCreateStatement {
    if manager.get_database_backend() == DbBackend::MySql {
        table.collate("utf8mb4_bin");
    }
    table
}

async fn raw(on: &DatabaseTransaction, sql: &str) -> Result<(), DbErr> {
    let statement = Statement::from_string(on.get_database_backend(), sql);
    on.query_one_raw(statement).await?;
    Ok(())
}
