//! What OpenID Connect adds: a document, claims for a token, and a password.

use crate::Floor;
use argon2::{Argon2, PasswordHash, PasswordHasher as _, PasswordVerifier as _};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use std::sync::{Arc, LazyLock};
use tokio::sync::Semaphore;

/// A constant of the size of a metadata document.
pub(crate) async fn document() -> ([(header::HeaderName, &'static str); 1], String) {
    ([(header::CONTENT_TYPE, "application/json")], format!(r#"{{"issuer":"{:4000}"}}"#, ""))
}

/// Finds the bearer token in the map, answers six claims.
pub(crate) async fn userinfo(State(floor): State<Arc<Floor>>, headers: HeaderMap) -> Response {
    let token = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let token = token.and_then(|t| t.strip_prefix("Bearer "));
    match token.and_then(|token| floor.issued.find(token)) {
        Some(_) => Json(serde_json::json!({
            "sub": "01977e4e-0000-7000-8000-000000000000",
            "name": "Ada Lovelace",
            "given_name": "Ada",
            "family_name": "Lovelace",
            "email": "ada@example.org",
            "email_verified": true,
        }))
        .into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

static HASH: LazyLock<String> = LazyLock::new(|| {
    let hash = Argon2::default().hash_password(b"a password to measure with");
    hash.expect("the parameters are good").to_string()
});
static RUNNING: Semaphore = Semaphore::const_new(2);

/// Checks a password with Argon2id, two at a time.
pub(crate) async fn password() -> StatusCode {
    let Ok(_permit) = RUNNING.acquire().await else { return StatusCode::SERVICE_UNAVAILABLE };
    let fits = tokio::task::spawn_blocking(|| {
        let hash = PasswordHash::new(&HASH).expect("it was just made");
        Argon2::default().verify_password(b"a password to measure with", &hash).is_ok()
    });
    match fits.await {
        Ok(true) => StatusCode::OK,
        _ => StatusCode::FORBIDDEN,
    }
}
