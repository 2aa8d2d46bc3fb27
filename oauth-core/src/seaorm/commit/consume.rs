//! Using up a credential: one statement whose condition decides between rivals.

use super::super::{
    entity::{auth_code, hash_bytes, pending_authorization, token},
    only::Only,
};
use crate::model::{AuthorizationId, Consume, HashedToken, Timestamp, TokenKind};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QuerySelect, prelude::Uuid,
    sea_query::Expr,
};

/// What became of the credential.
pub(super) enum Credential {
    /// It is used up now, by this transaction alone.
    Consumed,
    /// It was used before.
    UsedBefore,
    /// It was rotated a moment ago and the successor is unused: the sealed response of then.
    JustRotated(Vec<u8>),
    /// It is unknown, expired, revoked, or another authorization's.
    Dead,
}

/// Compare and swap: [`Credential::Consumed`] for exactly one caller, in however many processes.
pub(super) async fn consume(
    on: &DatabaseTransaction,
    what: &Consume,
    parent: Option<AuthorizationId>,
    at: Timestamp,
) -> Result<Credential, DbErr> {
    match what {
        Consume::Nothing => Ok(Credential::Consumed),
        Consume::Code(hash) => code(on, hash, parent, at).await,
        Consume::Interaction(hash) => interaction(on, hash, at).await,
        Consume::Refresh { token, response, successor, retry_since } => {
            let rotation = Rotation { token, response, successor, retry_since: *retry_since };
            refresh(on, &rotation, parent, at).await
        }
    }
}

async fn code(
    on: &DatabaseTransaction,
    hash: &HashedToken,
    parent: Option<AuthorizationId>,
    at: Timestamp,
) -> Result<Credential, DbErr> {
    let Some(parent) = parent else {
        return Ok(Credential::Dead);
    };
    let hit = auth_code::Entity::update_many()
        .col_expr(auth_code::Column::ConsumedAt, Expr::value(at.unix()))
        .filter(auth_code::Column::Hash.eq(hash_bytes(hash)))
        .filter(auth_code::Column::AuthorizationId.eq(parent.0))
        .filter(auth_code::Column::ConsumedAt.is_null())
        .filter(auth_code::Column::ExpiresAt.gt(at.unix()))
        .exec(on)
        .await?;
    if hit.rows_affected == 1 {
        return Ok(Credential::Consumed);
    }
    let used: Option<Vec<u8>> = auth_code::Entity::find_by_id(hash_bytes(hash))
        .filter(auth_code::Column::AuthorizationId.eq(parent.0))
        .filter(auth_code::Column::ConsumedAt.is_not_null())
        .select_only()
        .column(auth_code::Column::Hash)
        .into_tuple()
        .only(on)
        .await?;
    Ok(if used.is_some() { Credential::UsedBefore } else { Credential::Dead })
}

/// A pending authorization has no replay to be recognised later, so its row goes.
async fn interaction(
    on: &DatabaseTransaction,
    hash: &HashedToken,
    at: Timestamp,
) -> Result<Credential, DbErr> {
    let hit = pending_authorization::Entity::delete_many()
        .filter(pending_authorization::Column::Hash.eq(hash_bytes(hash)))
        .filter(pending_authorization::Column::ExpiresAt.gt(at.unix()))
        .exec(on)
        .await?;
    Ok(if hit.rows_affected == 1 { Credential::Consumed } else { Credential::UsedBefore })
}

struct Rotation<'a> {
    token: &'a HashedToken,
    response: &'a [u8],
    successor: &'a HashedToken,
    retry_since: Timestamp,
}

async fn refresh(
    on: &DatabaseTransaction,
    rotation: &Rotation<'_>,
    parent: Option<AuthorizationId>,
    at: Timestamp,
) -> Result<Credential, DbErr> {
    let parent = parent.map(|p| p.0);
    let hit = token::Entity::update_many()
        .col_expr(token::Column::ConsumedAt, Expr::value(at.unix()))
        .col_expr(token::Column::Successor, Expr::value(hash_bytes(rotation.successor)))
        .col_expr(token::Column::Response, Expr::value(rotation.response.to_vec()))
        .filter(token::Column::Hash.eq(hash_bytes(rotation.token)))
        .filter(belongs_to(parent))
        .filter(token::Column::Kind.eq(token::kind_text(TokenKind::Refresh)))
        .filter(token::Column::ConsumedAt.is_null())
        .filter(token::Column::RevokedAt.is_null())
        .filter(token::Column::ExpiresAt.gt(at.unix()))
        .exec(on)
        .await?;
    if hit.rows_affected == 1 {
        return Ok(Credential::Consumed);
    }
    let old = token::Entity::find_by_id(hash_bytes(rotation.token))
        .filter(belongs_to(parent))
        .filter(token::Column::Kind.eq(token::kind_text(TokenKind::Refresh)))
        .filter(token::Column::ConsumedAt.is_not_null())
        .only(on)
        .await?;
    let Some(old) = old else {
        return Ok(Credential::Dead);
    };
    repeat(on, old, rotation.retry_since, at).await
}

fn belongs_to(parent: Option<Uuid>) -> sea_orm::Condition {
    let column = token::Column::AuthorizationId;
    sea_orm::Condition::all().add(parent.map_or_else(|| column.is_null(), |id| column.eq(id)))
}

/// A rotation at or after `retry_since` whose successor nobody used is given again; else it is a replay.
async fn repeat(
    on: &DatabaseTransaction,
    old: token::Model,
    retry_since: Timestamp,
    at: Timestamp,
) -> Result<Credential, DbErr> {
    let recent = old.revoked_at.is_none() && old.consumed_at >= Some(retry_since.unix());
    let (true, Some(successor), Some(response)) = (recent, old.successor, old.response) else {
        return Ok(Credential::UsedBefore);
    };
    let unused: Option<Vec<u8>> = token::Entity::find_by_id(successor)
        .filter(token::Column::ConsumedAt.is_null())
        .filter(token::Column::RevokedAt.is_null())
        .filter(token::Column::ExpiresAt.gt(at.unix()))
        .select_only()
        .column(token::Column::Hash)
        .into_tuple()
        .only(on)
        .await?;
    Ok(match unused {
        Some(_) => Credential::JustRotated(response),
        None => Credential::UsedBefore,
    })
}
