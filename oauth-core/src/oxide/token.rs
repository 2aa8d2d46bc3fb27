//! The primitives of the token endpoint, for codes and refresh tokens.

mod code;
mod refresh;

use super::{convert::time, memory::Memory, none_or_error, refused, registrar_error};
use crate::{
    client_auth::{AuthenticatedClient, by_secret},
    error::{ErrorCode, OAuthError},
    issue::{Terms, TokenResponse, grantable},
    model::{AuthCode, Client, ClientId, Login, ResourceUri, Scope, Timestamp},
    provider::Provider,
};
use async_trait::async_trait;
use oxide_auth::primitives::{
    grant::Grant,
    issuer::{IssuedToken, RefreshedToken, TokenType},
    registrar::{BoundClient, ClientUrl, PreGrant, RegistrarError},
    scope::Scope as OxideScope,
};
use oxide_auth_async::primitives::{Authorizer, Issuer, Registrar};

const ENDPOINT: &str = "token";
const REFRESH: &str = "refresh_token";

/// Registrar, authorizer, issuer and PKCE extension for one request of an `AccessTokenFlow` or a `RefreshFlow`.
///
/// `extract` uses the code up in one commit, so of any number of rivals one gets its grant, and a replay revokes
/// the authorization. `issue` then writes the tokens below that authorization, which fails once it is revoked.
/// A code with a challenge is not redeemed unless this value was the extension of the endpoint and has seen the
/// verifier: an endpoint that forgets PKCE fails closed. Refresh tokens rotate as behind our own endpoint.
#[derive(Clone)]
pub struct Token {
    provider: Provider,
    client: Memory<Option<AuthenticatedClient>>,
    redeemed: Memory<Option<Redeemed>>,
    repeated: Memory<Option<TokenResponse>>,
}

/// A code this request used up.
struct Redeemed {
    client: AuthenticatedClient,
    code: AuthCode,
    /// What the access token will carry.
    scope: Scope,
    resources: Vec<ResourceUri>,
    proven: bool,
}

impl Token {
    /// For one request.
    pub fn new(provider: &Provider) -> Self {
        Self {
            provider: provider.clone(),
            client: Memory::default(),
            redeemed: Memory::default(),
            repeated: Memory::default(),
        }
    }

    /// The client that proved itself in this request.
    pub(super) fn authenticated(&self) -> Option<AuthenticatedClient> {
        self.client.recall()
    }

    /// What of a granted scope an access token carries by now.
    async fn scope_of(
        &self,
        client: &Client,
        login: &Login,
        granted: &Scope,
        resources: &[ResourceUri],
    ) -> Result<Scope, OAuthError> {
        let most = granted.common(&client.scope);
        if most.is_empty() && !granted.is_empty() {
            return Err(OAuthError::new(
                ErrorCode::InvalidScope,
                "the client may no longer have this scope",
            ));
        }
        let terms = Terms { login: Some(login), scope: &most, resources };
        grantable(self.provider.env(), &terms).await
    }

    async fn authenticate(&self, id: &str, secret: Option<&[u8]>) -> Result<(), OAuthError> {
        let secret = secret.filter(|s| !s.is_empty());
        let secret = secret
            .map(std::str::from_utf8)
            .transpose()
            .map_err(|_| OAuthError::invalid_client())?;
        let client = by_secret(self.provider.env(), &ClientId::new(id), secret).await?;
        self.client.fill(client)
    }

    fn until(&self, response: &TokenResponse) -> Timestamp {
        let now = self.provider.env().clock.now();
        Timestamp::from_unix(now.unix().saturating_add(response.expires_in))
    }
}

#[async_trait]
impl Registrar for Token {
    /// No flow of the token endpoint asks for a redirect URI but that of [`ClientCredentials`](super::ClientCredentials).
    async fn bound_redirect<'a>(
        &self,
        _: ClientUrl<'a>,
    ) -> Result<BoundClient<'a>, RegistrarError> {
        Err(RegistrarError::Unspecified)
    }

    async fn negotiate<'a>(
        &self,
        _: BoundClient<'a>,
        _: Option<OxideScope>,
    ) -> Result<PreGrant, RegistrarError> {
        Err(RegistrarError::Unspecified)
    }

    async fn check(&self, id: &str, secret: Option<&[u8]>) -> Result<(), RegistrarError> {
        self.authenticate(id, secret).await.map_err(|e| {
            refused(&self.provider, ENDPOINT, &e);
            registrar_error(&e)
        })
    }
}

#[async_trait]
impl Authorizer for Token {
    /// Codes are made by [`Authorize`](super::Authorize).
    async fn authorize(&mut self, _: Grant) -> Result<String, ()> {
        Err(())
    }

    async fn extract(&mut self, code: &str) -> Result<Option<Grant>, ()> {
        self.redeem(code).await.map(Some).or_else(|e| {
            refused(&self.provider, ENDPOINT, &e);
            none_or_error(&e)
        })
    }
}

#[async_trait]
impl Issuer for Token {
    async fn issue(&mut self, grant: Grant) -> Result<IssuedToken, ()> {
        let response =
            self.mint(&grant).await.map_err(|e| refused(&self.provider, ENDPOINT, &e))?;
        Ok(IssuedToken {
            until: time(self.until(&response)).into(),
            token: response.access_token,
            refresh: response.refresh_token,
            token_type: TokenType::Bearer,
        })
    }

    async fn refresh(&mut self, token: &str, grant: Grant) -> Result<RefreshedToken, ()> {
        let response = self
            .refreshed(token, &grant)
            .await
            .map_err(|e| refused(&self.provider, ENDPOINT, &e))?;
        Ok(RefreshedToken {
            until: time(self.until(&response)).into(),
            token: response.access_token,
            refresh: response.refresh_token,
            token_type: TokenType::Bearer,
        })
    }

    /// Access tokens are looked at by [`Resource`](super::Resource).
    async fn recover_token(&mut self, _: &str) -> Result<Option<Grant>, ()> {
        Err(())
    }

    async fn recover_refresh(&mut self, token: &str) -> Result<Option<Grant>, ()> {
        self.recover(token).await.map(Some).or_else(|e| {
            refused(&self.provider, ENDPOINT, &e);
            none_or_error(&e)
        })
    }
}
