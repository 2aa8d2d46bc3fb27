//! The commit: the one transaction that uses up a credential and writes what is issued for it.
//!
//! Lock order is always parent, then credential, then the participant of the session, then the consent; for a new
//! parent, the row of its user comes in its place. Revocation touches these alone, so whichever of a refresh, or an
//! authorization, and a revocation comes first, nothing outlives the revocation.

mod consume;
mod write;

use super::{
    cutoff,
    entity::{authorization, token},
    only::Only,
};
use crate::{
    error::PortError,
    model::{AuthorizationId, Committed, Consume, Issuance, NewToken, Parent, Timestamp},
};
use consume::{Credential, consume};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, UpdateMany, prelude::Uuid, sea_query::Expr,
};

pub(super) async fn commit(
    on: &DatabaseTransaction,
    issuance: &Issuance,
) -> Result<Committed, PortError> {
    let parent = match &issuance.parent {
        Parent::Existing(id) if hold(on, *id).await? => Some(*id),
        Parent::New(new) if cutoff::stands(on, new).await? => Some(new.id),
        Parent::Existing(_) | Parent::New(_) => return Ok(Committed::Revoked),
        Parent::None => None,
    };
    match consume(on, &issuance.consume, parent, issuance.at).await? {
        Credential::Consumed => {
            write::write(on, issuance, parent).await?;
            Ok(Committed::Done)
        }
        Credential::UsedBefore => {
            if let Some(id) = parent {
                revocation(id, issuance.at).exec(on).await?;
            }
            Ok(Committed::Replayed)
        }
        Credential::JustRotated(response) => Ok(Committed::Repeated(response)),
        Credential::Dead => Ok(Committed::Revoked),
    }
}

/// The tokens, when they are all there is to write: then one statement does, and nothing needs a lock.
pub(super) fn tokens_alone(issuance: &Issuance) -> Option<&[NewToken]> {
    let alone = issuance.consume == Consume::Nothing
        && issuance.parent == Parent::None
        && issuance.code.is_none()
        && issuance.consent.is_none();
    alone.then_some(&issuance.tokens)
}

/// Inserts tokens that hang below nothing.
pub(super) async fn insert_alone<'a>(
    on: &impl ConnectionTrait,
    tokens: impl IntoIterator<Item = &'a NewToken>,
) -> Result<(), DbErr> {
    let rows = tokens.into_iter().map(|t| token::ActiveModel::new_row(t, None));
    token::Entity::insert_many(rows).exec_without_returning(on).await?;
    Ok(())
}

/// Locks the parent until the end of the transaction; false when it is revoked or gone.
///
/// On SQLite the transaction itself is the lock: there is no other writer.
async fn hold(on: &DatabaseTransaction, id: AuthorizationId) -> Result<bool, DbErr> {
    let held: Option<Uuid> = authorization::Entity::find_by_id(id.0)
        .filter(authorization::Column::RevokedAt.is_null())
        .select_only()
        .column(authorization::Column::Id)
        .lock_exclusive()
        .into_tuple()
        .only(on)
        .await?;
    Ok(held.is_some())
}

/// Locks these authorizations in the order of their primary key, so that two that do so cannot wait for each other.
pub(super) async fn hold_all(on: &DatabaseTransaction, which: Condition) -> Result<(), DbErr> {
    let _locked: Vec<Uuid> = authorization::Entity::find()
        .filter(which)
        .select_only()
        .column(authorization::Column::Id)
        .order_by_asc(authorization::Column::Id)
        .lock_exclusive()
        .into_tuple()
        .all(on)
        .await?;
    Ok(())
}

/// The statement that revokes an authorization, and so everything below it.
pub(super) fn revocation(id: AuthorizationId, at: Timestamp) -> UpdateMany<authorization::Entity> {
    authorization::Entity::update_many()
        .col_expr(authorization::Column::RevokedAt, Expr::value(at.unix()))
        .filter(authorization::Column::Id.eq(id.0))
        .filter(authorization::Column::RevokedAt.is_null())
}
