//! `/auth/session` and `/auth/refresh`: who is signed in.

use super::{
    Known, check_csrf, csrf_token, is_bearer, of_cookie,
    problem::{Problem, Trouble},
    tokens,
};
use crate::{config::SessionCookie, state::AppState};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderValue, Method, header};
use oauth_core::{error::PortError, model::UserId};
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
    let known = of_cookie(&state, &headers).await?.ok_or(Problem::NOBODY)?;
    Ok(described(&state, &known).await?)
}

/// Another cookie for the session, which then lives on. The old one is worth nothing after a few moments, and whoever
/// comes with it later ends the session.
pub(super) async fn refresh(
    State(state): State<AppState>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let (known, set) = renewed(&state, &method, &headers).await?;
    let mut response = described(&state, &known).await?;
    for cookie in set {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The session with what its browser is to keep from now on.
pub(super) async fn renewed(
    state: &AppState,
    method: &Method,
    headers: &HeaderMap,
) -> Result<(Known, Vec<HeaderValue>), Trouble> {
    if is_bearer(headers) {
        return Err(Problem::NOBODY.into());
    }
    match state.config.bff.cookie {
        SessionCookie::Opaque => {
            let known = of_cookie(state, headers).await?.ok_or(Problem::NOBODY)?;
            check_csrf(state, &known.sid, method, headers)?;
            let renewed = state.sessions.renew(headers).await?.ok_or(Problem::NOBODY)?;
            let set = vec![renewed.cookies.session, renewed.cookies.browser_state];
            Ok((renewed.session.into(), set))
        }
        SessionCookie::Jwt => {
            let sid = tokens::refreshing(state, headers).await?.ok_or(Problem::NOBODY)?;
            check_csrf(state, &sid, method, headers)?;
            let (known, set) = tokens::refresh(state, headers).await?.ok_or(Problem::NOBODY)?;
            Ok((known, set.into()))
        }
    }
}

/// The session for its page: nothing that it could be continued with.
async fn described(state: &AppState, known: &Known) -> Result<Response, PortError> {
    let mut user = profile(state, &known.user).await?;
    user.insert("username".into(), known.username.clone().into());
    let body = json!({
        "user": user,
        "auth_time": known.auth_time.unix(),
        "expires_at": known.expires_at.unix(),
        "csrf_token": csrf_token(&state.provider.env().sealer, &known.sid),
        "csrf_header": "X-CSRF-Token",
    });
    let mut response = Json(body).into_response();
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("cookie"));
    Ok(response)
}

/// What is known of a user, by the names of OpenID Connect.
pub(super) async fn profile(
    state: &AppState,
    user: &UserId,
) -> Result<Map<String, Value>, PortError> {
    let mut profile = state.users.profile(user).await?;
    profile.retain(|name, _| TOLD.contains(&name.as_str()));
    profile.insert("sub".into(), user.as_str().into());
    Ok(profile)
}
