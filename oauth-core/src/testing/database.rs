//! Databases that live as long as a test.

use crate::{model::HashedToken, seaorm::SeaStore};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};
use std::{
    fmt::Write as _,
    sync::atomic::{AtomicU64, Ordering},
};
use tokio::sync::OnceCell;

/// A migrated, empty database of its own, removed when this is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    store: SeaStore,
    url: String,
    _kept: Kept,
}

#[derive(Debug)]
#[expect(dead_code, reason = "held for what dropping it does")]
enum Kept {
    File(tempfile::TempDir),
    Postgres(Disposable),
}

fn server() -> String {
    std::env::var("TEST_POSTGRES_URL").unwrap_or_else(|_| panic!("{HOW}"))
}

const HOW: &str =
    "TEST_POSTGRES_URL is not set: run scripts/test.sh, or eval \"$(scripts/postgres.sh)\" first";

impl TestDatabase {
    /// A SQLite file in a temporary folder.
    pub async fn sqlite() -> Self {
        let database = Self::empty_sqlite().await;
        database.store.migrate().await.expect("the migrations run");
        database
    }

    /// A database in the PostgreSQL of `TEST_POSTGRES_URL`.
    ///
    /// It is a copy of a migrated template, which whoever needs it first makes.
    ///
    /// # Panics
    /// When `TEST_POSTGRES_URL` is not set: without PostgreSQL tests fail, they are not skipped.
    pub async fn postgres() -> Self {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        let server = server();
        let template = TEMPLATE.get_or_init(|| make_template(&server)).await;
        Self::copy_of(template, server).await
    }

    /// A SQLite file without tables.
    pub async fn empty_sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let store = SeaStore::connect(&url).await.expect("SQLite opens a file");
        Self { store, url, _kept: Kept::File(folder) }
    }

    /// A database without tables in the PostgreSQL of `TEST_POSTGRES_URL`.
    ///
    /// # Panics
    /// When `TEST_POSTGRES_URL` is not set.
    pub async fn empty_postgres() -> Self {
        Self::copy_of("template0", server()).await
    }

    async fn copy_of(template: &str, server: String) -> Self {
        let name = unique_name();
        let admin = session(&server).await;
        run(&admin, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        admin.close().await.expect("the session closes");
        let url = with_database(&server, &name);
        let kept = Disposable { server, name };
        let store = SeaStore::connect(&url).await.expect("PostgreSQL accepts");
        Self { store, url, _kept: Kept::Postgres(kept) }
    }

    /// The store.
    pub fn store(&self) -> SeaStore {
        self.store.clone()
    }

    /// A second store with pools of its own, as a second process would have.
    pub async fn another_store(&self) -> SeaStore {
        SeaStore::connect(&self.url).await.expect("the database accepts another pool")
    }

    /// The URL to connect to.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// A database that goes with this value, whoever is still connected.
#[derive(Debug)]
struct Disposable {
    server: String,
    name: String,
}

impl Drop for Disposable {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // A runtime cannot be entered from within another one, so this has a thread to itself.
        let remove = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                let admin = session(&server).await;
                run(&admin, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
            });
        });
        // A database that stays behind does no harm.
        remove.join().ok();
    }
}

/// One connection, so that what belongs to a session, such as a lock, stays in it.
async fn session(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.expect("the PostgreSQL of TEST_POSTGRES_URL answers")
}

async fn run(on: &DatabaseConnection, sql: &str) {
    if let Err(e) = on.execute_unprepared(sql).await {
        panic!("{sql}: {e}");
    }
}

/// Makes the template, unless somebody did. It gets its name last, so a half-made one is never used.
async fn make_template(server: &str) -> String {
    let template = format!("oauth_template_{}", schema_fingerprint().await);
    let admin = session(server).await;
    run(&admin, "SELECT pg_advisory_lock(8025825153779591528)").await;
    let known = Statement::from_sql_and_values(
        admin.get_database_backend(),
        "SELECT 1 FROM pg_database WHERE datname = $1",
        [template.as_str().into()],
    );
    if admin.query_one_raw(known).await.expect("PostgreSQL lists its databases").is_none() {
        let draft = unique_name();
        run(&admin, &format!("CREATE DATABASE {draft} TEMPLATE template0")).await;
        let store = SeaStore::connect(&with_database(server, &draft)).await.expect("it accepts");
        store.migrate().await.expect("the migrations run");
        store.close().await.expect("the pool closes");
        run(&admin, &format!("ALTER DATABASE {draft} RENAME TO {template}")).await;
    }
    admin.close().await.expect("the session closes");
    template
}

/// A short name for the schema as it is now, so that a template of an older one is not used.
async fn schema_fingerprint() -> String {
    let store = SeaStore::connect("sqlite::memory:").await.expect("SQLite opens memory");
    store.migrate().await.expect("the migrations run");
    let query = "SELECT coalesce(sql, name) AS text FROM sqlite_master ORDER BY name";
    let database = store.database();
    let rows = database
        .query_all_raw(Statement::from_string(database.get_database_backend(), query))
        .await
        .expect("SQLite describes itself");
    let texts: Vec<String> =
        rows.iter().map(|row| row.try_get("", "text").expect("a text column")).collect();
    let mut name = String::new();
    for byte in HashedToken::of(&texts.join("\n")).as_bytes().iter().take(8) {
        write!(name, "{byte:02x}").expect("a string takes everything");
    }
    name
}

/// A name no other test, in this process or another, has.
fn unique_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut noise = [0; 8];
    crate::ports::Random::fill(&crate::ports::SystemRandom, &mut noise);
    let count = COUNT.fetch_add(1, Ordering::SeqCst);
    format!("oauth_test_{}_{count}_{:016x}", std::process::id(), u64::from_le_bytes(noise))
}

fn with_database(server: &str, name: &str) -> String {
    let mut url = url::Url::parse(server).expect("TEST_POSTGRES_URL is a URL");
    url.set_path(name);
    url.into()
}
