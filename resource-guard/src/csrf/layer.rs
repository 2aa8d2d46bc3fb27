//! The check in front of a service whose sessions are opaque cookies.

use super::{Csrf, X_API_KEY};
use crate::{
    cookie::only_cookie,
    refusal::{Realm, Refusal, Style, Voice},
    token::Places,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Request, Response, header, request::Parts};
use oauth_core::jose::Sealer;
use std::{
    fmt, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tower::{Layer, Service};

const PURPOSE: &[u8] = b"resource-guard: CSRF token of a session";

/// A [`tower::Layer`] that lets a request with a session cookie pass only with the CSRF token of that session: an
/// HMAC over the session id, so that nothing has to be stored and nobody else can make one.
///
/// A request with a bearer token lives on that alone: its cookies are taken off before the service sees it, so that
/// nothing is done in the name of whoever the cookie stands for without the check. A request with neither passes,
/// since there is nothing to abuse.
///
/// ```
/// use resource_guard::{Csrf, CsrfLayer};
///
/// let layer = CsrfLayer::new("__Host-session", &[7; 32], Csrf::new());
/// let for_the_page = layer.token_of("the session id of the cookie");
/// # assert_eq!(for_the_page.len(), 43);
/// ```
#[derive(Clone)]
pub struct CsrfLayer(Arc<Inner>);

struct Inner {
    cookie: String,
    sealer: Sealer,
    csrf: Csrf,
    places: Places,
}

impl CsrfLayer {
    /// For sessions in this cookie. The key is secret, and the same in every process.
    pub fn new(cookie: impl Into<String>, key: &[u8; 32], csrf: Csrf) -> Self {
        let places = Places { api_key: Some(X_API_KEY), cookie: None };
        Self(Arc::new(Inner { cookie: cookie.into(), sealer: Sealer::new(key), csrf, places }))
    }

    /// The CSRF token of a session, for its page.
    pub fn token_of(&self, session: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.0.sealer.tag(PURPOSE, session.as_bytes()))
    }

    fn decide(&self, parts: &mut Parts) -> Result<(), Refusal> {
        if self.0.places.token(parts)?.is_some() {
            parts.headers.remove(header::COOKIE);
            return Ok(());
        }
        match only_cookie(&parts.headers, &self.0.cookie)? {
            Some(session) => {
                self.0.csrf.check(&parts.method, &parts.headers, &self.token_of(session))
            }
            None => Ok(()),
        }
    }
}

impl fmt::Debug for CsrfLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsrfLayer").field("cookie", &self.0.cookie).finish_non_exhaustive()
    }
}

/// A service behind the check.
#[derive(Clone, Debug)]
pub struct CsrfGuarded<S> {
    inner: S,
    layer: CsrfLayer,
}

impl<S> Layer<S> for CsrfLayer {
    type Service = CsrfGuarded<S>;

    fn layer(&self, inner: S) -> CsrfGuarded<S> {
        CsrfGuarded { inner, layer: self.clone() }
    }
}

impl<S, B, R> Service<Request<B>> for CsrfGuarded<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The service that was found ready must be the one that is called.
        let later = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, later);
        let layer = self.layer.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            match layer.decide(&mut parts) {
                Ok(()) => inner.call(Request::from_parts(parts, body)).await,
                Err(refusal) => {
                    let voice = Voice { style: Style::default(), realm: Realm::default() };
                    tracing::info!(
                        target: "resource_guard::audit",
                        reason = refusal.reason(),
                        method = parts.method.as_str(),
                        "request refused",
                    );
                    Ok(refusal.response(&voice))
                }
            }
        })
    }
}
