//! Redis in front of the list of revoked tokens: a real one, killed in the middle.

use crate::{process::PATIENCE, support::start};
use oauth_core::model::Timestamp;
use oauth_server::revocations::CachedRevocations;
use resource_guard::{MemoryRevocations, Revocations as _};
use std::{
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// A folder with the socket of a Redis, or where it will be. Nobody else listens there, as somebody may on a port.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn address(&self) -> String {
        format!("redis+unix://{}/s", self.0.path().display())
    }

    fn start(&self) -> Redis {
        let child = Command::new("redis-server")
            .args(["--port", "0", "--unixsocket", "s", "--save", "", "--appendonly", "no"])
            .current_dir(self.0.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is installed (Debian: redis-server)");
        Redis(child)
    }
}

/// A Redis without persistence. It ends with the test.
struct Redis(Child);

impl Redis {
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "Redis has a clock of its own, and keeps no dead entries"
)]
fn now() -> Timestamp {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Timestamp::from_unix(seconds.try_into().unwrap())
}

/// Asks Redis itself, which may still have to start.
async fn redis_has(client: &redis::Client, id: &str) -> bool {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Ok(mut redis) = client.get_multiplexed_async_connection().await {
            let key = format!("oauth:revoked:{id}");
            let found: redis::RedisResult<bool> =
                redis::cmd("EXISTS").arg(key).query_async(&mut redis).await;
            if let Ok(found) = found {
                return found;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("redis-server does not answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn s0_15_losing_redis_neither_revokes_nor_unrevokes() {
    let place = Place::new();
    let address = place.address();
    let client = redis::Client::open(address.as_str()).unwrap();
    let list = Arc::new(MemoryRevocations::new());
    let cached = CachedRevocations::new(Arc::clone(&list), &address).unwrap();
    let now = now();
    let until = now.plus(Duration::from_mins(10));
    // Before there is any Redis.
    cached.revoke("early", until).await.unwrap();
    assert!(cached.is_any_revoked(&["early"], now).await.unwrap());
    assert!(!cached.is_any_revoked(&["other"], now).await.unwrap());
    // With one, which did not hear of the first.
    let mut redis = place.start();
    assert!(!redis_has(&client, "early").await);
    let end = Instant::now() + PATIENCE;
    loop {
        cached.revoke("mine", until).await.unwrap();
        if redis_has(&client, "mine").await {
            break;
        }
        assert!(Instant::now() < end, "Redis is never told");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for (id, revoked) in [("early", true), ("mine", true), ("other", false)] {
        assert_eq!(cached.is_any_revoked(&["x", id], now).await.unwrap(), revoked, "{id}");
    }
    // It is believed when it says so: this list does not know.
    let empty = CachedRevocations::new(MemoryRevocations::new(), &address).unwrap();
    let end = Instant::now() + PATIENCE;
    while !empty.is_any_revoked(&["mine"], now).await.unwrap() {
        assert!(Instant::now() < end, "Redis is never asked");
    }
    assert!(!empty.is_any_revoked(&["mine"], until).await.unwrap(), "not beyond its time");
    // Killed in the middle.
    redis.kill();
    for (id, revoked) in [("early", true), ("mine", true), ("other", false)] {
        assert_eq!(cached.is_any_revoked(&["x", id], now).await.unwrap(), revoked, "{id}");
    }
    cached.revoke("late", until).await.unwrap();
    assert!(cached.is_any_revoked(&["late"], now).await.unwrap());
    // Back, and empty.
    let _again = place.start();
    assert!(!redis_has(&client, "mine").await);
    for (id, revoked) in [("early", true), ("mine", true), ("late", true), ("other", false)] {
        assert_eq!(cached.is_any_revoked(&[id], now).await.unwrap(), revoked, "{id}");
    }
    assert!(!cached.is_any_revoked(&[], now).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn s0_15_the_server_tells_redis_what_it_revokes() {
    let place = Place::new();
    let address = place.address();
    let _redis = place.start();
    let client = redis::Client::open(address.as_str()).unwrap();
    assert!(!redis_has(&client, "mine").await);
    let server = start(&format!("[redis]\nurl = {address:?}\n")).await;
    let (list, now) = (&server.state.revocations, now());
    let until = now.plus(Duration::from_mins(10));
    let end = Instant::now() + PATIENCE;
    while !redis_has(&client, "mine").await {
        assert!(Instant::now() < end, "Redis is never told");
        list.revoke("mine", until).await.unwrap();
    }
    assert!(list.is_any_revoked(&["mine"], now).await.unwrap());
    assert!(!list.is_any_revoked(&["other"], now).await.unwrap());
}

#[test]
fn s0_15_an_address_that_is_no_redis_is_named_and_not_shown() {
    use oauth_server::config::{Sources, load};
    let folder = tempfile::tempdir().unwrap();
    for address in ["rediss://:rosebud@127.0.0.1:6379/", "http://127.0.0.1/rosebud", "rosebud", ""]
    {
        let path = folder.path().join("redis.toml");
        std::fs::write(&path, format!("[redis]\nurl = {address:?}\n")).unwrap();
        let problems = load(&Sources { files: vec![path], ..Sources::default() }).unwrap_err();
        let problems = problems.to_string();
        assert!(problems.contains("redis.url"), "{address}: {problems}");
        assert!(!problems.contains("rosebud"), "{problems}");
    }
}
