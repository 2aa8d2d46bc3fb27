//! Hands requests on to the provider, and to an API where there is one.
//!
//! What it hands on it does not look into: cookies go through as they are. It leaves out what is about one connection,
//! and what the browser says about addresses, which is for this program to say.

use axum::{
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request, State},
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use reqwest::{Client, redirect::Policy};
use std::{net::SocketAddr, time::Duration};
use url::Url;

const TIMEOUT: Duration = Duration::from_secs(30);
/// No request or answer behind this page is larger.
const LARGEST: usize = 2 * 1024 * 1024;
/// About one connection, or for this program to say.
const LEFT_OUT: [&str; 13] = [
    "connection",
    "content-length",
    "expect",
    "forwarded",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
];

/// Who is behind the origin.
#[derive(Clone, Debug)]
pub struct Upstreams {
    /// The provider.
    pub provider: Url,
    /// The API under `/api/v1/ytlive/` and `/api/v1/track/`, where there is one.
    pub api: Option<Url>,
}

/// The way to them.
#[derive(Clone, Debug)]
pub struct Proxy {
    http: Client,
    upstreams: Upstreams,
}

impl Proxy {
    /// A way to these.
    pub fn new(upstreams: Upstreams) -> reqwest::Result<Self> {
        // Redirects and cookies are the browser's business.
        let http =
            Client::builder().timeout(TIMEOUT).redirect(Policy::none()).no_proxy().build()?;
        Ok(Self { http, upstreams })
    }

    fn upstream(&self, path: &str) -> &Url {
        let is_api = path.starts_with("/api/v1/ytlive/") || path.starts_with("/api/v1/track/");
        self.upstreams.api.as_ref().filter(|_| is_api).unwrap_or(&self.upstreams.provider)
    }

    async fn hand_on(&self, request: Request) -> Result<Response, StatusCode> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, LARGEST).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
        let mut target = self.upstream(parts.uri.path()).clone();
        target.set_path(parts.uri.path());
        target.set_query(parts.uri.query());
        let mut headers = kept(&parts.headers);
        if let Some(ConnectInfo(peer)) = parts.extensions.get::<ConnectInfo<SocketAddr>>()
            && let Ok(address) = HeaderValue::try_from(peer.ip().to_string())
        {
            headers.insert(HeaderName::from_static("x-forwarded-for"), address);
        }
        // The name that the browser used: what the provider takes the request for depends on it.
        if let Some(host) = parts.headers.get(header::HOST) {
            headers.insert(header::HOST, host.clone());
        }
        let sent = self.http.request(parts.method, target).headers(headers).body(body).send();
        let mut answer = sent.await.map_err(|error| {
            // The address may have secrets in its query.
            tracing::warn!(error = %error.without_url(), "an upstream does not answer");
            StatusCode::BAD_GATEWAY
        })?;
        let (status, headers) = (answer.status(), kept(answer.headers()));
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|_| StatusCode::BAD_GATEWAY)? {
            if body.len() + chunk.len() > LARGEST {
                return Err(StatusCode::BAD_GATEWAY);
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// The headers that go through, each as often as it was there.
fn kept(headers: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for (name, value) in headers {
        if !LEFT_OUT.contains(&name.as_str()) && name != header::HOST {
            kept.append(name, value.clone());
        }
    }
    kept
}

pub(crate) async fn forward(State(proxy): State<Proxy>, request: Request) -> Response {
    match proxy.hand_on(request).await {
        Ok(response) => response,
        Err(status) => (status, [(header::CACHE_CONTROL, "no-store")]).into_response(),
    }
}
