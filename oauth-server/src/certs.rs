//! `GET /certs`: certificates with the public keys that are published, for those who want PEM.

use crate::state::AppState;
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use oauth_core::error::OAuthError;

/// Caches may keep it as long as the key set.
const FRESH: (header::HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=300");

/// The certificates of all published keys: one PEM after the other, or a JSON list of them where JSON is accepted.
pub async fn certs(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let keys = match state.provider.env().key_snapshot(state.now()).await {
        Ok(keys) => keys,
        Err(e) => return oauth_core::http::error_json(&OAuthError::from(e)),
    };
    let certificates: Vec<&str> = keys.certificates().map(str::trim_end).collect();
    let vary = (header::VARY, "accept");
    if accepts_json(&headers) {
        return ([FRESH, vary], Json(certificates)).into_response();
    }
    let mut text = certificates.join("\n");
    text.push('\n');
    ([FRESH, vary, (header::CONTENT_TYPE, "application/x-pem-file")], text).into_response()
}

fn accepts_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|range| {
        range
            .split(';')
            .next()
            .is_some_and(|mime| mime.trim().eq_ignore_ascii_case("application/json"))
    })
}
