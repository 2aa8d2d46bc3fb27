//! Who may do what: the host that is asked for, the browser that asks, the page a form comes from, the access key.

use super::{Web, forms::Fields, views};
use crate::{seal::random, secret::Secret};
use aws_lc_rs::hmac;
use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

const COOKIE: &str = "oauth_helper";
const LARGEST_FORM: usize = 64 * 1024;
/// So many browsers at most are let in by the access key before all have to show it again.
const MOST_BROWSERS: usize = 1000;

/// One browser, and the seal of the forms it is shown.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) browser: String,
    pub(super) token: String,
}

/// The key of this process that ties a form to the browser it was shown in.
#[derive(Debug)]
pub(super) struct FormSeal(hmac::Key);

impl FormSeal {
    pub(super) fn new() -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &random::<32>()))
    }

    fn of(&self, browser: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, browser.as_bytes()))
    }

    fn fits(&self, browser: &str, token: &str) -> bool {
        let Ok(tag) = URL_SAFE_NO_PAD.decode(token) else { return false };
        hmac::verify(&self.0, browser.as_bytes(), &tag).is_ok()
    }
}

/// The browsers that have shown the access key.
#[derive(Debug, Default)]
pub(super) struct Admitted(Mutex<HashSet<String>>);

impl Admitted {
    fn has(&self, browser: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(browser)
    }

    fn add(&self, browser: String) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_BROWSERS {
            all.clear();
        }
        all.insert(browser);
    }
}

/// The answer to a form of another site.
pub(super) fn from_elsewhere<T>(_: T) -> Response {
    crate::pages::plain(StatusCode::FORBIDDEN, "this request comes from another site")
}

/// Only what names us is answered, so that no name of somebody else's can be made to lead here.
pub(super) async fn host(State(web): State<Web>, request: Request, next: Next) -> Response {
    let named = request.headers().get(header::HOST).and_then(|v| v.to_str().ok());
    match named {
        Some(host) if web.0.hosts.iter().any(|h| h == host) => next.run(request).await,
        _ => crate::pages::plain(
            StatusCode::MISDIRECTED_REQUEST,
            "this page is not known under that name; see server.allowed_hosts",
        ),
    }
}

/// Gives every browser a name of its own.
pub(super) async fn visit(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    let known = cookie(&request);
    let fresh = known.is_none();
    let browser = known.unwrap_or_else(|| URL_SAFE_NO_PAD.encode(random::<32>()));
    let token = web.0.seal.of(&browser);
    request.extensions_mut().insert(Visit { browser: browser.clone(), token });
    let mut response = next.run(request).await;
    if fresh {
        let secure = if web.0.base.scheme() == "https" { "; Secure" } else { "" };
        // Lax, because the provider sends people back here.
        let cookie = format!("{COOKIE}={browser}; Path=/; HttpOnly; SameSite=Lax{secure}");
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

fn cookie(request: &Request) -> Option<String> {
    let all = request.headers().get_all(header::COOKIE);
    all.iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, value)| *name == COOKIE && is_ours(value))
        .map(|(_, value)| value.to_owned())
}

fn is_ours(value: &str) -> bool {
    URL_SAFE_NO_PAD.decode(value).is_ok_and(|bytes| bytes.len() == 32)
}

/// Where there is an access key, nothing is shown before it was.
pub(super) async fn admitted(State(web): State<Web>, request: Request, next: Next) -> Response {
    let browser =
        request.extensions().get::<Visit>().map(|v| v.browser.clone()).unwrap_or_default();
    if web.0.access_key.is_none() || web.0.admitted.has(&browser) {
        return next.run(request).await;
    }
    Redirect::to("/access").into_response()
}

/// The page that asks for the access key.
pub(super) async fn ask_key(visit: axum::Extension<Visit>) -> Response {
    views::access(&visit, false)
}

/// Takes the access key. It is long and random, or somebody's own choice; in between, guessing takes its time.
pub(super) async fn take_key(State(web): State<Web>, form: Posted) -> Response {
    let given = Secret::new(form.fields.text("access_key"));
    if web.0.access_key.as_ref().is_none_or(|key| *key == given) {
        web.0.admitted.add(form.visit.browser);
        return Redirect::to("/").into_response();
    }
    tracing::warn!("a wrong access key was given");
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    views::access(&form.visit, true)
}

/// A form that was shown by us in this browser. There is no other way to read one.
pub(super) struct Posted {
    pub(super) visit: Visit,
    pub(super) fields: Fields,
}

impl FromRequest<Web> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Response> {
        let refuse = |status, text: &str| crate::pages::plain(status, text);
        let Some(visit) = request.extensions().get::<Visit>().cloned() else {
            return Err(refuse(StatusCode::INTERNAL_SERVER_ERROR, "no browser is known"));
        };
        let body: Body = request.into_body();
        let bytes = to_bytes(body, LARGEST_FORM)
            .await
            .map_err(|_| refuse(StatusCode::PAYLOAD_TOO_LARGE, "this form is too large"))?;
        let fields = Fields::parse(&bytes)
            .ok_or_else(|| refuse(StatusCode::BAD_REQUEST, "a field is there twice"))?;
        if !web.0.seal.fits(&visit.browser, &fields.text("form_token")) {
            return Err(refuse(
                StatusCode::FORBIDDEN,
                "this form is too old or was not shown in this browser; go back and load the page again",
            ));
        }
        Ok(Self { visit, fields })
    }
}
