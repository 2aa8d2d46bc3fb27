//! Signing up, in and out, and what the tokens of letters are for.

use super::{Bearer, Json, Problem, answer};
use crate::{
    people::{Device, Registration},
    profile::{Claim, ProfileDraft},
    state::AppState,
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use serde_json::json;

pub(super) async fn guest(State(state): State<AppState>) -> Result<Response, Problem> {
    Ok(answer::tokens(&state.people().guest().await?))
}

/// What somebody who signs up sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Register {
    username: Option<String>,
    email: Option<String>,
    password: String,
    name: Option<String>,
    given_name: Option<String>,
    family_name: Option<String>,
    locale: Option<String>,
    #[serde(default)]
    agreement: bool,
    /// The access token of the guest who becomes somebody.
    guest_token: Option<String>,
}

/// The answer is the same whether the address is somebody's or not.
pub(super) async fn register(
    State(state): State<AppState>,
    Json(body): Json<Register>,
) -> Result<Response, Problem> {
    let mut profile = ProfileDraft::default();
    for (claim, text) in [
        (Claim::Name, body.name),
        (Claim::GivenName, body.given_name),
        (Claim::FamilyName, body.family_name),
        (Claim::Locale, body.locale),
    ] {
        profile.set(claim, text.unwrap_or_default());
    }
    let rights = state.config.rights_of_newcomers();
    let registration = Registration {
        username: body.username,
        email: body.email,
        password: body.password,
        profile,
        rights,
        agrees: body.agreement,
    };
    let people = state.people();
    let made = people.register(registration).await?;
    let mut answer = json!({
        "username": made.username,
        "confirmation": if made.letter { "sent" } else { "none" },
    });
    if let Some(token) = &body.guest_token
        && let Some(guest) = people.merge_guest(token).await?
    {
        answer::add(&mut answer, "guest", guest.as_str());
    }
    Ok(answer::json(StatusCode::ACCEPTED, &answer))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogIn {
    /// The user name or the confirmed address.
    username: String,
    password: String,
    guest_token: Option<String>,
}

pub(super) async fn log_in(
    State(state): State<AppState>,
    headers: HeaderMap,
    Json(body): Json<LogIn>,
) -> Result<Response, Problem> {
    let people = state.people();
    let tokens = people.log_in(&body.username, &body.password, Device::of(&headers)).await?;
    if let Some(token) = &body.guest_token {
        people.merge_guest(token).await?;
    }
    Ok(answer::tokens(&tokens))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refresh {
    refresh_token: String,
}

pub(super) async fn refresh(
    State(state): State<AppState>,
    Json(body): Json<Refresh>,
) -> Result<Response, Problem> {
    Ok(answer::tokens(&state.people().refresh(&body.refresh_token).await?))
}

pub(super) async fn log_out(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
) -> Result<Response, Problem> {
    state.people().log_out(&caller).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    token: String,
}

pub(super) async fn confirm(
    State(state): State<AppState>,
    Json(body): Json<Token>,
) -> Result<Response, Problem> {
    state.people().confirm(&body.token).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn confirm_new_email(
    State(state): State<AppState>,
    Json(body): Json<Token>,
) -> Result<Response, Problem> {
    state.people().confirm_new_email(&body.token).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn undo_email(
    State(state): State<AppState>,
    Json(body): Json<Token>,
) -> Result<Response, Problem> {
    state.people().undo_email(&body.token).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Forgot {
    /// The address, or the user name.
    email: String,
}

/// The answer is the same whoever is named.
pub(super) async fn forgot(
    State(state): State<AppState>,
    Json(body): Json<Forgot>,
) -> Result<Response, Problem> {
    state.people().forgot(&body.email).await?;
    let text = "If there is an account with this address, a letter is on its way to it.";
    Ok(answer::json(StatusCode::ACCEPTED, &json!({"message": text})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reset {
    token: String,
    password: String,
}

pub(super) async fn reset(
    State(state): State<AppState>,
    Json(body): Json<Reset>,
) -> Result<Response, Problem> {
    state.people().reset(&body.token, &body.password).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
