//! An endpoint in the form of [RFC 7662](https://www.rfc-editor.org/rfc/rfc7662): authenticates the client, finds an opaque
//! token in a map or verifies a JWT, answers its claims.

use crate::{Floor, client, keys::Claims};
use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
};

/// Hashes of opaque tokens and what they stand for.
#[derive(Default)]
pub(crate) struct Issued(RwLock<HashMap<Vec<u8>, Claims>>);

impl Issued {
    /// Remembers a token.
    pub(crate) fn add(&self, token: &str, claims: Claims) {
        let hash = digest(&SHA256, token.as_bytes()).as_ref().to_vec();
        self.0.write().expect("nobody panics with the lock held").insert(hash, claims);
    }

    pub(crate) fn find(&self, token: &str) -> Option<Claims> {
        let hash = digest(&SHA256, token.as_bytes());
        self.0.read().expect("nobody panics with the lock held").get(hash.as_ref()).cloned()
    }
}

#[derive(Serialize)]
struct Introspection {
    active: bool,
    token_type: &'static str,
    #[serde(flatten)]
    claims: Claims,
}

/// What a token says.
pub(crate) async fn introspect(
    State(floor): State<Arc<Floor>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !client::is_authenticated(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let claims = client::parameter(&body, "token")
        .and_then(|token| floor.issued.find(&token).or_else(|| floor.keys.verify(&token)));
    match claims {
        Some(claims) => {
            Json(Introspection { active: true, token_type: "Bearer", claims }).into_response()
        }
        None => Json(serde_json::json!({ "active": false })).into_response(),
    }
}
