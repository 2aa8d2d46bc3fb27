//! What goes: accounts that are deleted, addresses that nobody confirmed, rows that are over.

use super::{
    People,
    error::{Error, Refusal},
    links::{self, Purpose},
};
use crate::{
    entity::{device, mail_token, unconfirmed},
    maintenance::delete_expired,
    personal_data::{self, Deletion},
};
use oauth_core::{
    error::PortError,
    model::{Timestamp, UserId},
    seaorm::{entity::authorization, people},
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DatabaseTransaction, EntityTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _,
    sea_query::{Alias, Expr, ExprTrait as _, Query},
};

/// The server's own tables with rows of a user, and the column that names it. A table that is not here keeps rows of
/// users who are gone.
const OF_A_USER: &[(&str, &str)] = &[
    ("oauth_session", "user_id"),
    ("oauth_device", "user_id"),
    ("oauth_identity", "user_id"),
    ("oauth_activity", "user_id"),
    ("oauth_totp", "user_id"),
    ("oauth_recovery_code", "user_id"),
    ("oauth_half_sign_in", "user_id"),
    ("oauth_passkey", "user_id"),
    ("oauth_passkey_holder", "user_id"),
    ("oauth_ceremony", "user_id"),
    ("oauth_mail_token", "user_id"),
    ("oauth_unconfirmed", "user_id"),
    ("oauth_agreement", "user_id"),
];

impl People<'_> {
    /// Removes a user with everything that is its own: sessions, tokens, consents, rights, clients. The last
    /// administrator cannot go.
    pub async fn delete(&self, id: &UserId) -> Result<(), Error> {
        match personal_data::delete(self.state, id).await? {
            Deletion::Done => Ok(()),
            Deletion::LastAdministrator => Err(Refusal::Conflict("last_admin").into()),
            Deletion::Unknown => Err(Refusal::NotFound.into()),
        }
    }

    /// Deletes at most `limit` rows of each kind that are over: tokens of letters, devices without an authorization,
    /// and accounts, or their addresses, that were not confirmed in time.
    pub async fn sweep(&self, limit: u64) -> Result<u64, PortError> {
        let now = self.state.now().unix();
        let store = &self.state.store;
        let tokens = delete_expired::<mail_token::Entity>(
            store,
            mail_token::Column::Hash,
            mail_token::Column::ExpiresAt,
            now,
            limit,
        );
        let tokens = tokens.await?;
        let devices = store
            .write(move |t| Box::pin(async move { forget_ended_devices(t, limit).await }))
            .await?;
        Ok(tokens + devices + self.sweep_unconfirmed(now, limit).await?)
    }

    async fn sweep_unconfirmed(&self, now: i64, limit: u64) -> Result<u64, PortError> {
        let due = unconfirmed::Entity::find()
            .filter(unconfirmed::Column::ExpiresAt.lte(now))
            .order_by_asc(unconfirmed::Column::ExpiresAt)
            .limit(limit)
            .all(self.state.store.database())
            .await?;
        let mut gone = 0;
        for row in due {
            let user = UserId::new(row.user_id.clone());
            if row.removes_account {
                self.state.sessions.end_all_of(&user).await?;
            }
            let write =
                self.state.store.write(move |t| Box::pin(async move { give_up(t, &row).await }));
            if write.await? {
                gone += 1;
                tracing::info!(user.id = %user, "an address was not confirmed in time");
            }
        }
        Ok(gone)
    }
}

/// Takes away the account or the address, unless it was confirmed at this very moment, or became more than an ordinary
/// user's.
async fn give_up(t: &DatabaseTransaction, row: &unconfirmed::Model) -> Result<bool, PortError> {
    let gone = unconfirmed::Entity::delete_by_id(row.user_id.as_str()).exec(t).await?;
    let user = UserId::new(row.user_id.as_str());
    let Some(held) = people::hold(t, &user).await?.filter(|_| gone.rows_affected == 1) else {
        return Ok(false);
    };
    if held.email_verified {
        return Ok(false);
    }
    if row.removes_account && !held.is_admin && !held.is_staff {
        remove_rows(t, &user).await?;
        return people::remove_user(t, &user).await;
    }
    let _ = people::set_email(t, &user, None, false).await?;
    Ok(true)
}

/// Deletes what the server keeps of a user beside the tables of the library.
pub(crate) async fn remove_rows(t: &DatabaseTransaction, id: &UserId) -> Result<(), PortError> {
    for (table, column) in OF_A_USER {
        let delete = Query::delete()
            .from_table(Alias::new(*table))
            .and_where(Expr::col(Alias::new(*column)).eq(id.as_str()))
            .to_owned();
        t.execute(&delete).await?;
    }
    Ok(())
}

/// Takes away what somebody may have begun or got with a password, in the transaction in which that is replaced or its
/// owner locked out: letters that are under way, to whatever address, devices, and every authorization with its codes and
/// tokens. Consents go, too: an application could otherwise come back without anybody being asked.
pub(crate) async fn cut_off(
    t: &DatabaseTransaction,
    id: &UserId,
    now: Timestamp,
) -> Result<(), PortError> {
    links::forget(t, id, &[Purpose::Change, Purpose::Reset]).await?;
    device::Entity::delete_many().filter(device::Column::UserId.eq(id.as_str())).exec(t).await?;
    people::revoke_user(t, id, now).await
}

/// Forgets devices whose authorization is revoked or gone.
async fn forget_ended_devices(t: &DatabaseTransaction, limit: u64) -> Result<u64, PortError> {
    let alive = authorization::Entity::find()
        .select_only()
        .column(authorization::Column::Id)
        .filter(authorization::Column::RevokedAt.is_null())
        .into_query();
    let over: Vec<sea_orm::prelude::Uuid> = device::Entity::find()
        .select_only()
        .column(device::Column::AuthorizationId)
        .filter(device::Column::AuthorizationId.not_in_subquery(alive))
        .limit(limit)
        .into_tuple()
        .all(t)
        .await?;
    let gone = device::Entity::delete_many()
        .filter(device::Column::AuthorizationId.is_in(over))
        .exec(t)
        .await?;
    Ok(gone.rows_affected)
}
