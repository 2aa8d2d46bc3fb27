//! Errors with the members that NMOS wants beside those of OAuth: `code` and `debug`. What `error` says is what
//! RFC 6749 wants it to say.

use axum::{
    Json,
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

/// The most of an error that is read again.
const LARGEST: usize = 64 * 1024;

/// Adds the members to every error in JSON, and says of others what HTTP says.
pub(super) async fn with_members_of_nmos(response: Response) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let json = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    // The page that explains an error to a person stays what it is.
    if !json {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, LARGEST).await.unwrap_or_default();
    let said: Map<String, Value> = serde_json::from_slice(&bytes).unwrap_or_default();
    let debug = said.get("error_description").cloned().unwrap_or_default();
    let mut body = json!({ "code": status.as_u16(), "debug": debug });
    if let Some(members) = body.as_object_mut() {
        members.extend(said);
        let reason = status.canonical_reason().unwrap_or("Error");
        members.entry("error").or_insert_with(|| reason.into());
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(body.to_string()))
}

pub(super) async fn method_not_allowed() -> Response {
    plain(StatusCode::METHOD_NOT_ALLOWED)
}

/// An error that is none of OAuth's: the words of HTTP.
pub(super) fn plain(status: StatusCode) -> Response {
    let body = json!({ "error": status.canonical_reason().unwrap_or("Error") });
    (status, Json(body)).into_response()
}

/// An error of OAuth.
pub(super) fn refusal(status: StatusCode, error: &str, description: &str) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    let body = json!({ "error": error, "error_description": description });
    let headers =
        [(header::CACHE_CONTROL, no_store), (header::PRAGMA, HeaderValue::from_static("no-cache"))];
    (status, headers, Json(body)).into_response()
}
