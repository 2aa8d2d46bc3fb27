//! Initial access tokens, which let programs register clients: made and taken back, and both written down.

use crate::{
    audit::{Entry, Kind},
    entity::initial_access_token::Model,
    state::AppState,
};
use oauth_core::{
    error::PortError,
    model::{PlainToken, UserId},
};
use std::time::Duration;

/// Makes an initial access token, as this administrator or at the command line. The token leaves only when it is written
/// down who made it.
pub async fn invite(
    state: &AppState,
    by: Option<&UserId>,
    label: &str,
    life: Duration,
) -> Result<(Model, PlainToken), PortError> {
    let (row, token) = state.registrars.invite(by, label, life).await?;
    state.audit.write(entry(Kind::Invited, by, &row)).await?;
    Ok((row, token))
}

/// Takes an initial access token back, as this administrator or at the command line; false when there is none of this
/// name.
pub async fn uninvite(state: &AppState, by: Option<&UserId>, id: &str) -> Result<bool, PortError> {
    let Some(row) = state.registrars.uninvite(id).await? else { return Ok(false) };
    state.audit.write(entry(Kind::Uninvited, by, &row)).await?;
    Ok(true)
}

/// Which token, by its name and its label: never the token.
fn entry(kind: Kind, by: Option<&UserId>, row: &Model) -> Entry {
    let label = if row.label.is_empty() { String::new() } else { format!(" ({})", row.label) };
    let which = format!("{}{label}", row.id);
    match by {
        Some(user) => Entry::new(kind).user(user).detail(which),
        None => Entry::new(kind).detail(format!("{which}, at the command line")),
    }
}
