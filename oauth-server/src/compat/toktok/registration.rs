//! `/api/usr/register`: signing up, and confirming the address.

use super::{
    answers, auth,
    body::Body,
    caller,
    credentials::{self, Sent},
    refusal::No,
};
use crate::{
    api::hushed,
    forms::Wanted,
    people::{Device, Purpose, Refusal, Registration},
    profile::{Claim, ProfileDraft},
    sign_in::acr,
    state::AppState,
};
use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use http::HeaderMap;
use oauth_core::model::{Login, UserId};
use serde::Deserialize;
use serde_json::{Value, json};

/// What somebody who signs up sends.
#[derive(Deserialize)]
pub(super) struct Register {
    name: Option<String>,
    surname: Option<String>,
    lang: Option<String>,
    #[serde(default)]
    agreement: bool,
    #[serde(flatten)]
    sent: Sent,
}

/// Makes a user who can do little before the address is confirmed, and signs it in where a password will do. The address is
/// what somebody says: whoever has it already is told by letter, and whoever asks sees the same.
pub(super) async fn register(
    State(state): State<AppState>,
    headers: HeaderMap,
    Body(body): Body<Register>,
) -> Result<Response, No> {
    let visitor = credentials::gate(&state, &headers).await?;
    // Before anything is decrypted, so that it says nothing of what was encrypted.
    if !state.config.signup.open {
        return Err(Refusal::Closed("signing up").into());
    }
    let read = credentials::read(&state, &visitor, body.sent, Wanted::Both).await?;
    let mut profile = ProfileDraft::default();
    for (claim, text) in [
        (Claim::GivenName, body.name),
        (Claim::FamilyName, body.surname),
        (Claim::Locale, body.lang),
    ] {
        profile.set(claim, text.unwrap_or_default());
    }
    let registration = Registration {
        // The name is made up, so that there is one whoever has the address.
        username: None,
        email: Some(read.email.clone()),
        password: read.password.clone(),
        profile,
        rights: state.config.rights_of_newcomers(),
        agrees: body.agreement,
    };
    let people = state.people();
    let made = people.register(registration).await;
    let made = hushed(&state, read, made).await?;
    let user = made.user;
    let tokens = first_tokens(&state, &headers, &user).await?;
    credentials::leave(&state, &headers).await?;
    let data = auth::own(&state, Some(&user)).await?;
    Ok(answers::ok(&json!({
        "msg": "new user has been created, and a letter is on its way to confirm the address",
        "expires": answers::span(Purpose::Confirm.life(&state.config.accounts)),
        "tokens": tokens,
        "_id": user.as_str(),
        "infos": data.get("infos"),
        "data": data,
    })))
}

/// Tokens for whoever has just signed up; none where a password alone gives nobody any.
async fn first_tokens(state: &AppState, headers: &HeaderMap, user: &UserId) -> Result<Value, No> {
    if !state.users.password_suffices(user).await? {
        return Ok(json!({}));
    }
    let amr = vec!["pwd".to_owned()];
    let (at, acr) = (state.now(), acr(&amr));
    let login = Login { user: user.clone(), at, amr, acr, sid: None };
    let tokens = state.people().issue(login, Device::of(headers)).await?;
    Ok(answers::tokens(state, &tokens).await?)
}

/// Whether the token of a letter is good, and where it is used. Nothing changes: programs that look through mail follow
/// links.
pub(super) async fn check_confirmation(
    State(state): State<AppState>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, No> {
    let token = caller::letter_token(&headers, query.as_deref())?;
    state.people().link(Purpose::Confirm, &token).await?;
    let page = Purpose::Confirm.path();
    Ok(answers::ok(&json!({
        "msg": "the address is not confirmed yet: open the page, or post the token here",
        "tokens": { "access_token": token },
        "redirection_link": format!("{}{page}?token={token}", state.config.issuer()),
    })))
}

/// Confirms the address by the token of the letter, which is used up.
pub(super) async fn confirm(
    State(state): State<AppState>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, No> {
    let token = caller::letter_token(&headers, query.as_deref())?;
    let user = state.people().confirm(&token).await?;
    Ok(answers::ok(&json!({
        "msg": "the address is confirmed",
        "_id": user.as_str(),
        "tokens": Value::Object(serde_json::Map::new()),
        "redirection_link": format!("{}/login", state.config.origin()),
    })))
}
