//! The files of the page. They are few, and part of the program.

use axum::{
    extract::Path,
    response::{IntoResponse as _, Response},
};
use http::{HeaderName, StatusCode, header};

/// Scripts, styles and requests of this origin and nothing else: no inline script, no other site, no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const PAGE: &str = include_str!("../static/index.html");
const SCRIPT: &str = include_str!("../static/app.js");
const STYLE: &str = include_str!("../static/app.css");

pub(crate) async fn page() -> Response {
    answer("text/html; charset=utf-8", PAGE)
}

pub(crate) async fn file(Path(name): Path<String>) -> Response {
    match name.as_str() {
        "app.js" => answer("text/javascript; charset=utf-8", SCRIPT),
        "app.css" => answer("text/css; charset=utf-8", STYLE),
        _ => (StatusCode::NOT_FOUND, "not found\n").into_response(),
    }
}

fn answer(content_type: &'static str, content: &'static str) -> Response {
    let headers: [(HeaderName, &str); 5] = [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, content).into_response()
}
