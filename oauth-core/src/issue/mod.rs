//! Approval to tokens: mint, then commit. The only caller of `commit` for tokens.

mod access_token;
mod audience;
mod id_token;
mod logout_token;
mod protect;
mod refresh_token;
mod sign;

use crate::{
    client_auth::AuthenticatedClient,
    env::Env,
    error::OAuthError,
    model::{
        Approval, Client, Committed, Consume, Credential, HashedToken, Issuance, PlainToken,
        Timestamp,
    },
    ports::Event,
};
use serde::{Deserialize, Serialize};

#[cfg(feature = "oxide")]
pub(crate) use access_token::grantable;
pub(crate) use access_token::{Terms, mint, more_claims};
pub(crate) use audience::audience;
pub(crate) use id_token::{IdTerms, algorithm as id_token_algorithm, mint as mint_id_token};
pub(crate) use logout_token::mint as mint_logout_token;
pub(crate) use protect::{Content, protect};
pub(crate) use sign::sign;

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
    /// The id token, where one is due ([OpenID Connect Core 3.1.3.3](https://openid.net/specs/openid-connect-core-1_0.html#TokenResponse)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
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
    let id_token = match (&approval.login, &approval.openid) {
        (Some(login), Some(openid)) if approval.scope.contains("openid") => {
            let terms = IdTerms {
                login,
                openid,
                scope: &approval.scope,
                code: None,
                access_token: Some(&minted.token),
                alone: false,
            };
            Some(mint_id_token(env, client, &terms, now).await?)
        }
        _ => None,
    };
    let response = TokenResponse {
        access_token: minted.token,
        token_type: "Bearer".into(),
        expires_in: minted.expires_at.seconds_since(now),
        refresh_token: refresh.map(PlainToken::reveal),
        scope: minted.scope.to_string(),
        id_token,
    };
    let (consume, presented) = consume(env, approval.credential, refresh_hash, &response, now)?;
    mark_used(env, client).await?;
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
            let event = Event::Replayed { client: &client.id };
            env.audit.keep(&event).await?;
            env.audit.record(&event);
            Err(OAuthError::invalid_grant("already used; everything issued from it is revoked"))
        }
        Committed::Revoked => Err(OAuthError::invalid_grant("revoked")),
    }
}

/// A client that registered itself stays once it is of use to somebody.
pub(crate) async fn mark_used(env: &Env, client: &Client) -> Result<(), OAuthError> {
    if client.expires_at.is_some() {
        env.clients.keep_client(&client.id).await?;
    }
    Ok(())
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
