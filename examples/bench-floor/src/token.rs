//! A token endpoint that authenticates the client, signs, and does nothing else.

use crate::{
    Floor, client,
    keys::{AUDIENCE, Claims, ISSUER},
};
use aws_lc_rs::rand;
use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

const LIFE: u64 = 3600;
const SCOPE: &str = "read";

/// The answer of [RFC 6749 5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1).
#[derive(Serialize)]
struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    scope: &'static str,
}

/// Client credentials, signed with ES256.
pub(crate) async fn es256(
    State(floor): State<Arc<Floor>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    token(&headers, &body, |claims| floor.keys.sign_es256(&claims))
}

/// Client credentials, signed with RS256.
pub(crate) async fn rs256(
    State(floor): State<Arc<Floor>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    token(&headers, &body, |claims| floor.keys.sign_rs256(&claims))
}

/// Client credentials, signed with RS512.
pub(crate) async fn rs512(
    State(floor): State<Arc<Floor>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    token(&headers, &body, |claims| floor.keys.sign_rs512(&claims))
}

/// Client credentials: 256 random bits, remembered in memory alone.
pub(crate) async fn opaque(
    State(floor): State<Arc<Floor>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    token(&headers, &body, |claims| {
        let access_token = random::<32>()?;
        floor.issued.add(&access_token, claims);
        Ok(access_token)
    })
}

fn token(
    headers: &HeaderMap,
    body: &[u8],
    mint: impl FnOnce(Claims) -> anyhow::Result<String>,
) -> Response {
    if !client::is_authenticated(headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if client::parameter(body, "grant_type").as_deref() != Some("client_credentials") {
        return StatusCode::BAD_REQUEST.into_response();
    }
    match claims().and_then(mint) {
        Ok(access_token) => {
            let answer = TokenResponse {
                access_token,
                token_type: "Bearer",
                expires_in: LIFE,
                scope: SCOPE,
            };
            ([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn claims() -> anyhow::Result<Claims> {
    let iat = now();
    Ok(Claims {
        iss: ISSUER.into(),
        exp: iat + LIFE,
        aud: AUDIENCE.into(),
        sub: client::ID.into(),
        client_id: client::ID.into(),
        iat,
        jti: random::<16>()?,
        scope: SCOPE.into(),
    })
}

fn random<const N: usize>() -> anyhow::Result<String> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Unix seconds.
#[expect(clippy::disallowed_methods, reason = "the floor has no clock to inject")]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
