//! Adding a passkey. It takes a recent sign-in: a browser that somebody left open is not enough.

use super::{challenge, words};
use crate::{
    activity::{Deed, What},
    front::Problem,
    pages::{
        account::{browser_name, is_recent, passkeys, recent::Recent},
        errors::Trouble,
        form::{Form, Problems},
        page::see_other,
        visit::Visit,
    },
    passkeys::{Refusal, check_name},
    state::AppState,
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use oauth_core::params::Params;

/// The script sends people to sign in again.
const SIGN_IN_AGAIN: Problem = Problem::new(
    StatusCode::FORBIDDEN,
    "sign_in_again",
    "You signed in too long ago. Sign in again first.",
);

/// A challenge for somebody's new passkey.
pub(super) async fn begin(State(state): State<AppState>, visit: Visit) -> Response {
    let Some(session) = &visit.session else { return Problem::NOBODY.into_response() };
    if !is_recent(session.login.at, state.now()) {
        return SIGN_IN_AGAIN.into_response();
    }
    challenge(state.passkeys.begin_adding(&visit.headers, &session.user).await)
}

/// The passkey that the browser made.
pub(super) async fn submit(
    State(state): State<AppState>,
    Recent(visit): Recent,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let name = match name(&params, &visit.headers) {
        Ok(name) => name,
        Err(text) => {
            let problems = Problems::one("name", text);
            return passkeys::form(&state, &visit, StatusCode::UNPROCESSABLE_ENTITY, problems)
                .await;
        }
    };
    let (user, answer) = (&visit.user().id, params.get("credential").unwrap_or_default());
    let deed = Deed::of(What::PasskeyAdded, &visit.headers);
    let added = state.passkeys.finish_adding(&visit.headers, user, (answer, name), deed).await;
    match added {
        Ok(()) => {
            tracing::info!(user.id = %user, "passkey added");
            let mut response = see_other("/account/passkeys?done=passkey_added");
            response.headers_mut().append(header::SET_COOKIE, state.passkeys.forget());
            Ok(response)
        }
        Err(Refusal::Inside(e)) => Err(e.into()),
        Err(refusal) => {
            tracing::info!(user.id = %user, code = refusal.code(), "passkey not added");
            let (status, text) = words(&refusal);
            passkeys::form(&state, &visit, status, Problems::one("passkey", text)).await
        }
    }
}

/// What it is called: what was typed, or where it was made.
fn name(params: &Params, headers: &HeaderMap) -> Result<String, &'static str> {
    match params.get("name").map(str::trim) {
        Some(text) if !text.is_empty() => check_name(text),
        _ => {
            let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok());
            Ok(browser_name(agent))
        }
    }
}
