//! Opening the pools.

use crate::error::PortError;
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbBackend};
use sqlx::{
    ConnectOptions as _,
    postgres::PgConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{str::FromStr, time::Duration};
use url::Url;

/// How many connections, and how patient.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoreOptions {
    /// Connections in the pool, on SQLite those that read, beside the one that writes; by default 4 there
    /// and 10 on PostgreSQL.
    pub max_connections: Option<u32>,
    /// How long a request waits for a connection.
    pub acquire_timeout: Duration,
    /// SQLite: how long a write waits for another process that is writing.
    pub busy_timeout: Duration,
    /// SQLite: what a crash of the machine may take.
    pub durability: Durability,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            max_connections: None,
            acquire_timeout: Duration::from_secs(5),
            busy_timeout: Duration::from_secs(10),
            durability: Durability::Full,
        }
    }
}

impl StoreOptions {
    /// Sets [`max_connections`](Self::max_connections).
    pub fn max_connections(mut self, most: u32) -> Self {
        self.max_connections = Some(most.max(1));
        self
    }

    /// Sets [`acquire_timeout`](Self::acquire_timeout).
    pub fn acquire_timeout(mut self, wait: Duration) -> Self {
        self.acquire_timeout = wait;
        self
    }

    /// Sets [`busy_timeout`](Self::busy_timeout).
    pub fn busy_timeout(mut self, wait: Duration) -> Self {
        self.busy_timeout = wait;
        self
    }

    /// Sets [`durability`](Self::durability).
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }
}

/// What a crash of the machine may take; a crash of the process takes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Nothing that was answered: each transaction is flushed to the disk.
    #[default]
    Full,
    /// The last moments: a used code or a revocation may come back to life.
    Normal,
}

/// How long a pooled connection may rest before it is tried before use.
const TRUSTED_IDLE: Duration = Duration::from_secs(30);
const MOST_CONNECTIONS: u32 = 10;
const MOST_READERS: u32 = 4;

/// The pool to read with and the pool to write with; one and the same except for SQLite files.
pub(super) async fn open(
    url: &str,
    options: &StoreOptions,
) -> Result<(DatabaseConnection, DatabaseConnection), PortError> {
    let engine = engine(url)?;
    let mut base = ConnectOptions::new(without_secrets(url, engine)?);
    base.sqlx_logging(false)
        .record_stmt_in_spans(false)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire_if_idle_for(TRUSTED_IDLE)
        .max_connections(options.max_connections.unwrap_or(MOST_CONNECTIONS));
    match engine {
        DbBackend::Sqlite => return open_sqlite(base, options, is_in_memory(url)).await,
        DbBackend::Postgres => {
            let whole = PgConnectOptions::from_str(url).map_err(PortError::new)?;
            let whole = whole.disable_statement_logging();
            base.map_sqlx_postgres_opts(move |_| whole.clone());
        }
        #[cfg(feature = "mysql")]
        DbBackend::MySql => {
            let whole = sqlx::mysql::MySqlConnectOptions::from_str(url).map_err(PortError::new)?;
            let whole = whole.disable_statement_logging();
            base.map_sqlx_mysql_opts(move |_| whole.clone());
        }
        _ => {}
    }
    let pool = Database::connect(base).await?;
    Ok((pool.clone(), pool))
}

async fn open_sqlite(
    mut base: ConnectOptions,
    options: &StoreOptions,
    in_memory: bool,
) -> Result<(DatabaseConnection, DatabaseConnection), PortError> {
    let (reading, writing) = (options.clone(), options.clone());
    // A connection to a local file does not go stale, and reopening one costs its caches.
    base.idle_timeout(None).max_lifetime(None).test_before_acquire(false);
    base.max_connections(options.max_connections.unwrap_or(MOST_READERS));
    base.map_sqlx_sqlite_opts(move |file| tune(file, &reading));
    let mut single = base.clone();
    single.max_connections(1).min_connections(1);
    single.map_sqlx_sqlite_opts(move |file| tune_writer(tune(file, &writing)));
    let writer = open_writer(single).await?;
    if in_memory {
        return Ok((writer.clone(), writer));
    }
    Ok((Database::connect(base).await?, writer))
}

/// The URL for SeaORM, which writes it to its trace spans; the driver gets the whole one by itself.
fn without_secrets(url: &str, engine: DbBackend) -> Result<String, PortError> {
    if engine == DbBackend::Sqlite {
        return Ok(url.to_owned());
    }
    let mut url = Url::parse(url).map_err(PortError::new)?;
    url.set_query(None);
    // A URL that cannot hold a password holds none.
    url.set_password(None).ok();
    Ok(url.into())
}

/// What the URL is for. An error does not repeat the URL, which may hold a password.
fn engine(url: &str) -> Result<DbBackend, PortError> {
    let url = Url::parse(url).map_err(PortError::new)?;
    match url.scheme() {
        "sqlite" => Ok(DbBackend::Sqlite),
        "postgres" | "postgresql" => Ok(DbBackend::Postgres),
        #[cfg(feature = "mysql")]
        "mysql" | "mariadb" => Ok(DbBackend::MySql),
        _ => Err(PortError::new("the URL is of no database this was built for")),
    }
}

fn tune(file: SqliteConnectOptions, options: &StoreOptions) -> SqliteConnectOptions {
    file.create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .foreign_keys(true)
        .busy_timeout(options.busy_timeout)
        .synchronous(match options.durability {
            Durability::Full => SqliteSynchronous::Full,
            Durability::Normal => SqliteSynchronous::Normal,
        })
}

/// What a statement may have to take back is kept in memory, not in a file made for each; pages that
/// many commits change are copied from the log less often; and the indexes of some 100,000 tokens fit.
fn tune_writer(file: SqliteConnectOptions) -> SqliteConnectOptions {
    file.pragma("temp_store", "memory")
        .pragma("wal_autocheckpoint", "4000")
        .pragma("cache_size", "-8000")
}

fn is_in_memory(url: &str) -> bool {
    url.contains(":memory:") || url.contains("mode=memory")
}

/// Opens the writer, which is the first to open a file and so the one to turn WAL on. That needs the
/// file for itself and does not wait for it, so with several processes starting at once it is tried again.
async fn open_writer(options: ConnectOptions) -> Result<DatabaseConnection, PortError> {
    const TRIES: u32 = 50;
    const PAUSE: Duration = Duration::from_millis(20);
    let mut tries = 0;
    loop {
        match Database::connect(options.clone()).await {
            Ok(writer) => return Ok(writer),
            Err(e) if tries < TRIES && e.to_string().contains("locked") => {
                tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
            Err(e) => return Err(e.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_stays_out_of_what_is_traced() {
        for url in [
            "postgres://me:hidden@db.example:5433/oauth?sslmode=require",
            "postgres://me@db.example:5433/oauth?password=hidden",
            "postgresql:///oauth?host=/run/postgresql&password=hidden",
        ] {
            let shown = without_secrets(url, engine(url).unwrap()).unwrap();
            assert!(!shown.contains("hidden") && shown.ends_with("/oauth"), "{shown}");
        }
    }
}
