//! The schema of the server's own tables in steps. A released step is never edited; a later one adds to it.

mod m20261122_000001_sessions_and_throttle;
mod m20261122_000002_session_names;
mod m20261122_000003_initial_access_tokens;
mod m20261128_000001_devices;
mod m20261128_000002_mail_tokens;
mod m20261128_000006_letters;
mod m20261128_000007_identities;
mod m20261128_000009_revoked_tokens;
mod m20261128_000010_rotated_sessions;
mod m20261128_000011_second_factor;
mod m20261128_000012_activity;
mod m20261128_000013_passkeys;
mod m20261128_000015_pending_clients;
mod m20261128_000016_audit;
mod m20261128_000018_form_keys;
mod m20261128_000020_agreements;
mod m20261129_000021_initial_access_token_makers;
mod m20261129_000023_half_sign_in_times;

use oauth_core::{error::PortError, seaorm::SeaStore};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr};
use sea_orm_migration::{
    MigrationTrait, MigratorTrait, async_trait,
    sea_orm::DynIden,
    sea_query::{Alias, IntoIden},
};

/// The server's own tables. The steps taken are noted in `oauth_server_migration`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261122_000001_sessions_and_throttle::Migration),
            Box::new(m20261122_000002_session_names::Migration),
            Box::new(m20261122_000003_initial_access_tokens::Migration),
            Box::new(m20261128_000006_letters::Migration),
            Box::new(m20261128_000001_devices::Migration),
            Box::new(m20261128_000007_identities::Migration),
            Box::new(m20261128_000009_revoked_tokens::Migration),
            Box::new(m20261128_000010_rotated_sessions::Migration),
            Box::new(m20261128_000015_pending_clients::Migration),
            Box::new(m20261128_000016_audit::Migration),
            Box::new(m20261128_000002_mail_tokens::Migration),
            Box::new(m20261128_000011_second_factor::Migration),
            Box::new(m20261128_000012_activity::Migration),
            Box::new(m20261128_000018_form_keys::Migration),
            Box::new(m20261128_000020_agreements::Migration),
            Box::new(m20261128_000013_passkeys::Migration),
            Box::new(m20261129_000021_initial_access_token_makers::Migration),
            Box::new(m20261129_000023_half_sign_in_times::Migration),
        ]
    }

    fn migration_table_name() -> DynIden {
        Alias::new("oauth_server_migration").into_iden()
    }
}

/// Any number will do that no other program on the database uses.
const LOCK: i64 = 0x6f61_7574_6873_7276;

/// The names of the steps, of the library and of the server, that the database lacks.
pub async fn pending(store: &SeaStore) -> Result<Vec<String>, PortError> {
    let mut names = store.pending_migrations().await?;
    let own = Migrator::get_pending_migrations_read_only(store.database()).await?;
    names.extend(own.iter().map(|m| m.name().to_owned()));
    Ok(names)
}

/// Brings the library's tables and then the server's up to date. Safe when several processes start at once.
pub async fn run(store: &SeaStore) -> Result<(), PortError> {
    store.migrate().await?;
    if Migrator::get_pending_migrations_read_only(store.database()).await?.is_empty() {
        return Ok(());
    }
    store.write(|transaction| Box::pin(async move { Ok(take_steps(transaction).await?) })).await
}

/// On SQLite the write transaction keeps other processes out, on PostgreSQL a lock that ends with it.
async fn take_steps(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    if transaction.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await?;
    }
    Migrator::up(transaction, None).await
}
