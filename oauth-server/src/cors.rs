//! Letting browser applications of other origins call the endpoints that are meant for them
//! ([OAuth 2.0 for Browser-Based Applications](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-browser-based-apps)).
//!
//! Any origin may, and never with cookies: what protects these endpoints is what the request carries.

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// Whom the headers are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// Scripts of browsers, which say where they are from.
    ToScripts,
    /// Everybody, and every `OPTIONS` request without any token, as AMWA IS-10 wants it.
    ToAll,
}

/// Paths that any origin may call.
#[derive(Clone)]
pub struct OpenPaths {
    paths: Arc<[String]>,
    answers: Answers,
}

impl OpenPaths {
    /// These paths and no others, as the router knows them.
    pub fn new(paths: impl IntoIterator<Item = String>, answers: Answers) -> Self {
        Self { paths: paths.into_iter().collect(), answers }
    }

    /// Answers preflights and adds the headers.
    pub async fn guard(self, request: Request, next: Next) -> Response {
        let open = request
            .extensions()
            .get::<MatchedPath>()
            .is_some_and(|path| self.paths.iter().any(|p| p == path.as_str()));
        let to_all = self.answers == Answers::ToAll;
        if !open || !to_all && !request.headers().contains_key(header::ORIGIN) {
            return next.run(request).await;
        }
        let is_preflight = request.method() == Method::OPTIONS
            && (to_all || request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD));
        let mut response = if is_preflight {
            // What AMWA IS-10 lists for OPTIONS, and what there is to say elsewhere.
            if to_all { StatusCode::OK } else { StatusCode::NO_CONTENT }.into_response()
        } else {
            next.run(request).await
        };
        let headers = response.headers_mut();
        match (is_preflight, self.answers) {
            (true, Answers::ToScripts) => add(headers, &PREFLIGHT),
            (true, Answers::ToAll) => {
                add(headers, &PREFLIGHT);
                add(headers, &EVERY_METHOD);
            }
            (false, _) => add(headers, &ACTUAL),
        }
        response
    }
}

const ANY: (HeaderName, &str) = (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");

const ACTUAL: [(HeaderName, &str); 2] = [
    ANY,
    (header::ACCESS_CONTROL_EXPOSE_HEADERS, "www-authenticate, retry-after, etag, x-request-id"),
];

const PREFLIGHT: [(HeaderName, &str); 4] = [
    ANY,
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, PATCH, DELETE"),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, if-match, x-request-id"),
    (header::ACCESS_CONTROL_MAX_AGE, "600"),
];

/// Names are compared without regard to case, but there are programs that look for this one as it is written here.
const EVERY_METHOD: [(HeaderName, &str); 2] = [
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "Authorization, Content-Type, Accept, If-Match, X-Request-Id",
    ),
];

fn add(headers: &mut HeaderMap, these: &[(HeaderName, &'static str)]) {
    for (name, value) in these {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
