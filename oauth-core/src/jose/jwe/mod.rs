//! Encrypting to a client's public key as a compact JWE, and reading what was encrypted to a key of ours. The container
//! is ours, the cryptography is of aws-lc.

mod agreement;
mod content;
mod decrypt;
mod recipient;

pub use decrypt::{DecryptionKey, RsaPadding};
pub use recipient::{EncryptionKey, EncryptionKeys};

use super::KeyProblem;
use crate::{
    model::{ContentEncryption, KeyManagementAlgorithm},
    ports::Random,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// A signed JWT as a nested one that only the owner of the key can read
/// ([RFC 7519 5.2](https://www.rfc-editor.org/rfc/rfc7519#section-5.2)).
///
/// The content key and the initialization vector come from `random`; the padding of RSA and the ephemeral key from
/// the cryptography library.
pub fn encrypt(
    token: &str,
    recipient: &EncryptionKey,
    alg: KeyManagementAlgorithm,
    enc: ContentEncryption,
    random: &dyn Random,
) -> Result<String, KeyProblem> {
    seal(token, "cty", recipient, (alg, enc), random)
}

/// Claims as JSON, that nobody signed, as a JWT that only the owner of the key can read: an answer of userinfo
/// ([OIDC Core 5.3.2](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse)).
pub fn encrypt_claims(
    json: &str,
    recipient: &EncryptionKey,
    alg: KeyManagementAlgorithm,
    enc: ContentEncryption,
    random: &dyn Random,
) -> Result<String, KeyProblem> {
    seal(json, "typ", recipient, (alg, enc), random)
}

/// A compact JWE, of which this header parameter says `JWT`
/// ([RFC 7516 5.1](https://www.rfc-editor.org/rfc/rfc7516#section-5.1)).
fn seal(
    plain: &str,
    jwt: &str,
    recipient: &EncryptionKey,
    (alg, enc): (KeyManagementAlgorithm, ContentEncryption),
    random: &dyn Random,
) -> Result<String, KeyProblem> {
    let delivery = recipient.deliver(alg, enc, random)?;
    let mut header = Map::new();
    header.insert("alg".into(), alg.as_str().into());
    header.insert("enc".into(), enc.as_str().into());
    header.insert(jwt.into(), "JWT".into());
    if let Some(kid) = &recipient.kid {
        header.insert("kid".into(), kid.as_str().into());
    }
    if let Some(epk) = delivery.epk {
        header.insert("epk".into(), epk);
    }
    let mut token = URL_SAFE_NO_PAD.encode(Value::Object(header).to_string());
    let sealed =
        content::seal(enc, &delivery.content_key, token.as_bytes(), plain.as_bytes(), random)?;
    for part in [&delivery.encrypted_key, &sealed.iv, &sealed.ciphertext, &sealed.tag] {
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(part, &mut token);
    }
    Ok(token)
}
