//! Listening: plainly or with TLS, with time limits, until SIGTERM or SIGINT, and then to the end of what is in
//! flight. SIGHUP reads certificates and signing keys again.

mod certificates;
mod prompt;
mod tls;

pub(crate) use certificates::Certificates;

use crate::{config::Config, mail, maintenance, routes, seed, state::AppState};
use anyhow::Context as _;
use axum_server::{Handle, Server, accept::NoDelayAcceptor};
use hyper_util::rt::TokioTimer;
use prompt::PromptAcceptor;
use std::net::{SocketAddr, TcpListener};
use tls::Tls;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The most header fields of a request.
const MOST_HEADERS: usize = 64;
/// The largest head of a request, in bytes; also the read buffer of a connection.
const LARGEST_HEAD: usize = 16 * 1024;

/// Serves until SIGTERM or SIGINT. `greet` is called once the server listens.
pub async fn serve(
    state: AppState,
    greet: impl FnOnce(&AppState, SocketAddr),
) -> anyhow::Result<()> {
    let mut signals = Signals::new().context("signals cannot be received")?;
    let handle = Handle::new();
    let listener = bind(state.config.listen()).with_context(|| {
        format!("cannot listen on {} (server.host, server.port)", state.config.listen())
    })?;
    let address = listener.local_addr()?;
    let tls = Tls::load(&state.config.server)?;
    let operator = operator(&state)?;
    seed::warn(&state);
    let maintenance = tokio::spawn(maintenance::run(state.clone()));
    let (stop_mail, stopped) = tokio::sync::watch::channel(false);
    let letters = tokio::spawn(mail::run(state.mail.clone(), stopped));
    let service = routes::router(&state).into_make_service_with_connect_info::<SocketAddr>();
    let grace = state.config.server.shutdown_timeout;
    let announced = announce(&state, address);
    let stopper = handle.clone();
    let (reloader, reloading) = (tls.clone(), state.clone());
    let watch = tokio::spawn(async move {
        while signals.next().await == Wish::Reload {
            reload(&reloading, reloader.as_ref()).await;
        }
        withdraw(announced).await;
        tracing::info!("stopping: finishing what is in flight");
        stopper.graceful_shutdown(Some(grace));
    });
    greet(&state, address);
    let server = limited(axum_server::from_tcp(listener)?.handle(handle), &state.config);
    let patience = state.config.server.header_timeout;
    match tls {
        None => {
            let acceptor = PromptAcceptor::new(NoDelayAcceptor::new(), patience);
            server.acceptor(acceptor).serve(service).await?;
        }
        Some(tls) => {
            let acceptor = PromptAcceptor::new(tls.acceptor(), patience);
            server.acceptor(acceptor).serve(service).await?;
        }
    }
    watch.abort();
    maintenance.abort();
    stop_mail.send(true).ok();
    if tokio::time::timeout(grace, letters).await.is_err() {
        tracing::warn!("a letter was under way for too long; it will be sent again");
    }
    if let Some(operator) = operator {
        operator.abort();
    }
    state.store.close().await.ok();
    tracing::info!("stopped");
    Ok(())
}

/// The announcement to the devices of the local network, if there is one.
#[cfg(feature = "dns-sd")]
type Announced = Option<crate::nmos::dns_sd::Announcement>;
#[cfg(not(feature = "dns-sd"))]
struct Announced;

#[cfg(feature = "dns-sd")]
fn announce(state: &AppState, address: SocketAddr) -> Announced {
    // Who is signed in does not depend on who finds the server.
    crate::nmos::dns_sd::Announcement::of(&state.config, address).unwrap_or_else(|e| {
        tracing::warn!(error = format!("{e:#}"), "not announced by multicast DNS (dns_sd)");
        None
    })
}

#[cfg(not(feature = "dns-sd"))]
fn announce(_: &AppState, _: SocketAddr) -> Announced {
    Announced
}

#[cfg(feature = "dns-sd")]
async fn withdraw(announced: Announced) {
    if let Some(announced) = announced {
        announced.withdraw().await;
    }
}

#[cfg(not(feature = "dns-sd"))]
#[expect(clippy::unused_async, reason = "it is the same function with the feature")]
async fn withdraw(Announced: Announced) {}

/// Reads again what an operator may have changed under the running server: certificates and signing keys.
async fn reload(state: &AppState, tls: Option<&Tls>) {
    if let Some(tls) = tls {
        tls.reload(&state.config.server);
    }
    match maintenance::maintain_keys(state).await {
        Ok(()) => tracing::info!("signing keys read again"),
        Err(e) => tracing::error!(error = crate::causes(&e), "signing keys cannot be read"),
    }
}

/// Limits on what a connection may cost.
fn limited(server: Server<SocketAddr>, config: &Config) -> Server<SocketAddr> {
    let mut server = server.http1_only();
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(config.server.header_timeout)
        .max_headers(MOST_HEADERS)
        .max_buf_size(LARGEST_HEAD);
    server
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => tokio::net::TcpSocket::new_v4(),
        SocketAddr::V6(_) => tokio::net::TcpSocket::new_v6(),
    }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(1024)?.into_std()
}

/// The operator's listener with the metrics, if they are on.
fn operator(state: &AppState) -> anyhow::Result<Option<tokio::task::JoinHandle<()>>> {
    if !state.metrics.is_on() {
        return Ok(None);
    }
    let settings = &state.config.metrics;
    let address = SocketAddr::new(settings.host, settings.port);
    let listener = bind(address)
        .with_context(|| format!("cannot listen on {address} (metrics.host, metrics.port)"))?;
    tracing::info!(address = %listener.local_addr()?, "metrics listening");
    let server = limited(axum_server::from_tcp(listener)?, &state.config);
    let service = state.metrics.router().into_make_service_with_connect_info::<SocketAddr>();
    Ok(Some(tokio::spawn(async move {
        if let Err(e) = server.serve(service).await {
            tracing::error!(error = crate::causes(&e), "metrics listener failed");
        }
    })))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Reload,
    Stop,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.terminate.recv() => Wish::Stop,
            _ = self.interrupt.recv() => Wish::Stop,
            _ = self.hang_up.recv() => Wish::Reload,
        }
    }
}
