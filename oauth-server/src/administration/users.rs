//! People: finding them, locking them out, and their rights.

use crate::{
    activity::{self, Deed, What},
    config::Authenticator,
    state::AppState,
};
use oauth_core::{
    error::PortError,
    model::{Access, AccessRight, UserId},
    seaorm::{
        UserAccount,
        entity::{
            access_right,
            user::{Column, Entity},
        },
    },
};
use sea_orm::{
    ColumnTrait as _, DatabaseTransaction, EntityTrait as _, ExprTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
    sea_query::{Expr, LikeExpr, OnConflict},
};

/// Whether the user is an administrator at this very moment. Where everybody may sign in as anybody, nobody is.
pub async fn is_administrator(state: &AppState, user: &UserId) -> Result<bool, PortError> {
    let proven = state.config.general.authenticator == Authenticator::Database;
    let account = state.store.account(user).await?;
    Ok(proven && account.is_some_and(|account| account.is_admin && !account.disabled))
}

/// Users whose names begin like this, whatever the case, in the order of their names, those behind a name if one is
/// given.
pub async fn beginning_with(
    state: &AppState,
    beginning: &str,
    after: Option<&str>,
    limit: u64,
) -> Result<Vec<UserAccount>, PortError> {
    let texts = [Some(beginning), after];
    if texts.into_iter().flatten().any(|text| text.contains('\0')) {
        return Ok(Vec::new());
    }
    let mut pattern = String::new();
    for c in beginning.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    let mut query = Entity::find()
        .filter(Expr::col(Column::UsernameKey).like(LikeExpr::new(pattern).escape('\\')))
        .order_by_asc(Column::UsernameKey)
        .limit(limit);
    if let Some(name) = after {
        query = query.filter(Column::UsernameKey.gt(name.to_lowercase()));
    }
    Ok(query.all(state.store.database()).await?.into_iter().map(Into::into).collect())
}

/// Ends every session and every authorization of a user, and what letters are under way; returns how many sessions there
/// were.
pub async fn cut_off(state: &AppState, user: &UserId) -> Result<u64, PortError> {
    let ended = state.sessions.end_all_after(user, |_| Box::pin(async { Ok(true) })).await?;
    Ok(ended.unwrap_or_default())
}

/// Locks a user out; returns how many sessions that ended.
pub async fn disable(state: &AppState, user: &UserId) -> Result<u64, PortError> {
    set_and_cut_off(state, user, Column::Disabled, Expr::value(true)).await
}

/// Replaces the password of a user by the word of whoever runs the server; returns how many sessions that ended.
pub async fn set_password(state: &AppState, user: &UserId, phc: String) -> Result<u64, PortError> {
    set_and_cut_off(state, user, Column::PasswordHash, Expr::value(Some(phc))).await
}

/// Writes one column of a user, and cuts the user off in the same transaction.
async fn set_and_cut_off(
    state: &AppState,
    user: &UserId,
    column: Column,
    value: Expr,
) -> Result<u64, PortError> {
    let update = Entity::update_many().col_expr(column, value).filter(Column::Id.eq(user.as_str()));
    let ended = state.sessions.end_all_after(user, move |t| {
        Box::pin(async move { Ok(update.exec(t).await?.rows_affected == 1) })
    });
    Ok(ended.await?.unwrap_or_default())
}

/// What was taken away of somebody's second factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reset {
    /// Whether one-time passwords were asked for.
    pub second_factor: bool,
    /// How many passkeys there were.
    pub passkeys: u64,
}

/// Takes the second factor and every passkey of a user away, for whoever lost the device. Sessions go on, and so do
/// tokens; the user is told.
pub async fn reset_factors(state: &AppState, user: &UserId) -> Result<Reset, PortError> {
    let second_factor = state.second_factor.remove(user).await?;
    if second_factor {
        activity::note(state, user, Deed::of_operator(What::SecondFactorRemoved)).await;
    }
    let deed = Deed::of_operator(What::PasskeyRemoved);
    let passkeys = state.passkeys.remove_all(user, deed).await?;
    Ok(Reset { second_factor, passkeys })
}

/// Sets how far a user may go with an API, in place of what was set before; [checked](crate::access_rights::check). The
/// other rights of the user are not read and not written: somebody else may be changing, or taking back, one of those at
/// this moment.
pub async fn set_right(state: &AppState, right: AccessRight) -> Result<(), PortError> {
    state.store.write(move |t| Box::pin(async move { write_right(t, right).await })).await
}

async fn write_right(t: &DatabaseTransaction, right: AccessRight) -> Result<(), PortError> {
    use access_right::{ActiveModel, Column, Entity};
    if right.access == Access::None {
        let key = (right.user.as_str().to_owned(), right.api);
        Entity::delete_by_id(key).exec(t).await?;
        return Ok(());
    }
    let instead = OnConflict::columns([Column::UserId, Column::Api])
        .update_columns([Column::Access, Column::Paths, Column::WritePaths])
        .to_owned();
    let insert = Entity::insert(ActiveModel::from(right)).on_conflict(instead);
    insert.exec_without_returning(t).await?;
    Ok(())
}
