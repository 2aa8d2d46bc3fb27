//! `/auth/session` and `/auth/refresh`: who is signed in.

use super::{
    check_csrf, csrf_token, of_cookie,
    problem::{Problem, Trouble},
};
use crate::{session::Session, state::AppState};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderValue, Method, header};
use oauth_core::error::PortError;
use serde_json::{Map, Value, json};

/// What of a profile a front end is told.
const TOLD: [&str; 10] = [
    "email",
    "email_verified",
    "family_name",
    "given_name",
    "locale",
    "name",
    "nickname",
    "picture",
    "preferred_username",
    "zoneinfo",
];

/// Who is signed in, and the CSRF token for what the page sends next.
pub(super) async fn show(
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let session = of_cookie(&state, &headers).await?.ok_or(Problem::NOBODY)?;
    Ok(described(&state, &session).await?)
}

/// Another cookie for the session, which then lives on. The old one is worth nothing after a few moments, and whoever
/// comes with it later ends the session.
pub(super) async fn refresh(
    State(state): State<AppState>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let session = of_cookie(&state, &headers).await?.ok_or(Problem::NOBODY)?;
    check_csrf(&state, &session, &method, &headers)?;
    let renewed = state.sessions.renew(&headers).await?.ok_or(Problem::NOBODY)?;
    let mut response = described(&state, &renewed.session).await?;
    renewed.cookies.put(response.headers_mut());
    Ok(response)
}

/// The session for its page: nothing that it could be continued with.
async fn described(state: &AppState, session: &Session) -> Result<Response, PortError> {
    let body = json!({
        "user": user(state, session).await?,
        "auth_time": session.login.at.unix(),
        "expires_at": session.expires_at.unix(),
        "csrf_token": csrf_token(state, session),
        "csrf_header": "X-CSRF-Token",
    });
    let mut response = Json(body).into_response();
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("cookie"));
    Ok(response)
}

/// What is known of the user, by the names of OpenID Connect.
pub(super) async fn user(
    state: &AppState,
    session: &Session,
) -> Result<Map<String, Value>, PortError> {
    let mut user = state.users.profile(&session.user.id).await?;
    user.retain(|name, _| TOLD.contains(&name.as_str()));
    user.insert("sub".into(), session.user.id.as_str().into());
    user.insert("username".into(), session.user.username.clone().into());
    Ok(user)
}
