//! Whether the process lives, and whether it can serve.

use crate::{migration, state::AppState};
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;
use std::time::Duration;

/// How long a probe waits for the database.
const PATIENCE: Duration = Duration::from_secs(2);

/// `/livez`, `/healthz`, `/readyz`.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/livez", get(live))
        .route("/healthz", get(live))
        .route("/readyz", get(ready))
}

/// The process answers. Asks nothing of the database: restarting would not help it.
async fn live() -> &'static str {
    "ok\n"
}

async fn ready(State(state): State<AppState>) -> Response {
    let checks = async {
        let mut failing = Vec::new();
        match migration::pending(&state.store).await {
            Ok(steps) if steps.is_empty() => {
                if !has_signing_key(&state).await {
                    failing.push("signing_key");
                }
            }
            Ok(_) => failing.push("migrations"),
            Err(e) => {
                tracing::warn!(error = crate::causes(&e), "database does not answer");
                failing.push("database");
            }
        }
        failing
    };
    let failing = tokio::time::timeout(PATIENCE, checks).await.unwrap_or_else(|_| vec!["database"]);
    if failing.is_empty() {
        Json(json!({"status": "ready"})).into_response()
    } else {
        let body = json!({"status": "unavailable", "failing": failing});
        (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
    }
}

/// Whether there is a key for the algorithm that tokens are signed with.
async fn has_signing_key(state: &AppState) -> bool {
    let now = state.now();
    match state.provider.env().key_snapshot(now).await {
        Ok(keys) => keys.signer(state.config.tokens.access_token_algorithm, now).is_some(),
        Err(e) => {
            tracing::warn!(error = crate::causes(&e), "signing keys cannot be read");
            false
        }
    }
}
