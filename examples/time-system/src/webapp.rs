//! The web app: plain text for people with curl.
//!
//! Every call of a user gets a token of its own by the password grant, as a first-party client may; `/service/…`
//! shows the better way beside it, a token of the app's own that is kept while it lives.

use crate::{
    trace::{self, RequestId},
    upstream::{AccessToken, AuthorizationServer, TimeServer, UpstreamError},
};
use axum::{
    Extension, Router,
    extract::{Path, State},
    http::{StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use oauth_core::{model::Timestamp, ports::Clock};
use secrecy::SecretString;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// What may be asked; also the names of the scopes.
const QUESTIONS: [&str; 2] = ["current_time", "epoch_time"];
/// A kept token is not used in the last second of its life.
const MARGIN: Duration = Duration::from_secs(1);

/// What the web app needs.
#[derive(Clone)]
pub struct Webapp {
    /// Who grants tokens.
    pub authorization_server: AuthorizationServer,
    /// Who knows the time.
    pub time_server: TimeServer,
    /// On whose behalf it asks.
    pub username: String,
    /// The password that goes with it.
    pub password: SecretString,
    /// For the life of the kept token.
    pub clock: Arc<dyn Clock>,
    /// The app's own token while it lives.
    pub kept: Arc<Mutex<Option<(Timestamp, AccessToken)>>>,
}

/// The routes of the web app.
pub fn router(app: Webapp) -> Router {
    Router::new()
        .route("/{question}", get(as_user))
        .route("/service/{question}", get(as_service))
        .route("/livez", get(|| async { "ok\n" }))
        .fallback(|| async { (StatusCode::NOT_FOUND, "not found\n") })
        .layer(middleware::from_fn(trace::layer))
        .with_state(app)
}

async fn as_user(
    State(app): State<Webapp>,
    Extension(id): Extension<RequestId>,
    Path(question): Path<String>,
) -> Response {
    let Some(question) = known(&question) else { return not_found() };
    let scope = QUESTIONS.join(" ");
    let outcome = async {
        let token = app
            .authorization_server
            .token_for_user(&app.username, &app.password, &scope, &id)
            .await?;
        app.time_server.ask(question, &token.access_token, &id).await
    };
    render(outcome.await)
}

async fn as_service(
    State(app): State<Webapp>,
    Extension(id): Extension<RequestId>,
    Path(question): Path<String>,
) -> Response {
    let Some(question) = known(&question) else { return not_found() };
    let outcome = async {
        let token = own_token(&app, &id).await?;
        app.time_server.ask(question, &token.access_token, &id).await
    };
    render(outcome.await)
}

/// The kept token, or a new one when it is about to die.
async fn own_token(app: &Webapp, id: &RequestId) -> Result<AccessToken, UpstreamError> {
    let now = app.clock.now();
    let kept = app.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some((until, token)) = kept
        && until > now.plus(MARGIN)
    {
        return Ok(token);
    }
    let token = app.authorization_server.token_for_itself(&QUESTIONS.join(" "), id).await?;
    let life = Duration::from_secs(token.expires_in.unsigned_abs());
    *app.kept.lock().unwrap_or_else(PoisonError::into_inner) =
        Some((now.plus(life), token.clone()));
    tracing::info!(expires_in = token.expires_in, "own token renewed");
    Ok(token)
}

fn known(question: &str) -> Option<&'static str> {
    QUESTIONS.into_iter().find(|q| *q == question)
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "not found\n").into_response()
}

fn render(outcome: Result<String, UpstreamError>) -> Response {
    let (status, text) = match outcome {
        Ok(answer) => (StatusCode::OK, answer),
        Err(error) => {
            log(&error);
            (status(&error), error.to_string())
        }
    };
    (status, [(header::CACHE_CONTROL, "no-store")], format!("{text}\n")).into_response()
}

/// The resource server's own no is passed on; everything else is a bad gateway.
fn status(error: &UpstreamError) -> StatusCode {
    match error {
        UpstreamError::Refused { service: "the resource server", status, .. }
            if *status == StatusCode::UNAUTHORIZED || *status == StatusCode::FORBIDDEN =>
        {
            *status
        }
        _ => StatusCode::BAD_GATEWAY,
    }
}

fn log(error: &UpstreamError) {
    match error {
        UpstreamError::Unreachable { service, cause } => {
            // The cause of a connection error names addresses, never credentials: the URL has none.
            tracing::warn!(service, cause = %cause, "upstream unreachable");
        }
        UpstreamError::Refused { service, status, error } => {
            tracing::warn!(service, status = status.as_u16(), error, "upstream refused");
        }
        UpstreamError::Nonsense { service } => tracing::error!(service, "upstream answer unusable"),
    }
}
