//! `/admin/api`: what administrators do on the pages, for their programs. JSON, and an access token of the scope
//! [`SCOPE`] in the header; no cookie counts here.

mod operator;
mod registrations;
mod rights;

use crate::{
    audit::{Filter, Kind, described},
    state::AppState,
};
use axum::{
    Json, Router,
    extract::{RawQuery, State},
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use oauth_core::{error::PortError, model::Timestamp, params::Params};
use operator::Operator;
use serde_json::{Value, json};

/// The scope that lets a program do what administrators do.
pub const SCOPE: &str = "administration";

/// The most rows of one answer.
const MOST: u64 = 1000;
const NO_STORE: [(HeaderName, &str); 2] =
    [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];

/// The routes, where the configuration wants them.
pub fn routes(state: &AppState) -> Router<AppState> {
    if !state.config.administration_api() {
        return Router::new();
    }
    Router::new()
        .route("/admin/api/users", get(rights::users))
        .route("/admin/api/users/{id}/rights", get(rights::list))
        .route("/admin/api/users/{id}/rights/{api}", put(rights::set).delete(rights::remove))
        .route("/admin/api/registrations", get(registrations::list))
        .route("/admin/api/registrations/{client_id}", post(registrations::answer))
        .route("/admin/api/audit", get(audit))
}

/// Why a program is not served.
pub(crate) enum Refusal {
    /// There is nothing of this name.
    NotFound,
    /// The request is not understood, or asks for what cannot be.
    Invalid(&'static str),
    /// Somebody else was first.
    Conflict(&'static str),
    /// It has no token that is good here.
    InvalidToken,
    /// It has no token at all.
    NoToken,
    /// Its token is not good for this.
    InsufficientScope,
    /// Something is wrong here.
    Failure(PortError),
}

impl From<PortError> for Refusal {
    fn from(e: PortError) -> Self {
        Self::Failure(e)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, error, text) = match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", "there is nothing of this name"),
            Self::Invalid(text) => (StatusCode::BAD_REQUEST, "invalid_request", text),
            Self::Conflict(text) => (StatusCode::CONFLICT, "conflict", text),
            Self::InvalidToken | Self::NoToken => {
                (StatusCode::UNAUTHORIZED, "invalid_token", "an access token is needed here")
            }
            Self::InsufficientScope => {
                let text = "the token is not that of an administrator, with the scope for it";
                (StatusCode::FORBIDDEN, "insufficient_scope", text)
            }
            Self::Failure(ref e) => {
                tracing::error!(error = crate::causes(e), "request failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "server_error", "something went wrong here")
            }
        };
        let body = Json(json!({ "error": error, "error_description": text }));
        let mut response = (status, NO_STORE, body).into_response();
        let challenge = match self {
            // Whoever sent no token is told of no error (RFC 6750 3.1).
            Self::NoToken => Some("Bearer realm=\"oauth\""),
            Self::InvalidToken => Some("Bearer realm=\"oauth\", error=\"invalid_token\""),
            Self::InsufficientScope => Some(
                "Bearer realm=\"oauth\", error=\"insufficient_scope\", scope=\"administration\"",
            ),
            _ => None,
        };
        if let Some(challenge) = challenge {
            let value = header::HeaderValue::from_static(challenge);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}

fn answer(body: Value) -> Response {
    (NO_STORE, Json(body)).into_response()
}

/// The parameters of a query, each once.
fn query(raw: Option<String>) -> Result<Params, Refusal> {
    let raw = raw.unwrap_or_default();
    Params::parse(raw.as_bytes()).map_err(|_| Refusal::Invalid("the query is malformed"))
}

fn number(params: &Params, name: &str) -> Result<Option<i64>, Refusal> {
    let read = |text: &str| text.parse().map_err(|_| Refusal::Invalid("a number is expected"));
    params.get(name).map(read).transpose()
}

/// Rows of the audit log, the latest first.
async fn audit(
    State(state): State<AppState>,
    _: Operator,
    RawQuery(raw): RawQuery,
) -> Result<Response, Refusal> {
    let params = query(raw)?;
    let text = |name: &str| params.get(name).map(str::to_owned);
    let kind = params.get("event").map(|word| Kind::parse(word).ok_or(word)).transpose();
    let filter = Filter {
        kind: kind.map_err(|_| Refusal::Invalid("there is no event of this name"))?,
        user: text("user_id"),
        client: text("client_id"),
        since: number(&params, "since")?.map(Timestamp::from_unix),
        until: number(&params, "until")?.map(Timestamp::from_unix),
        before: text("before"),
    };
    let limit = number(&params, "limit")?.and_then(|n| u64::try_from(n).ok()).unwrap_or(100);
    let rows = state.audit.list(&filter, limit.clamp(1, MOST)).await?;
    Ok(answer(json!({ "entries": rows.iter().map(described).collect::<Vec<_>>() })))
}
