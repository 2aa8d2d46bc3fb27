//! Answers that the browser posts to the client:
//! [OAuth 2.0 Form Post Response Mode](https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html).
//!
//! The form posts itself where scripts run, and waits for a press of its button where they do not.

use super::render::NO_STORE;
use crate::authorize::Answer;
use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::fmt::Write as _;

/// Runs once the form is there.
const SCRIPT: &str = "document.forms[0].submit()";
const STYLE: &str = ":root{color-scheme:light dark}\
                     body{font:1.125rem/1.5 system-ui,sans-serif;margin:15vh auto;max-width:30rem;\
                     padding:0 1rem;text-align:center}\
                     button{font:inherit;padding:.5rem 1.5rem}";

/// The page with the form. It loads nothing, runs nothing but its one line, and is kept by nobody.
///
/// The policy leaves out `form-action`, which browsers also apply to the redirects after the form. It allows frames,
/// since a client may renew a sign-in silently in one, and there is nothing on the page to be tricked into.
pub(super) fn page(answer: &Answer, issuer: &str) -> Response {
    let mut inputs = String::new();
    for (name, value) in answer.parameters(issuer) {
        let (name, value) = (escaped(name), escaped(value));
        writeln!(inputs, "<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
            .expect("a String takes everything");
    }
    let action = escaped(answer.target.redirect_uri());
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Back to the application</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>Back to the application</h1>\n\
         <form id=\"form-post\" method=\"post\" action=\"{action}\">\n{inputs}\
         <p>You are being sent back. If nothing happens, press the button.</p>\n\
         <button id=\"continue\" type=\"submit\">Continue</button>\n</form>\n</main>\n\
         <script>{SCRIPT}</script>\n</body>\n</html>\n"
    );
    let mut headers = HeaderMap::new();
    let policy = format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; frame-ancestors *; \
         base-uri 'none'",
        hash_source(SCRIPT),
        hash_source(STYLE),
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    // Without any, browsers post with `Origin: null`, which no client could tell from a forgery.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("origin"));
    (NO_STORE, headers, Html(html)).into_response()
}

/// The name of an inline script or style in a policy ([CSP 3 2.3.1](https://www.w3.org/TR/CSP3/#grammardef-hash-source)).
pub(super) fn hash_source(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(digest(&SHA256, text.as_bytes())))
}

/// Text for an attribute in double quotes. Parsers read a carriage return as a line feed unless it is written out.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            c => out.push(c),
        }
    }
    out
}
