//! A guard written by hand: once verifying every time, once remembering what it has verified.

use crate::{Floor, token::now};
use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
};

/// Hashes of verified tokens and when they expire.
#[derive(Default)]
pub(crate) struct Seen(RwLock<HashMap<Vec<u8>, u64>>);

impl Seen {
    fn holds(&self, hash: &[u8]) -> bool {
        let seen = self.0.read().expect("nobody panics with the lock held");
        seen.get(hash).is_some_and(|&exp| exp > now())
    }

    fn add(&self, hash: &[u8], exp: u64) {
        let mut seen = self.0.write().expect("nobody panics with the lock held");
        seen.insert(hash.to_vec(), exp);
    }
}

/// Verifies the signature at every request.
pub(crate) async fn verify_each_time(
    State(floor): State<Arc<Floor>>,
    request: Request,
    next: Next,
) -> Response {
    match bearer(&request).and_then(|token| floor.keys.verify(token)) {
        Some(_) => next.run(request).await,
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

/// Verifies each token once.
pub(crate) async fn verify_once(
    State(floor): State<Arc<Floor>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(token) = bearer(&request) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let hash = digest(&SHA256, token.as_bytes());
    if !floor.seen.holds(hash.as_ref()) {
        let Some(claims) = floor.keys.verify(token) else {
            return StatusCode::UNAUTHORIZED.into_response();
        };
        floor.seen.add(hash.as_ref(), claims.exp);
    }
    next.run(request).await
}

fn bearer(request: &Request) -> Option<&str> {
    request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}
