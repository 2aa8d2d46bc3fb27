//! What surrounds every request: identity, limits, headers, one log line. One layer, so that the order is visible in one place.

mod headers;
mod id;
mod refusal;

pub use id::RequestId;

use crate::{
    address::{ClientAddress, Proxies},
    config::Config,
    metrics::Metrics,
    pages::EarlyPages,
};
use axum::{
    body::{Body, HttpBody as _},
    extract::{ConnectInfo, MatchedPath, Request},
    response::Response,
};
use futures_util::FutureExt as _;
use headers::SecurityHeaders;
use http::{HeaderValue, Method, StatusCode};
use oauth_core::ports::SystemRandom;
use refusal::{Audience, Dialects, Refusal};
use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tower::{Layer, Service};
use tracing::Instrument as _;

tokio::task_local! {
    static SCOPE: Scope;
}

/// What is known of the request that the present task serves.
#[derive(Clone, Debug)]
struct Scope {
    id: RequestId,
    address: ClientAddress,
    wants_data: bool,
}

/// The address of the client whose request the present task serves.
pub fn client_address() -> Option<ClientAddress> {
    SCOPE.try_with(|s| s.address).ok()
}

/// The id of the request that the present task serves.
pub fn request_id() -> Option<RequestId> {
    SCOPE.try_with(|s| s.id.clone()).ok()
}

/// Whether the request that the present task serves says what it accepts, and no page is among it.
pub fn wants_data() -> bool {
    SCOPE.try_with(|s| s.wants_data).unwrap_or(false)
}

/// The layer around every route.
#[derive(Clone)]
pub struct ShellLayer(Arc<Settings>);

struct Settings {
    proxies: Proxies,
    metrics: Metrics,
    log_requests: bool,
    headers: SecurityHeaders,
    pages: EarlyPages,
    dialects: Dialects,
    timeout: Duration,
    body_limit: usize,
}

impl ShellLayer {
    /// As configured.
    pub fn new(config: &Config, metrics: Metrics) -> Self {
        Self(Arc::new(Settings {
            proxies: Proxies::new(&config.server),
            metrics,
            log_requests: config.logs.requests,
            headers: SecurityHeaders::new(config.issuer().is_https()),
            pages: EarlyPages::new(config),
            dialects: Dialects::new(config),
            timeout: config.server.request_timeout,
            body_limit: usize::try_from(config.server.body_limit).unwrap_or(usize::MAX),
        }))
    }
}

impl<S> Layer<S> for ShellLayer {
    type Service = Shell<S>;

    fn layer(&self, inner: S) -> Shell<S> {
        Shell { settings: Arc::clone(&self.0), inner }
    }
}

/// A service with its surroundings.
#[derive(Clone)]
pub struct Shell<S> {
    settings: Arc<Settings>,
    inner: S,
}

impl<S> Service<Request> for Shell<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let settings = Arc::clone(&self.settings);
        let seen = Seen::of(&request, &settings);
        request.extensions_mut().insert(seen.scope.id.clone());
        request.extensions_mut().insert(seen.scope.address);
        let span = tracing::info_span!("request", request.id = %seen.scope.id);
        let outcome = limited(request, settings.body_limit).map(|r| self.inner.call(r));
        let scope = seen.scope.clone();
        let answer = async move {
            let mut response = match outcome {
                Ok(inner) => answer(inner, settings.timeout).await,
                Err(refusal) => Err(refusal),
            }
            .unwrap_or_else(|refusal| refusal.answer(seen.audience, &settings.pages));
            settings.headers.add(response.headers_mut());
            response.headers_mut().insert(id::X_REQUEST_ID, HeaderValue::from(&seen.scope.id));
            seen.finish(&settings, response.status());
            Ok(response)
        };
        Box::pin(SCOPE.scope(scope, answer).instrument(span))
    }
}

/// Waits for the answer, but neither for ever nor for one that panicked.
async fn answer(
    inner: impl Future<Output = Result<Response, Infallible>>,
    longest: Duration,
) -> Result<Response, Refusal> {
    match tokio::time::timeout(longest, AssertUnwindSafe(inner).catch_unwind()).await {
        Ok(Ok(Ok(response))) => Ok(response),
        Ok(Err(_panic)) => Err(Refusal::Failure),
        Err(_elapsed) => {
            tracing::warn!("request timed out");
            Err(Refusal::Overloaded)
        }
    }
}

/// Refuses a body that is too large, and cuts off one that does not say how large it is.
fn limited(request: Request, limit: usize) -> Result<Request, Refusal> {
    match request.body().size_hint().exact() {
        Some(size) if size > limit as u64 => Err(Refusal::TooLarge),
        Some(_) => Ok(request),
        None => Ok(request.map(|body| Body::new(http_body_util::Limited::new(body, limit)))),
    }
}

/// What is noted of a request before it is served.
struct Seen {
    started: Instant,
    scope: Scope,
    method: &'static str,
    route: Option<MatchedPath>,
    audience: Audience,
}

impl Seen {
    fn of(request: &Request, settings: &Settings) -> Self {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let nobody = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        let peer = peer.map_or(nobody, |info| info.0);
        let route = request.extensions().get::<MatchedPath>().cloned();
        Self {
            started: Instant::now(),
            scope: Scope {
                id: RequestId::of(request.headers(), &SystemRandom),
                address: settings.proxies.client(peer, request.headers()),
                wants_data: refusal::accepts(request.headers()).is_some_and(|page| !page),
            },
            method: method_name(request.method()),
            audience: settings.dialects.audience(route.as_ref(), request.headers()),
            route,
        }
    }

    fn finish(&self, settings: &Settings, status: StatusCode) {
        let took = self.started.elapsed();
        // The template of the path: never the path itself or the query, which may carry secrets.
        let route = self.route.as_ref().map_or("(none)", MatchedPath::as_str);
        settings.metrics.request(route, self.method, status.as_u16(), took);
        if settings.log_requests && is_probe(route) {
            tracing::debug!(route, status = status.as_u16(), "probe");
        } else if settings.log_requests {
            let duration_ms = (took.as_secs_f64() * 1_000_000.0).round() / 1000.0;
            tracing::info!(
                method = self.method,
                route,
                status = status.as_u16(),
                duration_ms,
                client.address = %self.scope.address,
                "request"
            );
        }
    }
}

/// What an orchestrator asks every few seconds is no news.
fn is_probe(route: &str) -> bool {
    matches!(route, "/livez" | "/healthz" | "/readyz")
}

/// The method for logs and labels: a word of ours, since anybody may send any word.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}
