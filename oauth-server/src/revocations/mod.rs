//! The list of revoked tokens, in the database: what one process lists, every other one sees.
//!
//! What is not on the list is not revoked. An entry goes when the token would be dead anyway.

#[cfg(feature = "redis")]
mod redis;

#[cfg(feature = "redis")]
pub use redis::CachedRevocations;

use crate::{
    config::Config,
    entity::revoked_token::{ActiveModel, Column, Entity},
    maintenance::delete_expired,
};
use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_core::{
    error::PortError,
    model::{HashedToken, Timestamp},
    seaorm::SeaStore,
};
use resource_guard::Revocations;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, DatabaseTransaction, DbErr, EntityTrait as _, ExprTrait as _,
    PaginatorTrait as _, QueryFilter as _,
    sea_query::{Expr, OnConflict},
};

/// Ids that are longer are kept as their hash. Ours never are.
const LONGEST_ID: usize = 200;

/// The list in the database.
#[derive(Clone)]
pub struct DatabaseRevocations {
    store: SeaStore,
}

impl DatabaseRevocations {
    /// The list in this store.
    pub const fn new(store: SeaStore) -> Self {
        Self { store }
    }

    /// Deletes at most `limit` entries of tokens that are dead anyway.
    pub async fn sweep(&self, now: Timestamp, limit: u64) -> Result<u64, PortError> {
        let now = now.unix();
        delete_expired::<Entity>(&self.store, Column::Id, Column::ExpiresAt, now, limit).await
    }
}

#[async_trait]
impl Revocations for DatabaseRevocations {
    async fn revoke(&self, id: &str, until: Timestamp) -> Result<(), PortError> {
        let id = id.to_owned();
        let work =
            self.store.write(move |t| Box::pin(async move { Ok(list(t, &id, until).await?) }));
        work.await
    }

    async fn is_any_revoked(&self, ids: &[&str], now: Timestamp) -> Result<bool, PortError> {
        if ids.is_empty() {
            return Ok(false);
        }
        let listed = Entity::find()
            .filter(Column::Id.is_in(ids.iter().map(|id| key(id))))
            .filter(Column::ExpiresAt.gt(now.unix()));
        Ok(listed.count(self.store.database()).await? > 0)
    }
}

/// The list of one server: in the database, with Redis in front where one is configured.
#[derive(Clone)]
pub struct ServerRevocations {
    database: DatabaseRevocations,
    #[cfg(feature = "redis")]
    front: Option<CachedRevocations<DatabaseRevocations>>,
}

impl ServerRevocations {
    /// The list in this store, as configured.
    ///
    /// # Errors
    /// When there is an address of a Redis that cannot be read. Whether Redis is there does not matter.
    pub fn new(store: SeaStore, config: &Config) -> anyhow::Result<Self> {
        let database = DatabaseRevocations::new(store);
        #[cfg(feature = "redis")]
        let front = match &config.redis.url {
            Some(url) => Some(CachedRevocations::new(database.clone(), url.reveal())?),
            None => None,
        };
        #[cfg(not(feature = "redis"))]
        anyhow::ensure!(config.redis.url.is_none(), NO_REDIS);
        Ok(Self {
            database,
            #[cfg(feature = "redis")]
            front,
        })
    }

    /// Deletes at most `limit` entries of tokens that are dead anyway. Redis forgets them by itself.
    pub async fn sweep(&self, now: Timestamp, limit: u64) -> Result<u64, PortError> {
        self.database.sweep(now, limit).await
    }

    fn list(&self) -> &dyn Revocations {
        #[cfg(feature = "redis")]
        if let Some(front) = &self.front {
            return front;
        }
        &self.database
    }
}

#[async_trait]
impl Revocations for ServerRevocations {
    async fn revoke(&self, id: &str, until: Timestamp) -> Result<(), PortError> {
        self.list().revoke(id, until).await
    }

    async fn is_any_revoked(&self, ids: &[&str], now: Timestamp) -> Result<bool, PortError> {
        self.list().is_any_revoked(ids, now).await
    }
}

/// What is wrong with the address of a Redis, without the address.
pub(crate) fn check_redis(url: &str) -> Result<(), &'static str> {
    #[cfg(feature = "redis")]
    return redis::check(url);
    #[cfg(not(feature = "redis"))]
    {
        let _ = url;
        Err(NO_REDIS)
    }
}

#[cfg(not(feature = "redis"))]
const NO_REDIS: &str = "cannot be used: this server was built without the feature redis";

/// Lists an id as part of something larger. Listing it twice keeps the later time.
async fn list(t: &DatabaseTransaction, id: &str, until: Timestamp) -> Result<(), DbErr> {
    let until = until.unix();
    let stored = || Expr::col((Entity, Column::ExpiresAt));
    let later = Expr::case(stored().lt(until), until).finally(stored());
    let row = ActiveModel { id: Set(key(id)), expires_at: Set(until) };
    Entity::insert(row)
        .on_conflict(OnConflict::column(Column::Id).value(Column::ExpiresAt, later).to_owned())
        .exec_without_returning(t)
        .await?;
    Ok(())
}

fn key(id: &str) -> String {
    if id.len() <= LONGEST_ID {
        return id.to_owned();
    }
    format!("sha256:{}", URL_SAFE_NO_PAD.encode(HashedToken::of(id).as_bytes()))
}
