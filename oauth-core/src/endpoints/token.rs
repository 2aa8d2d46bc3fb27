//! The token endpoint: [RFC 6749 3.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.2).

use crate::{
    client_auth::{self, AuthenticatedClient},
    env::Env,
    error::{ErrorCode, OAuthError},
    grants::{Exchange, Grants},
    issue::{self, TokenResponse},
    params::{Incoming, Params},
    ports::Event,
};

/// Authenticates the client, then exchanges what it presents for tokens.
pub async fn token(
    env: &Env,
    grants: &Grants,
    req: &Incoming,
) -> Result<TokenResponse, OAuthError> {
    let client = client_auth::authenticate(env, req).await?;
    exchange(env, grants, &client, &req.params).await
}

/// Lets the grant decide, issues.
pub(crate) async fn exchange(
    env: &Env,
    grants: &Grants,
    client: &AuthenticatedClient,
    params: &Params,
) -> Result<TokenResponse, OAuthError> {
    let grant_type = params.require("grant_type")?;
    let grant = grants
        .get(grant_type)
        .ok_or(OAuthError::new(ErrorCode::UnsupportedGrantType, "no such grant type here"))?;
    if !client.may_use(grant.grant_type()) {
        return Err(OAuthError::new(
            ErrorCode::UnauthorizedClient,
            "the client is not registered for this grant type",
        ));
    }
    let now = env.clock.now();
    let approval = grant.approve(&Exchange { env, client, params, now }).await?;
    let user = approval.login.as_ref().map(|l| l.user.clone());
    let response = issue::issue(env, client, approval, now).await?;
    let grant_type = grant.grant_type();
    env.audit.record(&Event::TokenIssued { grant_type, client: &client.id, user: user.as_ref() });
    tracing::info!(client.id = %client.id, grant_type, "token issued");
    Ok(response)
}
