//! Forms with an address and a password, and the token of a guest that they are sent with.

use super::{caller, refusal::No};
use crate::{
    people::{Caller, Need},
    state::AppState,
};
use http::HeaderMap;
use serde::Deserialize;

/// What is sent; more may be there, and is not read.
#[derive(Default, Deserialize)]
pub(super) struct Sent {
    email: Option<String>,
    pwd: Option<String>,
}

/// What was sent, as it was typed.
pub(super) struct Opened {
    pub(super) email: String,
    pub(super) password: String,
}

/// Lets guests in, and nobody else.
pub(super) async fn gate(state: &AppState, headers: &HeaderMap) -> Result<Option<Caller>, No> {
    let caller = caller::caller(state, headers).await?;
    Ok(Some(caller.needs(Need::GuestToken).map_err(|_| No::ANONYMOUS_ONLY)?))
}

/// Ends the tokens of the guest who became somebody.
pub(super) async fn leave(state: &AppState, headers: &HeaderMap) -> Result<(), No> {
    if let Some(token) = caller::token(headers)? {
        state.people().merge_guest(token).await?;
    }
    Ok(())
}

/// An address and a password.
pub(super) async fn open(_: &AppState, _: Option<&Caller>, sent: Sent) -> Result<Opened, No> {
    let (Some(email), Some(password)) = (sent.email, sent.pwd) else { return Err(No::INPUT) };
    Ok(Opened { email, password })
}

/// An address.
pub(super) async fn open_email(_: &AppState, _: Option<&Caller>, sent: Sent) -> Result<String, No> {
    sent.email.ok_or(No::INPUT)
}

/// A password.
pub(super) async fn open_password(_: &AppState, sent: Sent) -> Result<String, No> {
    sent.pwd.ok_or(No::INPUT)
}
