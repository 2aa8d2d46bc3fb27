//! `/auth/login`: signing in for a front end, on the pages of this server, and back.

use super::{
    problem::{Problem, Trouble},
    return_to::ReturnTo,
    tokens,
};
use crate::{config::SessionCookie, state::AppState};
use axum::{
    extract::{RawQuery, State},
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, StatusCode, header};
use oauth_core::params::Params;

/// Sends whoever is signed in back at once, and others to sign in first.
pub(super) async fn login(
    State(state): State<AppState>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Trouble> {
    let query = Params::parse(query.unwrap_or_default().as_bytes()).map_err(|_| Problem::QUERY)?;
    let to = ReturnTo::parse(&state.config, query.get("return_to").unwrap_or("/"))
        .ok_or(Problem::RETURN_TO)?;
    let sign_in = || see_other(&format!("/login?to=front-{}", to.word()));
    let Some(session) = state.sessions.current(&headers).await? else { return Ok(sign_in()) };
    let mut response = see_other(to.as_str());
    if state.config.bff.cookie == SessionCookie::Jwt {
        let Some(set) = tokens::begin(&state, &session, &headers).await? else {
            return Ok(sign_in());
        };
        for cookie in set {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    Ok(response)
}

fn see_other(location: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}
