//! Where secrets are kept: Redis, memory, files under a passphrase.

use crate::support::{Home, Provider, sign_in, signed_in};
use oauth_helper::{Secret, TokenStore, seal::KeySource};
use std::{
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

/// A Redis of its own, on a socket that nobody else uses.
struct Redis {
    child: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Redis {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("s");
        let child = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--daemonize", "no"])
            .arg("--unixsocket")
            .arg(&socket)
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed (Debian: redis-server)");
        let begin = Instant::now();
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(20), "redis-server does not start");
            std::thread::yield_now();
        }
        Self { child, url: format!("redis+unix://{}", socket.display()), _folder: folder }
    }

    fn connect(&self) -> redis::Connection {
        redis::Client::open(self.url.as_str()).unwrap().get_connection().unwrap()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

async fn store(home: &Home, redis: &Redis, profile: &str) -> TokenStore {
    home.builder().profile(profile).redis(&redis.url, "mine:").open().await.unwrap()
}

#[tokio::test]
async fn s3_07_s3_15_redis_holds_sealed_values_under_a_prefix_and_each_ends() {
    let provider = Provider::start().await;
    let (home, redis) = (Home::new(), Redis::start());
    let one = store(&home, &redis, "me").await;
    let (client, credentials) = provider.client("app");
    one.add(client, &credentials).await.unwrap();
    sign_in(&one, "app").await;
    let token = one.client("app").await.unwrap().access_token().await.unwrap();
    let mut connection = redis.connect();
    let mut keys: Vec<String> = redis::cmd("KEYS").arg("*").query(&mut connection).unwrap();
    keys.sort();
    assert_eq!(keys, ["mine:me:1.credentials", "mine:me:1.tokens"], "and no lock is left");
    for key in keys {
        let ttl: i64 = redis::cmd("TTL").arg(&key).query(&mut connection).unwrap();
        assert!(ttl > 0, "{key} has no end");
        let value: Vec<u8> = redis::cmd("GET").arg(&key).query(&mut connection).unwrap();
        for secret in [token.token.expose(), crate::support::SECRET] {
            assert!(!value.windows(secret.len()).any(|w| w == secret.as_bytes()), "{key}");
        }
    }
    // Another profile sees nothing of it, though it has the same metadata file here.
    let other = store(&home, &redis, "you").await;
    assert!(other.client("app").await.unwrap().access_token().await.is_err());
    one.remove(one.find("app").await.unwrap().id).await.unwrap();
    let left: Vec<String> = redis::cmd("KEYS").arg("*").query(&mut connection).unwrap();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn s3_03_callers_on_two_machines_with_one_redis_make_one_request() {
    let provider = Provider::start().await;
    let (home, redis) = (Home::new(), Redis::start());
    let stores = [store(&home, &redis, "me").await, store(&home, &redis, "me").await];
    let (client, credentials) = provider.client("app");
    stores[0].add(client, &credentials).await.unwrap();
    sign_in(&stores[0], "app").await;
    let before = provider.token_requests();
    home.clock.advance(1_000_000);
    let start = Arc::new(tokio::sync::Barrier::new(50));
    let mut callers = Vec::new();
    for i in 0..50 {
        let client = stores[i % 2].client("app").await.unwrap();
        let start = Arc::clone(&start);
        callers.push(tokio::spawn(async move {
            start.wait().await;
            client.access_token().await.unwrap()
        }));
    }
    let mut tokens = Vec::new();
    for caller in callers {
        tokens.push(caller.await.unwrap());
    }
    assert_eq!(provider.token_requests(), before + 1);
    assert!(tokens.iter().all(|t| *t == tokens[0]));
}

#[tokio::test]
async fn s3_07_a_lock_that_ran_out_lets_nothing_be_written() {
    let (home, redis) = (Home::new(), Redis::start());
    let store = store(&home, &redis, "me").await;
    let client = oauth_helper::Client {
        issuer: Some("https://as.example".into()),
        ..oauth_helper::Client::new("x", "x")
    };
    store.add(client, &oauth_helper::Credentials::default()).await.unwrap();
    // Another process holds the lock: ours waits, and goes on as soon as it ends.
    let mut connection = redis.connect();
    let lock = || redis::cmd("SET").arg("mine:me:1.lock").arg("theirs").arg("PX").arg(300).clone();
    lock().exec(&mut connection).unwrap();
    let begin = Instant::now();
    store.restore(1, &oauth_helper::model::Record::default()).await.unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn s3_02_a_redis_that_is_away_is_told_without_its_password() {
    let home = Home::new();
    let opened = home.builder().redis("redis://:hush@127.0.0.1:1/0", "x:").open().await;
    let text = opened.unwrap_err().to_string();
    assert_eq!(text, "Redis failed: it cannot be reached");
    let opened = home.builder().redis("http://x", "x:").open().await;
    assert_eq!(
        opened.unwrap_err().to_string(),
        "message_queue.url is no redis:// or unix:// address"
    );
}

#[tokio::test]
async fn s3_02_memory_and_passphrases() {
    let provider = Provider::start().await;
    let home = Home::new();
    let memory = home.builder().memory().open().await.unwrap();
    let (client, credentials) = provider.client("public");
    memory.add(client, &credentials).await.unwrap();
    sign_in(&memory, "public").await;
    memory.client("public").await.unwrap().refresh().await.unwrap();
    let home = Home::new();
    let phrase = |text: &str| home.builder().key(KeySource::Passphrase(Secret::new(text)));
    let store = phrase("right").open().await.unwrap();
    let (client, credentials) = provider.client("app");
    store.add(client, &credentials).await.unwrap();
    sign_in(&store, "app").await;
    let again = phrase("right").open().await.unwrap();
    again.client("app").await.unwrap().access_token().await.unwrap();
    let wrong = phrase("wrong").open().await.unwrap_err();
    assert_eq!(
        (wrong.exit_code(), wrong.to_string().as_str()),
        (8, "the passphrase is not that of the vault")
    );
}

#[tokio::test]
async fn s3_11_a_disk_that_cannot_be_written_is_noticed_before_the_token_is_used_up() {
    let provider = Provider::start().await;
    let home = Home::new();
    let store = signed_in(&home, &provider, "app").await;
    let client = store.client("app").await.unwrap();
    let before = provider.token_requests();
    // A folder in the place of the file cannot be replaced by one, whoever tries.
    let path = home.folder.path().join(format!("secrets/{}.tokens.sealed", client.id()));
    let kept = std::fs::read(&path).unwrap();
    let stale = client.access_token().await.unwrap();
    let hidden = path.with_extension("hidden");
    std::fs::rename(&path, &hidden).unwrap();
    std::fs::create_dir_all(path.join("x")).unwrap();
    let error = client.renewed(&stale).await.unwrap_err();
    assert_eq!(error.exit_code(), 8, "{error}");
    assert_eq!(provider.token_requests(), before, "nothing was sent");
    std::fs::remove_dir_all(&path).unwrap();
    std::fs::rename(&hidden, &path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), kept);
    client.refresh().await.unwrap();
}
