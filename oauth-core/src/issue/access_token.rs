//! Access tokens: opaque, or JWTs by [RFC 9068](https://www.rfc-editor.org/rfc/rfc9068).

use super::{audience::audience, sign::sign};
use crate::{
    env::Env,
    error::{ErrorCode, OAuthError},
    model::{
        Access, AccessRight, Client, HashedToken, Login, NewToken, Parent, Resource, ResourceUri,
        Scope, Timestamp, TokenFormat, TokenKind,
    },
    openid::subject,
};
use serde::Serialize;
use serde_json::{Map, Value};
use std::{borrow::Cow, time::Duration};

/// Claims nobody but this file sets ([RFC 9068 2.2](https://www.rfc-editor.org/rfc/rfc9068#section-2.2)).
const RESERVED: [&str; 14] = [
    "acr",
    "active",
    "amr",
    "aud",
    "auth_time",
    "client_id",
    "cnf",
    "exp",
    "iat",
    "iss",
    "jti",
    "nbf",
    "scope",
    "sub",
];

/// What an access token is to say.
pub(crate) struct Terms<'a> {
    pub(crate) login: Option<&'a Login>,
    pub(crate) scope: &'a Scope,
    pub(crate) resources: &'a [ResourceUri],
}

/// A minted access token, not yet written.
pub(crate) struct Minted {
    pub(crate) token: String,
    pub(crate) scope: Scope,
    pub(crate) expires_at: Timestamp,
    format: TokenFormat,
}

impl Minted {
    /// A client's own JWT needs no row: whoever checks it checks the signature.
    pub(crate) fn must_be_stored(&self, parent: &Parent) -> bool {
        self.format == TokenFormat::Opaque || *parent != Parent::None
    }

    /// The row of the token.
    pub(crate) fn row(&self, client: &Client, terms: &Terms<'_>, now: Timestamp) -> NewToken {
        NewToken {
            hash: HashedToken::of(&self.token),
            kind: TokenKind::Access,
            client: client.id.clone(),
            login: terms.login.cloned(),
            scope: self.scope.clone(),
            resources: terms.resources.to_vec(),
            issued_at: now,
            expires_at: self.expires_at,
        }
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: Cow<'a, str>,
    aud: Value,
    client_id: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    amr: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    #[serde(flatten)]
    more: Map<String, Value>,
}

/// Makes an access token by the form and life that resource, client and policy decide, in this order.
pub(crate) async fn mint(
    env: &Env,
    client: &Client,
    terms: &Terms<'_>,
    now: Timestamp,
) -> Result<Minted, OAuthError> {
    let resources = resources(env, terms.resources)?;
    let (format, ttl) = form(env, client, &resources)?;
    let rights = match terms.login {
        Some(login) => env.users.rights(&login.user).await?,
        None => Vec::new(),
    };
    let scope = narrow(terms.scope, &resources, &rights)?;
    let expires_at = now.plus(ttl);
    let token = match format {
        TokenFormat::Opaque => env.secret().reveal(),
        TokenFormat::Jwt(alg) => {
            let more = more_claims(env, client, terms.login, &scope, &rights).await?;
            let claims = Claims {
                iss: env.issuer.as_str(),
                sub: terms.login.map_or_else(
                    || client.id.as_str().into(),
                    |l| subject(env, client, &l.user).into(),
                ),
                aud: audience(env, terms.resources, &scope),
                client_id: client.id.as_str(),
                iat: now.unix(),
                exp: expires_at.unix(),
                jti: env.jti(),
                scope: scope.to_string(),
                auth_time: terms.login.map(|l| l.at.unix()),
                amr: terms.login.map_or(&[], |l| &l.amr),
                acr: terms.login.and_then(|l| l.acr.as_deref()),
                more,
            };
            sign(env, alg, "at+jwt", &claims, now).await?
        }
    };
    Ok(Minted { token, scope, expires_at, format })
}

/// What of a scope a user's access token would carry.
#[cfg(feature = "oxide")]
pub(crate) async fn grantable(env: &Env, terms: &Terms<'_>) -> Result<Scope, OAuthError> {
    let resources = resources(env, terms.resources)?;
    let rights = match terms.login {
        Some(login) => env.users.rights(&login.user).await?,
        None => Vec::new(),
    };
    narrow(terms.scope, &resources, &rights)
}

fn resources<'a>(env: &'a Env, asked: &[ResourceUri]) -> Result<Vec<&'a Resource>, OAuthError> {
    asked
        .iter()
        .map(|uri| env.resources.iter().find(|r| r.uri == *uri))
        .collect::<Option<_>>()
        .ok_or(OAuthError::new(ErrorCode::InvalidTarget, "unknown resource"))
}

fn form(
    env: &Env,
    client: &Client,
    resources: &[&Resource],
) -> Result<(TokenFormat, Duration), OAuthError> {
    let policy = &env.policy;
    let default = client.access_token_format.unwrap_or(policy.access_token_format);
    let mut formats = resources.iter().map(|r| r.access_token_format.unwrap_or(default));
    let mut format = formats.next().unwrap_or(default);
    if policy.access_token_format_is_fixed {
        format = policy.access_token_format;
    } else if formats.any(|other| other != format) {
        return Err(OAuthError::new(
            ErrorCode::InvalidTarget,
            "these resources take tokens of different forms; ask for one at a time",
        ));
    }
    let default = client.access_token_ttl.unwrap_or(policy.access_token_ttl);
    // A resource that says nothing expects no more than what is usual.
    let lives = resources.iter().map(|r| r.access_token_ttl.unwrap_or(default));
    let ttl = lives.min().unwrap_or(default);
    Ok((format, ttl.max(policy.access_token_min_ttl).min(policy.access_token_max_ttl)))
}

/// Leaves out what the resources do not know and what the user has no right to.
fn narrow(
    scope: &Scope,
    resources: &[&Resource],
    rights: &[AccessRight],
) -> Result<Scope, OAuthError> {
    let unknown = scope.iter().filter(|token| {
        !resources.is_empty()
            && !resources.iter().any(|r| r.scope.is_empty() || r.scope.contains(token))
    });
    let forbidden = rights.iter().filter(|r| r.access == Access::None).map(|r| r.api.as_str());
    let narrowed = scope.clone().without(unknown.chain(forbidden));
    if narrowed.is_empty() && !scope.is_empty() {
        return Err(OAuthError::new(
            ErrorCode::InvalidScope,
            "nothing of this scope may be granted",
        ));
    }
    Ok(narrowed)
}

/// What the embedder and the user's rights add to a token of this scope.
pub(crate) async fn more_claims(
    env: &Env,
    client: &Client,
    login: Option<&Login>,
    scope: &Scope,
    rights: &[AccessRight],
) -> Result<Map<String, Value>, OAuthError> {
    let user = login.map(|l| &l.user);
    let mut claims = env.claims.claims(user, client, scope).await?;
    claims.extend(login.map(|l| env.claims.login_claims(l, client)).unwrap_or_default());
    claims.retain(|name, _| !RESERVED.contains(&name.as_str()));
    claims.extend(granted_rights(rights, scope));
    Ok(claims)
}

/// The `x-nmos-*` claims for the APIs in the scope.
fn granted_rights<'a>(
    rights: &'a [AccessRight],
    scope: &'a Scope,
) -> impl Iterator<Item = (String, Value)> + 'a {
    rights.iter().filter(|r| scope.contains(&r.api)).filter_map(AccessRight::claim)
}
