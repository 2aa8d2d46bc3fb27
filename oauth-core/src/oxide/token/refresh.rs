//! Refresh tokens: looked at, then rotated as behind our own endpoint.

use super::{REFRESH, Token};
use crate::{
    client_auth::{AuthenticatedClient, by_secret},
    endpoints::exchange,
    error::{ErrorCode, OAuthError},
    issue::TokenResponse,
    model::{HashedToken, Token as StoredToken, TokenKind},
    oxide::{
        convert::{nowhere, scope, time},
        out_of_order,
    },
    params::Params,
};
use oxide_auth::primitives::grant::{Extensions, Grant};

impl Token {
    /// What a refresh token stands for. It is not used up yet, unless it was before.
    pub(super) async fn recover(&self, presented: &str) -> Result<Grant, OAuthError> {
        let env = self.provider.env();
        let now = env.clock.now();
        let old = env.grants.token(&HashedToken::of(presented)).await?;
        let unknown = OAuthError::invalid_grant("unknown refresh token");
        let Some(old) = old.filter(|t| t.kind == TokenKind::Refresh) else {
            return Err(unknown);
        };
        let client = env.clients.client(&old.client).await?;
        let (Some(client), Some(login)) = (client, &old.login) else {
            return Err(unknown);
        };
        let proven = self.client.recall();
        if proven.is_some_and(|c| c.id != client.id) || !client.may_use(REFRESH) {
            return Err(OAuthError::invalid_grant("issued to another client"));
        }
        if old.consumed_at.is_none() && old.expires_at <= now || old.revoked_at.is_some() {
            return Err(OAuthError::invalid_grant("expired or revoked"));
        }
        if env.users.user(&login.user).await?.is_none() {
            return Err(OAuthError::invalid_grant("the user is gone"));
        }
        if old.consumed_at.is_some() {
            self.repeat(presented, &old).await?;
        }
        let narrowed = self.scope_of(&client, login, &old.scope, &old.resources).await?;
        Ok(Grant {
            owner_id: login.user.as_str().to_owned(),
            client_id: old.client.as_str().to_owned(),
            scope: scope(&narrowed),
            redirect_uri: nowhere().into(),
            until: time(old.expires_at).into(),
            extensions: Extensions::new(),
        })
    }

    /// A rotated token came back: a lost answer is fetched again here, and a replay revokes the family here,
    /// because here the flow can still say `invalid_grant`.
    async fn repeat(&self, presented: &str, old: &StoredToken) -> Result<(), OAuthError> {
        let client = match self.client.recall() {
            Some(client) => client,
            None => match by_secret(self.provider.env(), &old.client, None).await {
                Ok(client) => client,
                // A confidential client: the flow asks for its credentials next and ends there.
                Err(e) if e.code() == ErrorCode::InvalidClient => return Ok(()),
                Err(e) => return Err(e),
            },
        };
        let response = self.rotate(&client, presented, None).await?;
        self.repeated.fill(response)
    }

    pub(super) async fn refreshed(
        &self,
        presented: &str,
        grant: &Grant,
    ) -> Result<TokenResponse, OAuthError> {
        let client = self.client.recall().ok_or(out_of_order())?;
        if let Some(response) = self.repeated.with(Option::take) {
            return Ok(response);
        }
        let asked = grant.scope.to_string();
        self.rotate(&client, presented, Some(asked)).await
    }

    async fn rotate(
        &self,
        client: &AuthenticatedClient,
        presented: &str,
        scope: Option<String>,
    ) -> Result<TokenResponse, OAuthError> {
        let mut params = Params::default();
        params.add("grant_type".into(), REFRESH.into())?;
        params.add("refresh_token".into(), presented.into())?;
        params.add("scope".into(), scope.unwrap_or_default())?;
        let (env, grants) = (self.provider.env(), self.provider.grants());
        exchange(env, grants, client, &params).await
    }
}
