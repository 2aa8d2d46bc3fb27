//! Signing up, in and out, and what the tokens of letters are for.

use super::{
    Bearer, Json, Problem, answer,
    forms::{self, Came, Plain, PossibleVisitor, Visitor, hushed},
};
use crate::{
    forms::{Salt, Sealed, Wanted},
    people::{Device, Refusal, Registration},
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

/// What somebody who signs up sends. Address and password may have to come encrypted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Register {
    username: Option<String>,
    email: Option<String>,
    password: Option<String>,
    email_encrypt: Option<String>,
    pwd_encrypt: Option<String>,
    form: Option<String>,
    name: Option<String>,
    given_name: Option<String>,
    family_name: Option<String>,
    locale: Option<String>,
    #[serde(default)]
    agreement: bool,
    /// The access token of the guest who becomes somebody.
    guest_token: Option<String>,
}

impl Register {
    /// What may be encrypted, as it is and encrypted, and what of it there must be: people may have no address.
    fn secrets(&mut self) -> ((Plain, Sealed), Wanted) {
        let plain = Plain { name: self.email.take(), password: self.password.take() };
        let sealed = Sealed {
            email_encrypt: self.email_encrypt.take(),
            pwd_encrypt: self.pwd_encrypt.take(),
            form: self.form.take(),
        };
        let has_address = plain.name.is_some() || sealed.email_encrypt.is_some();
        let wanted = if has_address { Wanted::Both } else { Wanted::Password };
        ((plain, sealed), wanted)
    }
}

/// The answer is the same whether the address is somebody's or not.
pub(super) async fn register(
    State(state): State<AppState>,
    visitor: Visitor,
    Json(mut body): Json<Register>,
) -> Result<Response, Problem> {
    // Before anything is decrypted, so that it says nothing of what was encrypted.
    if !state.config.signup.open {
        return Err(Refusal::Closed("signing up").into());
    }
    let (secrets, wanted) = body.secrets();
    let read = forms::read(&state, &visitor, secrets, wanted).await?.readable(&state).await?;
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
        username: read.username.clone().or(body.username),
        email: (!read.email.is_empty() || wanted == Wanted::Both).then(|| read.email.clone()),
        password: read.password.clone(),
        profile,
        rights,
        agrees: body.agreement,
    };
    let people = state.people();
    let made = people.register(registration).await;
    let made = hushed(&state, read, made).await?;
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
    username: Option<String>,
    password: Option<String>,
    /// Either of them, encrypted.
    email_encrypt: Option<String>,
    pwd_encrypt: Option<String>,
    form: Option<String>,
    guest_token: Option<String>,
}

pub(super) async fn log_in(
    State(state): State<AppState>,
    visitor: Visitor,
    headers: HeaderMap,
    Json(body): Json<LogIn>,
) -> Result<Response, Problem> {
    let plain = Plain { name: body.username, password: body.password };
    let LogIn { email_encrypt, pwd_encrypt, form, .. } = body;
    let sealed = Sealed { email_encrypt, pwd_encrypt, form };
    let came = forms::read(&state, &visitor, (plain, sealed), Wanted::Both).await?;
    let read = came.readable(&state).await?;
    let people = state.people();
    let tokens = people.log_in(&read.email, &read.password, Device::of(&headers)).await?;
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
    email: Option<String>,
    email_encrypt: Option<String>,
    form: Option<String>,
}

/// The answer is the same whoever is named, and whether what named somebody could be read.
pub(super) async fn forgot(
    State(state): State<AppState>,
    visitor: Visitor,
    Json(body): Json<Forgot>,
) -> Result<Response, Problem> {
    let plain = Plain { name: body.email, password: None };
    let (email_encrypt, form) = (body.email_encrypt, body.form);
    let sealed = Sealed { email_encrypt, form, pwd_encrypt: None };
    let people = state.people();
    match forms::read(&state, &visitor, (plain, sealed), Wanted::Email).await? {
        Came::Readable(read) => people.forgot(&read.email).await?,
        Came::Unreadable(unreadable) => people.forgot_unreadable(&unreadable).await?,
    }
    let text = "If there is an account with this address, a letter is on its way to it.";
    Ok(answer::json(StatusCode::ACCEPTED, &json!({"message": text})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reset {
    token: String,
    password: Option<String>,
    pwd_encrypt: Option<String>,
    form: Option<String>,
}

pub(super) async fn reset(
    State(state): State<AppState>,
    visitor: PossibleVisitor,
    Json(body): Json<Reset>,
) -> Result<Response, Problem> {
    let people = state.people();
    // Before anything is decrypted, so that it says nothing of what was encrypted.
    if state.forms.salt() != Salt::No {
        people.check_reset_token(&body.token).await?;
    }
    let plain = Plain { name: None, password: body.password };
    let (pwd_encrypt, form) = (body.pwd_encrypt, body.form);
    let sealed = Sealed { email_encrypt: None, pwd_encrypt, form };
    let came = forms::read(&state, &visitor.into(), (plain, sealed), Wanted::Password).await?;
    let read = came.readable(&state).await?;
    let outcome = people.reset(&body.token, &read.password).await;
    hushed(&state, read, outcome).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
