//! Encrypting for a client what was signed for it.

use crate::{
    client_keys::Freshness,
    env::Env,
    error::{ErrorCode, OAuthError, PortError},
    jose::{EncryptionKeys, encrypt, encrypt_claims},
    model::{Client, Encryption, Timestamp},
};

/// What is encrypted.
pub(crate) enum Content {
    /// A signed JWT.
    Signed(String),
    /// Claims as JSON, signed by nobody.
    Claims(String),
}

/// The content as it is, or encrypted to a key of the client
/// ([OpenID Connect Core 10.2](https://openid.net/specs/openid-connect-core-1_0.html#Encryption)).
pub(crate) async fn protect(
    env: &Env,
    client: &Client,
    encryption: Option<Encryption>,
    content: Content,
    now: Timestamp,
) -> Result<String, OAuthError> {
    let Some(Encryption { alg, enc }) = encryption else {
        let (Content::Signed(text) | Content::Claims(text)) = content;
        return Ok(text);
    };
    for freshness in [Freshness::Remembered, Freshness::Again] {
        let set = env.client_keys.of(client, freshness, now).await;
        if let Some(key) = EncryptionKeys::from_jwks(&set).fitting(alg) {
            let encrypted = match &content {
                Content::Signed(jwt) => encrypt(jwt, key, alg, enc, &*env.random),
                Content::Claims(json) => encrypt_claims(json, key, alg, enc, &*env.random),
            };
            return Ok(encrypted.map_err(PortError::new)?);
        }
    }
    Err(OAuthError::new(
        ErrorCode::InvalidRequest,
        "the client has published no key that its tokens could be encrypted to",
    ))
}
