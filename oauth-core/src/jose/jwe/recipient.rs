//! The public keys a client reads with, and how a content key reaches it.

use super::{agreement::AgreementKey, content::key_len};
use crate::{
    jose::KeyProblem,
    model::{ContentEncryption, KeyManagementAlgorithm},
    ports::Random,
};
use aws_lc_rs::{
    key_wrap::{AES_128, AES_256, AesBlockCipher, AesKek, BlockCipher as _, KeyWrap as _},
    rsa::{
        OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPublicEncryptingKey,
        PublicEncryptingKey, PublicKeyComponents,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use zeroize::Zeroizing;

/// More keys than any client publishes.
const MOST_KEYS: usize = 100;

/// The public keys of a client that things can be encrypted to.
#[derive(Clone, Default)]
pub struct EncryptionKeys(Vec<EncryptionKey>);

/// One public key to encrypt to.
#[derive(Clone)]
pub struct EncryptionKey {
    /// The key id, if it has one.
    pub kid: Option<String>,
    /// The one algorithm it is for, if it says so.
    alg: Option<String>,
    /// Whether it says that it is for encryption, rather than nothing.
    marked: bool,
    key: Public,
}

#[derive(Clone)]
enum Public {
    Rsa(PublicEncryptingKey),
    Agreement(AgreementKey),
}

/// A content key, and what the header and the second part of the JWE say of it.
pub(super) struct Delivery {
    pub(super) content_key: Zeroizing<Vec<u8>>,
    pub(super) encrypted_key: Vec<u8>,
    pub(super) epk: Option<Value>,
}

impl EncryptionKeys {
    /// Reads a JWK set key by key; keys for signatures and unusable ones are passed over.
    pub fn from_jwks(set: &Value) -> Self {
        let keys = set.get("keys").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let keys = keys.iter().take(MOST_KEYS).filter_map(|jwk| EncryptionKey::from_jwk(jwk).ok());
        Self(keys.collect())
    }

    /// How many keys could be read.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no key could be read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key for the algorithm: rather one that names it than one that does not, then rather one that says it is
    /// for encryption, then the first.
    pub fn fitting(&self, alg: KeyManagementAlgorithm) -> Option<&EncryptionKey> {
        let fitting = self.0.iter().filter(|key| key.fits(alg));
        fitting.min_by_key(|key| (key.alg.is_none(), !key.marked))
    }
}

impl std::fmt::Debug for EncryptionKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|k| &k.kid)).finish()
    }
}

impl EncryptionKey {
    /// Reads a JWK: RSA of 2048 bits or more, or a point of P-256, P-384, P-521 or X25519, not marked for signatures.
    pub fn from_jwk(jwk: &Value) -> Result<Self, KeyProblem> {
        read(jwk).ok_or(KeyProblem::Recipient)
    }

    fn fits(&self, alg: KeyManagementAlgorithm) -> bool {
        self.alg.as_deref().is_none_or(|own| own == alg.as_str())
            && matches!(self.key, Public::Rsa(_)) == oaep(alg).is_some()
    }

