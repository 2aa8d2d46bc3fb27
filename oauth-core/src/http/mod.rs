//! The axum edge: HTTP to values and back. Knows no rule of the protocol.

mod browser;
mod check_session;
mod form_post;
mod incoming;
mod logout;
mod register;
mod render;
mod userinfo;

use crate::{
    authorize::{Next, Refused, Visitor},
    error::{OAuthError, PortError},
    model::Issuer,
    params::Params,
    provider::Provider,
};
use axum::{
    Router,
    extract::{RawQuery, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use std::sync::Arc;

pub use browser::{Browser, cookie};
pub use check_session::browser_state_cookie;
pub use incoming::{FormParams, incoming};
pub use logout::{ask_again_by_get, end_session_params};
pub use render::{ErrorPages, PlainPages, error_json};

/// The media type of a key set ([RFC 7517 8.5.2](https://www.rfc-editor.org/rfc/rfc7517#section-8.5.2)).
const JWK_SET: &str = "application/jwk-set+json";
/// Longest query that an authorization request by POST is turned into.
const LONGEST_QUERY: usize = 6 * 1024;

/// The provider with the pages that explain errors to people.
#[derive(Clone)]
pub struct Edge {
    provider: Provider,
    pages: Arc<dyn ErrorPages>,
    key_set: &'static str,
    /// The status of the way back to the client after a form.
    to_client: StatusCode,
}

/// The protocol endpoints of a provider, with plain error pages.
///
/// With an issuer that has a path, the endpoints are below it, and the metadata is where
/// [RFC 8414 3](https://www.rfc-editor.org/rfc/rfc8414#section-3) puts it.
pub fn router(provider: Provider) -> Router {
    Edge::new(provider).router()
}

/// The response for the outcome of [`Provider::resume`], with plain error pages.
pub fn render(provider: &Provider, outcome: Result<Next, Refused>) -> Response {
    Edge::new(provider.clone()).finish(outcome)
}

impl Edge {
    /// An edge with plain error pages.
    pub fn new(provider: Provider) -> Self {
        Self {
            provider,
            pages: Arc::new(PlainPages),
            key_set: JWK_SET,
            to_client: StatusCode::SEE_OTHER,
        }
    }

    /// An edge that gives the key set as `application/json`, unless a request asks for `application/jwk-set+json` by
    /// name: AMWA IS-10 knows no other type of JSON.
    pub fn plain_key_set(self) -> Self {
        Self { key_set: "application/json", ..self }
    }

    /// An edge that sends people back to clients with 302 after a form, too, as AMWA IS-10 asks for the code flow.
    /// Browsers turn a form into a GET then ([Fetch 4.4](https://fetch.spec.whatwg.org/#http-redirect-fetch)); 303, which
    /// says so outright, is what [RFC 9700 4.12](https://www.rfc-editor.org/rfc/rfc9700#section-4.12) prefers.
    pub fn found_to_clients(self) -> Self {
        Self { to_client: StatusCode::FOUND, ..self }
    }

    /// An edge with the embedder's error pages.
    pub fn error_pages(self, pages: impl ErrorPages + 'static) -> Self {
        Self { pages: Arc::new(pages), ..self }
    }

    /// The protocol endpoints.
    pub fn router(self) -> Router {
        let base = self.provider.env().issuer.path();
        let paths = self.provider.paths().clone();
        let at = |path: &str| format!("{base}{path}");
        Router::new()
            .route(&at(&paths.authorize), get(authorize).post(authorize_by_post))
            .route(&at(&paths.token), post(token))
            .route(&at(&paths.revoke), post(revoke))
            .route(&at(&paths.introspect), post(introspect))
            .route(&at(&paths.jwks), get(jwks))
            .route(&format!("/.well-known/oauth-authorization-server{base}"), get(metadata))
            .merge(self.openid())
            .merge(register::routes(&self))
            .with_state(self)
    }

    /// What is there only where OpenID Connect is spoken
    /// ([OpenID Connect Discovery 4](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig)).
    fn openid(&self) -> Router<Self> {
        if !self.provider.env().policy.openid {
            return Router::new();
        }
        let base = self.provider.env().issuer.path();
        let paths = self.provider.paths();
        let router = Router::new()
            .route(&format!("{base}/.well-known/openid-configuration"), get(metadata))
            .route(
                &format!("{base}{}", paths.userinfo),
                get(userinfo::userinfo).post(userinfo::userinfo),
            );
        if self.provider.screens().logout {
            router.route(&format!("{base}{}", paths.check_session), get(check_session::page))
        } else {
            router
        }
    }

    /// The provider.
    pub const fn provider(&self) -> &Provider {
        &self.provider
    }

    /// The response for the outcome of [`Provider::resume`], after a person submitted a form.
    pub fn finish(&self, outcome: Result<Next, Refused>) -> Response {
        render::outcome(self, outcome, StatusCode::SEE_OTHER)
    }

    fn issuer(&self) -> &Issuer {
        &self.provider.env().issuer
    }
}

async fn authorize(
    State(edge): State<Edge>,
    browser: Browser,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    match Params::parse(query.unwrap_or_default().as_bytes()) {
        Ok(params) => begin(&edge, browser, &headers, &params, StatusCode::FOUND).await,
        Err(e) => edge.finish(Err(Refused::Page(e))),
    }
}

/// A form that arrives from another site brings no cookies along, so the browser is sent the same request as a
/// GET, which does; one that is too long for an address goes on without.
async fn authorize_by_post(
    State(edge): State<Edge>,
    browser: Browser,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let path = request.uri().path().to_owned();
    // Some of it may stand in the address, as AMWA IS-10 describes the request; nothing may stand there twice.
    let in_address = request.uri().query().map(|query| format!("{query}&")).unwrap_or_default();
    let params = match incoming(request).await.and_then(|form| {
        if in_address.is_empty() {
            return Ok(form.params);
        }
        Params::parse(format!("{in_address}{}", form.params.to_query()).as_bytes())
    }) {
        Ok(params) => params,
        Err(e) => return edge.finish(Err(Refused::Page(e))),
    };
    let query = params.to_query();
    if browser.is_new() && query.len() <= LONGEST_QUERY {
        return render::redirect(StatusCode::SEE_OTHER, &format!("{path}?{query}"));
    }
    begin(&edge, browser, &headers, &params, StatusCode::SEE_OTHER).await
}

async fn begin(
    edge: &Edge,
    browser: Browser,
    headers: &HeaderMap,
    params: &Params,
    status: StatusCode,
) -> Response {
    let provider = &edge.provider;
    // In this order: a session that ends with everything of its user ends before that is revoked.
    let seen =
        async { Ok::<_, PortError>((provider.epoch().await?, provider.login(headers).await?)) };
    let (since, login) = match seen.await {
        Ok(seen) => seen,
        Err(e) => return edge.finish(Err(Refused::Page(e.into()))),
    };
    let (browser, cookie) = browser.or_new(provider);
    let outcome = provider.authorize(params, Visitor { login, since, browser }).await;
    let mut response = render::outcome(edge, outcome, status);
    if let Some(cookie) = cookie.and_then(|c| HeaderValue::from_str(&c).ok()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

async fn token(State(edge): State<Edge>, request: Request) -> Response {
    let outcome = async { edge.provider.token(&incoming(request).await?).await };
    render::json(outcome.await)
}

async fn revoke(State(edge): State<Edge>, request: Request) -> Response {
    let outcome = async { edge.provider.revoke(&incoming(request).await?).await };
    match outcome.await {
        Ok(()) => (StatusCode::OK, render::NO_STORE).into_response(),
        Err(e) => error_json(&e),
    }
}

async fn introspect(State(edge): State<Edge>, request: Request) -> Response {
    let outcome = async { edge.provider.introspect(&incoming(request).await?).await };
    render::json(outcome.await)
}

async fn jwks(State(edge): State<Edge>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let named = accept.split(',').any(|range| {
        range.split(';').next().is_some_and(|mime| mime.trim().eq_ignore_ascii_case(JWK_SET))
    });
    match edge.provider.jwks().await {
        Ok(set) => render::document(if named { JWK_SET } else { edge.key_set }, set),
        Err(e) => error_json(&OAuthError::from(e)),
    }
}

async fn metadata(State(edge): State<Edge>) -> Response {
    render::document("application/json", edge.provider.metadata().to_string())
}
