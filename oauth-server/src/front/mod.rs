//! `/auth`: browser sessions for front ends ("backend for frontend").
//!
//! The page of a front end never has a token. It has a cookie that its scripts cannot read, and asks here who is signed
//! in. What it sends with that cookie must carry the CSRF token of the session, which it is told here, too.
//!
//! Usually the cookie is that of the session itself, which is in the database. In the other mode there are two more, with
//! tokens, for APIs that check them on their own.

mod api_v1;
mod login;
mod logout;
mod problem;
mod return_to;
mod session;
mod tokens;

pub(crate) use api_v1::USERS_READ;
pub(crate) use problem::Problem;

use crate::{
    config::{CsrfRule, SessionCookie},
    session::Session,
    state::AppState,
};
use axum::{
    Router,
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, Method, header};
use oauth_core::{
    jose::Sealer,
    model::{Timestamp, UserId},
};
use problem::Trouble;
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
    let mut router = Router::new()
        .route(LOGIN, get(login::login))
        .route("/auth/session", get(session::show))
        .route("/auth/refresh", post(session::refresh))
        .route("/auth/logout", post(logout::logout));
    if state.config.bff.api_v1 {
        router = router.merge(api_v1::routes());
    }
    router.method_not_allowed_fallback(|| async { Problem::METHOD }).with_state(state.clone())
}

/// Who is signed in.
#[derive(Clone, Debug)]
struct Known {
    user: UserId,
    username: String,
    /// The name of the session.
    sid: String,
    auth_time: Timestamp,
    /// When there has to be a refresh.
    expires_at: Timestamp,
}

impl From<Session> for Known {
    fn from(session: Session) -> Self {
        Self {
            user: session.user.id,
            username: session.user.username,
            sid: session.login.sid.unwrap_or(session.id),
            auth_time: session.login.at,
            expires_at: session.expires_at,
        }
    }
}

/// Who is signed in, by the cookies of a request. A request with a token in a header lives on that alone, and cookies
/// beside it count for nothing.
async fn of_cookie(state: &AppState, headers: &HeaderMap) -> Result<Option<Known>, Trouble> {
    if is_bearer(headers) {
        return Ok(None);
    }
    match state.config.bff.cookie {
        SessionCookie::Opaque => Ok(state.sessions.current(headers).await?.map(Known::from)),
        SessionCookie::Jwt => tokens::holder(state, headers).await,
    }
}

/// What makes a browser forget the tokens that it has in cookies, where it has.
pub(crate) fn forget_tokens(state: &AppState) -> Vec<http::HeaderValue> {
    match state.config.bff.cookie {
        SessionCookie::Opaque => Vec::new(),
        SessionCookie::Jwt => tokens::forget(state).into(),
    }
}

/// Whether a request carries a token, in `Authorization` or in `X-API-KEY`.
fn is_bearer(headers: &HeaderMap) -> bool {
    bearer(headers).is_some()
}

/// The token that a request carries; empty where there is none after the word.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let names = [header::AUTHORIZATION.as_str(), "x-api-key"];
    names.iter().flat_map(|name| headers.get_all(*name)).find_map(|value| {
        let text = value.to_str().ok()?.trim();
        let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    })
}

/// The CSRF token of a session. It stays the same as long as the session, whatever becomes of the cookie, so that tabs
/// need not tell each other.
pub(crate) fn csrf_token(sealer: &Sealer, sid: &str) -> String {
    URL_SAFE_NO_PAD.encode(sealer.tag(CSRF_PURPOSE, sid.as_bytes()))
}

/// Checks that a request with the cookie of a session was sent by a page of ours.
fn check_csrf(
    state: &AppState,
    sid: &str,
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
    let expected = csrf_token(&state.provider.env().sealer, sid);
    csrf.check(method, headers, &expected).map_err(|refusal| Problem::csrf(&refusal))
}
