//! The other mode: the tokens themselves are in cookies, for APIs that check them on their own.
//!
//! The access token is a JWT with the CSRF token of its session and the session's name in it, so an API on this origin
//! needs nothing but the keys of the issuer. The refresh token goes to `/auth` alone, and is used once. Scripts can read
//! neither. When the session ends, whatever ends it, both are dead: the authorization is revoked, and the session is on
//! the list of revoked ones.

use super::{Known, is_bearer, problem::Trouble};
use crate::{
    people::{Device, Error, Tokens, own_client},
    session::Session,
    state::AppState,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, header};
use oauth_core::{
    error::PortError,
    http::cookie,
    model::{HashedToken, Timestamp, TokenKind},
};
use serde_json::Value;

/// The path below which the browser sends the refresh token.
const REFRESH_PATH: &str = "/auth";

/// The names of the cookies. Without https there are no prefixes; production refuses that.
const fn names(https: bool) -> (&'static str, &'static str) {
    // A path and the prefix `__Host-` exclude each other, hence `__Secure-`.
    if https { ("__Host-at", "__Secure-rt") } else { ("at", "rt") }
}

fn is_https(state: &AppState) -> bool {
    state.config.issuer().is_https()
}

/// Tokens for the session of a browser, as cookies; nothing if the session ended meanwhile.
pub(super) async fn begin(
    state: &AppState,
    session: &Session,
    headers: &HeaderMap,
) -> Result<Option<[HeaderValue; 2]>, Trouble> {
    let device = Device::of(headers);
    let tokens = match state.people().issue(session.login.clone(), device).await {
        Ok(tokens) => tokens,
        Err(Error::Refused(_)) => return Ok(None),
        Err(Error::Failed(e)) => return Err(e.into()),
    };
    // Whatever ends the session revokes what it finds. What was written after that is found here.
    let still = state.sessions.current(headers).await?;
    if still.is_none_or(|s| s.login.sid != session.login.sid) {
        state.provider.env().grants.revoke(tokens.authorization, state.now()).await?;
        return Ok(None);
    }
    Ok(Some(cookies(state, &tokens)))
}

/// Who holds the access token in the cookie.
pub(super) async fn holder(
    state: &AppState,
    headers: &HeaderMap,
) -> Result<Option<Known>, Trouble> {
    if is_bearer(headers) {
        return Ok(None);
    }
    let Some(token) = cookie(headers, names(is_https(state)).0) else { return Ok(None) };
    let caller = match state.people().caller(Some(token)).await {
        Ok(caller) => caller,
        Err(Error::Refused(_)) => return Ok(None),
        Err(Error::Failed(e)) => return Err(e.into()),
    };
    let (Some(account), Some(sid)) = (caller.account, caller.login.sid) else { return Ok(None) };
    Ok(Some(Known {
        user: account.id,
        username: account.username,
        sid,
        auth_time: caller.login.at,
        expires_at: expiry(token).unwrap_or_else(|| state.now()),
    }))
}

/// The session that the refresh token in the cookie belongs to, if that is the one of the browser and lives. Asking for
/// it keeps it alive.
pub(super) async fn refreshing(
    state: &AppState,
    headers: &HeaderMap,
) -> Result<Option<String>, PortError> {
    if is_bearer(headers) {
        return Ok(None);
    }
    let Some(token) = cookie(headers, names(is_https(state)).1) else { return Ok(None) };
    let found = state.provider.env().grants.token(&HashedToken::of(token)).await?;
    let ours = found.filter(|t| t.kind == TokenKind::Refresh && t.client == own_client::id());
    let sid = ours.and_then(|t| t.login).and_then(|login| login.sid);
    let session = state.sessions.current(headers).await?;
    Ok(sid.filter(|sid| session.is_some_and(|s| s.login.sid.as_ref() == Some(sid))))
}

/// Other tokens for the refresh token in the cookie.
pub(super) async fn refresh(
    state: &AppState,
    headers: &HeaderMap,
) -> Result<Option<(Known, [HeaderValue; 2])>, Trouble> {
    let Some(token) = cookie(headers, names(is_https(state)).1) else { return Ok(None) };
    let tokens = match state.people().refresh(token).await {
        Ok(tokens) => tokens,
        Err(Error::Refused(_)) => return Ok(None),
        Err(Error::Failed(e)) => return Err(e.into()),
    };
    let cookies = cookies(state, &tokens);
    let mut fresh = HeaderMap::new();
    if let Some(access) = cookies.first() {
        fresh.insert(header::COOKIE, access.clone());
    }
    let known = holder(state, &fresh).await?;
    Ok(known.map(|known| (known, cookies)))
}

fn cookies(state: &AppState, tokens: &Tokens) -> [HeaderValue; 2] {
    let refresh = tokens.refresh_token.as_deref().unwrap_or_default();
    [access_cookie(state, &tokens.access_token, ""), refresh_cookie(state, refresh, "")]
}

/// What makes a browser forget both.
pub(super) fn forget(state: &AppState) -> [HeaderValue; 2] {
    const GONE: &str = "; Max-Age=0";
    [access_cookie(state, "", GONE), refresh_cookie(state, "", GONE)]
}

fn access_cookie(state: &AppState, value: &str, age: &str) -> HeaderValue {
    let https = is_https(state);
    let secure = if https { "; Secure" } else { "" };
    let name = names(https).0;
    cookie_of(format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}"))
}

fn refresh_cookie(state: &AppState, value: &str, age: &str) -> HeaderValue {
    let https = is_https(state);
    let secure = if https { "; Secure" } else { "" };
    let name = names(https).1;
    cookie_of(format!(
        "{name}={value}; Path={REFRESH_PATH}; HttpOnly; SameSite=Strict{secure}{age}"
    ))
}

fn cookie_of(text: String) -> HeaderValue {
    let mut value = HeaderValue::try_from(text).expect("tokens may stand in a header");
    value.set_sensitive(true);
    value
}

/// When a JWT whose signature was checked dies.
fn expiry(token: &str) -> Option<Timestamp> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    claims.get("exp")?.as_i64().map(Timestamp::from_unix)
}
