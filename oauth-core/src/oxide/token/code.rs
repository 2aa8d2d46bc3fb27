//! Codes: used up in one commit, minted for in another.

use super::{ENDPOINT, Redeemed, Token};
use crate::{
    authorize::resolve::redirect_uri,
    client_auth::AuthenticatedClient,
    error::{ErrorCode, OAuthError},
    grants::{Exchange, refresh_until},
    issue::{self, TokenResponse},
    model::{
        Approval, AuthCode, Committed, Consume, Credential, HashedToken, Issuance, Parent,
        Timestamp,
    },
    oxide::{
        convert::{our_scope, pkce_extension, scope, time},
        out_of_order, refused,
    },
    params::Params,
    pkce,
    ports::Event,
};
use oxide_auth::{
    code_grant::accesstoken::Request,
    primitives::grant::{Extensions, Grant},
};
use url::Url;

const CODE: &str = "authorization_code";

impl Token {
    /// Checks the verifier of the request against the code that was just extracted.
    pub(in crate::oxide) fn extend(&self, request: &dyn Request) -> Result<Extensions, ()> {
        self.prove(request)
            .map(|()| Extensions::new())
            .map_err(|e| refused(&self.provider, ENDPOINT, &e))
    }

    fn prove(&self, request: &dyn Request) -> Result<(), OAuthError> {
        let mut params = Params::default();
        for name in ["code_verifier", "resource"] {
            if let Some(value) = request.extension(name) {
                params.add(name.into(), value.into_owned())?;
            }
        }
        let env = self.provider.env();
        self.redeemed.with(|redeemed| {
            let redeemed = redeemed.as_mut().ok_or(out_of_order())?;
            pkce::verify(redeemed.code.challenge.as_ref(), params.get("code_verifier"))?;
            let exchange =
                Exchange { env, client: &redeemed.client, params: &params, now: env.clock.now() };
            redeemed.resources = exchange.resources_among(&redeemed.code.resources)?;
            redeemed.proven = true;
            Ok(())
        })
    }

    /// Checks what can be checked before the code is used up, then uses it up.
    pub(super) async fn redeem(&self, presented: &str) -> Result<Grant, OAuthError> {
        let env = self.provider.env();
        let now = env.clock.now();
        let client = self.client.recall().ok_or(out_of_order())?;
        let hash = HashedToken::of(presented);
        let code = env.grants.code(&hash).await?;
        let code = code.ok_or(OAuthError::invalid_grant("unknown code"))?;
        if code.client != client.id || !client.may_use(CODE) {
            return Err(OAuthError::invalid_grant("the code was issued to another client"));
        }
        if code.consumed_at.is_none() && code.expires_at <= now || code.revoked_at.is_some() {
            return Err(OAuthError::invalid_grant("expired or revoked"));
        }
        if env.users.user(&code.login.user).await?.is_none() {
            return Err(OAuthError::invalid_grant("the user is gone"));
        }
        // A used code goes on to the commit, which recognises the replay. Nothing is promised before.
        let target = redirect_uri(&client, code.redirect_uri.as_deref())?;
        let target = Url::parse(&target).map_err(|_| out_of_order())?;
        let narrowed = self.scope_of(&client, &code.login, &code.scope, &code.resources).await?;
        self.consume(&client, hash, &code, now).await?;
        let grant = Grant {
            owner_id: code.login.user.as_str().to_owned(),
            client_id: client.id.as_str().to_owned(),
            scope: scope(&narrowed),
            redirect_uri: target,
            until: time(code.expires_at).into(),
            extensions: code.challenge.as_ref().map(pkce_extension).unwrap_or_default(),
        };
        let redeemed = Redeemed {
            client,
            scope: narrowed,
            resources: code.resources.clone(),
            proven: false,
            code,
        };
        self.redeemed.fill(redeemed)?;
        Ok(grant)
    }

    async fn consume(
        &self,
        client: &AuthenticatedClient,
        hash: HashedToken,
        code: &AuthCode,
        now: Timestamp,
    ) -> Result<(), OAuthError> {
        let env = self.provider.env();
        let issuance = Issuance {
            consume: Consume::Code(hash),
            parent: Parent::Existing(code.authorization),
            code: None,
            tokens: Vec::new(),
            consent: None,
            at: now,
        };
        match env.grants.commit(issuance).await? {
            Committed::Done => Ok(()),
            Committed::Replayed => {
                let event = Event::Replayed { client: &client.id };
                env.audit.keep(&event).await?;
                env.audit.record(&event);
                Err(OAuthError::invalid_grant("already used; everything issued from it is revoked"))
            }
            Committed::Repeated(_) | Committed::Revoked => {
                Err(OAuthError::invalid_grant("revoked"))
            }
        }
    }

    /// Mints below the authorization of the code. The commit refuses once that is revoked.
    pub(super) async fn mint(&self, grant: &Grant) -> Result<TokenResponse, OAuthError> {
        let env = self.provider.env();
        let now = env.clock.now();
        let redeemed = self.redeemed.with(Option::take).ok_or(out_of_order())?;
        let Redeemed { client, code, .. } = redeemed;
        if code.challenge.is_some() && !redeemed.proven {
            return Err(OAuthError::new(
                ErrorCode::ServerError,
                "the endpoint does not use this value as its extension",
            ));
        }
        let user = code.login.user.clone();
        if grant.client_id != client.id.as_str() || grant.owner_id != user.as_str() {
            return Err(out_of_order());
        }
        let asked = our_scope(&grant.scope).ok_or(out_of_order())?;
        let approval = Approval {
            credential: Credential::Reusable,
            parent: Parent::Existing(code.authorization),
            refresh_until: refresh_until(env, &client, &code, now),
            login: Some(code.login),
            // The primitives of oxide-auth have no place for an id token.
            openid: None,
            scope: redeemed.scope.narrow(&asked).ok_or(out_of_order())?,
            refresh_scope: code.scope,
            resources: redeemed.resources,
            refresh_resources: code.resources,
        };
        let response = issue::issue(env, &client, approval, now).await?;
        let event = Event::TokenIssued {
            grant_type: CODE,
            client: &client.id,
            user: Some(&user),
            scope: &response.scope,
        };
        env.audit.keep(&event).await?;
        env.audit.record(&event);
        tracing::info!(client.id = %client.id, grant_type = CODE, "token issued");
        Ok(response)
    }
}
