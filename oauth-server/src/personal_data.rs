//! Everything that is kept about a person: read out as JSON, or deleted.
//!
//! Neither a secret nor the hash of one is read out.

use crate::{
    access_rights, activity,
    entity::{agreement, device, identity, session},
    people::remove_rows,
    state::AppState,
};
use oauth_core::{
    error::PortError,
    model::UserId,
    seaorm::{
        UserAccount,
        entity::user::{Column, Entity},
        people,
    },
};
use sea_orm::{
    ColumnTrait as _, DatabaseTransaction, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The most rows of a kind that are read out: more than anybody has who did not make them by program.
const MOST: u64 = 10_000;

/// Everything that is kept about a person; `None` where there is no such user.
pub async fn export(state: &AppState, user: &UserId) -> Result<Option<Value>, PortError> {
    let Some(account) = state.store.account(user).await? else { return Ok(None) };
    let grants = &state.provider.env().grants;
    let authorizations = grants.authorizations(user, state.now()).await?;
    let consents = grants.consents(user).await?;
    let rights = state.users.rights(user).await?;
    let clients = state.provider.env().clients.clients_of(user).await?;
    let deeds = activity::latest(state, user, MOST).await?;
    Ok(Some(json!({
        "exported_at": time(state.now().unix()),
        "issuer": state.config.issuer().as_str(),
        "account": about(&account),
        "profile": oauth_core::ports::Users::profile(&state.store, user).await?,
        "agreements": agreements(state, user).await?,
        "rights": rights.iter().map(access_rights::described).collect::<Vec<_>>(),
        "sessions": sessions(state, user).await?,
        "devices": devices(state, user).await?,
        "passkeys": state.passkeys.list(user).await?.iter().map(|p| json!({
            "name": p.name, "synced": p.synced, "added_at": time(p.created_at),
            "last_used_at": p.last_used_at.map(time),
        })).collect::<Vec<_>>(),
        "identities": identities(state, user).await?,
        "applications": authorizations.iter().map(|a| json!({
            "client_id": a.client.to_string(), "scope": a.scope.to_string(),
            "since": time(a.created_at.unix()),
        })).collect::<Vec<_>>(),
        "consents": consents.iter().map(|c| json!({
            "client_id": c.client.to_string(), "scope": c.scope.to_string(),
            "at": time(c.at.unix()),
        })).collect::<Vec<_>>(),
        "clients": clients.iter().map(|c| json!({
            "client_id": c.id.to_string(), "name": c.name, "uri": c.uri,
            "redirect_uris": c.redirect_uris.iter().map(oauth_core::model::RedirectUri::as_str).collect::<Vec<_>>(),
            "scope": c.scope.to_string(), "created_at": time(c.created_at.unix()),
        })).collect::<Vec<_>>(),
        "activity": deeds.iter().map(|d| json!({
            "at": time(d.at), "what": d.what, "about": d.about, "network": d.network,
            "user_agent": d.user_agent,
        })).collect::<Vec<_>>(),
    })))
}

fn about(account: &UserAccount) -> Value {
    json!({
        "sub": account.id.as_str(),
        "username": account.username,
        "email": account.email,
        "email_verified": account.email_verified,
        "has_password": account.has_password,
        "is_administrator": account.is_admin,
        "is_staff": account.is_staff,
        "created_at": time(account.created_at.unix()),
    })
}

async fn agreements(state: &AppState, user: &UserId) -> Result<Vec<Value>, PortError> {
    let rows = agreement::Entity::find()
        .filter(agreement::Column::UserId.eq(user.as_str()))
        .order_by_asc(agreement::Column::AgreedAt)
        .limit(MOST)
        .all(state.store.database())
        .await?;
    let line = |row: agreement::Model| json!({"terms": row.terms_url, "at": time(row.agreed_at)});
    Ok(rows.into_iter().map(line).collect())
}

async fn sessions(state: &AppState, user: &UserId) -> Result<Vec<Value>, PortError> {
    let rows = session::Entity::find()
        .filter(session::Column::UserId.eq(user.as_str()))
        .order_by_asc(session::Column::CreatedAt)
        .limit(MOST)
        .all(state.store.database())
        .await?;
    let line = |row: session::Model| {
        let proven = (row.login_at > 0).then(|| time(row.login_at));
        json!({
            "signed_in_at": proven, "how": row.amr, "begun_at": time(row.created_at),
            "last_used_at": time(row.last_seen_at), "ends_at": time(row.expires_at),
            "address": row.address, "user_agent": row.user_agent,
        })
    };
    Ok(rows.into_iter().map(line).collect())
}

async fn devices(state: &AppState, user: &UserId) -> Result<Vec<Value>, PortError> {
    let rows = device::Entity::find()
        .filter(device::Column::UserId.eq(user.as_str()))
        .order_by_asc(device::Column::CreatedAt)
        .limit(MOST)
        .all(state.store.database())
        .await?;
    let line = |row: device::Model| {
        json!({
            "signed_in_at": time(row.created_at), "last_used_at": time(row.last_used_at),
            "address": row.address, "user_agent": row.user_agent,
        })
    };
    Ok(rows.into_iter().map(line).collect())
}

async fn identities(state: &AppState, user: &UserId) -> Result<Vec<Value>, PortError> {
    let line = |row: identity::Model| {
        json!({
            "provider": row.upstream, "issuer": row.issuer, "subject": row.subject,
            "label": row.label, "linked_at": time(row.created_at),
            "last_used_at": time(row.last_used_at),
        })
    };
    Ok(state.social.identities(user).await?.into_iter().map(line).collect())
}

/// A time as [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339) writes it.
fn time(unix: i64) -> Value {
    let at = OffsetDateTime::from_unix_timestamp(unix).ok();
    at.and_then(|at| at.format(&Rfc3339).ok()).map_or(Value::from(unix), Value::from)
}

/// What came of the wish to delete an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Deletion {
    /// The person is gone with everything that was its own.
    Done,
    /// Nobody else could look after the server.
    LastAdministrator,
    /// There is no such user.
    Unknown,
}

