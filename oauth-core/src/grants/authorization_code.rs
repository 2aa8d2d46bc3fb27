//! The authorization code grant: [RFC 6749 4.1.3](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3).

use super::{Exchange, Grant};
use crate::{
    config::RefreshTokens,
    env::Env,
    error::OAuthError,
    model::{Approval, AuthCode, Client, Credential, HashedToken, Parent, Timestamp},
    params::Params,
    pkce,
};
use async_trait::async_trait;

pub(super) struct AuthorizationCode;

#[async_trait]
impl Grant for AuthorizationCode {
    fn grant_type(&self) -> &'static str {
        "authorization_code"
    }

    async fn approve(&self, x: &Exchange<'_>) -> Result<Approval, OAuthError> {
        let hash = HashedToken::of(x.params.require("code")?);
        let code =
            x.env.grants.code(&hash).await?.ok_or(OAuthError::invalid_grant("unknown code"))?;
        decide(&code, x.client, x.params, x.now)?;
        if x.env.users.user(&code.login.user).await?.is_none() {
            return Err(OAuthError::invalid_grant("the user is gone"));
        }
        let refresh_until = refresh_until(x.env, x.client, &code, x.now);
        Ok(Approval {
            credential: Credential::Code(hash),
            parent: Parent::Existing(code.authorization),
            login: Some(code.login),
            openid: code.openid,
            scope: x.scope_among(&code.scope)?,
            refresh_scope: code.scope,
            resources: x.resources_among(&code.resources)?,
            refresh_resources: code.resources,
            refresh_until,
        })
    }
}

/// When a refresh token is due, the time it dies at the latest. Whoever asks for a login gets one only by asking to
/// be let in while the user is away ([OpenID Connect Core 11](https://openid.net/specs/openid-connect-core-1_0.html#OfflineAccess)).
pub(crate) fn refresh_until(
    env: &Env,
    client: &Client,
    code: &AuthCode,
    now: Timestamp,
) -> Option<Timestamp> {
    let policy = &env.policy;
    let is_due = match policy.refresh_tokens {
        RefreshTokens::Always => true,
        RefreshTokens::Registered => {
            let offline = || code.scope.common(&client.scope).contains("offline_access");
            client.may_use("refresh_token") && (code.openid.is_none() || offline())
        }
    };
    is_due.then(|| now.plus(policy.refresh_token_ttl.min(policy.refresh_token_max_age)))
}

/// Pure. A used-up code passes here: the commit recognises the replay and revokes what was issued.
fn decide(
    code: &AuthCode,
    client: &Client,
    params: &Params,
    now: Timestamp,
) -> Result<(), OAuthError> {
    if code.client != client.id {
        return Err(OAuthError::invalid_grant("the code was issued to another client"));
    }
    if code.consumed_at.is_none() && code.expires_at <= now {
        return Err(OAuthError::invalid_grant("the code has expired"));
    }
    if code.revoked_at.is_some() {
        return Err(OAuthError::invalid_grant("revoked"));
    }
    match (&code.redirect_uri, params.get("redirect_uri")) {
        (Some(then), Some(now)) if then == now => {}
        (None, None) => {}
        _ => {
            return Err(OAuthError::invalid_grant("redirect_uri is not that of the request"));
        }
    }
    pkce::verify(code.challenge.as_ref(), params.get("code_verifier"))
}
