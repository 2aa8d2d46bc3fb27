//! What unit tests need to ask servers on this machine.

use super::{Asking, Epoch, KeyTimes};
use crate::fetch::{Http, PlainHttp, Reach};
use axum::{
    Json, Router,
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, Uri};
use oauth_core::{
    jose::generate,
    model::{SigningAlgorithm, Timestamp},
    ports::{Clock, SystemRandom},
};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle};

/// A clock that goes when told to.
#[derive(Clone, Default)]
pub(crate) struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(1_800_000_000 + self.0.load(Ordering::SeqCst))
    }
}

/// Asks by plain http, and not for long.
pub(crate) fn asking(clock: &ManualClock) -> Asking {
    let plain = PlainHttp::Anywhere;
    let reach = Reach {
        timeout: Duration::from_secs(2),
        roots: Vec::new(),
        plain,
        environment_proxy: false,
        tls: false,
    };
    Asking {
        http: Http::new(&reach).unwrap(),
        plain,
        times: KeyTimes {
            refresh: Duration::from_hours(1),
            jitter: None,
            cool_down: Duration::from_secs(30),
        },
        clock: Arc::new(clock.clone()),
        random: Arc::new(SystemRandom),
        epoch: Epoch::default(),
    }
}

/// A key set of one key.
pub(crate) static JWKS: LazyLock<Value> = LazyLock::new(|| {
    let key = generate(SigningAlgorithm::ES256, &SystemRandom).unwrap();
    json!({ "keys": [key.signer.public_jwk()] })
});

/// The path of metadata; that of an issuer comes after it.
pub(crate) const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";

/// A server on 127.0.0.1 that stops when dropped.
pub(crate) struct Peer {
    pub(crate) port: u16,
    task: JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Peer {
    /// Answers by path, and is told its port.
    pub(crate) async fn start<A>(
        answer: impl Fn(u16, String) -> A + Clone + Send + Sync + 'static,
    ) -> Self
    where
        A: Future<Output = Response> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new().fallback(move |uri: Uri| answer(port, uri.path().to_owned()));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { port, task }
    }
}

/// Metadata of the issuer at this origin whose metadata is at this path, or its keys.
pub(crate) fn published(origin: &str, path: &str) -> Response {
    match path.strip_prefix(WELL_KNOWN) {
        Some(tenant) => {
            let issuer = format!("{origin}{tenant}");
            Json(json!({"issuer": issuer, "jwks_uri": format!("{origin}/jwks")})).into_response()
        }
        None if path == "/jwks" => Json(&*JWKS).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
