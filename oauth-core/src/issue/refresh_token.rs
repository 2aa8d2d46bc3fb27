//! Refresh tokens: always opaque, always rotated ([RFC 9700 4.14](https://www.rfc-editor.org/rfc/rfc9700#section-4.14)).
//!
//! Only hashes are stored, yet a lost response can be given again: the whole response is sealed under the
//! presented token, which nobody but its holder can open.

use super::TokenResponse;
use crate::{
    env::Env,
    error::{OAuthError, PortError},
    jose::Sealer,
    model::{Approval, Client, HashedToken, NewToken, PlainToken, Timestamp, TokenKind},
};
use serde::{Deserialize, Serialize};

const PURPOSE: &[u8] = b"oauth-core: response to a rotated refresh token";

#[derive(Serialize, Deserialize)]
struct Sealed {
    at: Timestamp,
    response: TokenResponse,
}

/// The row of a refresh token, if one is due.
pub(super) fn row(
    hash: HashedToken,
    client: &Client,
    approval: &Approval,
    now: Timestamp,
) -> Option<NewToken> {
    Some(NewToken {
        hash,
        kind: TokenKind::Refresh,
        client: client.id.clone(),
        login: approval.login.clone(),
        scope: approval.refresh_scope.clone(),
        resources: approval.refresh_resources.clone(),
        issued_at: now,
        expires_at: approval.refresh_until?,
    })
}

/// Seals a response so that only the holder of the presented token can read it.
pub(super) fn seal(
    env: &Env,
    presented: &PlainToken,
    response: &TokenResponse,
    at: Timestamp,
) -> Result<Vec<u8>, OAuthError> {
    let plain =
        serde_json::to_vec(&Sealed { at, response: response.clone() }).map_err(PortError::new)?;
    Ok(Sealer::derived(presented.key_material(), PURPOSE).seal(PURPOSE, &plain, &*env.random))
}

/// Opens a sealed response again; the access token has aged meanwhile.
pub(super) fn open(
    presented: &PlainToken,
    sealed: &[u8],
    now: Timestamp,
) -> Result<TokenResponse, OAuthError> {
    let plain = Sealer::derived(presented.key_material(), PURPOSE)
        .open(PURPOSE, sealed)
        .map_err(PortError::new)?;
    let mut sealed: Sealed = serde_json::from_slice(&plain).map_err(PortError::new)?;
    let age = now.seconds_since(sealed.at).max(0);
    sealed.response.expires_in = sealed.response.expires_in.saturating_sub(age).max(0);
    Ok(sealed.response)
}
