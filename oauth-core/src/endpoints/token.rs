//! The token endpoint: [RFC 6749 3.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.2).

use crate::{
    client_auth::{self, AuthenticatedClient},
    config::RefreshTokens,
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
    if !may_use(env, client, grant.grant_type()) {
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
    let (user, scope) = (user.as_ref(), response.scope.as_str());
    let event = Event::TokenIssued { grant_type, client: &client.id, user, scope };
    env.audit.keep(&event).await?;
    env.audit.record(&event);
    tracing::info!(client.id = %client.id, grant_type, "token issued");
    Ok(response)
}

/// Whether the client is registered for the grant type, or got something that only this grant type is good for.
fn may_use(env: &Env, client: &AuthenticatedClient, grant_type: &str) -> bool {
    let always = env.policy.refresh_tokens == RefreshTokens::Always;
    let acts_for_users = || ["authorization_code", "password"].iter().any(|g| client.may_use(g));
    client.may_use(grant_type) || always && grant_type == "refresh_token" && acts_for_users()
}
