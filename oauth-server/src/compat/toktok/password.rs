//! `/api/auth/password`: forgotten passwords.

use super::{
    answers,
    body::Body,
    caller,
    credentials::{self, Sent},
    refusal::No,
};
use crate::{
    api::hushed,
    forms::Wanted,
    people::{Error, Purpose, Refusal},
    state::AppState,
};
use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use http::{HeaderMap, StatusCode};
use serde_json::json;

/// Sends a letter to whoever has the address, if there is anybody. The answer is the same.
pub(super) async fn forgotten(
    State(state): State<AppState>,
    headers: HeaderMap,
    Body(sent): Body<Sent>,
) -> Result<Response, No> {
    let visitor = credentials::gate(&state, &headers).await?;
    credentials::forgot(&state, &visitor, sent).await?;
    Ok(answers::ok(&json!({
        "msg": "if there is an account with this address, a letter is on its way to it",
        "expires": answers::span(Purpose::Reset.life(&state.config.accounts)),
    })))
}

/// Whether the token of a letter is good for another password. It is what the next request is sent with, and for
/// nothing else; nothing changes.
pub(super) async fn check(
    State(state): State<AppState>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, No> {
    let token = caller::letter_token(&headers, query.as_deref())?;
    state.people().link(Purpose::Reset, &token).await?;
    Ok(answers::ok(&json!({
        "msg": "choose another password, and post it here with this token",
        "expires": answers::span(Purpose::Reset.life(&state.config.accounts)),
        "tokens": { "access_token": token },
    })))
}

/// Replaces the password by the token of the letter. Whatever the user was signed in with has ended, and nobody is
/// signed in by this.
pub(super) async fn reset(
    State(state): State<AppState>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    Body(sent): Body<Sent>,
) -> Result<Response, No> {
    let token = caller::letter_token(&headers, query.as_deref())?;
    let people = state.people();
    let visitor = credentials::visitor(&state, &headers).await?;
    // Before anything is decrypted, so that it says nothing of what was encrypted.
    people.check_reset_token(&token).await?;
    let read = credentials::read(&state, &visitor, sent, Wanted::Password).await?;
    let outcome = people.reset(&token, &read.password).await;
    match hushed(&state, read, outcome).await {
        Ok(_) => Ok(answers::ok(&json!({
            "msg": "the password is replaced: log in with it",
            "tokens": {},
        }))),
        // The original has this status for a password that is no good.
        Err(Error::Refused(refusal @ Refusal::Invalid(_))) => {
            Err(No::from(refusal).with_status(StatusCode::UNAUTHORIZED))
        }
        Err(e) => Err(e.into()),
    }
}
