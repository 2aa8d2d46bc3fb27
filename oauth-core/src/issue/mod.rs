//! Approval to tokens: mint, then commit. The only caller of `commit` for tokens.

mod access_token;
mod refresh_token;

use crate::{
    client_auth::AuthenticatedClient,
    env::Env,
    error::OAuthError,
    model::{
        Approval, Committed, Consume, Credential, HashedToken, Issuance, PlainToken, Timestamp,
    },
    ports::Event,
};
use serde::{Deserialize, Serialize};

#[cfg(feature = "oxide")]
pub(crate) use access_token::grantable;
pub(crate) use access_token::{Terms, granted_rights, mint};

/// The answer of the token endpoint ([RFC 6749 5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// How to use it: `Bearer`.
    pub token_type: String,
    /// Its life in seconds.
    pub expires_in: i64,
    /// The refresh token, where one is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// What was granted.
    pub scope: String,
}

impl std::fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenResponse").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// Mints what was approved, writes it in one commit, and answers.
pub async fn issue(
    env: &Env,
    client: &AuthenticatedClient,
    approval: Approval,
    now: Timestamp,
) -> Result<TokenResponse, OAuthError> {
    let terms = Terms {
        login: approval.login.as_ref(),
        scope: &approval.scope,
        resources: &approval.resources,
    };
    let minted = mint(env, client, &terms, now).await?;
    let refresh = approval.refresh_until.map(|_| env.secret());
    let mut tokens = Vec::new();
    if minted.must_be_stored(&approval.parent) {
        tokens.push(minted.row(client, &terms, now));
    }
    let refresh_hash = refresh.as_ref().map(PlainToken::hash);
    tokens.extend(refresh_hash.and_then(|hash| refresh_token::row(hash, client, &approval, now)));
    let response = TokenResponse {
        access_token: minted.token,
        token_type: "Bearer".into(),
        expires_in: minted.expires_at.seconds_since(now),
        refresh_token: refresh.map(PlainToken::reveal),
        scope: minted.scope.to_string(),
    };
    let (consume, presented) = consume(env, approval.credential, refresh_hash, &response, now)?;
    if consume == Consume::Nothing && tokens.is_empty() {
        return Ok(response);
    }
    let issuance =
        Issuance { consume, parent: approval.parent, code: None, tokens, consent: None, at: now };
    match env.grants.commit(issuance).await? {
        Committed::Done => Ok(response),
        Committed::Repeated(sealed) => {
            let presented = presented.ok_or(OAuthError::invalid_grant("already used"))?;
            refresh_token::open(&presented, &sealed, now)
        }
        Committed::Replayed => {
            env.audit.record(&Event::Replayed { client: &client.id });
            Err(OAuthError::invalid_grant("already used; everything issued from it is revoked"))
        }
        Committed::Revoked => Err(OAuthError::invalid_grant("revoked")),
    }
}

/// How the presented credential is used up, and the presented token itself where the answer may be given again.
fn consume(
    env: &Env,
    credential: Credential,
    successor: Option<HashedToken>,
    response: &TokenResponse,
    now: Timestamp,
) -> Result<(Consume, Option<PlainToken>), OAuthError> {
    Ok(match credential {
        Credential::Reusable => (Consume::Nothing, None),
        Credential::Code(hash) => (Consume::Code(hash), None),
        Credential::RefreshToken { token, retry_since } => {
            let successor = successor.ok_or(OAuthError::invalid_grant("no successor is due"))?;
            let response = refresh_token::seal(env, &token, response, now)?;
            let hash = token.hash();
            (Consume::Refresh { token: hash, response, successor, retry_since }, Some(token))
        }
    })
}
