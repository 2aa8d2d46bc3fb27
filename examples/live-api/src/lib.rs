//! A protected REST API: live videos, their chats and channels, as they were recorded, and a person to track.
//!
//! What is public is cached; what needs a token is nobody's to keep. The token is a JWT access token of a user or
//! client, in `Authorization: Bearer` or in `X-API-KEY: bearer …`, and, where a cookie is named, in that with its CSRF
//! token. See the README.

mod cache;
mod recorded;

pub use cache::Cache;
pub use recorded::{Page, Recorded};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderValue, StatusCode, header};
use oauth_core::ports::Clock;
use resource_guard::{Guard, Principal};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// How long what is public may be kept, here and on the way.
const KEEP: Duration = Duration::from_mins(1);
/// What a search gives unless it asks for fewer.
const MOST_FOUND: usize = 25;

/// What the handlers need.
#[derive(Clone)]
pub struct Live {
    recorded: Arc<Recorded>,
    cache: Arc<Cache>,
}

impl Live {
    /// An API over these recordings.
    pub fn new(recorded: Recorded, clock: Arc<dyn Clock>) -> Self {
        let cache = Arc::new(Cache::new(KEEP, clock));
        Self { recorded: Arc::new(recorded), cache }
    }
}

/// The routes. The guard stands before those that are not for everybody.
pub fn router(live: Live, guard: &Guard) -> Router {
    let protected = Router::new()
        .route("/api/v1/ytlive/videos/{id}/live_chat", get(live_chat))
        .route("/api/v1/ytlive/live_chats/{chat_id}/messages", post(messages))
        .route("/api/v1/track/{display_name}", get(track))
        .layer(guard.access());
    Router::new()
        .route("/api/v1/ytlive/live", get(search))
        .route("/api/v1/ytlive/channel/{id}", get(channel))
        .merge(protected)
        .route("/livez", get(|| async { "ok\n" }))
        .fallback(|| async { Problem::NotFound })
        .method_not_allowed_fallback(|| async { Problem::Method })
        .with_state(live)
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Problem {
    NotFound,
    Method,
    Parameter(&'static str),
    Recording,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "There is no such thing."),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "Not by this method."),
            Self::Parameter(what) => (StatusCode::BAD_REQUEST, what),
            Self::Recording => (StatusCode::INTERNAL_SERVER_ERROR, "A recording cannot be read."),
        };
        private(status, &json!({ "message": message }))
    }
}

/// An answer that nobody keeps.
fn private(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// An answer that is the same for everybody.
fn public(body: &Value) -> Response {
    let mut response = Json(body).into_response();
    let keep = format!("public, max-age={}", KEEP.as_secs());
    if let Ok(keep) = HeaderValue::try_from(keep) {
        response.headers_mut().insert(header::CACHE_CONTROL, keep);
    }
    response
}

#[derive(Deserialize)]
struct Search {
    #[serde(default)]
    search: String,
    max: Option<usize>,
}

async fn search(
    State(live): State<Live>,
    query: Result<Query<Search>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let Query(Search { search, max }) =
        query.map_err(|_| Problem::Parameter("search is text, and max a number."))?;
    if search.chars().count() > 100 {
        return Err(Problem::Parameter("search is too long."));
    }
    let max = max.unwrap_or(MOST_FOUND).min(MOST_FOUND);
    let key = format!("live {max} {}", search.to_lowercase());
    let found = live.cache.get_or(key, || live.recorded.search(&search, max));
    found.map(|list| public(&list)).map_err(|_| Problem::Recording)
}

async fn channel(State(live): State<Live>, Path(id): Path<String>) -> Result<Response, Problem> {
    let found = live.cache.get_or(format!("channel {id}"), || live.recorded.channel(&id));
    match found.map_err(|_| Problem::Recording)? {
        nothing if nothing.is_null() => Err(Problem::NotFound),
        channel => Ok(public(&channel)),
    }
}

async fn live_chat(State(live): State<Live>, Path(id): Path<String>) -> Result<Response, Problem> {
    match live.recorded.video(&id).map_err(|_| Problem::Recording)? {
        nothing if nothing.is_null() => Err(Problem::NotFound),
        video => Ok(private(StatusCode::OK, &video)),
    }
}

#[derive(Deserialize)]
struct From {
    #[serde(rename = "nextToken")]
    next_token: Option<String>,
}

async fn messages(
    State(live): State<Live>,
    Path(chat): Path<String>,
    from: Result<Query<From>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let Query(from) = from.map_err(|_| Problem::Parameter("nextToken is given once."))?;
    match live.recorded.page(&chat, from.next_token.as_deref()).map_err(|_| Problem::Recording)? {
        Page::NoChat => Err(Problem::NotFound),
        Page::NoPage => Err(Problem::Parameter("nextToken is not one of this chat.")),
        Page::Of(page) => Ok(private(StatusCode::OK, &page)),
    }
}

async fn track(who: Principal, Path(display_name): Path<String>) -> Response {
    tracing::info!(sub = who.subject(), "somebody is to be tracked");
    let message = format!("Tracking the person named {display_name}");
    private(StatusCode::OK, &json!({ "message": message }))
}
