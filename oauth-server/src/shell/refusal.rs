//! Answers of the shell itself, as a page for people and as JSON for programs, without anything from inside.

use crate::pages::{EarlyPages, Explanation};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// Seconds after which a server that was too busy may be tried again.
const RETRY_AFTER: u64 = 5;

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

/// Why the shell itself says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The body is larger than the server takes.
    TooLarge,
    /// There was no answer in time.
    Overloaded,
    /// The handler panicked.
    Failure,
}

impl Refusal {
    /// The answer.
    pub(super) fn answer(self, audience: Audience, pages: &EarlyPages) -> Response {
        match audience {
            Audience::Person => pages.explain(&self.explanation()),
            Audience::Program => self.json(),
        }
    }

    const fn explanation(self) -> Explanation {
        match self {
            Self::TooLarge => Explanation::too_large(),
            Self::Overloaded => Explanation::overloaded(RETRY_AFTER),
            Self::Failure => Explanation::failure(),
        }
    }

    fn json(self) -> Response {
        let (status, code) = match self {
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "invalid_request"),
            Self::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
            Self::Failure => (StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
        };
        let headers = [(header::CONTENT_TYPE, "application/json")];
        let mut response = (status, headers, format!("{{\"error\":\"{code}\"}}")).into_response();
        if self == Self::Overloaded {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER));
        }
        response
    }
}
