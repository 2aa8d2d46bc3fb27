//! Tokens for an embedder's own front ends: a form of the embedder has checked a credential, and what follows is what
//! follows for everybody, an authorization, access and refresh tokens, rotation, replay detection, revocation.
//!
//! The client they belong to is registered like any other. It should be one that nobody else can act for: with a
//! secret that nobody knows, without redirect URIs, grant types and response types.

use super::Provider;
use crate::{
    client_auth,
    error::{ErrorCode, OAuthError},
    grants::Exchange,
    issue::{TokenResponse, issue},
    model::{
        Approval, AuthorizationId, Client, ClientId, Credential, Login, NewAuthorization, Parent,
        Scope, Timestamp,
    },
    params::Params,
    ports::Event,
};
use std::{sync::Arc, time::Duration};

/// What a form of the embedder has found out, and what is to be issued for it.
#[derive(Clone, Debug)]
pub struct FirstParty {
    /// The embedder's own client.
    pub client: ClientId,
    /// Who proved who it is, when and how; with the `sid` of the browser session, where there is one.
    pub login: Login,
    /// What the tokens allow; within the scope of the client.
    pub scope: Scope,
    /// The life of the access token, where it is not that of the client.
    pub access_token_ttl: Option<Duration>,
    /// Until when the refresh token lives at most; `None` issues none.
    pub refresh_until: Option<Timestamp>,
}

/// What was issued.
#[derive(Debug)]
pub struct FirstPartyTokens {
    /// The authorization that the tokens belong to. Revoke it and they are dead.
    pub authorization: AuthorizationId,
    /// The tokens.
    pub response: TokenResponse,
}

/// How the tokens of a first-party client are refreshed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Refreshing {
    /// The life of the access token, where it is not that of the client.
    pub access_token_ttl: Option<Duration>,
    /// Until when the new refresh token lives at most, where the policy would let it live longer.
    pub until: Option<Timestamp>,
}

impl Provider {
    /// Until when a refresh token that is issued now lives, by the policy.
    pub fn refresh_until(&self) -> Timestamp {
        let env = &self.0.env;
        let life = env.policy.refresh_token_ttl.min(env.policy.refresh_token_max_age);
        env.clock.now().plus(life)
    }

    /// Issues tokens to a client of the embedder's own, for a user whose credential the embedder has just checked
    /// ([RFC 6749 4.5](https://www.rfc-editor.org/rfc/rfc6749#section-4.5) leaves room for such grants).
    ///
    /// The credential may have lost its worth while it was checked, and this writes in a transaction of its own: look
    /// again afterwards, and [revoke](crate::ports::GrantStore::revoke) the authorization if it did.
    ///
    /// # Errors
    /// `unauthorized_client` when the client is not registered or is a public one, which anybody could act for;
    /// `invalid_scope` beyond the scope of the client; `invalid_grant` when the user may not sign in.
    pub async fn issue_first_party(
        &self,
        wanted: FirstParty,
    ) -> Result<FirstPartyTokens, OAuthError> {
        let env = &self.0.env;
        let now = env.clock.now();
        let client = self.own_client(&wanted.client, wanted.access_token_ttl).await?;
        let scope = client.scope.narrow(&wanted.scope).ok_or(OAuthError::new(
            ErrorCode::InvalidScope,
            "the scope exceeds that of the client",
        ))?;
        if env.users.user(&wanted.login.user).await?.is_none() {
            return Err(OAuthError::invalid_grant("the user may not sign in"));
        }
        let id = env.authorization_id(now);
        let user = wanted.login.user.clone();
        let approval = Approval {
            credential: Credential::Reusable,
            parent: Parent::New(NewAuthorization {
                id,
                client: client.id.clone(),
                user: user.clone(),
                scope: scope.clone(),
                openid: None,
                acr: wanted.login.acr.clone(),
                sid: wanted.login.sid.clone(),
                participates_until: now,
                since: None,
            }),
            login: Some(wanted.login),
            openid: None,
            refresh_scope: scope.clone(),
            scope,
            resources: Vec::new(),
            refresh_resources: Vec::new(),
            refresh_until: wanted.refresh_until,
        };
        let client = client_auth::own(client);
        let response = issue(env, &client, approval, now).await?;
        let event = Event::TokenIssued {
            grant_type: "first_party",
            client: &client.id,
            user: Some(&user),
            scope: &response.scope,
        };
        env.audit.keep(&event).await?;
        env.audit.record(&event);
        Ok(FirstPartyTokens { authorization: id, response })
    }

    /// Refreshes tokens of a client of the embedder's own, by the rules of the refresh grant: rotation, the same
    /// answer again when one was lost, revocation when a used token comes back
    /// ([RFC 9700 4.14](https://www.rfc-editor.org/rfc/rfc9700#section-4.14)).
    ///
    /// # Errors
    /// `invalid_grant` for every token that is not good, `unauthorized_client` as in
    /// [`issue_first_party`](Self::issue_first_party).
    pub async fn refresh_first_party(
        &self,
        client: &ClientId,
        refresh_token: &str,
        terms: Refreshing,
    ) -> Result<TokenResponse, OAuthError> {
        const GRANT: &str = "refresh_token";
        let env = &self.0.env;
        let now = env.clock.now();
        let client = client_auth::own(self.own_client(client, terms.access_token_ttl).await?);
        let mut params = Params::default();
        params.add(GRANT.into(), refresh_token.into())?;
        let grant = self.0.grants.get(GRANT).ok_or(OAuthError::new(
            ErrorCode::UnsupportedGrantType,
            "there are no refresh tokens here",
        ))?;
        let exchange = Exchange { env, client: &client, params: &params, now };
        let mut approval = grant.approve(&exchange).await?;
        if let Some(until) = terms.until {
            approval.refresh_until = approval.refresh_until.map(|due| due.min(until));
        }
        let user = approval.login.as_ref().map(|login| login.user.clone());
        let response = issue(env, &client, approval, now).await?;
        let event = Event::TokenIssued {
            grant_type: GRANT,
            client: &client.id,
            user: user.as_ref(),
            scope: &response.scope,
        };
        env.audit.keep(&event).await?;
        env.audit.record(&event);
        Ok(response)
    }

    /// The client, with another life of its access tokens where that is wanted.
    async fn own_client(
        &self,
        id: &ClientId,
        access_token_ttl: Option<Duration>,
    ) -> Result<Arc<Client>, OAuthError> {
        let found = self.0.env.clients.client(id).await?.filter(|client| !client.is_public());
        let client = found.ok_or(OAuthError::new(
            ErrorCode::UnauthorizedClient,
            "there is no such client of our own",
        ))?;
        Ok(match access_token_ttl {
            Some(ttl) => Arc::new(Client { access_token_ttl: Some(ttl), ..(*client).clone() }),
            None => client,
        })
    }
}
