//! `/api/v1`: the addresses that front ends of the original use, as other names for those at `/auth`. Off unless
//! `bff.api_v1` is on.
//!
//! Three things are not as they were. `return_keys=1` is ignored: no page is given a token. Other people are looked up
//! with a token of the scope `users:read` alone, by those who look after them and by clients of the operator. And whoever
//! has a refresh token uses it at the token endpoint, where the next one is given, too.

use super::{
    bearer, is_bearer, login, logout, of_cookie,
    problem::{Problem, Trouble},
    session::{profile, renewed},
};
use crate::{
    administration::clients::is_operators,
    audit::{Entry, Kind},
    config::Authenticator,
    state::AppState,
};
use axum::{
    Json, Router,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
    routing::{delete, get, post},
};
use http::{HeaderMap, Method, header};
use oauth_core::{
    error::PortError,
    model::{ClientId, HashedToken, Role, UserId},
};
use resource_guard::{Revocations as _, session_entry};
use serde_json::{Map, Value, json};

/// The scope that looks up other people.
pub(crate) const USERS_READ: &str = "users:read";

/// The routes.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/v1/auth/login", get(login::login))
        .route("/api/v1/auth/oauth2callback", get(|| async { Problem::CALLBACK }))
        .route("/api/v1/auth/refresh", post(refresh))
        .route("/api/v1/auth/authorized", post(authorized))
        .route("/api/v1/auth/logout", delete(log_out))
        .route("/api/v1/users/me", get(me))
        .route("/api/v1/users/{id}", get(by_id))
        .route("/api/v1/users/by_username/{name}", get(by_name))
}

/// As `/auth/refresh`, with less of an answer.
async fn refresh(
    State(state): State<AppState>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    if is_bearer(&headers) {
        return Err(Problem::TOKEN_ENDPOINT.into());
    }
    let (_, set) = renewed(&state, &method, &headers).await?;
    let mut response = Json(json!({ "msg": "Session refreshed" })).into_response();
    for cookie in set {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

async fn authorized(
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<Json<&'static str>, Trouble> {
    caller(&state, &headers).await?;
    Ok(Json("valid"))
}

/// With a token, what that hangs below; with a cookie, as `/auth/logout`.
async fn log_out(
    State(state): State<AppState>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let set = match bearer(&headers) {
        Some(token) => {
            let claims = claims(&state, token).await?;
            revoke(&state, token, &claims).await?;
            let text = |name: &str| claims.get(name).and_then(Value::as_str);
            let (user, client) =
                (text("sub").map(UserId::new), text("client_id").map(ClientId::new));
            let entry = user.iter().fold(Entry::new(Kind::Revoked), Entry::user);
            state.audit.write(client.iter().fold(entry, Entry::client)).await?;
            Vec::new()
        }
        None => logout::left(&state, &method, &headers).await?.1,
    };
    let mut response = Json(json!({ "msg": "Access token revoked" })).into_response();
    for cookie in set {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The authorization of a token, with its refresh tokens, and the token itself for those who check it on their own.
async fn revoke(state: &AppState, token: &str, claims: &Map<String, Value>) -> Result<(), Trouble> {
    let env = state.provider.env();
    let now = state.now();
    if let Some(row) = env.grants.token(&HashedToken::of(token)).await? {
        match row.authorization {
            Some(authorization) => env.grants.revoke(authorization, now).await?,
            None => env.grants.revoke_token(&HashedToken::of(token), now).await?,
        }
    }
    if let Some(jti) = claims.get("jti").and_then(Value::as_str) {
        let until = now.plus(state.config.tokens.access_token_max_ttl);
        state.revocations.revoke(jti, until).await?;
    }
    Ok(())
}

async fn me(State(state): State<AppState>, headers: HeaderMap) -> Result<Response, Trouble> {
    let user = caller(&state, &headers).await?;
    person(&state, &user).await
}

async fn by_id(
    State(state): State<AppState>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    may_look_up(&state, &headers).await?;
    person(&state, &UserId::new(id)).await
}

async fn by_name(
    State(state): State<AppState>,
    headers: HeaderMap,
    Path(name): Path<String>,
) -> Result<Response, Trouble> {
    may_look_up(&state, &headers).await?;
    let account = state.store.account_by_name(&name).await?.ok_or(Problem::NOT_FOUND)?;
    person(&state, &account.id).await
}

/// Who calls: by a token, or else by a cookie.
async fn caller(state: &AppState, headers: &HeaderMap) -> Result<UserId, Trouble> {
    let Some(token) = bearer(headers) else {
        return Ok(of_cookie(state, headers).await?.ok_or(Problem::NOBODY)?.user);
    };
    let claims = claims(state, token).await?;
    let sub = claims.get("sub").and_then(Value::as_str).ok_or(Problem::TOKEN)?;
    Ok(UserId::new(sub))
}

/// Lets those look other people up who may. The scope is not enough: everybody can register a client with it.
async fn may_look_up(state: &AppState, headers: &HeaderMap) -> Result<(), Trouble> {
    let token = bearer(headers).ok_or(Problem::TOKEN)?;
    let claims = claims(state, token).await?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    if !text("scope").split(' ').any(|word| word == USERS_READ) {
        return Err(Problem::SCOPE.into());
    }
    let row = state.provider.env().grants.token(&HashedToken::of(token)).await?;
    let may = match row.as_ref().and_then(|token| token.user()) {
        Some(user) => looks_after_others(state, user).await?,
        None => is_operators(state, &ClientId::new(text("client_id"))).await?,
    };
    if may { Ok(()) } else { Err(Problem::LOOK_UP.into()) }
}

/// Whether a user is one of the staff or an administrator at this moment. Where everybody may sign in as anybody, nobody is.
async fn looks_after_others(state: &AppState, user: &UserId) -> Result<bool, PortError> {
    let proven = state.config.general.authenticator == Authenticator::Database;
    let account = state.store.account(user).await?.filter(|account| !account.disabled);
    Ok(proven && account.is_some_and(|account| account.role() >= Role::Staff))
}

/// What a token says that is for this server, alive, and not on the list of revoked ones.
async fn claims(state: &AppState, token: &str) -> Result<Map<String, Value>, Trouble> {
    let claims = state.provider.access_token(token).await?.ok_or(Problem::TOKEN)?;
    let issuer = state.config.issuer();
    let ours = |aud: &Value| aud.as_str() == Some(issuer.as_str());
    let for_us = match claims.get("aud") {
        Some(Value::Array(list)) => list.iter().any(ours),
        Some(one) => ours(one),
        None => false,
    };
    let text = |name| claims.get(name).and_then(Value::as_str);
    let session = text("sid").map(session_entry);
    let ids: Vec<&str> = [text("jti"), session.as_deref()].into_iter().flatten().collect();
    if !for_us || state.revocations.is_any_revoked(&ids, state.now()).await? {
        return Err(Problem::TOKEN.into());
    }
    Ok(claims)
}

/// A user as the original shows one. There is no `google_id` here: whom a user signs in with elsewhere is nobody's
/// business but its own.
async fn person(state: &AppState, id: &UserId) -> Result<Response, Trouble> {
    let user = state.users.user(id).await?.ok_or(Problem::NOT_FOUND)?;
    let profile = profile(state, id).await?;
    let text = |name: &str| profile.get(name).and_then(Value::as_str);
    let body = json!({
        "id": user.id.as_str(),
        "name": text("name").unwrap_or(&user.username),
        "username": user.username,
        "avatar": text("picture"),
    });
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}
