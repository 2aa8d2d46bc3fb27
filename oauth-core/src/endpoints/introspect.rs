//! Introspection: [RFC 7662](https://www.rfc-editor.org/rfc/rfc7662).

use crate::{
    client_auth::{self, AuthenticatedClient},
    env::Env,
    error::OAuthError,
    issue::{audience, more_claims},
    jose::{Jwt, verify},
    model::{
        Client, ClientId, HashedToken, SigningAlgorithm, SubjectType, Timestamp, Token, TokenKind,
    },
    openid::subject,
    params::Incoming,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
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
    let Some(client) = env.clients.client(&token.client).await? else {
        return Ok(None);
    };
    let mut claims = match (token.kind, our_jwt(env, presented, now).await?) {
        (TokenKind::Access, Some(jwt)) => as_bearer(jwt),
        _ => from_row(env, &client, presented, token).await?,
    };
    if let Some(user) = token.user() {
        let Some(user) = env.users.user(user).await? else {
            return Ok(None);
        };
        // The name of a pairwise user would undo what the subject is for.
        if client.metadata.subject_type == SubjectType::Public {
            claims.insert("username".into(), user.username.into());
        }
    }
    Ok(Some(claims))
}

/// What a JWT would say in the place of the token, or of the access tokens it refreshes.
async fn from_row(
    env: &Env,
    client: &Client,
    presented: &str,
    token: &Token,
) -> Result<Map<String, Value>, OAuthError> {
    let login = token.login.as_ref();
    let rights = match token.user() {
        Some(user) => env.users.rights(user).await?,
        None => Vec::new(),
    };
    let subject = match token.user() {
        Some(user) => subject(env, client, user),
        None => client.id.to_string(),
    };
    let mut claims = more_claims(env, client, login, &token.scope, &rights).await?;
    let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    set("iss", json!(env.issuer.as_str()));
    set("sub", json!(subject));
    set("aud", audience(env, &token.resources, &token.scope));
    set("client_id", json!(token.client.as_str()));
    set("iat", json!(token.issued_at.unix()));
    set("exp", json!(token.expires_at.unix()));
    set("jti", json!(token_id(env, presented)));
    set("scope", json!(token.scope.to_string()));
    if let Some(login) = login {
        set("auth_time", json!(login.at.unix()));
        if !login.amr.is_empty() {
            set("amr", json!(login.amr));
        }
        if let Some(acr) = &login.acr {
            set("acr", json!(acr));
        }
    }
    if token.kind == TokenKind::Access {
        set("token_type", json!("Bearer"));
    } else {
        claims.remove("token_type");
    }
    Ok(claims)
}

/// A name for an opaque token by which nobody can use it or look it up.
fn token_id(env: &Env, presented: &str) -> String {
    const PURPOSE: &[u8] = b"oauth-core: identifiers of opaque tokens";
    URL_SAFE_NO_PAD.encode(env.sealer.tag(PURPOSE, presented.as_bytes()))
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
