//! `GET /api/auth/features`: what a front end has to know before it asks for a password.

use super::{Problem, answer};
use crate::{forms::Salt, state::AppState};
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::{Value, json};

pub(super) async fn show(State(state): State<AppState>) -> Result<Response, Problem> {
    let forms = &state.forms;
    let key = forms.public_key().await?.map(|key| {
        json!({
            "kid": key.kid,
            "alg": key.alg,
            "pem": key.pem,
            "jwk": key.jwk,
            "jwks_uri": state.config.issuer().join(&state.provider.paths().jwks),
        })
    });
    let accepts: &[&str] = match forms.salt() {
        Salt::No => &["plain"],
        Salt::Yes => &["fields", "jwe"],
        Salt::Jsencrypt => &["fields"],
    };
    let body = json!({
        "form_encryption": forms.salt().as_str(),
        "accepts": accepts,
        "public_key": key.unwrap_or(Value::Null),
        "guest_tokens": state.config.accounts.guest_tokens,
        "guest_token_required": forms.anojwt(),
    });
    let mut response = answer::json(StatusCode::OK, &body);
    // An old key still decrypts for longer than that.
    let fresh = HeaderValue::from_static("public, max-age=60");
    response.headers_mut().insert(header::CACHE_CONTROL, fresh);
    Ok(response)
}
