//! The resource owner password grant: [RFC 6749 4.3](https://www.rfc-editor.org/rfc/rfc6749#section-4.3).
//! [RFC 9700 2.4](https://www.rfc-editor.org/rfc/rfc9700#section-2.4) says it must not be used; it is here for old first-party clients.

use super::{Exchange, Grant};
use crate::{
    config::RefreshTokens,
    error::{ErrorCode, OAuthError},
    model::{Approval, Credential, Login, NewAuthorization, OpenidContext, Parent},
    ports::SignIn,
};
use async_trait::async_trait;

/// The password grant. Works only where it is added to the provider *and* registered for the client.
#[derive(Clone, Copy, Debug, Default)]
pub struct Password;

#[async_trait]
impl Grant for Password {
    fn grant_type(&self) -> &'static str {
        "password"
    }

    fn warning(&self) -> Option<&'static str> {
        Some("RFC 9700 2.4: the password grant shows passwords to clients and must not be used")
    }

    async fn approve(&self, x: &Exchange<'_>) -> Result<Approval, OAuthError> {
        let name = x.params.require("username")?;
        let password = x.params.require("password")?;
        let scope = x.scope_within(&x.client.scope)?;
        let resources = x.resources()?;
        // What is signed in with before everything of the user is revoked gets nothing after that.
        let since = x.env.grants.epoch().await?;
        let user = match x.env.users.sign_in(name, password).await? {
            SignIn::Accepted(user) => user,
            SignIn::Refused => {
                return Err(OAuthError::invalid_grant("user name or password is wrong"));
            }
            SignIn::Throttled(_) => {
                return Err(OAuthError::new(
                    ErrorCode::TemporarilyUnavailable,
                    "too many attempts, try again later",
                ));
            }
        };
        if !x.env.users.password_suffices(&user).await? {
            return Err(OAuthError::invalid_grant("a password alone does not sign this user in"));
        }
        let policy = &x.env.policy;
        let is_due = match policy.refresh_tokens {
            RefreshTokens::Always => true,
            RefreshTokens::Registered => x.client.may_use("refresh_token"),
        };
        let refresh_until =
            is_due.then(|| x.now.plus(policy.refresh_token_ttl.min(policy.refresh_token_max_age)));
        let is_openid = policy.openid && scope.contains("openid");
        let openid = is_openid.then(OpenidContext::default);
        Ok(Approval {
            credential: Credential::Reusable,
            parent: Parent::New(NewAuthorization {
                id: x.env.authorization_id(x.now),
                client: x.client.id.clone(),
                user: user.clone(),
                scope: scope.clone(),
                openid: openid.clone(),
                acr: None,
                sid: None,
                participates_until: x.now,
                since: Some(since),
            }),
            login: Some(Login { user, at: x.now, amr: vec!["pwd".into()], acr: None, sid: None }),
            openid,
            refresh_scope: scope.clone(),
            scope,
            refresh_resources: resources.clone(),
            resources,
            refresh_until,
        })
    }
}
