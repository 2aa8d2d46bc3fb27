//! Deleting what nobody can need any more, in small transactions, from as many processes as care to.
//!
//! Rows another process is sweeping or using are passed over. Used codes and rotated refresh tokens stay
//! until they expire, since until then a replay of them must be recognised.

use super::{
    SeaStore, clients,
    entity::{
        auth_code, authorization, client, cutoff, logout_notice, pending_authorization, seen,
        session_client, token,
    },
};
use crate::{
    error::PortError,
    model::{ClientId, Epoch, LogoutNotice, Timestamp},
};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, TryGetable, Value,
    prelude::Uuid,
    sea_query::{Expr, LockBehavior, LockType},
};
use std::collections::HashMap;

/// Rows per transaction: short enough that nobody waits long for the one writer of SQLite.
const BATCH: u64 = 500;

/// The same for participants, whose key of two columns makes a long condition.
const PARTICIPANTS: u64 = 100;

impl SeaStore {
    pub(super) async fn sweep_all(&self, now: Timestamp, limit: u64) -> Result<u64, PortError> {
        use auth_code::Column as Code;
        use logout_notice::Column as Notice;
        use pending_authorization::Column as Pending;
        use seen::Column as Seen;
        use token::Column as Token;
        let mut gone = self.sweep_clients(now, limit).await?;
        let token = Dated(Token::Hash, Token::ExpiresAt);
        gone += self.sweep_expired::<token::Entity, Vec<u8>>(token, now, limit).await?;
        let code = Dated(Code::Hash, Code::ExpiresAt);
        gone += self.sweep_expired::<auth_code::Entity, Vec<u8>>(code, now, limit).await?;
        let pending = Dated(Pending::Hash, Pending::ExpiresAt);
        gone += self
            .sweep_expired::<pending_authorization::Entity, Vec<u8>>(pending, now, limit)
            .await?;
        let seen = Dated(Seen::Hash, Seen::ExpiresAt);
        gone += self.sweep_expired::<seen::Entity, Vec<u8>>(seen, now, limit).await?;
        let (notice, old) =
            (Dated(Notice::Id, Notice::CreatedAt), now.minus(LogoutNotice::KEPT_FOR));
        gone += self.sweep_expired::<logout_notice::Entity, Uuid>(notice, old, limit).await?;
        gone += self.sweep_cutoffs(now, limit).await?;
        gone += self.sweep_participants(now, limit).await?;
        gone += self.sweep_authorizations(now, limit).await?;
        Ok(gone)
    }

    async fn sweep_expired<E, K>(
        &self,
        dated: Dated<E::Column>,
        until: Timestamp,
        limit: u64,
    ) -> Result<u64, PortError>
    where
        E: EntityTrait,
        K: TryGetable + Into<Value> + Send + Sync + 'static,
    {
        let mut gone = 0;
        while gone < limit {
            let most = BATCH.min(limit - gone);
            let found = self
                .write(move |on| {
                    Box::pin(
                        async move { Ok(delete_expired::<E, K>(on, dated, until, most).await?) },
                    )
                })
                .await?;
            gone += found;
            if found < most {
                break;
            }
        }
        Ok(gone)
    }

    /// Forgets in which epoch something of a user was revoked, a day after the first sweep that has seen it.
    async fn sweep_cutoffs(&self, now: Timestamp, limit: u64) -> Result<u64, PortError> {
        self.write(move |on| Box::pin(async move { Ok(date_cutoffs(on, now).await?) })).await?;
        let dated = Dated(cutoff::Column::UserId, cutoff::Column::ExpiresAt);
        self.sweep_expired::<cutoff::Entity, String>(dated, now, limit).await
    }

    async fn sweep_participants(&self, now: Timestamp, limit: u64) -> Result<u64, PortError> {
        let mut gone = 0;
        while gone < limit {
            let most = PARTICIPANTS.min(limit - gone);
            let found = self
                .write(move |on| {
                    Box::pin(async move { Ok(delete_participants(on, now, most).await?) })
                })
                .await?;
            gone += found;
            if found < most {
                break;
            }
        }
        Ok(gone)
    }

    /// Removes clients that registered themselves and were never used, each in a transaction of its own.
    async fn sweep_clients(&self, now: Timestamp, limit: u64) -> Result<u64, PortError> {
        let expired: Vec<String> = client::Entity::find()
            .filter(client::Column::ExpiresAt.lte(now.unix()))
            .order_by_asc(client::Column::ExpiresAt)
            .limit(limit)
            .select_only()
            .column(client::Column::Id)
            .into_tuple()
            .all(&self.reader)
            .await?;
        let mut gone = 0;
        for id in expired {
            let id = ClientId::new(id);
            let removed = self
                .write(move |on| {
                    Box::pin(async move { Ok(clients::remove_expired(on, &id, now).await?) })
                })
                .await?;
            gone += u64::from(removed);
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

/// The primary key of a table and the column its rows go by.
#[derive(Clone, Copy)]
struct Dated<C>(C, C);

async fn delete_expired<E, K>(
    on: &DatabaseTransaction,
    Dated(key, expires_at): Dated<E::Column>,
    until: Timestamp,
    most: u64,
) -> Result<u64, DbErr>
where
    E: EntityTrait,
    K: TryGetable + Into<Value> + Send + Sync,
{
    let dead: Vec<K> = E::find()
        .filter(expires_at.lte(until.unix()))
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

/// Says of rows that no sweep has seen when they go.
async fn date_cutoffs(on: &DatabaseTransaction, now: Timestamp) -> Result<(), DbErr> {
    use cutoff::Column;
    let fresh: Vec<String> = cutoff::Entity::find()
        .filter(Column::ExpiresAt.is_null())
        .filter(Column::UserId.ne(cutoff::NEWEST))
        .limit(BATCH)
        .select_only()
        .column(Column::UserId)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_tuple()
        .all(on)
        .await?;
    if !fresh.is_empty() {
        cutoff::Entity::update_many()
            .col_expr(Column::ExpiresAt, Expr::value(now.plus(Epoch::KEPT_FOR).unix()))
            .filter(Column::UserId.is_in(fresh))
            .exec(on)
            .await?;
    }
    Ok(())
}

async fn delete_participants(
    on: &DatabaseTransaction,
    now: Timestamp,
    most: u64,
) -> Result<u64, DbErr> {
    use session_client::Column;
    let dead: Vec<(String, String)> = session_client::Entity::find()
        .filter(Column::ExpiresAt.lte(now.unix()))
        .order_by_asc(Column::ExpiresAt)
        .limit(most)
        .select_only()
        .columns([Column::Sid, Column::ClientId])
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_tuple()
        .all(on)
        .await?;
    if dead.is_empty() {
        return Ok(0);
    }
    let these = dead.into_iter().fold(Condition::any(), |these, (sid, client)| {
        these.add(Condition::all().add(Column::Sid.eq(sid)).add(Column::ClientId.eq(client)))
    });
    Ok(session_client::Entity::delete_many().filter(these).exec(on).await?.rows_affected)
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
