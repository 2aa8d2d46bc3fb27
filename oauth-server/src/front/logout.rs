//! `/auth/logout`: everything that was begun in the session ends.

use super::{
    check_csrf, of_cookie,
    problem::{Problem, Trouble},
};
use crate::{pages, state::AppState};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, Method};
use serde_json::json;

/// Ends the session, tells applications behind the browser's back, and names the pages of those that want to be told in
/// the browser.
pub(super) async fn logout(
    State(state): State<AppState>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let session = of_cookie(&state, &headers).await?.ok_or(Problem::NOBODY)?;
    check_csrf(&state, &session, &method, &headers)?;
    let left = pages::sign_out(&state, &headers).await?;
    let body = json!({ "signed_out": true, "frontchannel_logout_uris": left.pages });
    let mut response = Json(body).into_response();
    left.cookies.put(response.headers_mut());
    Ok(response)
}
