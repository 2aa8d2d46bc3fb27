//! Refreshing: [RFC 6749 6](https://www.rfc-editor.org/rfc/rfc6749#section-6), with rotation as
//! [RFC 9700 4.14](https://www.rfc-editor.org/rfc/rfc9700#section-4.14) wants it.

use super::{Exchange, Grant};
use crate::{
    config::Policy,
    error::OAuthError,
    model::{
        Approval, Client, Credential, OpenidContext, Parent, PlainToken, Timestamp, Token,
        TokenKind,
    },
};
use async_trait::async_trait;

pub(super) struct RefreshToken;

#[async_trait]
impl Grant for RefreshToken {
    fn grant_type(&self) -> &'static str {
        "refresh_token"
    }

    async fn approve(&self, x: &Exchange<'_>) -> Result<Approval, OAuthError> {
        let presented = PlainToken::from_wire(x.params.require("refresh_token")?);
        let old = x
            .env
            .grants
            .token(&presented.hash())
            .await?
            .filter(|t| t.kind == TokenKind::Refresh)
            .ok_or(OAuthError::invalid_grant("unknown refresh token"))?;
        decide(&old, x.client, x.now)?;
        let (Some(authorization), Some(login)) = (old.authorization, old.login.clone()) else {
            return Err(OAuthError::invalid_grant("unknown refresh token"));
        };
        if x.env.users.user(&login.user).await?.is_none() {
            return Err(OAuthError::invalid_grant("the user is gone"));
        }
        Ok(Approval {
            credential: Credential::RefreshToken {
                token: presented,
                retry_since: retry_since(&x.env.policy, x.now),
            },
            parent: Parent::Existing(authorization),
            login: Some(login),
            openid: old.openid.clone().map(without_nonce),
            scope: x.scope_among(&old.scope)?,
            resources: x.resources_among(&old.resources)?,
            refresh_until: Some(successor_until(&x.env.policy, x.client, &old, x.now)),
            refresh_scope: old.scope,
            refresh_resources: old.resources,
        })
    }
}

/// Pure. A rotated token passes here: the commit tells a lost answer from a replay.
fn decide(old: &Token, client: &Client, now: Timestamp) -> Result<(), OAuthError> {
    if old.client != client.id {
        return Err(OAuthError::invalid_grant("issued to another client"));
    }
    // Taken from the client, it is of no use any more, and should it be given back, of use again.
    let offline = "offline_access";
    if old.openid.is_some() && old.scope.contains(offline) && !client.scope.contains(offline) {
        return Err(OAuthError::invalid_grant(
            "the client may no longer act while the user is away",
        ));
    }
    if old.revoked_at.is_some() {
        return Err(OAuthError::invalid_grant("revoked"));
    }
    if old.consumed_at.is_none() && old.expires_at <= now {
        return Err(OAuthError::invalid_grant("expired"));
    }
    Ok(())
}

/// The nonce belongs to the one answer it was sent for
/// ([OpenID Connect Core 12.2](https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse)).
fn without_nonce(openid: OpenidContext) -> OpenidContext {
    OpenidContext { nonce: None, ..openid }
}

/// A window of zero seconds must not let a rotation of this very second be repeated.
fn retry_since(policy: &Policy, now: Timestamp) -> Timestamp {
    if policy.refresh_retry_window.is_zero() {
        Timestamp::from_unix(i64::MAX)
    } else {
        now.minus(policy.refresh_retry_window)
    }
}

/// A public client's rotation does not prolong the first token's life; a confidential client's does, up to the
/// age limit of the family.
fn successor_until(policy: &Policy, client: &Client, old: &Token, now: Timestamp) -> Timestamp {
    if client.is_public() {
        return old.expires_at;
    }
    now.plus(policy.refresh_token_ttl).min(old.authorized_at.plus(policy.refresh_token_max_age))
}
