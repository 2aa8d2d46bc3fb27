//! The client credentials grant: [RFC 6749 4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4).

use super::{Exchange, Grant};
use crate::{
    error::{ErrorCode, OAuthError},
    model::{Approval, Credential, Parent, Scope},
};
use async_trait::async_trait;

pub(super) struct ClientCredentials;

#[async_trait]
impl Grant for ClientCredentials {
    fn grant_type(&self) -> &'static str {
        "client_credentials"
    }

    async fn approve(&self, x: &Exchange<'_>) -> Result<Approval, OAuthError> {
        if x.client.is_public() {
            return Err(OAuthError::new(
                ErrorCode::UnauthorizedClient,
                "a public client has no credentials",
            ));
        }
        let scope = x.scope_within(&most(x)?)?;
        let resources = x.resources()?;
        Ok(Approval {
            credential: Credential::Reusable,
            parent: Parent::None,
            login: None,
            openid: None,
            refresh_scope: scope.clone(),
            scope,
            refresh_resources: Vec::new(),
            resources,
            refresh_until: None,
        })
    }
}

/// What the client may have for itself.
fn most(x: &Exchange<'_>) -> Result<Scope, OAuthError> {
    let Some(allowed) = &x.env.policy.client_credentials_scope else {
        return Ok(x.client.scope.clone());
    };
    let most = x.client.scope.common(allowed);
    if most.is_empty() {
        let text = "nothing of the client's scope is for clients that act for themselves";
        return Err(OAuthError::new(ErrorCode::InvalidScope, text));
    }
    Ok(most)
}
