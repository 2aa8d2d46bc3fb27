//! Introspection: [RFC 7662](https://www.rfc-editor.org/rfc/rfc7662).

use crate::{
    client_auth::{self, AuthenticatedClient},
    env::Env,
    error::OAuthError,
    issue::granted_rights,
    jose::{Jwt, verify},
    model::{ClientId, HashedToken, ResourceUri, SigningAlgorithm, Timestamp, Token, TokenKind},
    params::Incoming,
};
use serde_json::{Map, Value, json};

/// The kind under which revoked ids of JWTs without a row are marked as seen.
pub(super) const REVOKED_JWT: &str = "revoked-jwt";

/// Describes a live token; `{"active":false}` and nothing else for anything else
/// ([RFC 7662 2.2](https://www.rfc-editor.org/rfc/rfc7662#section-2.2)).
///
/// Only clients with credentials may ask, and only its own client learns of a refresh token.
pub async fn introspect(env: &Env, req: &Incoming) -> Result<Map<String, Value>, OAuthError> {
    let caller = client_auth::authenticate(env, req).await?;
    if caller.is_public() {
        return Err(OAuthError::invalid_client());
    }
    let presented = req.params.require("token")?;
    let now = env.clock.now();
    let found = match env.grants.token(&HashedToken::of(presented)).await? {
        Some(token) if token.is_live(now) && may_see(&caller, &token) => {
            describe(env, presented, &token, now).await?
        }
        Some(_) => None,
        None => own_jwt(env, presented, now).await?.map(as_bearer),
    };
    Ok(match found {
        Some(mut claims) => {
            claims.insert("active".into(), Value::Bool(true));
            claims
        }
        None => Map::from_iter([("active".to_owned(), Value::Bool(false))]),
    })
}

/// The claims of a live access token, for resources in the same process; nothing for anything else.
pub async fn access_token(
    env: &Env,
    presented: &str,
) -> Result<Option<Map<String, Value>>, OAuthError> {
    let now = env.clock.now();
    match env.grants.token(&HashedToken::of(presented)).await? {
        Some(token) if token.kind == TokenKind::Access && token.is_live(now) => {
            describe(env, presented, &token, now).await
        }
        Some(_) => Ok(None),
        None => Ok(own_jwt(env, presented, now).await?.map(as_bearer)),
    }
}

fn may_see(caller: &AuthenticatedClient, token: &Token) -> bool {
    token.kind == TokenKind::Access || token.client == caller.id
}

/// A refresh token has no `token_type`, so that nobody takes it for an access token.
fn as_bearer(jwt: Jwt) -> Map<String, Value> {
    let mut claims = jwt.claims;
    claims.insert("token_type".into(), "Bearer".into());
    claims
}

/// `None` when its client or its user is gone.
async fn describe(
    env: &Env,
    presented: &str,
    token: &Token,
    now: Timestamp,
) -> Result<Option<Map<String, Value>>, OAuthError> {
    if env.clients.client(&token.client).await?.is_none() {
        return Ok(None);
    }
    let mut claims = match (token.kind, our_jwt(env, presented, now).await?) {
        (TokenKind::Access, Some(jwt)) => as_bearer(jwt),
        _ => from_row(env, token).await?,
    };
    if let Some(user) = token.user() {
        let Some(user) = env.users.user(user).await? else {
            return Ok(None);
        };
        claims.insert("username".into(), user.username.into());
    }
    Ok(Some(claims))
}

async fn from_row(env: &Env, token: &Token) -> Result<Map<String, Value>, OAuthError> {
    let subject = token.user().map_or(token.client.as_str(), |u| u.as_str());
    let audience: Vec<_> = token.resources.iter().map(ResourceUri::as_str).collect();
    let mut claims = Map::from_iter([
        ("iss".to_owned(), json!(env.issuer.as_str())),
        ("sub".to_owned(), json!(subject)),
        ("client_id".to_owned(), json!(token.client.as_str())),
        ("iat".to_owned(), json!(token.issued_at.unix())),
        ("exp".to_owned(), json!(token.expires_at.unix())),
        ("scope".to_owned(), json!(token.scope.to_string())),
    ]);
    let audience = match audience.as_slice() {
        [] => json!(env.issuer.as_str()),
        [one] => json!(one),
        many => json!(many),
    };
    claims.insert("aud".into(), audience);
    if token.kind == TokenKind::Access {
        claims.insert("token_type".into(), "Bearer".into());
    }
    if let Some(user) = token.user() {
        let rights = env.users.rights(user).await?;
        claims.extend(granted_rights(&rights, &token.scope));
    }
    Ok(claims)
}

/// A live access token of ours that has no row: a client's own JWT. A user's JWT without a row is dead, because
/// its authorization is gone.
pub(super) async fn own_jwt(
    env: &Env,
    presented: &str,
    now: Timestamp,
) -> Result<Option<Jwt>, OAuthError> {
    let Some(jwt) = our_jwt(env, presented, now).await? else {
        return Ok(None);
    };
    let (Some(client), Some(jti)) = (jwt.text("client_id"), jwt.text("jti")) else {
        return Ok(None);
    };
    if jwt.text("sub") != Some(client)
        || jwt.claims.contains_key("auth_time")
        || env.clients.client(&ClientId::new(client)).await?.is_none()
        || env.grants.seen(REVOKED_JWT, jti, now).await?
    {
        return Ok(None);
    }
    Ok(Some(jwt))
}

/// An unexpired access token JWT signed by us. Its `iat` is ours, so a clock of another process that runs ahead
/// by a second is no reason to doubt it.
async fn our_jwt(env: &Env, presented: &str, now: Timestamp) -> Result<Option<Jwt>, OAuthError> {
    if presented.bytes().filter(|&b| b == b'.').count() != 2 {
        return Ok(None);
    }
    let keys = env.key_snapshot(now).await?;
    let jwt = verify(presented, keys.verification(), &SigningAlgorithm::ALL).ok();
    Ok(jwt.filter(|jwt| {
        jwt.is_typ("at+jwt")
            && jwt.text("iss") == Some(env.issuer.as_str())
            && jwt.expires_at().is_some_and(|exp| exp > now)
    }))
}
