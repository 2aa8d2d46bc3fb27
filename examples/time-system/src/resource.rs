//! The resource server: two endpoints, each behind a scope of its own name.

use crate::{clock_face, trace};
use axum::{Json, Router, extract::State, http::StatusCode, middleware, routing::get};
use oauth_core::ports::Clock;
use resource_guard::{Guard, Principal};
use serde_json::{Value, json};
use std::sync::Arc;

/// The routes of the resource server.
pub fn router(guard: &Guard, clock: Arc<dyn Clock>) -> Router {
    Router::new()
        .route("/current_time", get(current_time).layer(guard.needs("current_time")))
        .route("/epoch_time", get(epoch_time).layer(guard.needs("epoch_time")))
        .route("/livez", get(|| async { "ok\n" }))
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(middleware::from_fn(trace::layer))
        .with_state(clock)
}

async fn current_time(State(clock): State<Arc<dyn Clock>>, who: Principal) -> Json<Value> {
    record(&who, "current_time");
    Json(json!({ "current_time": clock_face::current_time(clock.now()) }))
}

async fn epoch_time(State(clock): State<Arc<dyn Clock>>, who: Principal) -> Json<Value> {
    record(&who, "epoch_time");
    Json(json!({ "epoch_time": clock_face::epoch_time(clock.now()) }))
}

fn record(who: &Principal, what: &str) {
    tracing::info!(user.id = who.subject(), client.id = who.client_id(), what, "time told");
}