/// Deletes a person with everything that is its own: sessions, tokens, consents, rights, clients, and all that the
/// server keeps beside them. The last administrator cannot go.
pub async fn delete(state: &AppState, user: &UserId) -> Result<Deletion, PortError> {
    // Sessions end before there is nothing left of which applications could be told. Who may not go keeps them.
    if is_last_administrator(state, user).await? {
        return Ok(Deletion::LastAdministrator);
    }
    state.sessions.end_all_of(user).await?;
    let id = user.clone();
    let deletion =
        state.store.write(move |t| Box::pin(async move { delete_all(t, &id).await })).await?;
    if deletion == Deletion::Done {
        tracing::info!(user.id = %user, "user deleted");
    }
    Ok(deletion)
}

async fn is_last_administrator(state: &AppState, user: &UserId) -> Result<bool, PortError> {
    let user = user.clone();
    state.store.write(move |t| Box::pin(async move { is_last(t, &user).await })).await
}

/// Whether nobody else could administer the server. The rows of all administrators are locked in one order, so that of
/// two who go at once the second sees that the first is gone.
async fn is_last(t: &DatabaseTransaction, user: &UserId) -> Result<bool, PortError> {
    let administrators: Vec<String> = Entity::find()
        .filter(Column::IsAdmin.eq(true))
        .filter(Column::Disabled.eq(false))
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .select_only()
        .column(Column::Id)
        .into_tuple()
        .all(t)
        .await?;
    Ok(administrators == [user.as_str()])
}

async fn delete_all(t: &DatabaseTransaction, user: &UserId) -> Result<Deletion, PortError> {
    if is_last(t, user).await? {
        return Ok(Deletion::LastAdministrator);
    }
    remove_rows(t, user).await?;
    let known = people::remove_user(t, user).await?;
    Ok(if known { Deletion::Done } else { Deletion::Unknown })
}
