//! Revocations of users in their order, so that what was begun before one of them is not written after it.
//!
//! The row of a user says in which epoch something of theirs was last revoked. Whoever revokes writes it first, and
//! whoever writes a new authorization locks it first: one of the two waits, and then sees what the other did.

use super::{
    entity::cutoff::{ActiveModel, Column, Entity, NEWEST},
    only::Only,
};
use crate::{
    error::PortError,
    model::{Epoch, NewAuthorization, UserId},
};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, ExprTrait, QuerySelect,
    sea_query::{Expr, OnConflict},
};

/// The newest epoch.
pub(super) async fn newest(on: &impl ConnectionTrait) -> Result<Epoch, DbErr> {
    let row = Entity::find_by_id(NEWEST).only(on).await?;
    Ok(row.map_or_else(Epoch::default, |row| Epoch(row.epoch)))
}

/// Begins an epoch in which nothing counts that this user began before. Of several who do so, each waits for the one
/// before it to end, so that a greater epoch is a later one.
pub(super) async fn begin_epoch(on: &DatabaseTransaction, user: &UserId) -> Result<(), DbErr> {
    let next = Expr::col((Entity, Column::Epoch)).add(1);
    let known = OnConflict::column(Column::UserId).value(Column::Epoch, next).to_owned();
    Entity::insert(ActiveModel::new_row(NEWEST, Epoch(1)))
        .on_conflict(known)
        .exec_without_returning(on)
        .await?;
    let instead = OnConflict::column(Column::UserId)
        .update_columns([Column::Epoch, Column::ExpiresAt])
        .to_owned();
    Entity::insert(ActiveModel::new_row(user.as_str(), newest(on).await?))
        .on_conflict(instead)
        .exec_without_returning(on)
        .await?;
    Ok(())
}

/// Whether nothing of the user was revoked since the authorization was begun; nothing is, then, until the end of the
/// transaction.
///
/// On SQLite the transaction itself is the lock: there is no other writer.
pub(super) async fn stands(
    on: &DatabaseTransaction,
    new: &NewAuthorization,
) -> Result<bool, PortError> {
    const TRIES: usize = 3;
    let Some(since) = new.since else { return Ok(true) };
    for _ in 0..TRIES {
        let row = Entity::find_by_id(new.user.as_str()).lock_exclusive().only(on).await?;
        if let Some(row) = row {
            return Ok(row.epoch <= since.0);
        }
        // What is not there cannot be locked.
        Entity::insert(ActiveModel::new_row(new.user.as_str(), Epoch::default()))
            .on_conflict_do_nothing()
            .exec_without_returning(on)
            .await?;
    }
    Err(PortError::new("the row of a user was swept again and again while it was locked"))
}
