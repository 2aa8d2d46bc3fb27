//! JWTs of clients, with everything right until one thing is made wrong, and the keys they are signed with.

use super::{CALLBACK, CHALLENGE, ISSUER};
use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
        RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_core::model::{MacAlgorithm, Timestamp, VerificationAlgorithm};
use serde_json::{Map, Value, json};
use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
}

/// A private key of a client.
pub(crate) struct ClientKey {
    alg: VerificationAlgorithm,
    kid: String,
    jwk: Map<String, Value>,
    pair: Pair,
}

impl ClientKey {
    /// A key for this algorithm, the same in all tests of a run.
    pub(crate) fn of(alg: VerificationAlgorithm) -> &'static Self {
        static KEYS: [OnceLock<ClientKey>; VerificationAlgorithm::ALL.len()] =
            [const { OnceLock::new() }; VerificationAlgorithm::ALL.len()];
        let at = VerificationAlgorithm::ALL.iter().position(|a| *a == alg).unwrap();
        KEYS[at].get_or_init(|| Self::new(alg, &format!("key of {alg}")))
    }

    /// A new key with this `kid`.
    pub(crate) fn new(alg: VerificationAlgorithm, kid: &str) -> Self {
        use VerificationAlgorithm as A;
        let (pair, mut jwk) = match alg {
            A::ES256 | A::ES384 => ecdsa(alg),
            A::EdDSA | A::Ed25519 => {
                let pair = Ed25519KeyPair::generate().unwrap();
                let x = URL_SAFE_NO_PAD.encode(pair.public_key());
                (Pair::Ed25519(pair), json!({"kty": "OKP", "crv": "Ed25519", "x": x}))
            }
            _ => rsa(alg),
        };
        for (name, value) in [("use", "sig"), ("alg", alg.as_str()), ("kid", kid)] {
            jwk[name] = value.into();
        }
        let jwk = jwk.as_object().unwrap().clone();
        Self { alg, kid: kid.into(), jwk, pair }
    }

    /// The public key, to be changed further.
    pub(crate) fn jwk(&self) -> Value {
        Value::Object(self.jwk.clone())
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ecdsa(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }
}

fn ecdsa(alg: VerificationAlgorithm) -> (Pair, Value) {
    let (algorithm, crv) = match alg {
        VerificationAlgorithm::ES256 => (&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
        _ => (&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
    };
    let pair = EcdsaKeyPair::generate(algorithm).unwrap();
    let point = pair.public_key().as_ref();
    let (x, y) = point[1..].split_at(point.len() / 2);
    let [x, y] = [x, y].map(|half| URL_SAFE_NO_PAD.encode(half));
    (Pair::Ecdsa(pair), json!({"kty": "EC", "crv": crv, "x": x, "y": y}))
}

fn rsa(alg: VerificationAlgorithm) -> (Pair, Value) {
    use VerificationAlgorithm as A;
    let encoding: &'static dyn RsaEncoding = match alg {
        A::RS256 => &RSA_PKCS1_SHA256,
        A::RS384 => &RSA_PKCS1_SHA384,
        A::RS512 => &RSA_PKCS1_SHA512,
        A::PS256 => &RSA_PSS_SHA256,
        A::PS384 => &RSA_PSS_SHA384,
        _ => &RSA_PSS_SHA512,
    };
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let n = pair.public_key().modulus().big_endian_without_leading_zero().to_vec();
    let e = pair.public_key().exponent().big_endian_without_leading_zero().to_vec();
    let [n, e] = [n, e].map(|number| URL_SAFE_NO_PAD.encode(number));
    (Pair::Rsa(pair, encoding), json!({"kty": "RSA", "n": n, "e": e}))
}

/// The JWK set of these keys, as a client publishes it.
pub(crate) fn jwks(keys: &[&ClientKey]) -> Value {
    json!({"keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>()})
}

/// The header and claims of a JWT that is not signed yet.
#[derive(Clone)]
pub(crate) struct Draft {
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Draft {
    pub(crate) fn new(claims: &Value) -> Self {
        Self { header: Map::new(), claims: claims.as_object().unwrap().clone() }
    }

    /// Sets a claim, in the place of an earlier value.
    pub(crate) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Sets a member of the header, in the place of what signing would put there; `null` leaves it out.
    pub(crate) fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.into(), value.into());
        self
    }

    pub(crate) fn sign(&self, key: &ClientKey) -> String {
        let header = json!({"alg": key.alg.as_str(), "kid": key.kid});
        self.finish(&header, |message| key.sign(message))
    }

    pub(crate) fn mac(&self, secret: &[u8], alg: MacAlgorithm) -> String {
        let algorithm = match alg {
            MacAlgorithm::HS256 => hmac::HMAC_SHA256,
            MacAlgorithm::HS384 => hmac::HMAC_SHA384,
            _ => hmac::HMAC_SHA512,
        };
        let key = hmac::Key::new(algorithm, secret);
        let header = json!({"alg": alg.as_str()});
        self.finish(&header, |message| hmac::sign(&key, message).as_ref().to_vec())
    }

    /// Protected by nothing, and saying so.
    pub(crate) fn unsecured(&self) -> String {
        self.finish(&json!({"alg": "none"}), |_| Vec::new())
    }

    fn finish(&self, header: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
        let mut header = header.as_object().unwrap().clone();
        header.extend(self.header.clone());
        header.retain(|_, value| !value.is_null());
        let encode =
            |part: &Map<String, Value>| URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).unwrap());
        let message = format!("{}.{}", encode(&header), encode(&self.claims));
        let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
        format!("{message}.{signature}")
    }
}

/// An assertion by which the client authenticates, with an id of its own, good for a minute.
pub(crate) fn assertion(client: &str, audience: &str, now: Timestamp) -> Draft {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    Draft::new(&json!({
        "iss": client,
        "sub": client,
        "aud": audience,
        "jti": format!("assertion {}", COUNT.fetch_add(1, Ordering::Relaxed)),
        "iat": now.unix(),
        "exp": now.unix() + 60,
    }))
}

/// A request object with the parameters of a [`Walk`](super::Walk).
pub(crate) fn request_object(client: &str) -> Draft {
    Draft::new(&json!({
        "iss": client,
        "aud": ISSUER,
        "client_id": client,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "a b",
        "state": "inside",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }))
}
