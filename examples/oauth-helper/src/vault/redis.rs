//! Redis: sealed values under a prefix, each with an end, and a lock that runs out.

use super::{Entry, Lease, Vault};
use crate::{
    error::{Error, Result},
    redis_link::{RedisServer, failed},
    seal::{Sealer, random},
};
use ::redis::{Script, aio::ConnectionManager};
use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

/// A lock that nobody gives back ends by itself. A refresh is done long before.
const LOCK_LIFE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(25);

/// Writes only while the lock is ours.
const SAVE: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then \
    redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) return 1 else return 0 end";
/// Gives back only what is ours.
const UNLOCK: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end";

/// Secrets in Redis, sealed: whoever reads the database reads nothing without the key.
pub struct RedisVault {
    connection: ConnectionManager,
    prefix: String,
    sealer: Arc<Sealer>,
}

impl fmt::Debug for RedisVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisVault({})", self.prefix)
    }
}

impl RedisVault {
    /// Connects.
    pub(crate) async fn open(server: &RedisServer, prefix: String, sealer: Sealer) -> Result<Self> {
        Ok(Self { connection: server.connect().await?, prefix, sealer: Arc::new(sealer) })
    }

    fn key(&self, entry: Entry) -> String {
        format!("{}{entry}", self.prefix)
    }

    fn lock_key(&self, client: u32) -> String {
        format!("{}{client}.lock", self.prefix)
    }
}

fn milliseconds(life: Duration) -> u64 {
    u64::try_from(life.as_millis()).unwrap_or(u64::MAX).clamp(1, i64::MAX.unsigned_abs())
}

#[async_trait]
impl Vault for RedisVault {
    fn name(&self) -> &'static str {
        "redis"
    }

    async fn load(&self, entry: Entry) -> Result<Option<Vec<u8>>> {
        let mut connection = self.connection.clone();
        let sealed: Option<Vec<u8>> = ::redis::cmd("GET")
            .arg(self.key(entry))
            .query_async(&mut connection)
            .await
            .map_err(failed)?;
        let Some(sealed) = sealed else { return Ok(None) };
        Ok(Some(self.sealer.unseal(&entry.to_string(), &sealed)?.to_vec()))
    }

    async fn save(
        &self,
        entry: Entry,
        value: &[u8],
        life: Duration,
        lease: Option<&Lease>,
    ) -> Result<()> {
        let mut connection = self.connection.clone();
        let sealed = self.sealer.seal(&entry.to_string(), value);
        let (key, life) = (self.key(entry), milliseconds(life));
        let Some(fence) = lease.and_then(|l| l.fence.as_deref()) else {
            return ::redis::cmd("SET")
                .arg(key)
                .arg(sealed)
                .arg("PX")
                .arg(life)
                .query_async(&mut connection)
                .await
                .map_err(failed);
        };
        let written: bool = Script::new(SAVE)
            .key(self.lock_key(entry.client))
            .key(key)
            .arg(fence)
            .arg(sealed)
            .arg(life)
            .invoke_async(&mut connection)
            .await
            .map_err(failed)?;
        if written {
            Ok(())
        } else {
            Err(Error::Store("the lock in Redis ran out before the tokens were stored".into()))
        }
    }

    async fn remove(&self, entry: Entry) -> Result<()> {
        let mut connection = self.connection.clone();
        let key = self.key(entry);
        ::redis::cmd("DEL").arg(key).query_async(&mut connection).await.map_err(failed)
    }

    async fn lock(&self, client: u32, patience: Duration) -> Result<Lease> {
        let mut connection = self.connection.clone();
        let (key, fence) = (self.lock_key(client), URL_SAFE_NO_PAD.encode(random::<16>()));
        let begin = Instant::now();
        loop {
            let taken: Option<String> = ::redis::cmd("SET")
                .arg(&key)
                .arg(&fence)
                .arg("NX")
                .arg("PX")
                .arg(milliseconds(LOCK_LIFE))
                .query_async(&mut connection)
                .await
                .map_err(failed)?;
            if taken.is_some() {
                return Ok(Lease { fence: Some(fence), held: Box::new(()) });
            }
            if begin.elapsed() >= patience {
                return Err(Error::Store(
                    "another process has held the lock in Redis for too long".into(),
                ));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn unlock(&self, client: u32, lease: Lease) {
        let Some(fence) = &lease.fence else { return };
        let mut connection = self.connection.clone();
        // Where this fails, the lock ends by itself.
        let _: Result<i64, _> = Script::new(UNLOCK)
            .key(self.lock_key(client))
            .arg(fence)
            .invoke_async(&mut connection)
            .await;
    }
}
