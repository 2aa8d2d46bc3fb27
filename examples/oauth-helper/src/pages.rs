//! What pages have in common: how they are rendered, what a browser may do with them, and the result of a login.

use crate::error::Result;
use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::sync::LazyLock;

/// The style of the server's pages; one home for it.
pub(crate) const STYLE: &str = include_str!("../templates/style.css");
/// Nothing is loaded from elsewhere, nothing runs, nobody frames it.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
    frame-ancestors 'none'; base-uri 'none'";
/// The page after a login carries its style, because nothing listens any more that it could be loaded from.
static OUTCOME_POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; frame-ancestors 'none'; base-uri 'none'"
    );
    HeaderValue::from_str(&policy).expect("base64 is fit for a header")
});

/// The result of a login, for the person in the browser.
#[derive(Debug, Template)]
#[template(path = "outcome.html")]
pub(crate) struct Outcome {
    style: &'static str,
    title: &'static str,
    text: String,
    failed: bool,
}

impl Outcome {
    pub(crate) fn of(client: &str, outcome: &Result<()>) -> Self {
        match outcome {
            Ok(()) => Self {
                style: STYLE,
                title: "You are signed in",
                text: format!("{client} has its tokens. You can close this page."),
                failed: false,
            },
            Err(e) => {
                Self { style: STYLE, title: "That did not work", text: e.to_string(), failed: true }
            }
        }
    }
}

pub(crate) fn outcome(outcome: &Outcome) -> Response {
    let status = if outcome.failed { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let mut response = page(status, outcome);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, OUTCOME_POLICY.clone());
    // Nothing listens after it.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Renders a page.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => guarded(
            (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response(),
        ),
        Err(e) => {
            tracing::error!(error = %e, "a page cannot be rendered");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "this page cannot be shown")
        }
    }
}

/// A line of text.
pub(crate) fn plain(status: StatusCode, text: &str) -> Response {
    let body = Body::from(format!("{text}\n"));
    guarded((status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response())
}

/// What holds for every answer.
pub(crate) fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
