//! Signing with keys parsed once. `jsonwebtoken::encode` parses the key at every signature, which doubles the cost.

use super::{KeyProblem, key_set::jwt_algorithm};
use crate::model::SigningAlgorithm;
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeyPair as RsaKeyPair,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
        RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, EllipticCurveKeyParameters,
    EllipticCurveKeyType, Jwk, OctetKeyPairParameters, OctetKeyPairType, PublicKeyUse,
    RSAKeyParameters, RSAKeyType, ThumbprintHash,
};
use rsa::{RsaPrivateKey, pkcs8::DecodePrivateKey as _, traits::PublicKeyParts as _};
use serde::Serialize;

/// The `typ` of access tokens ([RFC 9068 2.1](https://www.rfc-editor.org/rfc/rfc9068#section-2.1)).
const ACCESS_TOKEN: &str = "at+jwt";
/// The `typ` of ID Tokens ([RFC 7519 5.1](https://www.rfc-editor.org/rfc/rfc7519#section-5.1)).
const JWT: &str = "JWT";

enum Key {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
}

/// A private key ready to sign with its one algorithm.
pub struct Signer {
    alg: SigningAlgorithm,
    jwk: Jwk,
    key: Key,
    /// The encoded header and its dot, for the types that are signed most.
    headers: [(&'static str, String); 2],
}

impl Signer {
    /// Parses a PKCS#8 private key.
    pub fn from_pkcs8(alg: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, KeyProblem> {
        use SigningAlgorithm as A;
        let bad = || KeyProblem::Private(alg);
        let (key, parameters) = match alg {
            A::ES256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
                    .map_err(|_| bad())?;
                let parameters = p256(pair.public_key().as_ref()).ok_or_else(bad)?;
                (Key::Ecdsa(pair), parameters)
            }
            A::EdDSA => {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map_err(|_| bad())?;
                let parameters = AlgorithmParameters::OctetKeyPair(OctetKeyPairParameters {
                    key_type: OctetKeyPairType::OctetKeyPair,
                    curve: EllipticCurve::Ed25519,
                    x: URL_SAFE_NO_PAD.encode(pair.public_key().as_ref()),
                });
                (Key::Ed25519(pair), parameters)
            }
            A::RS256 | A::RS512 | A::PS256 => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| bad())?;
                let parsed = RsaPrivateKey::from_pkcs8_der(pkcs8).map_err(|_| bad())?;
                let parameters = AlgorithmParameters::RSA(RSAKeyParameters {
                    key_type: RSAKeyType::RSA,
                    n: URL_SAFE_NO_PAD.encode(parsed.n().to_bytes_be()),
                    e: URL_SAFE_NO_PAD.encode(parsed.e().to_bytes_be()),
                });
                let encoding: &'static dyn RsaEncoding = match alg {
                    A::RS512 => &RSA_PKCS1_SHA512,
                    A::PS256 => &RSA_PSS_SHA256,
                    _ => &RSA_PKCS1_SHA256,
                };
                (Key::Rsa(pair, encoding), parameters)
            }
        };
        Self::new(alg, key, parameters)
    }

    fn new(
        alg: SigningAlgorithm,
        key: Key,
        algorithm: AlgorithmParameters,
    ) -> Result<Self, KeyProblem> {
        let mut jwk = Jwk { common: CommonParameters::default(), algorithm };
        let kid = jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| KeyProblem::Private(alg))?;
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        jwk.common.key_algorithm = Some(jwt_algorithm(alg.into()).into());
        let headers = [ACCESS_TOKEN, JWT].map(|typ| (typ, header(typ, alg, &kid)));
        jwk.common.key_id = Some(kid);
        Ok(Self { alg, jwk, key, headers })
    }

    /// The key id: the [RFC 7638](https://www.rfc-editor.org/rfc/rfc7638) thumbprint.
    pub fn kid(&self) -> &str {
        self.jwk.common.key_id.as_deref().unwrap_or_default()
    }

    /// The algorithm.
    pub const fn alg(&self) -> SigningAlgorithm {
        self.alg
    }

    /// The public key with `kid`, `use` and `alg`.
    pub const fn public_jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// A compact JWS over the claims with this `typ` ([RFC 7515 3.1](https://www.rfc-editor.org/rfc/rfc7515#section-3.1)).
    pub fn sign<T: Serialize>(&self, typ: &str, claims: &T) -> Result<String, KeyProblem> {
        let payload = serde_json::to_vec(claims).map_err(KeyProblem::Claims)?;
        let kept = self.headers.iter().find(|(kept, _)| *kept == typ);
        let mut token =
            kept.map_or_else(|| header(typ, self.alg, self.kid()), |(_, header)| header.clone());
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let signature = self.signature(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, KeyProblem> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Ecdsa(pair) => {
                let signature = pair.sign(&random, message).map_err(|_| KeyProblem::Crypto)?;
                Ok(signature.as_ref().to_vec())
            }
            Key::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Key::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature)
                    .map_err(|_| KeyProblem::Crypto)?;
                Ok(signature)
            }
        }
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer")
            .field("alg", &self.alg)
            .field("kid", &self.kid())
            .finish_non_exhaustive()
    }
}

/// The encoded header and its dot.
fn header(typ: &str, alg: SigningAlgorithm, kid: &str) -> String {
    let header = serde_json::json!({ "typ": typ, "alg": alg.as_str(), "kid": kid });
    URL_SAFE_NO_PAD.encode(header.to_string()) + "."
}

/// An uncompressed P-256 point as JWK members.
fn p256(point: &[u8]) -> Option<AlgorithmParameters> {
    let [4, rest @ ..] = point else { return None };
    let (x, y) = rest.split_at_checked(32).filter(|(_, y)| y.len() == 32)?;
    Some(AlgorithmParameters::EllipticCurve(EllipticCurveKeyParameters {
        key_type: EllipticCurveKeyType::EC,
        curve: EllipticCurve::P256,
        x: URL_SAFE_NO_PAD.encode(x),
        y: URL_SAFE_NO_PAD.encode(y),
    }))
}

#[cfg(test)]
mod tests {
    use crate::{
        jose::{KeySet, generate, verify},
        model::SigningAlgorithm,
        ports::SystemRandom,
    };
    use serde_json::json;

    #[test]
    fn every_type_has_its_header_kept_or_not() {
        let signer = generate(SigningAlgorithm::EdDSA, &SystemRandom).unwrap().signer;
        let set = KeySet::from_jwks(&json!({"keys": [signer.public_jwk()]}));
        for typ in ["at+jwt", "JWT", "logout+jwt"] {
            let token = signer.sign(typ, &json!({"sub": "u"})).unwrap();
            let jwt = verify(&token, &set, &[SigningAlgorithm::EdDSA]).unwrap();
            assert_eq!(jwt.typ.as_deref(), Some(typ));
            assert_eq!(jwt.kid.as_deref(), Some(signer.kid()));
            assert_eq!(jwt.text("sub"), Some("u"));
        }
    }
}
