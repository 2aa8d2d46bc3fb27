//! `/api/auth/login` and `/api/auth/tokens`.

use super::{
    answers,
    body::Body,
    caller,
    credentials::{self, Sent},
    refusal::No,
};
use crate::{
    forms::Wanted,
    people::{Device, Need, Tokens},
    sign_in::is_fresh,
    state::AppState,
};
use axum::{extract::State, response::Response};
use http::HeaderMap;
use oauth_core::model::UserId;
use serde_json::{Value, json};

/// Tokens of nobody in particular.
pub(super) async fn anonymous(State(state): State<AppState>) -> Result<Response, No> {
    let guest = state.people().guest().await?;
    let tokens = answers::tokens(&state, &guest).await?;
    Ok(answers::ok(&json!({ "msg": "anonymous user is logged", "tokens": tokens })))
}

/// Tokens for an address and a password. The guest who asked is one no more.
pub(super) async fn log_in(
    State(state): State<AppState>,
    headers: HeaderMap,
    Body(sent): Body<Sent>,
) -> Result<Response, No> {
    let visitor = credentials::gate(&state, &headers).await?;
    let read = credentials::read(&state, &visitor, sent, Wanted::Both).await?;
    let people = state.people();
    let tokens = people.log_in(&read.email, &read.password, Device::of(&headers)).await?;
    credentials::leave(&state, &headers).await?;
    let data = own(&state, tokens.user.as_ref()).await?;
    let name = data.pointer("/infos/email").and_then(Value::as_str).unwrap_or_default();
    Ok(answers::ok(&json!({
        "msg": format!("user '{name}' is logged"),
        "tokens": answers::tokens(&state, &tokens).await?,
        "data": data,
    })))
}

/// Who holds the access token.
pub(super) async fn confirm_access(
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<Response, No> {
    let caller = caller::registered(&state, &headers).await?;
    let data = own(&state, Some(&caller.subject)).await?;
    Ok(answers::ok(&json!({ "msg": "user found ", "data": data })))
}

/// Another access token for a refresh token, which is used up; the next one is in the answer, too.
pub(super) async fn new_access_token(
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<Response, No> {
    let (presented, _) = caller::refresh_token(&state, &headers).await?;
    let tokens = state.people().refresh(presented).await?;
    refreshed(&state, &tokens, "new access and refresh tokens for the user").await
}

/// The same, for whoever signed in a short while ago. Nothing makes an old sign-in a fresh one.
pub(super) async fn fresh_access_token(
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<Response, No> {
    let (presented, token) = caller::refresh_token(&state, &headers).await?;
    let within = state.config.accounts.fresh_for;
    let is_recent = token.login.is_some_and(|login| is_fresh(login.at, within, state.now()));
    if !is_recent {
        return Err(No::NOT_FRESH);
    }
    let tokens = state.people().refresh(presented).await?;
    refreshed(&state, &tokens, "new access and refresh tokens of a fresh sign-in").await
}

async fn refreshed(state: &AppState, tokens: &Tokens, msg: &str) -> Result<Response, No> {
    Ok(answers::ok(&json!({
        "msg": msg,
        "data": own(state, tokens.user.as_ref()).await?,
        "is_user_confirmed": Need::Registered.is_met_by(tokens.role),
        "tokens": answers::tokens(state, tokens).await?,
    })))
}

/// Not to be had: the token is neither read nor used.
pub(super) async fn new_refresh_token() -> No {
    No::IN_ADDRESS
}

/// A user as it sees itself.
pub(super) async fn own(state: &AppState, user: Option<&UserId>) -> Result<Value, No> {
    let user = user.ok_or(No::NO_USER)?;
    let person = state.people().person(user).await?;
    Ok(Value::Object(answers::user(&person.whole(), &state.config)))
}
