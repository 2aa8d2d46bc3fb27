//! Floor 7: the stores on SQLite and PostgreSQL through SeaORM. Statements here, rules elsewhere.
//!
//! ```no_run
//! # async fn example() -> Result<(), oauth_core::error::PortError> {
//! use oauth_core::seaorm::SeaStore;
//!
//! let store = SeaStore::connect("sqlite://oauth.db").await?;
//! store.migrate().await?;
//! # Ok(())
//! # }
//! ```
//!
//! With feature `mysql` it compiles for MySQL and MariaDB too; that is untested.

mod clients;
mod commit;
mod connect;
mod cutoff;
pub mod entity;
mod gather;
mod grants;
mod keys;
mod lookups;
mod migration;
mod only;
pub mod people;
mod sessions;
mod sweep;
mod users;
mod writer;

pub use connect::{Durability, StoreOptions};
pub use entity::user::UserAccount;
pub use migration::Migrator;
pub use users::{NewUser, new_user_id};

use crate::{error::PortError, password::Argon2Passwords, ports::Passwords};
use lookups::Lookups;
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr};
use std::{fmt, pin::Pin, sync::Arc};
use writer::Writer;

/// What a unit of work given to [`SeaStore::write`] returns.
pub type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T, PortError>> + Send + 'a>>;

/// Clients, grants, users and keys in a database. Clones share the pools.
#[derive(Clone)]
pub struct SeaStore {
    reader: DatabaseConnection,
    tokens: Lookups,
    writer: Writer,
    passwords: Arc<dyn Passwords>,
}

impl SeaStore {
    /// Connects to `sqlite://path` or `postgres://…` with the default options.
    ///
    /// A SQLite file that does not exist is created. Call [`migrate`](Self::migrate) before first use.
    pub async fn connect(url: &str) -> Result<Self, PortError> {
        Self::connect_with(url, &StoreOptions::default()).await
    }

    /// Connects with other options.
    pub async fn connect_with(url: &str, options: &StoreOptions) -> Result<Self, PortError> {
        let (reader, writer) = connect::open(url, options).await?;
        Ok(Self::over(reader, writer))
    }

    fn over(reader: DatabaseConnection, writer: DatabaseConnection) -> Self {
        let passwords = Arc::new(Argon2Passwords::default());
        let tokens = Lookups::new(reader.clone());
        Self { reader, tokens, writer: Writer::new(writer), passwords }
    }

    /// Checks the passwords of users with this instead of a store's own [`Argon2Passwords`], for example
    /// to share one limit on how many are checked at once.
    pub fn with_passwords(mut self, passwords: impl Passwords + 'static) -> Self {
        self.passwords = Arc::new(passwords);
        self
    }

    /// The connection pool, for reading, and for tables of your own. On SQLite, write through
    /// [`write`](Self::write), which does not compete with the store for the one writer.
    pub fn database(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// Runs the work in a write transaction and commits it if it succeeds.
    ///
    /// On SQLite the work shares one transaction and one disk flush with whatever else is being written
    /// at the moment, in a savepoint of its own; it is finished even when the caller stops waiting.
    /// So it must be quick and must not wait for another write.
    pub async fn write<T, F>(&self, work: F) -> Result<T, PortError>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a DatabaseTransaction) -> Work<'a, T> + Send + 'static,
    {
        self.writer.transact(work).await
    }

    /// Brings the schema up to date. Safe when several processes start at once.
    pub async fn migrate(&self) -> Result<(), PortError> {
        migration::run(self.writer.database()).await
    }

    /// Whether the database answers and no step of the schema is missing. Changes nothing.
    pub async fn is_ready(&self) -> Result<bool, PortError> {
        self.reader.ping().await?;
        Ok(migration::pending(&self.reader).await?.is_empty())
    }

    /// The steps of the schema that [`migrate`](Self::migrate) would take.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, PortError> {
        migration::pending(&self.reader).await
    }

    /// Waits for running statements and closes the connections of all clones.
    pub async fn close(&self) -> Result<(), PortError> {
        self.reader.close_by_ref().await?;
        self.writer.database().close_by_ref().await?;
        Ok(())
    }
}

impl fmt::Debug for SeaStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeaStore").field("database", &self.reader).finish_non_exhaustive()
    }
}

impl From<DatabaseConnection> for SeaStore {
    /// Uses a pool of yours, with the logging of statements it was given. On SQLite it should have foreign
    /// keys on, WAL, and a busy time-out.
    fn from(database: DatabaseConnection) -> Self {
        Self::over(database.clone(), database)
    }
}

impl From<sqlx::SqlitePool> for SeaStore {
    fn from(pool: sqlx::SqlitePool) -> Self {
        sea_orm::SqlxSqliteConnector::from_sqlx_sqlite_pool(pool).into()
    }
}

impl From<sqlx::PgPool> for SeaStore {
    fn from(pool: sqlx::PgPool) -> Self {
        sea_orm::SqlxPostgresConnector::from_sqlx_postgres_pool(pool).into()
    }
}

impl From<DbErr> for PortError {
    fn from(e: DbErr) -> Self {
        Self::new(e)
    }
}
