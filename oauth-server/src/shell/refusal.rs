//! Answers of the shell itself, as a page for people and as JSON for programs, without anything from inside.

use axum::response::{Html, IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// Who reads the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// Somebody with a browser.
    Person,
    /// Everybody else.
    Program,
}

impl Audience {
    /// Judged by what the request accepts.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if accept.contains("text/html") { Self::Person } else { Self::Program }
    }
}

/// The answer when the shell itself says no.
pub(super) fn refusal(status: StatusCode, audience: Audience) -> Response {
    let (code, words) = match status {
        StatusCode::PAYLOAD_TOO_LARGE => ("invalid_request", "The request is too large."),
        StatusCode::SERVICE_UNAVAILABLE => {
            ("temporarily_unavailable", "The server is too busy. Please try again in a moment.")
        }
        _ => ("server_error", "Something went wrong on the server. Please try again later."),
    };
    let mut response = match audience {
        Audience::Person => Html(format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Error</title><h1>{words}</h1></html>"
        ))
        .into_response(),
        Audience::Program => (
            [(header::CONTENT_TYPE, "application/json")],
            format!("{{\"error\":\"{code}\"}}"),
        )
            .into_response(),
    };
    *response.status_mut() = status;
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}
