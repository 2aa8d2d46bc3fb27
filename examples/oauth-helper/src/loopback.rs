//! The listener a login comes back to: on this machine, on a port of its own, for one answer
//! ([RFC 8252 7.3](https://www.rfc-editor.org/rfc/rfc8252#section-7.3)).

use crate::{
    error::{Error, Result},
    login::{PendingLogin, Redirected},
    pages::{self, Outcome},
};
use axum::{
    Router,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::Response,
    routing::get,
};
use std::{net::Ipv4Addr, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    sync::{Mutex, oneshot},
};

/// A port nobody listens on, for answers that are pasted (RFC 6335 names it "discard").
pub const NOBODY: u16 = 9;

/// A listener that waits for one login.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    port: u16,
}

/// Listens on this port, or on any that is free.
pub async fn listen(port: u16) -> Result<Listener> {
    let failed = |e| Error::store(&format!("port {port} of this machine cannot be listened on"), e);
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
    let port = socket.local_addr().map_err(failed)?.port();
    Ok(Listener { socket, port })
}

struct Waiting {
    pending: PendingLogin,
    done: Mutex<Option<oneshot::Sender<Result<()>>>>,
}

impl Listener {
    /// The port it listens on.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Waits for the answer to this login, exchanges it, tells the person in the browser, and stops listening.
    /// What is not the answer to this login does not end it.
    pub async fn finish(self, pending: PendingLogin, patience: Duration) -> Result<()> {
        let name = pending.client().name().to_owned();
        let path = pending.redirect().path().to_owned();
        let (done, outcome) = oneshot::channel();
        let state = Arc::new(Waiting { pending, done: Mutex::new(Some(done)) });
        let (stop, stopped) = oneshot::channel::<()>();
        let routes = Router::new()
            .route(&path, get(answer))
            .fallback(|| async { pages::plain(StatusCode::NOT_FOUND, "there is nothing here") })
            .with_state(state);
        let server = axum::serve(self.socket, routes)
            .with_graceful_shutdown(async { stopped.await.unwrap_or_default() });
        let server = tokio::spawn(async move { server.await });
        let outcome = tokio::time::timeout(patience, outcome).await;
        stop.send(()).ok();
        // The page is still on its way; a browser that keeps the connection open is not waited for.
        tokio::time::timeout(Duration::from_secs(1), server).await.ok();
        match outcome {
            Ok(Ok(outcome)) => outcome,
            _ => Err(Error::Cancelled(format!("{name}: nobody came back in time"))),
        }
    }
}

async fn answer(
    State(waiting): State<Arc<Waiting>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let pending = &waiting.pending;
    // A name that was made to lead here is not ours.
    let host = headers.get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if host != authority(pending) {
        return pages::plain(StatusCode::MISDIRECTED_REQUEST, "this is not the host of the login");
    }
    let back = match Redirected::parse(query.as_deref().unwrap_or_default()) {
        Ok(back) if back.state().is_some_and(|s| pending.is_state(s)) => back,
        Ok(_) => {
            return pages::plain(
                StatusCode::BAD_REQUEST,
                "this is not the answer to the login that waits",
            );
        }
        Err(e) => return pages::plain(StatusCode::BAD_REQUEST, &e.to_string()),
    };
    // From here on it is the one answer; whoever sends it again is late.
    let Some(done) = waiting.done.lock().await.take() else {
        return pages::plain(StatusCode::GONE, "this login is over");
    };
    let outcome = match pending.check(back) {
        Ok(code) => pending.clone().finish(&code).await,
        Err(e) => Err(e),
    };
    let page = pages::outcome(&Outcome::of(pending.client().name(), &outcome));
    done.send(outcome).ok();
    page
}

fn authority(pending: &PendingLogin) -> String {
    let url = pending.redirect();
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
