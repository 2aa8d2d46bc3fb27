//! The one client of the floor and how it proves itself.

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use axum::http::{HeaderMap, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The client's id.
pub(crate) const ID: &str = "floor";
const SECRET: &str = "floor-secret-0123456789abcdef-0123456789abcdef";

/// Whether the request carries the client's id and secret by `client_secret_basic`; compared as hashes, as a server
/// that stores no secrets must.
pub(crate) fn is_authenticated(headers: &HeaderMap) -> bool {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.as_bytes().strip_prefix(b"Basic "))
        .and_then(|encoded| STANDARD.decode(encoded).ok());
    let Some(given) = given else { return false };
    let Some(at) = given.iter().position(|&byte| byte == b':') else {
        return false;
    };
    let (id, secret) = (given.get(..at), given.get(at + 1..));
    let secret = digest::digest(&digest::SHA256, secret.unwrap_or_default());
    let expected = digest::digest(&digest::SHA256, SECRET.as_bytes());
    id == Some(ID.as_bytes()) && verify_slices_are_equal(secret.as_ref(), expected.as_ref()).is_ok()
}

/// The value of a form parameter.
pub(crate) fn parameter(body: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
