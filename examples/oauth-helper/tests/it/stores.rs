//! Where secrets are kept: Redis, memory, files under a passphrase.

use crate::support::{Home, PATIENCE, PAUSE, Provider, sign_in, signed_in};
use oauth_helper::{
    Client, Credentials, Secret, TokenStore,
    model::{AuthMethod, Endpoints, Record},
    seal::KeySource,
};
use std::{
    fs::File,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Instant,
};
use url::Url;

/// Where the lock of the first client is in Redis, and where its tokens are.
const LOCK: &str = "mine:me:1.lock";
const TOKENS: &str = "mine:me:1.tokens";

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
            assert!(begin.elapsed() < PATIENCE, "redis-server does not start");
            std::thread::sleep(PAUSE);
        }
        Self { child, url: format!("redis+unix://{}", socket.display()), _folder: folder }
    }

    fn connect(&self) -> redis::Connection {
        redis::Client::open(self.url.as_str()).unwrap().get_connection().unwrap()
    }
}

/// A Redis on loopback that speaks TLS alone, with a certificate of its own.
struct TlsRedis {
    child: Child,
    url: String,
    certificate: std::path::PathBuf,
    _folder: tempfile::TempDir,
}

impl TlsRedis {
    /// `None` where the Redis of this machine was built without TLS.
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let log = folder.path().join("log");
        let mut said = String::new();
        // Somebody else may take a port between its choice and its use.
        for _ in 0..20 {
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            let mut child = Self::listen(port, folder.path(), &log);
            said = settled(&mut child, &log);
            if said.contains(READY) {
                let url = format!("rediss://localhost:{port}/0");
                return Some(Self { child, url, certificate, _folder: folder });
            }
            if said.contains("Bad directive") {
                return None;
            }
        }
        panic!("redis-server does not start: {said}");
    }

    fn listen(port: u16, folder: &Path, log: &Path) -> Child {
        let log = File::create(log).unwrap();
        Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--daemonize", "no"])
            .args(["--bind", "127.0.0.1", "--tls-auth-clients", "no"])
            .args(["--tls-port", &port.to_string()])
            .args(["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem"])
            .args(["--tls-ca-cert-file", "cert.pem"])
            .current_dir(folder)
            .stderr(log.try_clone().unwrap())
            .stdout(log)
            .spawn()
            .expect("redis-server is installed (Debian: redis-server)")
    }
}

/// What Redis says when it listens.
const READY: &str = "Ready to accept connections";

/// Waits until Redis listens or has ended; what it said.
fn settled(child: &mut Child, log: &Path) -> String {
    let begin = Instant::now();
    loop {
        let ended = child.try_wait().unwrap().is_some();
        let said = std::fs::read_to_string(log).unwrap();
        if ended || said.contains(READY) {
            return said;
        }
        assert!(begin.elapsed() < PATIENCE, "redis-server does not start: {said}");
        std::thread::sleep(PAUSE);
    }
}

