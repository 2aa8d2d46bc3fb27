//! RFC 7518: JWTs made by clients, with every algorithm they may sign with.

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
        RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_core::{
    jose::{JwtProblem, KeySet, verify},
    model::{SigningAlgorithm, VerificationAlgorithm as Alg},
};
use serde_json::{Value, json};

/// A client that signs by itself.
enum Client {
    Rsa(KeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Client {
    fn new(alg: Alg) -> Self {
        match alg {
            Alg::ES256 => {
                Self::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
            }
            Alg::ES384 => {
                Self::Ec(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap())
            }
            Alg::EdDSA | Alg::Ed25519 => Self::Ed(Ed25519KeyPair::generate().unwrap()),
            _ => Self::Rsa(KeyPair::generate(KeySize::Rsa2048).unwrap()),
        }
    }

    fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rsa(pair) => {
                let key = pair.public_key();
                let [n, e] = [key.modulus(), key.exponent()]
                    .map(|number| text(number.big_endian_without_leading_zero()));
                json!({"kty": "RSA", "n": n, "e": e})
            }
            Self::Ec(pair) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let crv = if x.len() == 32 { "P-256" } else { "P-384" };
                json!({"kty": "EC", "crv": crv, "x": text(x), "y": text(y)})
            }
            Self::Ed(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref())})
            }
        }
    }

    fn sign(&self, alg: Alg, claims: &Value) -> String {
        let [header, payload] = [json!({"alg": alg.as_str()}), claims.clone()]
            .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let message = format!("{header}.{payload}");
        let random = SystemRandom::new();
        let signature = match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding(alg), &random, message.as_bytes(), &mut signature).unwrap();
                signature
            }
            Self::Ec(pair) => pair.sign(&random, message.as_bytes()).unwrap().as_ref().to_vec(),
            Self::Ed(pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn encoding(alg: Alg) -> &'static dyn RsaEncoding {
    match alg {
        Alg::RS256 => &RSA_PKCS1_SHA256,
        Alg::RS384 => &RSA_PKCS1_SHA384,
        Alg::RS512 => &RSA_PKCS1_SHA512,
        Alg::PS256 => &RSA_PSS_SHA256,
        Alg::PS384 => &RSA_PSS_SHA384,
        _ => &RSA_PSS_SHA512,
    }
}

fn set(jwk: Value, alg: Option<&str>) -> KeySet {
    let mut jwk = jwk;
    if let Some(alg) = alg {
        jwk["alg"] = alg.into();
    }
    KeySet::from_jwks(&json!({"keys": [jwk]}))
}

#[test]
fn s3_1_every_algorithm_of_clients_verifies() {
    for alg in Alg::ALL {
        let client = Client::new(alg);
        let token = client.sign(alg, &json!({"sub": "c"}));
        for marked in [None, Some(alg.as_str())] {
            let jwt = verify(&token, &set(client.jwk(), marked), &[alg]).unwrap();
            assert_eq!(jwt.text("sub"), Some("c"), "{alg}");
        }
        let others: Vec<_> = Alg::ALL.into_iter().filter(|other| *other != alg).collect();
        let keys = set(client.jwk(), None);
        assert_eq!(verify(&token, &keys, &others).unwrap_err(), JwtProblem::Algorithm, "{alg}");
        let stranger = set(Client::new(alg).jwk(), None);
        assert_eq!(verify(&token, &stranger, &[alg]).unwrap_err(), JwtProblem::UnknownKey, "{alg}");
        let no_one = set(client.jwk(), Some("HS256"));
        assert_eq!(verify(&token, &no_one, &[alg]).unwrap_err(), JwtProblem::UnknownKey, "{alg}");
    }
}

/// What says that it was made by one algorithm was not made by another of the same key.
#[test]
fn s3_1_the_name_of_the_algorithm_is_part_of_what_is_verified() {
    let client = Client::new(Alg::RS256);
    let keys = set(client.jwk(), None);
    let rsa = [Alg::RS256, Alg::RS384, Alg::RS512, Alg::PS256, Alg::PS384, Alg::PS512];
    for made in rsa {
        let token = client.sign(made, &json!({}));
        let (message, signature) = token.rsplit_once('.').unwrap();
        let payload = message.split_once('.').unwrap().1;
        for named in rsa.into_iter().filter(|named| *named != made) {
            let header = URL_SAFE_NO_PAD.encode(json!({"alg": named.as_str()}).to_string());
            let forged = format!("{header}.{payload}.{signature}");
            assert_eq!(verify(&forged, &keys, &rsa).unwrap_err(), JwtProblem::UnknownKey);
        }
        let narrow = set(client.jwk(), Some(made.as_str()));
        assert!(verify(&token, &narrow, &rsa).is_ok());
        let other = if made == Alg::PS512 { "RS256" } else { "PS512" };
        let other = set(client.jwk(), Some(other));
        assert_eq!(verify(&token, &other, &rsa).unwrap_err(), JwtProblem::UnknownKey);
    }
}

#[test]
fn rfc9864_s2_2_both_names_of_ed25519_name_one_key() {
    let client = Client::new(Alg::EdDSA);
    for (named, marked) in [(Alg::EdDSA, "Ed25519"), (Alg::Ed25519, "EdDSA")] {
        let token = client.sign(named, &json!({}));
        assert!(verify(&token, &set(client.jwk(), Some(marked)), &[named]).is_ok());
    }
    let token = client.sign(Alg::Ed25519, &json!({}));
    let result = verify(&token, &set(client.jwk(), None), &[SigningAlgorithm::EdDSA]);
    assert_eq!(result.unwrap_err(), JwtProblem::Algorithm);
}

#[test]
fn s3_3_short_rsa_keys_verify_nothing() {
    let client = Client::new(Alg::RS256);
    let token = client.sign(Alg::RS256, &json!({}));
    let small = json!({"kty": "RSA", "n": "_".repeat(170) + "8", "e": "AQAB"});
    assert_eq!(
        verify(&token, &set(small, None), &[Alg::RS256]).unwrap_err(),
        JwtProblem::UnknownKey
    );
}
