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

/// Paths that any origin may call.
#[derive(Clone)]
pub struct OpenPaths(Arc<[String]>);

impl OpenPaths {
    /// These paths and no others: not the authorization endpoint, which is for navigation, and not introspection.
    pub fn new(paths: impl IntoIterator<Item = String>) -> Self {
        Self(paths.into_iter().collect())
    }

    /// Answers preflights and adds the headers.
    pub async fn guard(self, request: Request, next: Next) -> Response {
        let open = request
            .extensions()
            .get::<MatchedPath>()
            .is_some_and(|path| self.0.iter().any(|p| p == path.as_str()));
        if !open || !request.headers().contains_key(header::ORIGIN) {
            return next.run(request).await;
        }
        let is_preflight = request.method() == Method::OPTIONS
            && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        let mut response = if is_preflight {
            StatusCode::NO_CONTENT.into_response()
        } else {
            next.run(request).await
        };
        add(response.headers_mut(), if is_preflight { &PREFLIGHT } else { &ACTUAL });
        response
    }
}

const ANY: (HeaderName, &str) = (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");

const ACTUAL: [(HeaderName, &str); 2] =
    [ANY, (header::ACCESS_CONTROL_EXPOSE_HEADERS, "www-authenticate, retry-after, x-request-id")];

const PREFLIGHT: [(HeaderName, &str); 4] = [
    ANY,
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, x-request-id"),
    (header::ACCESS_CONTROL_MAX_AGE, "600"),
];

fn add(headers: &mut HeaderMap, these: &[(HeaderName, &'static str)]) {
    for (name, value) in these {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
