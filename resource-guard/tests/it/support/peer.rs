//! An authorization server on loopback that does what a test wants, and counts.

use super::{AUDIENCE, KEY, ManualClock, PATIENCE, jwks};
use axum::{
    Json, Router,
    extract::{OriginalUri, State},
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, StatusCode, header};
use oauth_core::jose::GeneratedKey;
use resource_guard::{Guard, GuardBuilder};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// What a document of the peer does when it is asked for.
#[derive(Clone, Debug)]
pub(crate) enum Behaviour {
    /// Answers.
    Serves(Value),
    /// Answers with text that is not JSON.
    Garbage(String),
    /// Never answers.
    Hangs,
    /// Sends elsewhere.
    Redirects(String),
    /// Fails.
    Fails(StatusCode),
}

struct Inner {
    issuer: String,
    documents: Mutex<HashMap<String, Behaviour>>,
    tokens: Mutex<HashMap<String, Value>>,
    counts: Mutex<HashMap<String, usize>>,
    forms: Mutex<Vec<String>>,
}

/// The authorization server. It stops when dropped.
pub(crate) struct Peer {
    inner: Arc<Inner>,
    task: JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) const OAUTH: &str = "/.well-known/oauth-authorization-server";
pub(crate) const OPENID: &str = "/.well-known/openid-configuration";
pub(crate) const JWKS: &str = "/jwks";
pub(crate) const INTROSPECT: &str = "/introspect";

impl Peer {
    /// Publishes metadata by RFC 8414 and the usual key.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Inner {
            issuer,
            documents: Mutex::default(),
            tokens: Mutex::default(),
            counts: Mutex::default(),
            forms: Mutex::default(),
        });
        let router = Router::new()
            .route(INTROSPECT, post(introspect))
            .fallback(get(document))
            .with_state(inner.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let peer = Self { inner, task };
        peer.set(OAUTH, Behaviour::Serves(peer.metadata()));
        peer.set(JWKS, Behaviour::Serves(jwks([&*KEY])));
        peer
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.inner.issuer
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.inner.issuer)
    }

    pub(crate) fn metadata(&self) -> Value {
        json!({ "issuer": self.issuer(), "jwks_uri": self.url(JWKS) })
    }

    pub(crate) fn set(&self, path: &str, behaviour: Behaviour) {
        self.inner.documents.lock().unwrap().insert(path.to_owned(), behaviour);
    }

    /// Publishes these keys.
    pub(crate) fn publishes<'k>(&self, keys: impl IntoIterator<Item = &'k GeneratedKey>) {
        self.set(JWKS, Behaviour::Serves(jwks(keys)));
    }

    /// What introspection says of a token.
    pub(crate) fn says(&self, token: &str, answer: Value) {
        self.inner.tokens.lock().unwrap().insert(token.to_owned(), answer);
    }

    /// How often a path was asked for.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.inner.counts.lock().unwrap().get(path).copied().unwrap_or(0)
    }

    /// How often anything was asked for.
    pub(crate) fn asked(&self) -> usize {
        self.inner.counts.lock().unwrap().values().sum()
    }

    /// The introspection requests as they came.
    pub(crate) fn forms(&self) -> Vec<String> {
        self.inner.forms.lock().unwrap().clone()
    }

    /// Settings of a guard that finds the peer's keys by discovery.
    pub(crate) fn discovering(&self) -> (GuardBuilder, ManualClock) {
        Self::usual(Guard::for_issuer(self.issuer()))
    }

    /// Settings of a guard that asks the peer about every token.
    pub(crate) fn introspecting(&self) -> (GuardBuilder, ManualClock) {
        Self::usual(Guard::introspecting(self.url(INTROSPECT), "guard:1", "s%crét"))
    }

    fn usual(builder: GuardBuilder) -> (GuardBuilder, ManualClock) {
        let clock = ManualClock::new();
        let builder = builder
            .audience(AUDIENCE)
            .realm("api")
            .timeout(PATIENCE)
            .clock(Arc::new(clock.clone()));
        (builder, clock)
    }
}

async fn document(State(peer): State<Arc<Inner>>, OriginalUri(uri): OriginalUri) -> Response {
    let path = uri.path().to_owned();
    *peer.counts.lock().unwrap().entry(path.clone()).or_default() += 1;
    let behaviour = peer.documents.lock().unwrap().get(&path).cloned();
    perform(behaviour).await
}

async fn perform(behaviour: Option<Behaviour>) -> Response {
    match behaviour {
        Some(Behaviour::Serves(value)) => Json(value).into_response(),
        Some(Behaviour::Garbage(text)) => text.into_response(),
        Some(Behaviour::Hangs) => std::future::pending().await,
        Some(Behaviour::Redirects(to)) => Redirect::temporary(&to).into_response(),
        Some(Behaviour::Fails(status)) => status.into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Answers to the one client it knows, whose credentials must be form-encoded before they are joined.
async fn introspect(State(peer): State<Arc<Inner>>, headers: HeaderMap, form: String) -> Response {
    *peer.counts.lock().unwrap().entry(INTROSPECT.to_owned()).or_default() += 1;
    let expected = format!("Basic {}", STANDARD.encode("guard%3A1:s%25cr%C3%A9t"));
    if headers.get(header::AUTHORIZATION).is_none_or(|v| v != expected.as_str()) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    peer.forms.lock().unwrap().push(form.clone());
    let behaviour = peer.documents.lock().unwrap().get(INTROSPECT).cloned();
    if behaviour.is_some() {
        return perform(behaviour).await;
    }
    let token = form_urlencoded::parse(form.as_bytes())
        .find(|(name, _)| name == "token")
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default();
    let answer = peer.tokens.lock().unwrap().get(&token).cloned();
    Json(answer.unwrap_or(json!({"active": false}))).into_response()
}
