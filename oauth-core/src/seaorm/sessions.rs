//! Browser sessions that end, and the clients that are told of it.
//!
//! Locks are taken on authorizations first, then on participants, then on notices, each in the order of their
//! primary key. What removes a client or a user goes the same way.

use super::entity::{authorization, logout_notice, scope, session_client};
use crate::{
    error::PortError,
    model::{LogoutNotice, NewAuthorization, Participant, Timestamp},
};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, DbErr, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect,
    prelude::Uuid,
    sea_query::{Expr, LockBehavior, LockType, OnConflict},
};

/// Rows per statement, so that it stays well below the limit on parameters.
const MOST_ROWS: usize = 500;

/// Lets the client take part in the session, and for longer if it does already.
pub(super) async fn join(
    on: &DatabaseTransaction,
    sid: &str,
    new: &NewAuthorization,
) -> Result<(), DbErr> {
    let until = new.participates_until.unix();
    let stored = || Expr::col((session_client::Entity, session_client::Column::ExpiresAt));
    let later = Expr::case(stored().lt(until), until).finally(stored());
    let known =
        OnConflict::columns([session_client::Column::Sid, session_client::Column::ClientId])
            .value(session_client::Column::UserId, new.user.as_str())
            .value(session_client::Column::ExpiresAt, later)
            .to_owned();
    session_client::Entity::insert(session_client::ActiveModel::new_row(sid, new))
        .on_conflict(known)
        .exec_without_returning(on)
        .await?;
    Ok(())
}

/// Ends the session. Of two that do so at once, the second waits for the first and then finds nobody.
pub(super) async fn end(
    on: &DatabaseTransaction,
    sid: &str,
    at: Timestamp,
) -> Result<Vec<Participant>, PortError> {
    revoke_online(on, sid, at).await?;
    let rows = session_client::Entity::find()
        .filter(session_client::Column::Sid.eq(sid))
        .order_by_asc(session_client::Column::ClientId)
        .lock_exclusive()
        .all(on)
        .await?;
    let participants: Vec<Participant> = rows.into_iter().map(Participant::from).collect();
    for some in participants.chunks(MOST_ROWS) {
        // By name: somebody who joins at this moment stays, and is not forgotten untold.
        let names = some.iter().map(|p| p.client.as_str());
        session_client::Entity::delete_many()
            .filter(session_client::Column::Sid.eq(sid))
            .filter(session_client::Column::ClientId.is_in(names))
            .exec(on)
            .await?;
        let notices = some
            .iter()
            .map(|p| logout_notice::ActiveModel::new_row(LogoutNotice::new(p.clone(), at)));
        logout_notice::Entity::insert_many(notices)
            .on_conflict_do_nothing()
            .exec_without_returning(on)
            .await?;
    }
    Ok(participants)
}

/// Revokes the OpenID Connect authorizations of the session that were not given for when nobody is there.
async fn revoke_online(
    on: &DatabaseTransaction,
    sid: &str,
    at: Timestamp,
) -> Result<(), PortError> {
    let given: Vec<(Uuid, String)> = authorization::Entity::find()
        .filter(authorization::Column::Sid.eq(sid))
        .filter(authorization::Column::Openid.is_not_null())
        .filter(authorization::Column::RevokedAt.is_null())
        .select_only()
        .columns([authorization::Column::Id, authorization::Column::Scope])
        .order_by_asc(authorization::Column::Id)
        .lock_exclusive()
        .into_tuple()
        .all(on)
        .await?;
    let mut online = Vec::with_capacity(given.len());
    for (id, text) in given {
        if !scope(&text)?.contains("offline_access") {
            online.push(id);
        }
    }
    for some in online.chunks(MOST_ROWS) {
        authorization::Entity::update_many()
            .col_expr(authorization::Column::RevokedAt, Expr::value(at.unix()))
            .filter(authorization::Column::Id.is_in(some.iter().copied()))
            .exec(on)
            .await?;
    }
    Ok(())
}

/// Takes notices that are due until the lease ends; those another process is taking are passed over.
pub(super) async fn take_due(
    on: &DatabaseTransaction,
    now: Timestamp,
    lease: Timestamp,
    limit: u64,
) -> Result<Vec<LogoutNotice>, PortError> {
    let rows = logout_notice::Entity::find()
        .filter(logout_notice::Column::DueAt.lte(now.unix()))
        .order_by_asc(logout_notice::Column::DueAt)
        .order_by_asc(logout_notice::Column::Id)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(on)
        .await?;
    for some in rows.chunks(MOST_ROWS) {
        logout_notice::Entity::update_many()
            .col_expr(logout_notice::Column::DueAt, Expr::value(lease.unix()))
            .filter(logout_notice::Column::Id.is_in(some.iter().map(|row| row.id)))
            .exec(on)
            .await?;
    }
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Removes these participants and these notices.
pub(super) async fn forget(
    on: &DatabaseTransaction,
    participants: Condition,
    notices: Condition,
) -> Result<(), DbErr> {
    use logout_notice::Column as Notice;
    use session_client::Column as Participant;
    let _locked: Vec<(String, String)> = session_client::Entity::find()
        .filter(participants.clone())
        .select_only()
        .columns([Participant::Sid, Participant::ClientId])
        .order_by_asc(Participant::Sid)
        .order_by_asc(Participant::ClientId)
        .lock_exclusive()
        .into_tuple()
        .all(on)
        .await?;
    session_client::Entity::delete_many().filter(participants).exec(on).await?;
    let _locked: Vec<Uuid> = logout_notice::Entity::find()
        .filter(notices.clone())
        .select_only()
        .column(Notice::Id)
        .order_by_asc(Notice::Id)
        .lock_exclusive()
        .into_tuple()
        .all(on)
        .await?;
    logout_notice::Entity::delete_many().filter(notices).exec(on).await?;
    Ok(())
}
