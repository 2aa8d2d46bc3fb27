//! `/auth`: browser sessions for front ends ("backend for frontend").
//!
//! The page of a front end never has a token. It has a cookie that its scripts cannot read, and asks here who is signed
//! in. What it sends with that cookie must carry the CSRF token of the session, which it is told here, too.

mod login;
mod logout;
mod problem;
mod return_to;
mod session;

use crate::{config::CsrfRule, session::Session, state::AppState};
use axum::{
    Router,
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, Method, header};
use oauth_core::error::PortError;
use problem::Problem;
use resource_guard::{Csrf, CsrfMethods};

pub(crate) use return_to::{of_word, through_login, word_of};

/// Where front ends send people to sign in.
pub(crate) const LOGIN: &str = "/auth/login";
const CSRF_PURPOSE: &[u8] = b"oauth-server: CSRF token of a session";

/// The routes, if they are wanted.
pub fn router(state: &AppState) -> Router {
    if !state.config.bff.enabled {
        return Router::new();
    }
    Router::new()
        .route(LOGIN, get(login::login))
        .route("/auth/session", get(session::show))
        .route("/auth/refresh", post(session::refresh))
        .route("/auth/logout", post(logout::logout))
        .method_not_allowed_fallback(|| async { Problem::METHOD })
        .with_state(state.clone())
}

/// The session of a request that lives on its cookie. A request with a token lives on that alone, and the cookie beside
/// it counts for nothing.
async fn of_cookie(state: &AppState, headers: &HeaderMap) -> Result<Option<Session>, PortError> {
    if is_bearer(headers) {
        return Ok(None);
    }
    state.sessions.current(headers).await
}

/// Whether a request carries a token, in `Authorization` or in `X-API-KEY`.
fn is_bearer(headers: &HeaderMap) -> bool {
    let names = [header::AUTHORIZATION.as_str(), "x-api-key"];
    names.iter().flat_map(|name| headers.get_all(*name)).any(|value| {
        let scheme = value.as_bytes().split(|b| *b == b' ').next().unwrap_or_default();
        scheme.eq_ignore_ascii_case(b"bearer")
    })
}

/// The CSRF token of a session. It stays the same as long as the session, whatever becomes of the cookie, so that tabs
/// need not tell each other.
fn csrf_token(state: &AppState, session: &Session) -> String {
    let sid = session.login.sid.as_deref().unwrap_or(&session.id);
    URL_SAFE_NO_PAD.encode(state.provider.env().sealer.tag(CSRF_PURPOSE, sid.as_bytes()))
}

/// Checks that a request with the cookie of a session was sent by a page of ours.
fn check_csrf(
    state: &AppState,
    session: &Session,
    method: &Method,
    headers: &HeaderMap,
) -> Result<(), Problem> {
    let issuer = state.config.issuer();
    let origin = url::Url::parse(issuer.as_str()).map(|u| u.origin().ascii_serialization());
    let methods = match state.config.bff.csrf_methods {
        CsrfRule::All => CsrfMethods::All,
        CsrfRule::Unsafe => CsrfMethods::Unsafe,
    };
    let csrf = Csrf::new().methods(methods).trusted_origin(origin.unwrap_or_default());
    csrf.check(method, headers, &csrf_token(state, session))
        .map_err(|refusal| Problem::csrf(&refusal))
}
