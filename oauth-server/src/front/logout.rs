//! `/auth/logout`: everything that was begun in the session ends.

use super::{
    check_csrf, forget_tokens, is_bearer, of_cookie,
    problem::{Problem, Trouble},
    tokens,
};
use crate::{config::SessionCookie, pages, state::AppState};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::json;

/// Ends the session, tells applications behind the browser's back, and names the pages of those that want to be told in
/// the browser.
pub(super) async fn logout(
    State(state): State<AppState>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let (pages, set) = left(&state, &method, &headers).await?;
    let body = json!({ "signed_out": true, "frontchannel_logout_uris": pages });
    let mut response = Json(body).into_response();
    for cookie in set {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The pages of applications, and what makes the browser forget the session.
pub(super) async fn left(
    state: &AppState,
    method: &Method,
    headers: &HeaderMap,
) -> Result<(Vec<String>, Vec<HeaderValue>), Trouble> {
    if is_bearer(headers) {
        return Err(Problem::NOBODY.into());
    }
    let mut sid = of_cookie(state, headers).await?.map(|known| known.sid);
    if sid.is_none() && state.config.bff.cookie == SessionCookie::Jwt {
        // The access token has expired; whoever wants to leave need not refresh it first.
        sid = tokens::refreshing(state, headers).await?;
    }
    let sid = sid.ok_or(Problem::NOBODY)?;
    check_csrf(state, &sid, method, headers)?;
    let left = pages::sign_out(state, headers).await?;
    // Should the browser have lost the cookie of the session, or have another one.
    state.sessions.end_named(&sid).await?;
    let mut set = vec![left.cookies.session, left.cookies.browser_state];
    set.extend(forget_tokens(state));
    Ok((left.pages, set))
}
