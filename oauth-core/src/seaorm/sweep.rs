//! Deleting what nobody can need any more, in small transactions, from as many processes as care to.
//!
//! Rows another process is sweeping or using are passed over. Used codes and rotated refresh tokens stay
//! until they expire, since until then a replay of them must be recognised.

use super::{
    SeaStore,
    entity::{auth_code, authorization, pending_authorization, seen, token},
};
use crate::{error::PortError, model::Timestamp};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    prelude::Uuid,
    sea_query::{Expr, LockBehavior, LockType},
};
use std::collections::HashMap;

/// Rows per transaction: short enough that nobody waits long for the one writer of SQLite.
const BATCH: u64 = 500;

impl SeaStore {
    pub(super) async fn sweep_all(&self, now: Timestamp, limit: u64) -> Result<u64, PortError> {
        use auth_code::Column as Code;
        use pending_authorization::Column as Pending;
        use seen::Column as Seen;
        use token::Column as Token;
        let mut gone = 0;
        gone +=
            self.sweep_expired::<token::Entity>(Token::Hash, Token::ExpiresAt, now, limit).await?;
        gone += self
            .sweep_expired::<auth_code::Entity>(Code::Hash, Code::ExpiresAt, now, limit)
            .await?;
        gone += self
            .sweep_expired::<pending_authorization::Entity>(
                Pending::Hash,
                Pending::ExpiresAt,
                now,
                limit,
            )
            .await?;
        gone += self.sweep_expired::<seen::Entity>(Seen::Hash, Seen::ExpiresAt, now, limit).await?;
        gone += self.sweep_authorizations(now, limit).await?;
        Ok(gone)
    }

    async fn sweep_expired<E: EntityTrait>(
        &self,
        key: E::Column,
        expires_at: E::Column,
        now: Timestamp,
        limit: u64,
    ) -> Result<u64, PortError> {
        let mut gone = 0;
        while gone < limit {
            let most = BATCH.min(limit - gone);
            let found = self
                .write(move |on| {
                    Box::pin(async move {
                        Ok(delete_expired::<E>(on, key, expires_at, now, most).await?)
                    })
                })
                .await?;
            gone += found;
            if found < most {
                break;
            }
        }
        Ok(gone)
    }

    async fn sweep_authorizations(&self, now: Timestamp, limit: u64) -> Result<u64, PortError> {
        let (mut looked_at, mut gone) = (0, 0);
        while looked_at < limit {
            let most = BATCH.min(limit - looked_at);
            let (seen, deleted) = self
                .write(move |on| {
                    Box::pin(async move { Ok(delete_childless(on, now, most).await?) })
                })
                .await?;
            looked_at += seen;
            gone += deleted;
            if seen < most {
                break;
            }
        }
        Ok(gone)
    }
}

async fn delete_expired<E: EntityTrait>(
    on: &DatabaseTransaction,
    key: E::Column,
    expires_at: E::Column,
    now: Timestamp,
    most: u64,
) -> Result<u64, DbErr> {
    let dead: Vec<Vec<u8>> = E::find()
        .filter(expires_at.lte(now.unix()))
        .order_by_asc(expires_at)
        .limit(most)
        .select_only()
        .column(key)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_tuple()
        .all(on)
        .await?;
    if dead.is_empty() {
        return Ok(0);
    }
    Ok(E::delete_many().filter(key.is_in(dead)).exec(on).await?.rows_affected)
}

/// Of the authorizations that may have outlived their children, deletes those that have, and notes on the
/// others until when they need not be looked at. How many it looked at, and how many went.
///
/// The row lock comes before the look at the children: a refresh holds the same lock while it adds one.
async fn delete_childless(
    on: &DatabaseTransaction,
    now: Timestamp,
    most: u64,
) -> Result<(u64, u64), DbErr> {
    let due: Vec<Uuid> = authorization::Entity::find()
        .filter(authorization::Column::KeepUntil.lte(now.unix()))
        .order_by_asc(authorization::Column::KeepUntil)
        .limit(most)
        .select_only()
        .column(authorization::Column::Id)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_tuple()
        .all(on)
        .await?;
    if due.is_empty() {
        return Ok((0, 0));
    }
    let alive = last_expiries(on, &due, now).await?;
    for (&id, &until) in &alive {
        authorization::Entity::update_many()
            .col_expr(authorization::Column::KeepUntil, Expr::value(until))
            .filter(authorization::Column::Id.eq(id))
            .exec(on)
            .await?;
    }
    let looked_at = due.len() as u64;
    let childless: Vec<Uuid> = due.into_iter().filter(|id| !alive.contains_key(id)).collect();
    if childless.is_empty() {
        return Ok((looked_at, 0));
    }
    let gone = authorization::Entity::delete_many()
        .filter(authorization::Column::Id.is_in(childless))
        .exec(on)
        .await?;
    Ok((looked_at, gone.rows_affected))
}

/// When the last child of each of these expires, for those with a child that has not.
async fn last_expiries(
    on: &DatabaseTransaction,
    ids: &[Uuid],
    now: Timestamp,
) -> Result<HashMap<Uuid, i64>, DbErr> {
    let tokens: Vec<(Uuid, i64)> = token::Entity::find()
        .filter(token::Column::AuthorizationId.is_in(ids.iter().copied()))
        .filter(token::Column::ExpiresAt.gt(now.unix()))
        .select_only()
        .column(token::Column::AuthorizationId)
        .column_as(token::Column::ExpiresAt.max(), "last")
        .group_by(token::Column::AuthorizationId)
        .into_tuple()
        .all(on)
        .await?;
    let codes: Vec<(Uuid, i64)> = auth_code::Entity::find()
        .filter(auth_code::Column::AuthorizationId.is_in(ids.iter().copied()))
        .filter(auth_code::Column::ExpiresAt.gt(now.unix()))
        .select_only()
        .column(auth_code::Column::AuthorizationId)
        .column_as(auth_code::Column::ExpiresAt.max(), "last")
        .group_by(auth_code::Column::AuthorizationId)
        .into_tuple()
        .all(on)
        .await?;
    let mut last = HashMap::new();
    for (id, expires_at) in tokens.into_iter().chain(codes) {
        let latest = last.entry(id).or_insert(expires_at);
        *latest = expires_at.max(*latest);
    }
    Ok(last)
}
