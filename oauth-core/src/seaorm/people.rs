//! People within a transaction of the caller, for what must happen together with something else.
//!
//! Each function runs in the transaction that [`SeaStore::write`](super::SeaStore::write) hands out.

use super::{
    entity::{user, user::Column},
    grants,
    only::Only,
    users::{NewUser, insert_statement, remove},
};
use crate::{
    error::PortError,
    model::{Timestamp, UserId, email_key},
};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QuerySelect,
    SqlErr, TransactionTrait, TryInsertResult, sea_query::Expr,
};

/// What came of the wish for another address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum EmailChange {
    /// The user has it now.
    Done,
    /// Another user has it, or goes by it.
    Taken,
    /// There is no such user.
    Unknown,
}

/// Creates a user; false when the name or the confirmed address is taken, by however many at once. Nor is a name free
/// that is somebody's confirmed address, or an address by which somebody goes as a name: both are signed in with.
pub async fn insert(on: &DatabaseTransaction, new: NewUser) -> Result<bool, PortError> {
    let mut keys = vec![new.username.to_lowercase()];
    keys.extend(new.email.as_deref().filter(|_| new.email_verified).map(email_key));
    for key in keys {
        if is_taken(on, &key, &new.id).await? {
            return Ok(false);
        }
    }
    let inserted = insert_statement(new).try_insert().exec_without_returning(on).await?;
    Ok(!matches!(inserted, TryInsertResult::Inserted(0) | TryInsertResult::Conflicted))
}

/// The row of a user, locked until the end of the transaction: whoever else changes it waits.
pub async fn hold(on: &DatabaseTransaction, id: &UserId) -> Result<Option<user::Model>, PortError> {
    Ok(user::Entity::find_by_id(id.as_str()).lock_exclusive().only(on).await?)
}

/// Gives a user an address, or takes it away.
///
/// One that is not confirmed is what the user says, and any number of users may say it. A confirmed one belongs to
/// one user: of two who want the same at once, one gets it.
pub async fn set_email(
    on: &DatabaseTransaction,
    id: &UserId,
    email: Option<&str>,
    verified: bool,
) -> Result<EmailChange, PortError> {
    let email = email.map(str::trim);
    let key = email.filter(|_| verified).map(email_key);
    let verified = key.is_some();
    if let Some(key) = &key
        && is_taken(on, key, id).await?
    {
        return Ok(EmailChange::Taken);
    }
    let update = user::Entity::update_many()
        .col_expr(Column::Email, Expr::value(email.map(str::to_owned)))
        .col_expr(Column::EmailKey, Expr::value(key))
        .col_expr(Column::EmailVerified, Expr::value(verified))
        .filter(Column::Id.eq(id.as_str()));
    // A savepoint: on PostgreSQL a statement that fails would take the whole transaction with it.
    let savepoint = on.begin().await?;
    match update.exec(&savepoint).await {
        Ok(done) => {
            savepoint.commit().await?;
            let known = done.rows_affected == 1;
            Ok(if known { EmailChange::Done } else { EmailChange::Unknown })
        }
        Err(e) => {
            savepoint.rollback().await?;
            match e.sql_err() {
                Some(SqlErr::UniqueConstraintViolation(_)) => Ok(EmailChange::Taken),
                _ => Err(e.into()),
            }
        }
    }
}

/// Replaces the password of a user who may sign in; false when there is none.
pub async fn set_password_hash(
    on: &DatabaseTransaction,
    id: &UserId,
    phc: Option<String>,
) -> Result<bool, PortError> {
    let update = user::Entity::update_many()
        .col_expr(Column::PasswordHash, Expr::value(phc))
        .filter(Column::Id.eq(id.as_str()))
        .filter(Column::Disabled.eq(false));
    Ok(update.exec(on).await?.rows_affected == 1)
}

/// Revokes every authorization of a user, with the codes and tokens below, and forgets every consent. Lock the user before:
/// then whoever issues something, and looks at the user afterwards, either is seen here or sees what is written here.
pub async fn revoke_user(
    on: &DatabaseTransaction,
    id: &UserId,
    at: Timestamp,
) -> Result<(), PortError> {
    Ok(grants::revoke_user(on, id, None, at).await?)
}

/// Removes a user with its rights, consents, authorizations and everything below them, and the clients it made; false
/// when there is none.
pub async fn remove_user(on: &DatabaseTransaction, id: &UserId) -> Result<bool, PortError> {
    Ok(remove(on, id).await?)
}

/// Whether somebody else has the address, confirmed, or signs in by it as a name.
async fn is_taken(on: &DatabaseTransaction, key: &str, id: &UserId) -> Result<bool, DbErr> {
    let either = Condition::any().add(Column::EmailKey.eq(key)).add(Column::UsernameKey.eq(key));
    let other = user::Entity::find().filter(either).filter(Column::Id.ne(id.as_str()));
    let ids: Option<String> =
        other.select_only().column(Column::Id).limit(1).into_tuple().only(on).await?;
    Ok(ids.is_some())
}
