//! The primitives of the client credentials flow.

use super::{
    Token,
    convert::{nowhere, our_scope, scope, time},
    out_of_order, refused, registrar_error,
};
use crate::{
    client_auth::AuthenticatedClient,
    endpoints::exchange,
    error::{ErrorCode, OAuthError},
    model::{Scope, Timestamp},
    params::Params,
    provider::Provider,
};
use async_trait::async_trait;
use oxide_auth::{
    endpoint::{OwnerConsent, OwnerSolicitor, Solicitation, WebRequest},
    primitives::{
        grant::Grant,
        issuer::{IssuedToken, RefreshedToken},
        registrar::{BoundClient, ClientUrl, PreGrant, RegistrarError},
        scope::Scope as OxideScope,
    },
};
use oxide_auth_async::primitives::{Issuer, Registrar};
use std::borrow::Cow;

const ENDPOINT: &str = "token";
const GRANT: &str = "client_credentials";

/// Registrar, issuer and owner solicitor for one request of a `ClientCredentialsFlow`.
///
/// The owner of a client's token is the client itself; an endpoint that names somebody else gets none.
#[derive(Clone)]
pub struct ClientCredentials {
    provider: Provider,
    /// Authenticates clients, and remembers which one did.
    token: Token,
}

impl ClientCredentials {
    /// For one request.
    pub fn new(provider: &Provider) -> Self {
        Self { provider: provider.clone(), token: Token::new(provider) }
    }

    fn client(&self, id: &str) -> Result<AuthenticatedClient, OAuthError> {
        let client = self.token.authenticated().ok_or(out_of_order())?;
        if client.id.as_str() != id {
            return Err(out_of_order());
        }
        if !client.may_use(GRANT) {
            return Err(OAuthError::new(
                ErrorCode::UnauthorizedClient,
                "the client is not registered for this grant type",
            ));
        }
        Ok(client)
    }

    fn scope_of(&self, id: &str, asked: Option<OxideScope>) -> Result<Scope, OAuthError> {
        let client = self.client(id)?;
        let Some(asked) = asked else {
            return Ok(client.scope.clone());
        };
        our_scope(&asked).and_then(|asked| client.scope.narrow(&asked)).ok_or(OAuthError::new(
            ErrorCode::InvalidScope,
            "the scope exceeds what may be granted",
        ))
    }

    async fn mint(&self, grant: &Grant) -> Result<IssuedToken, OAuthError> {
        let client = self.client(&grant.client_id)?;
        if grant.owner_id != grant.client_id {
            return Err(OAuthError::new(
                ErrorCode::AccessDenied,
                "a client's own token belongs to the client",
            ));
        }
        let (env, grants) = (self.provider.env(), self.provider.grants());
        let mut params = Params::default();
        params.add("grant_type".into(), GRANT.into())?;
        params.add("scope".into(), grant.scope.to_string())?;
        let response = exchange(env, grants, &client, &params).await?;
        let now = env.clock.now().unix();
        let until = Timestamp::from_unix(now.saturating_add(response.expires_in));
        Ok(IssuedToken::without_refresh(response.access_token, time(until).into()))
    }

    fn refuse(&self, e: &OAuthError) -> RegistrarError {
        refused(&self.provider, ENDPOINT, e);
        registrar_error(e)
    }
}

#[async_trait]
impl Registrar for ClientCredentials {
    /// The traits want a redirect URL even here; it is one that leads nowhere.
    async fn bound_redirect<'a>(
        &self,
        asked: ClientUrl<'a>,
    ) -> Result<BoundClient<'a>, RegistrarError> {
        self.client(&asked.client_id).map_err(|e| self.refuse(&e))?;
        Ok(BoundClient { client_id: asked.client_id, redirect_uri: Cow::Owned(nowhere()) })
    }

    async fn negotiate<'a>(
        &self,
        client: BoundClient<'a>,
        asked: Option<OxideScope>,
    ) -> Result<PreGrant, RegistrarError> {
        let granted = self.scope_of(&client.client_id, asked).map_err(|e| self.refuse(&e))?;
        Ok(PreGrant {
            client_id: client.client_id.into_owned(),
            redirect_uri: nowhere(),
            scope: scope(&granted),
        })
    }

    async fn check(&self, id: &str, secret: Option<&[u8]>) -> Result<(), RegistrarError> {
        self.token.check(id, secret).await
    }
}

#[async_trait]
impl Issuer for ClientCredentials {
    async fn issue(&mut self, grant: Grant) -> Result<IssuedToken, ()> {
        self.mint(&grant).await.map_err(|e| refused(&self.provider, ENDPOINT, &e))
    }

    /// A client asks again instead of refreshing.
    async fn refresh(&mut self, _: &str, _: Grant) -> Result<RefreshedToken, ()> {
        Err(())
    }

    /// Access tokens are looked at by [`Resource`](super::Resource).
    async fn recover_token(&mut self, _: &str) -> Result<Option<Grant>, ()> {
        Err(())
    }

    async fn recover_refresh(&mut self, _: &str) -> Result<Option<Grant>, ()> {
        Err(())
    }
}

/// No person is asked: the client owns what it gets.
impl<R: WebRequest> OwnerSolicitor<R> for ClientCredentials {
    fn check_consent(
        &mut self,
        _: &mut R,
        solicitation: Solicitation<'_>,
    ) -> OwnerConsent<R::Response> {
        OwnerConsent::Authorized(solicitation.pre_grant().client_id.clone())
    }
}
