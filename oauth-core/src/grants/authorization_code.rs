//! The authorization code grant: [RFC 6749 4.1.3](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3).

use super::{Exchange, Grant};
use crate::{
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

    fn response_types(&self) -> &'static [&'static str] {
        &["code"]
    }

    async fn approve(&self, x: &Exchange<'_>) -> Result<Approval, OAuthError> {
        let hash = HashedToken::of(x.params.require("code")?);
        let code =
            x.env.grants.code(&hash).await?.ok_or(OAuthError::invalid_grant("unknown code"))?;
        decide(&code, x.client, x.params, x.now)?;
        if x.env.users.user(&code.login.user).await?.is_none() {
            return Err(OAuthError::invalid_grant("the user is gone"));
        }
        let policy = &x.env.policy;
        let refresh_until = x
            .client
            .may_use("refresh_token")
            .then(|| x.now.plus(policy.refresh_token_ttl.min(policy.refresh_token_max_age)));
        Ok(Approval {
            credential: Credential::Code(hash),
            parent: Parent::Existing(code.authorization),
            login: Some(code.login),
            scope: x.scope_among(&code.scope)?,
            refresh_scope: code.scope,
            resources: x.resources_among(&code.resources)?,
            refresh_resources: code.resources,
            refresh_until,
        })
    }
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
