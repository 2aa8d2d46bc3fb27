//! Answers of the shell itself, in the form that whoever asked reads, without anything from inside.

use crate::{
    api::{self, Problem},
    compat::toktok,
    config::Config,
    nmos::legacy,
    pages::{EarlyPages, Explanation},
};
use axum::{
    extract::MatchedPath,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Seconds after which a server that was too busy may be tried again.
const RETRY_AFTER: u64 = 5;

/// Who reads the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// Somebody with a browser.
    Person,
    /// A front end that calls the user service below `/api`.
    FrontEnd,
    /// A front end of TokTok.
    Toktok,
    /// A controller of 2019 (AMWA IS-10).
    Controller,
    /// Every other program.
    Program,
}

/// The addresses that answer in a form of their own, whatever the request accepts.
pub(super) struct Dialects(HashMap<String, Audience>);

impl Dialects {
    /// As configured.
    pub(super) fn new(config: &Config) -> Self {
        let api = api::PATHS.map(|path| (path.to_owned(), Audience::FrontEnd));
        let toktok = toktok::paths(config).into_iter().map(|path| (path, Audience::Toktok));
        let controllers =
            legacy::paths(config).into_iter().map(|path| (path, Audience::Controller));
        Self(api.into_iter().chain(toktok).chain(controllers).collect())
    }

    /// Judged by the address, and elsewhere by what the request accepts.
    pub(super) fn audience(&self, route: Option<&MatchedPath>, headers: &HeaderMap) -> Audience {
        if let Some(dialect) = route.and_then(|route| self.0.get(route.as_str())) {
            return *dialect;
        }
        if accepts(headers) == Some(true) { Audience::Person } else { Audience::Program }
    }
}

/// Whether pages are accepted by name, as browsers do; `None` where a request says nothing of what it accepts.
pub(super) fn accepts(headers: &HeaderMap) -> Option<bool> {
    let accept = headers.get(header::ACCEPT)?;
    Some(accept.to_str().is_ok_and(|accept| accept.contains("text/html")))
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
        let mut response = match audience {
            Audience::Person => return pages.explain(&self.explanation()),
            Audience::FrontEnd => self.problem().into_response(),
            Audience::Toktok => toktok::unserved(self.status(), self.retry_after()),
            Audience::Controller => self.json(&json!({
                "code": self.status().as_u16(), "error": self.code(), "debug": null,
            })),
            Audience::Program => self.json(&json!({ "error": self.code() })),
        };
        // There is nothing in it, and scripts of other origins should learn why.
        let anyone = HeaderValue::from_static("*");
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anyone);
        response
    }

    const fn explanation(self) -> Explanation {
        match self {
            Self::TooLarge => Explanation::too_large(),
            Self::Overloaded => Explanation::overloaded(RETRY_AFTER),
            Self::Failure => Explanation::failure(),
        }
    }

    fn problem(self) -> Problem {
        match self {
            Self::TooLarge => Problem::too_large(),
            Self::Overloaded => Problem::overloaded(RETRY_AFTER),
            Self::Failure => Problem::failed(),
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failure => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn retry_after(self) -> Option<u64> {
        (self == Self::Overloaded).then_some(RETRY_AFTER)
    }

    const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "invalid_request",
            Self::Overloaded => "temporarily_unavailable",
            Self::Failure => "server_error",
        }
    }

    fn json(self, body: &Value) -> Response {
        let headers = [(header::CONTENT_TYPE, "application/json")];
        let mut response = (self.status(), headers, body.to_string()).into_response();
        if let Some(seconds) = self.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