    /// Makes a content key and packs it for the owner of this key
    /// ([RFC 7516 5.1](https://www.rfc-editor.org/rfc/rfc7516#section-5.1)).
    pub(super) fn deliver(
        &self,
        alg: KeyManagementAlgorithm,
        enc: ContentEncryption,
        random: &dyn Random,
    ) -> Result<Delivery, KeyProblem> {
        use KeyManagementAlgorithm as A;
        if !self.fits(alg) {
            return Err(KeyProblem::NoRecipient(alg));
        }
        let key = match &self.key {
            Public::Rsa(key) => {
                let algorithm = oaep(alg).ok_or(KeyProblem::NoRecipient(alg))?;
                let content_key = fresh(enc, random);
                let encrypted_key = pad_and_encrypt(key, algorithm, &content_key)?;
                return Ok(Delivery { content_key, encrypted_key, epk: None });
            }
            Public::Agreement(key) => key,
        };
        let cipher = match alg {
            A::EcdhEsA128Kw => &AES_128,
            A::EcdhEsA256Kw => &AES_256,
            A::EcdhEs => {
                let (content_key, epk) = key.agree(enc.as_str(), key_len(enc))?;
                return Ok(Delivery { content_key, encrypted_key: Vec::new(), epk: Some(epk) });
            }
            A::RsaOaep | A::RsaOaep256 => return Err(KeyProblem::NoRecipient(alg)),
        };
        let content_key = fresh(enc, random);
        let (wrapping_key, epk) = key.agree(alg.as_str(), cipher.key_len())?;
        let encrypted_key = wrap(cipher, &wrapping_key, &content_key)?;
        Ok(Delivery { content_key, encrypted_key, epk: Some(epk) })
    }
}

fn read(jwk: &Value) -> Option<EncryptionKey> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    if text("use").is_some_and(|u| u != "enc") {
        return None;
    }
    let key = match text("kty")? {
        "RSA" => Public::Rsa(rsa(text("n")?, text("e")?)?),
        "EC" => Public::Agreement(AgreementKey::read(text("crv")?, text("x")?, text("y"))?),
        "OKP" => Public::Agreement(AgreementKey::read(text("crv")?, text("x")?, None)?),
        _ => return None,
    };
    Some(EncryptionKey {
        kid: text("kid").map(str::to_owned),
        alg: text("alg").map(str::to_owned),
        marked: text("use").is_some(),
        key,
    })
}

fn rsa(n: &str, e: &str) -> Option<PublicEncryptingKey> {
    // Some libraries write a sign byte before the modulus.
    let number = |text: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(bytes.into_iter().skip_while(|byte| *byte == 0).collect::<Vec<_>>())
    };
    let components = PublicKeyComponents { n: number(n)?, e: number(e)? };
    let key: PublicEncryptingKey = components.try_into().ok()?;
    // The library looks at the exponent only when it encrypts.
    pad_and_encrypt(&key, &OAEP_SHA256_MGF1SHA256, &[0; 16]).ok().map(|_| key)
}

/// The padding, where the algorithm is one of RSA.
const fn oaep(alg: KeyManagementAlgorithm) -> Option<&'static OaepAlgorithm> {
    use KeyManagementAlgorithm as A;
    match alg {
        A::RsaOaep => Some(&OAEP_SHA1_MGF1SHA1),
        A::RsaOaep256 => Some(&OAEP_SHA256_MGF1SHA256),
        A::EcdhEs | A::EcdhEsA128Kw | A::EcdhEsA256Kw => None,
    }
}

fn pad_and_encrypt(
    key: &PublicEncryptingKey,
    algorithm: &'static OaepAlgorithm,
    content_key: &[u8],
) -> Result<Vec<u8>, KeyProblem> {
    let key = OaepPublicEncryptingKey::new(key.clone()).map_err(|_| KeyProblem::Crypto)?;
    let mut out = vec![0; key.ciphertext_size()];
    let len =
        key.encrypt(algorithm, content_key, &mut out, None).map_err(|_| KeyProblem::Crypto)?.len();
    out.truncate(len);
    Ok(out)
}

fn wrap(
    cipher: &'static AesBlockCipher,
    wrapping_key: &[u8],
    content_key: &[u8],
) -> Result<Vec<u8>, KeyProblem> {
    let kek = AesKek::new(cipher, wrapping_key).map_err(|_| KeyProblem::Crypto)?;
    let mut out = vec![0; content_key.len() + 8];
    let len = kek.wrap(content_key, &mut out).map_err(|_| KeyProblem::Crypto)?.len();
    out.truncate(len);
    Ok(out)
}

fn fresh(enc: ContentEncryption, random: &dyn Random) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(vec![0; key_len(enc)]);
    random.fill(&mut key);
    key
}
