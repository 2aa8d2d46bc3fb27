//! Redis in front of the list of revoked tokens: a real one, killed in the middle.

use oauth_core::model::Timestamp;
use oauth_server::revocations::CachedRevocations;
use resource_guard::{MemoryRevocations, Revocations as _};
use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// A Redis without persistence, on loopback. It ends with the test.
struct Redis(Child, u16);

impl Redis {
    fn start(port: u16) -> Self {
        let port_text = port.to_string();
        let child = Command::new("redis-server")
            .args(["--port", &port_text, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is installed (Debian: redis-server)");
        Self(child, port)
    }

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

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[expect(
    clippy::disallowed_methods,
    reason = "Redis has a clock of its own, and keeps no dead entries"
)]
fn now() -> Timestamp {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Timestamp::from_unix(seconds.try_into().unwrap())
}

/// Asks Redis itself, until it has the entry or a time is up.
async fn redis_has(client: &redis::Client, id: &str) -> bool {
    let end = Instant::now() + Duration::from_secs(10);
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
    let port = free_port();
    let address = format!("redis://127.0.0.1:{port}/");
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
    let mut redis = Redis::start(port);
    assert!(!redis_has(&client, "early").await);
    let end = Instant::now() + Duration::from_secs(10);
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
    let end = Instant::now() + Duration::from_secs(10);
    while !empty.is_any_revoked(&["mine"], now).await.unwrap() {
        assert!(Instant::now() < end, "Redis is never asked");
    }
    assert!(!empty.is_any_revoked(&["mine"], until).await.unwrap(), "not beyond its time");
    // Killed in the middle.
    redis.kill();
    let begun = Instant::now();
    for (id, revoked) in [("early", true), ("mine", true), ("other", false)] {
        assert_eq!(cached.is_any_revoked(&["x", id], now).await.unwrap(), revoked, "{id}");
    }
    cached.revoke("late", until).await.unwrap();
    assert!(cached.is_any_revoked(&["late"], now).await.unwrap());
    assert!(begun.elapsed() < Duration::from_secs(5), "nobody waits for it: {:?}", begun.elapsed());
    // Back, and empty.
    let _again = Redis::start(redis.1);
    assert!(!redis_has(&client, "mine").await);
    for (id, revoked) in [("early", true), ("mine", true), ("late", true), ("other", false)] {
        assert_eq!(cached.is_any_revoked(&[id], now).await.unwrap(), revoked, "{id}");
    }
    assert!(!cached.is_any_revoked(&[], now).await.unwrap());
}
