//! Revocation: [RFC 7009](https://www.rfc-editor.org/rfc/rfc7009).

use crate::{
    client_auth,
    env::Env,
    error::OAuthError,
    model::{HashedToken, TokenKind},
    params::Incoming,
    ports::Event,
};

use super::introspect::{REVOKED_JWT, own_jwt};

/// Revokes a token of the authenticated client. A refresh token takes its whole authorization with it;
/// an unknown token is no error ([RFC 7009 2.2](https://www.rfc-editor.org/rfc/rfc7009#section-2.2)).
pub async fn revoke(env: &Env, req: &Incoming) -> Result<(), OAuthError> {
    let client = client_auth::authenticate(env, req).await?;
    let presented = req.params.require("token")?;
    let now = env.clock.now();
    let hash = HashedToken::of(presented);
    let not_yours = OAuthError::invalid_grant("the token was issued to another client");
    if let Some(token) = env.grants.token(&hash).await? {
        if token.client != client.id {
            return Err(not_yours);
        }
        match (token.kind, token.authorization) {
            (TokenKind::Refresh, Some(authorization)) => {
                env.grants.revoke(authorization, now).await?;
            }
            _ => env.grants.revoke_token(&hash, now).await?,
        }
    } else if let Some(jwt) = own_jwt(env, presented, now).await? {
        if jwt.text("client_id") != Some(client.id.as_str()) {
            return Err(not_yours);
        }
        if let (Some(jti), Some(until)) = (jwt.text("jti"), jwt.expires_at()) {
            env.grants.see(REVOKED_JWT, jti, until, now).await?;
        }
    }
    let event = Event::Revoked { client: &client.id };
    env.audit.keep(&event).await?;
    env.audit.record(&event);
    tracing::info!(client.id = %client.id, "token revoked");
    Ok(())
}
