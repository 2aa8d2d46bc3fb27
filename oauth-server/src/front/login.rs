//! `/auth/login`: signing in for a front end, on the pages of this server, and back.

use super::{
    problem::{Problem, Trouble},
    return_to::ReturnTo,
};
use crate::state::AppState;
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
    if state.sessions.current(&headers).await?.is_some() {
        return Ok(see_other(to.as_str()));
    }
    Ok(see_other(&format!("/login?to=front-{}", to.word())))
}

fn see_other(location: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}
