//! Two key pairs, parsed once, and what signs and verifies with them.

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
        RSA_PKCS1_SHA512,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Serialize};

/// The issuer in every token.
pub(crate) const ISSUER: &str = "https://as.example";
/// The audience in every token.
pub(crate) const AUDIENCE: &str = "https://api.example";

/// The claims of [RFC 9068 2.2](https://www.rfc-editor.org/rfc/rfc9068#section-2.2).
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) exp: u64,
    pub(crate) aud: String,
    pub(crate) sub: String,
    pub(crate) client_id: String,
    pub(crate) iat: u64,
    pub(crate) jti: String,
    pub(crate) scope: String,
}

/// One key: the encoded header that goes with it, and the two halves.
struct Key {
    header: String,
    verification: DecodingKey,
    rules: Validation,
}

/// An EC and an RSA key pair.
pub(crate) struct Keys {
    random: SystemRandom,
    ec: EcdsaKeyPair,
    es256: Key,
    rsa: RsaKeyPair,
    rs256: Key,
    rs512: Key,
}

impl Keys {
    /// Fresh keys.
    pub(crate) fn generate() -> anyhow::Result<Self> {
        let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048)?;
        Ok(Self {
            random: SystemRandom::new(),
            es256: Key::new(Algorithm::ES256, DecodingKey::from_ec_der(ec.public_key().as_ref())),
            rs256: Key::new(Algorithm::RS256, DecodingKey::from_rsa_der(rsa.public_key().as_ref())),
            rs512: Key::new(Algorithm::RS512, DecodingKey::from_rsa_der(rsa.public_key().as_ref())),
            ec,
            rsa,
        })
    }

    /// A compact JWS with ES256.
    pub(crate) fn sign_es256(&self, claims: &Claims) -> anyhow::Result<String> {
        let mut token = self.es256.unsigned(claims)?;
        let signature = self.ec.sign(&self.random, token.as_bytes())?;
        append(&mut token, signature.as_ref());
        Ok(token)
    }

    /// A compact JWS with RS256.
    pub(crate) fn sign_rs256(&self, claims: &Claims) -> anyhow::Result<String> {
        let mut token = self.rs256.unsigned(claims)?;
        let mut signature = [0; 256];
        self.rsa.sign(&RSA_PKCS1_SHA256, &self.random, token.as_bytes(), &mut signature)?;
        append(&mut token, &signature);
        Ok(token)
    }

    /// A compact JWS with RS512.
    pub(crate) fn sign_rs512(&self, claims: &Claims) -> anyhow::Result<String> {
        let mut token = self.rs512.unsigned(claims)?;
        let mut signature = [0; 256];
        self.rsa.sign(&RSA_PKCS1_SHA512, &self.random, token.as_bytes(), &mut signature)?;
        append(&mut token, &signature);
        Ok(token)
    }

    /// The claims of a token that one of the two keys signed.
    pub(crate) fn verify(&self, token: &str) -> Option<Claims> {
        let key = match jsonwebtoken::decode_header(token).ok()?.alg {
            Algorithm::ES256 => &self.es256,
            Algorithm::RS256 => &self.rs256,
            Algorithm::RS512 => &self.rs512,
            _ => return None,
        };
        jsonwebtoken::decode(token, &key.verification, &key.rules).ok().map(|data| data.claims)
    }
}

impl Key {
    fn new(alg: Algorithm, verification: DecodingKey) -> Self {
        let mut rules = Validation::new(alg);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[AUDIENCE]);
        rules.leeway = 0;
        let header = format!(r#"{{"typ":"at+jwt","alg":"{alg:?}","kid":"floor"}}"#);
        Self { header: URL_SAFE_NO_PAD.encode(header) + ".", verification, rules }
    }

    fn unsigned(&self, claims: &Claims) -> anyhow::Result<String> {
        let mut text = String::with_capacity(1024);
        text.push_str(&self.header);
        URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims)?, &mut text);
        Ok(text)
    }
}

fn append(token: &mut String, signature: &[u8]) {
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, token);
}
