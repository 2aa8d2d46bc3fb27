//! Redis in front of a list of revoked tokens, for those who have one anyway.
//!
//! It is asked first and believed only when it says *revoked*. What it does not know is asked of the list behind it, so
//! whatever becomes of Redis (gone, emptied, replaced, slow), nobody is locked out and nobody is let back in.

use async_trait::async_trait;
use oauth_core::{error::PortError, model::Timestamp};
use redis::{
    AsyncCommands as _, Client, RedisError, SetExpiry, SetOptions,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use resource_guard::Revocations;
use std::time::Duration;

/// Longer than this nobody waits for Redis.
const PATIENCE: Duration = Duration::from_millis(100);
const PREFIX: &str = "oauth:revoked:";

/// A list with Redis in front of it.
#[derive(Clone)]
pub struct CachedRevocations<R> {
    list: R,
    redis: ConnectionManager,
}

impl<R: Revocations> CachedRevocations<R> {
    /// This list behind the Redis at this address (`redis://…`). Redis need not be there yet, or ever.
    ///
    /// # Errors
    /// When the address cannot be read.
    pub fn new(list: R, address: &str) -> Result<Self, RedisError> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE))
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_secs(1));
        let redis = ConnectionManager::new_lazy_with_config(Client::open(address)?, config)?;
        Ok(Self { list, redis })
    }

    /// What Redis knows of these ids; nothing when it does not answer in time.
    async fn known(&self, ids: &[&str], now: Timestamp) -> bool {
        let keys: Vec<String> = ids.iter().map(|id| key(id)).collect();
        let mut redis = self.redis.clone();
        let asked = tokio::time::timeout(PATIENCE, redis.mget::<_, Vec<Option<i64>>>(&keys)).await;
        let Ok(Ok(found)) = asked else {
            tracing::debug!("Redis does not answer; the list behind it is asked");
            return false;
        };
        found.into_iter().flatten().any(|until| until > now.unix())
    }

    async fn note(&self, id: &str, until: Timestamp) {
        let Ok(expires) = u64::try_from(until.unix()) else { return };
        let options = SetOptions::default().with_expiration(SetExpiry::EXAT(expires));
        let mut redis = self.redis.clone();
        let set = redis.set_options::<_, _, ()>(key(id), until.unix(), options);
        if !matches!(tokio::time::timeout(PATIENCE, set).await, Ok(Ok(()))) {
            tracing::warn!("Redis was not told of a revocation; the list behind it was");
        }
    }
}

#[async_trait]
impl<R: Revocations> Revocations for CachedRevocations<R> {
    /// Done when the list has it. Redis is told afterwards, if it is there.
    async fn revoke(&self, id: &str, until: Timestamp) -> Result<(), PortError> {
        self.list.revoke(id, until).await?;
        self.note(id, until).await;
        Ok(())
    }

    async fn is_any_revoked(&self, ids: &[&str], now: Timestamp) -> Result<bool, PortError> {
        if ids.is_empty() || self.known(ids, now).await {
            return Ok(!ids.is_empty());
        }
        self.list.is_any_revoked(ids, now).await
    }
}

/// What is wrong with an address.
pub(super) fn check(url: &str) -> Result<(), &'static str> {
    if url.starts_with("rediss:") {
        return Err(
            "asks for TLS, which this server does not speak to Redis; put a tunnel in between",
        );
    }
    match Client::open(url) {
        Ok(_) => Ok(()),
        Err(_) => Err("is not the address of a Redis, such as redis://127.0.0.1:6379/0"),
    }
}

fn key(id: &str) -> String {
    format!("{PREFIX}{id}")
}