impl Drop for TlsRedis {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
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

/// A store with one client, which gets its tokens at this address.
async fn store_with_client(home: &Home, redis: &Redis, token: &str) -> TokenStore {
    let store = store(home, redis, "me").await;
    let token = Some(Url::parse(token).unwrap());
    let client = Client {
        endpoints: Endpoints { token, ..Endpoints::default() },
        auth: AuthMethod::None,
        ..Client::new("x", "x")
    };
    store.add(client, &Credentials::default()).await.unwrap();
    store
}

/// How often somebody has tried to write a value, as to take a lock.
fn tries(connection: &mut redis::Connection) -> u64 {
    let text: String = redis::cmd("INFO").arg("commandstats").query(connection).unwrap();
    let calls = text.lines().find_map(|line| line.strip_prefix("cmdstat_set:calls="));
    calls.map_or(0, |rest| rest.split(',').next().unwrap().parse().unwrap())
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
async fn s3_07_a_lock_of_another_process_is_waited_for() {
    let (home, redis) = (Home::new(), Redis::start());
    let store = store_with_client(&home, &redis, "http://127.0.0.1:1/token").await;
    let mut connection = redis.connect();
    redis::cmd("SET").arg(LOCK).arg("theirs").exec(&mut connection).unwrap();
    let before = tries(&mut connection);
    let waiting = tokio::spawn(async move { store.restore(1, &Record::default()).await });
    // It tries, and tries again.
    let begin = Instant::now();
    while tries(&mut connection) < before + 2 {
        assert!(begin.elapsed() < PATIENCE, "nobody wants the lock");
        tokio::time::sleep(PAUSE).await;
    }
    assert!(!waiting.is_finished());
    let mut written =
        || -> bool { redis::cmd("EXISTS").arg(TOKENS).query(&mut connection).unwrap() };
    assert!(!written());
    redis::cmd("DEL").arg(LOCK).exec(&mut redis.connect()).unwrap();
    waiting.await.unwrap().unwrap();
    assert!(written());
}

#[tokio::test]
async fn s3_07_a_lock_that_ran_out_lets_nothing_be_written() {
    let (home, redis) = (Home::new(), Redis::start());
    let url = redis.url.clone();
    // By the time the provider answers, the lock has ended, and another process has it.
    let slow = move || {
        let mut theirs = redis::Client::open(url.as_str()).unwrap().get_connection().unwrap();
        redis::cmd("SET").arg(LOCK).arg("theirs").exec(&mut theirs).unwrap();
        async { axum::Json(serde_json::json!({"access_token": "new", "refresh_token": "newer"})) }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let token = format!("http://{}/token", listener.local_addr().unwrap());
    let routes = axum::Router::new().route("/token", axum::routing::post(slow));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    let store = store_with_client(&home, &redis, &token).await;
    let record: Record = serde_json::from_value(serde_json::json!({"tokens": {
        "access_token": "old", "token_type": "Bearer", "obtained_at": 0, "expires_at": 1,
        "refresh_token": "older",
    }}))
    .unwrap();
    store.restore(1, &record).await.unwrap();
    let error = store.client("x").await.unwrap().access_token().await.unwrap_err();
    assert_eq!(
        (error.exit_code(), error.to_string().as_str()),
        (8, "the lock in Redis ran out before the tokens were stored")
    );
    let kept = store.record(1).await.unwrap();
    assert_eq!(kept.tokens, record.tokens);
    assert!(kept.intent.is_some(), "that was written while the lock was there");
    let lock: String = redis::cmd("GET").arg(LOCK).query(&mut redis.connect()).unwrap();
    assert_eq!(lock, "theirs");
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
        "message_queue.url is no redis://, rediss:// or unix:// address"
    );
}

#[tokio::test]
async fn s3_02_redis_by_tls_is_believed_by_its_certificate_alone() {
    let Some(redis) = TlsRedis::start() else {
        assert!(std::env::var_os("CI").is_none(), "CI has a Redis that speaks TLS");
        return;
    };
    let provider = Provider::start().await;
    let home = Home::new();
    let trusting = |ca: Option<&Path>| {
        let ca = ca.map(Path::to_owned);
        home.builder().redis_trusting(redis.url.as_str(), ca, "mine:").open()
    };
    let store = trusting(Some(&redis.certificate)).await.unwrap();
    let (client, credentials) = provider.client("app");
    store.add(client, &credentials).await.unwrap();
    sign_in(&store, "app").await;
    let first = store.client("app").await.unwrap().access_token().await.unwrap();
    let again = trusting(Some(&redis.certificate)).await.unwrap();
    assert_eq!(again.client("app").await.unwrap().access_token().await.unwrap(), first);
    // Nobody of this system vouches for it, and another authority does not either.
    let other = home.folder.path().join("other.pem");
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(&other, made.cert.pem()).unwrap();
    for ca in [None, Some(other.as_path())] {
        let refused = trusting(ca).await.unwrap_err();
        assert_eq!(
            (refused.exit_code(), refused.to_string().as_str()),
            (8, "Redis failed: it cannot be reached")
        );
    }
    let text = home.folder.path().join("text");
    std::fs::write(&text, "no certificate").unwrap();
    for (url, ca, line) in [
        (
            format!("{}#insecure", redis.url),
            None,
            "#insecure would let anybody answer for Redis: name its authority in message_queue.ca_file instead",
        ),
        (redis.url.clone(), Some(&text), "message_queue.ca_file holds no certificate in PEM"),
        (
            "redis://127.0.0.1:1/0".into(),
            Some(&text),
            "message_queue.ca_file is for a rediss:// address",
        ),
    ] {
        let opened = home.builder().redis_trusting(url, ca.cloned(), "mine:").open().await;
        let error = opened.unwrap_err();
        assert_eq!((error.exit_code(), error.to_string().as_str()), (2, line));
    }
}

#[tokio::test]
async fn s3_16_tokens_that_the_old_program_kept_in_redis_come_along() {
    let provider = Provider::start().await;
    let redis = Redis::start();
    // Real tokens, as the old program would have had them.
    let home = Home::new();
    let before = signed_in(&home, &provider, "public").await;
    let living = before.client("public").await.unwrap();
    let record = before.record(living.id()).await.unwrap().tokens.unwrap();
    let refresh = record.refresh_token.unwrap();
    let mut connection = redis.connect();
    let mut set = |key: &str, value: &str| {
        redis::cmd("SET").arg(key).arg(value).arg("EX").arg(600).exec(&mut connection).unwrap();
    };
    set("old:_refreshtoken:_1", refresh.expose());
    set("old:_accesstoken:_2", "an-access-token");
    set("old:_accesstoken:_3", "not a token\n");
    set("oauth_client:_refreshtoken:_3", "of-another-prefix");
    let client = |id: &str| {
        serde_json::json!({
            "client_id": id, "service_name": id,
            "auth_endpoint": {"url": format!("{}/oauth/authorize", provider.issuer)},
            "token_endpoint": {"url": format!("{}/oauth/token", provider.issuer)},
        })
    };
    let cache =
        serde_json::json!({"1": client("public"), "2": client("second"), "3": client("third")});
    let mut program = crate::support::Program::new();
    program.file(".oauth_token_cache.json", &cache.to_string());
    program.variables.push(("OAUTHCLIENT_MESSAGE_QUEUE__URL".into(), redis.url.clone()));
    program.variables.push(("OAUTHCLIENT_OAUTH__TOKEN_KEY_PREPEND".into(), "old:".into()));
    let run = program.run(&["client", "list"]).await;
    assert!(run.err.contains("took the tokens of 2 clients from Redis"), "{run:?}");
    // One has a refresh token alone, which gets the next access token.
    let token = program.run(&["token", "public"]).await.done();
    assert_ne!(token.trim(), record.access_token.expose());
    assert_eq!(program.run(&["token", "second"]).await.done().trim(), "an-access-token");
    let status = program.run(&["status", "second", "--json"]).await.json();
    let left = status["status"]["expires_at"].as_i64().unwrap() - before.now();
    assert!((500..=601).contains(&left), "{left}");
    program
        .run(&["token", "third"])
        .await
        .refuses(4, "error: third: there is no token yet; sign in with: oauth-helper login third");
    // What is there is left alone, and no file of ours holds it in the open.
    let kept: String =
        redis::cmd("GET").arg("old:_refreshtoken:_1").query(&mut connection).unwrap();
    assert_eq!(kept, refresh.expose());
    // Where Redis is away, the clients come nevertheless.
    let mut away = crate::support::Program::new();
    away.file(".oauth_token_cache.json", &cache.to_string());
    away.variables.push(("OAUTHCLIENT_MESSAGE_QUEUE__URL".into(), "redis://127.0.0.1:1/0".into()));
    let run = away.run(&["client", "list"]).await;
    assert_eq!(run.code, 0);
    let line =
        "warning: tokens of the old program were not taken: Redis failed: it cannot be reached";
    assert!(run.err.contains(line) && run.out.contains("third"), "{run:?}");
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
