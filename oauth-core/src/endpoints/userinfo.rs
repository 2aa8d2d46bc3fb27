//! Userinfo: [OpenID Connect Core 5.3](https://openid.net/specs/openid-connect-core-1_0.html#UserInfo).

use crate::{
    env::Env,
    error::{ErrorCode, OAuthError},
    issue::{Content, protect, sign},
    model::{Client, HashedToken, Timestamp, Token, TokenKind, UserId},
    openid::{select, subject},
    params::Incoming,
};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What the endpoint answers with.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserInfo {
    /// Claims as they are.
    Json(Map<String, Value>),
    /// Claims in a JWT, signed or encrypted or both, as the client registered.
    Jwt(String),
}

impl std::fmt::Debug for UserInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Json(_) => "Json(..)",
            Self::Jwt(_) => "Jwt(..)",
        })
    }
}

/// Tells the client who signed in: the claims of the access token's scopes, and those asked for by name.
///
/// The token comes in the header or in the form of a POST, never in the query and never in both
/// ([RFC 6750 2](https://www.rfc-editor.org/rfc/rfc6750#section-2)). One that is for another resource is not for here.
pub async fn userinfo(env: &Env, req: &Incoming) -> Result<UserInfo, OAuthError> {
    let now = env.clock.now();
    let (token, user) = token(env, presented(req)?, now).await?;
    let client = env.clients.client(&token.client).await?.ok_or_else(invalid_token)?;
    if env.users.user(&user).await?.is_none() {
        return Err(invalid_token());
    }
    let profile = env.users.profile(&user).await?;
    let openid = token.openid.clone().unwrap_or_default();
    let mut claims = select(&profile, &token.scope, &openid.claims.userinfo, &client.scope);
    claims.insert("sub".into(), json!(subject(env, &client, &user)));
    secured(env, client, claims, now).await
}

fn presented(req: &Incoming) -> Result<&str, OAuthError> {
    let header = req.authorization.as_deref().map(|header| {
        let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    match (header, req.params.get("access_token")) {
        (Some(_), Some(_)) => Err(OAuthError::invalid_request("the token was sent in two ways")),
        (Some(Some(token)), None) | (None, Some(token)) if !token.is_empty() => Ok(token),
        _ => Err(OAuthError::new(ErrorCode::InvalidToken, "an access token is needed")),
    }
}

/// The live access token of an OpenID Connect authorization, and its user.
async fn token(env: &Env, presented: &str, now: Timestamp) -> Result<(Token, UserId), OAuthError> {
    let token = env.grants.token(&HashedToken::of(presented)).await?;
    let token = token
        .filter(|t| t.kind == TokenKind::Access && t.is_live(now) && t.resources.is_empty())
        .ok_or_else(invalid_token)?;
    let user = token.user().cloned().ok_or_else(invalid_token)?;
    if !env.policy.openid || !token.scope.contains("openid") {
        return Err(OAuthError::new(
            ErrorCode::InsufficientScope,
            "userinfo needs a token with the scope openid",
        ));
    }
    Ok((token, user))
}

fn invalid_token() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidToken, "the access token is not good, or not for here")
}

/// In the form the client registered
/// ([OpenID Connect Core 5.3.2](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse)).
async fn secured(
    env: &Env,
    client: Arc<Client>,
    mut claims: Map<String, Value>,
    now: Timestamp,
) -> Result<UserInfo, OAuthError> {
    let encryption = client.metadata.userinfo_encrypted_response;
    let content = match client.metadata.userinfo_signed_response_alg {
        None if encryption.is_none() => return Ok(UserInfo::Json(claims)),
        None => Content::Claims(Value::Object(claims).to_string()),
        Some(alg) => {
            claims.insert("iss".into(), json!(env.issuer.as_str()));
            claims.insert("aud".into(), json!(client.id.as_str()));
            Content::Signed(sign(env, alg, "JWT", &claims, now).await?)
        }
    };
    protect(env, &client, encryption, content, now).await.map(UserInfo::Jwt)
}
