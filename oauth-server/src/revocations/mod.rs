//! The list of revoked tokens, in the database: what one process lists, every other one sees.
//!
//! What is not on the list is not revoked. An entry goes when the token would be dead anyway.

#[cfg(feature = "redis")]
mod redis;

#[cfg(feature = "redis")]
pub use self::redis::CachedRevocations;

use crate::{
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

/// Lists an id as part of something larger. Listing it twice keeps the later time.
pub(crate) async fn list(t: &DatabaseTransaction, id: &str, until: Timestamp) -> Result<(), DbErr> {
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
