//! A grant type added from outside: somebody carries a voucher on paper to a device, which exchanges it for tokens.
//!
//! A voucher is an authorization code that nobody was redirected with. So it is stored as a hash, lives as long as
//! its printer says, is used up once by the one commit of the store, and a second use revokes what the first gave.

use async_trait::async_trait;
use oauth_core::{
    Provider,
    error::{OAuthError, PortError},
    grants::{Exchange, Grant},
    model::{
        Approval, AuthCode, ClientId, CodeChallenge, Committed, Consume, Credential, HashedToken,
        Issuance, Login, NewAuthorization, NewCode, Parent, Scope, Timestamp,
    },
};
use std::time::Duration;

/// The value of `grant_type`; a URN, as [RFC 6749 4.5](https://www.rfc-editor.org/rfc/rfc6749#section-4.5) wants it.
pub const VOUCHER: &str = "urn:example:grant-type:voucher";

/// Stands where a code has its PKCE challenge, so that neither can be taken for the other: no request may carry a
/// challenge of this length, and no verifier fits it.
const MARK: &str = "voucher";

/// The voucher grant: `voucher` is its one parameter, beside `scope`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Voucher;

#[async_trait]
impl Grant for Voucher {
    fn grant_type(&self) -> &'static str {
        VOUCHER
    }

    async fn approve(&self, x: &Exchange<'_>) -> Result<Approval, OAuthError> {
        let hash = HashedToken::of(x.params.require("voucher")?);
        let voucher = x.env.grants.code(&hash).await?;
        let voucher = voucher.ok_or(OAuthError::invalid_grant("unknown voucher"))?;
        decide(&voucher, &x.client.id, x.now)?;
        if x.env.users.user(&voucher.login.user).await?.is_none() {
            return Err(OAuthError::invalid_grant("the user is gone"));
        }
        Ok(Approval {
            credential: Credential::Code(hash),
            parent: Parent::Existing(voucher.authorization),
            login: Some(voucher.login),
            openid: None,
            scope: x.scope_among(&voucher.scope)?,
            refresh_scope: voucher.scope,
            resources: Vec::new(),
            refresh_resources: Vec::new(),
            refresh_until: None,
        })
    }
}

/// Pure. A used voucher passes here: the commit recognises it and revokes what was issued.
fn decide(voucher: &AuthCode, client: &ClientId, now: Timestamp) -> Result<(), OAuthError> {
    if voucher.challenge != Some(CodeChallenge::S256(MARK.into())) {
        return Err(OAuthError::invalid_grant("unknown voucher"));
    }
    if voucher.client != *client {
        return Err(OAuthError::invalid_grant("the voucher is for another client"));
    }
    if voucher.revoked_at.is_some() {
        return Err(OAuthError::invalid_grant("revoked"));
    }
    if voucher.consumed_at.is_none() && voucher.expires_at <= now {
        return Err(OAuthError::invalid_grant("the voucher has expired"));
    }
    Ok(())
}

/// Prints a voucher: somebody who signed in lets this client have this scope.
pub async fn print(
    provider: &Provider,
    client: ClientId,
    login: Login,
    scope: Scope,
    life: Duration,
) -> Result<String, PortError> {
    let env = provider.env();
    let now = env.clock.now();
    // The caller has seen the session a moment ago; what is revoked from here on is not printed any more.
    let since = provider.epoch().await?;
    let voucher = env.secret();
    let issuance = Issuance {
        consume: Consume::Nothing,
        parent: Parent::New(NewAuthorization {
            id: env.authorization_id(now),
            client: client.clone(),
            user: login.user.clone(),
            scope: scope.clone(),
            openid: None,
            acr: None,
            sid: None,
            participates_until: now,
            since: Some(since),
        }),
        code: Some(NewCode {
            hash: voucher.hash(),
            client,
            login,
            redirect_uri: None,
            scope,
            resources: Vec::new(),
            challenge: Some(CodeChallenge::S256(MARK.into())),
            expires_at: now.plus(life),
        }),
        tokens: Vec::new(),
        consent: None,
        at: now,
    };
    match env.grants.commit(issuance).await? {
        Committed::Done => Ok(voucher.reveal()),
        _ => Err(PortError::new("a new authorization was refused")),
    }
}
