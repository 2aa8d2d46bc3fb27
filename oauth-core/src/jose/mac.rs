//! JWTs proven by a shared secret: what a client authenticates with, its request objects, and ID Tokens for it.
//!
//! Apart from [`verify`](super::verify()), whose algorithms are of another type: a public key can never become a secret.

use super::{Jwt, JwtProblem, KeyProblem, compact::Parts};
use crate::model::MacAlgorithm;
use aws_lc_rs::hmac::{self, HMAC_SHA256, HMAC_SHA384, HMAC_SHA512};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;

/// Verifies the MAC with the secret, by one of the allowed algorithms, in constant time.
///
/// No secret shorter than the algorithm demands is a key for it
/// ([OIDC Core 16.19](https://openid.net/specs/openid-connect-core-1_0.html#SymmetricKeyEntropy)).
pub fn verify_hmac(
    token: &str,
    secret: &[u8],
    allowed: &[MacAlgorithm],
) -> Result<Jwt, JwtProblem> {
    let parts = Parts::of(token)?;
    let alg = MacAlgorithm::parse(parts.alg())
        .filter(|alg| allowed.contains(alg))
        .ok_or(JwtProblem::Algorithm)?;
    let key = key(alg, secret).ok_or(JwtProblem::UnknownKey)?;
    hmac::verify(&key, parts.message.as_bytes(), &parts.decoded_signature()?)
        .map_err(|_| JwtProblem::Signature)?;
    parts.jwt()
}

/// A compact JWS over the claims with this `typ`, for the one who shares the secret
/// ([OIDC Core 10.1](https://openid.net/specs/openid-connect-core-1_0.html#Signing)).
pub fn sign_hmac<T: Serialize>(
    typ: &str,
    claims: &T,
    secret: &[u8],
    alg: MacAlgorithm,
) -> Result<String, KeyProblem> {
    let key = key(alg, secret).ok_or(KeyProblem::Secret(alg))?;
    let payload = serde_json::to_vec(claims).map_err(KeyProblem::Claims)?;
    let header = serde_json::json!({ "typ": typ, "alg": alg.as_str() });
    let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut token);
    let mac = hmac::sign(&key, token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(mac, &mut token);
    Ok(token)
}

/// The key, if the secret is at least as long as the output of the hash
/// ([RFC 7518 3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2)).
fn key(alg: MacAlgorithm, secret: &[u8]) -> Option<hmac::Key> {
    let (algorithm, shortest) = match alg {
        MacAlgorithm::HS256 => (HMAC_SHA256, 32),
        MacAlgorithm::HS384 => (HMAC_SHA384, 48),
        MacAlgorithm::HS512 => (HMAC_SHA512, 64),
    };
    (secret.len() >= shortest).then(|| hmac::Key::new(algorithm, secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        jose::{KeySet, generate, verify},
        model::{SigningAlgorithm, VerificationAlgorithm},
        ports::SystemRandom,
    };
    use serde_json::{Value, json};

    const SECRET: &[u8] = &[7; 64];

    /// The example of RFC 7515 A.1, whose payload and header have line breaks.
    #[test]
    fn rfc7515_a1_example() {
        let secret = URL_SAFE_NO_PAD
            .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .unwrap();
        let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
            eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
            dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let jwt = verify_hmac(token, &secret, &[MacAlgorithm::HS256]).unwrap();
        assert_eq!(jwt.text("iss"), Some("joe"));
    }

    #[test]
    fn every_algorithm_verifies_what_it_signed_and_no_other_does() {
        for alg in MacAlgorithm::ALL {
            let token = sign_hmac("JWT", &json!({"sub": "u"}), SECRET, alg).unwrap();
            let jwt = verify_hmac(&token, SECRET, &[alg]).unwrap();
            assert_eq!((jwt.text("sub"), jwt.is_typ("JWT")), (Some("u"), true));
            let others: Vec<_> = MacAlgorithm::ALL.into_iter().filter(|a| *a != alg).collect();
            assert_eq!(verify_hmac(&token, SECRET, &others).unwrap_err(), JwtProblem::Algorithm);
            assert_eq!(verify_hmac(&token, &[8; 64], &[alg]).unwrap_err(), JwtProblem::Signature);
        }
    }

    #[test]
    fn rfc7518_s3_2_a_short_secret_is_no_key() {
        for (alg, shortest) in MacAlgorithm::ALL.into_iter().zip([32, 48, 64]) {
            let (good, short) = SECRET.split_at(shortest - 1);
            assert_eq!(short.len() + good.len(), 64);
            assert!(matches!(
                sign_hmac("JWT", &json!({}), good, alg),
                Err(KeyProblem::Secret(a)) if a == alg
            ));
            let token = sign_hmac("JWT", &json!({}), &SECRET[..shortest], alg).unwrap();
            assert!(verify_hmac(&token, &SECRET[..shortest], &[alg]).is_ok());
            assert_eq!(verify_hmac(&token, good, &[alg]).unwrap_err(), JwtProblem::UnknownKey);
        }
    }

    #[test]
    fn rfc8725_s3_1_refusals() {
        let good = sign_hmac("JWT", &json!({"sub": "u"}), SECRET, MacAlgorithm::HS256).unwrap();
        let (message, mac) = good.rsplit_once('.').unwrap();
        let payload = message.split_once('.').unwrap().1;
        let with = |header: Value| {
            let message = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header.to_string()));
            let mac = hmac::sign(&key(MacAlgorithm::HS256, SECRET).unwrap(), message.as_bytes());
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac))
        };
        for (token, problem) in [
            (with(json!({"alg": "none"})), JwtProblem::Algorithm),
            (with(json!({"alg": "hs256"})), JwtProblem::Algorithm),
            (with(json!({"alg": "RS256"})), JwtProblem::Algorithm),
            (with(json!({"alg": "HS256", "crit": ["b64"], "b64": false})), JwtProblem::Malformed),
            (with(json!({"typ": "JWT"})), JwtProblem::Malformed),
            (format!("{message}."), JwtProblem::Signature),
            (format!("{message}.{}", &mac[..22]), JwtProblem::Signature),
            (format!("{message}.{mac}="), JwtProblem::Signature),
            (format!("{message}.{mac}.{mac}"), JwtProblem::Signature),
            (format!("{message}.{}", "x".repeat(16 * 1024)), JwtProblem::Malformed),
            (message.into(), JwtProblem::Malformed),
            (String::new(), JwtProblem::Malformed),
        ] {
            let result = verify_hmac(&token, SECRET, &[MacAlgorithm::HS256]);
            assert_eq!(result.unwrap_err(), problem, "{token:.80}");
        }
        let crit = with(json!({"alg": "HS256", "typ": "JWT"}));
        assert!(verify_hmac(&crit, SECRET, &[MacAlgorithm::HS256]).is_ok());
    }

    /// The attack that made this a type: what is published as a public key, used as a secret.
    #[test]
    fn rfc8725_s2_1_a_public_key_is_never_a_secret() {
        let signer = generate(SigningAlgorithm::RS256, &SystemRandom).unwrap().signer;
        let jwk = signer.public_jwk();
        let set = KeySet::from_jwks(&json!({"keys": [jwk]}));
        let public = serde_json::to_vec(jwk).unwrap();
        let forged = sign_hmac("JWT", &json!({}), &public, MacAlgorithm::HS256).unwrap();
        let all = VerificationAlgorithm::ALL;
        assert_eq!(verify(&forged, &set, &all).unwrap_err(), JwtProblem::Algorithm);
        let signed = signer.sign("JWT", &json!({})).unwrap();
        assert!(verify(&signed, &set, &all).is_ok());
        let result = verify_hmac(&signed, &public, &MacAlgorithm::ALL);
        assert_eq!(result.unwrap_err(), JwtProblem::Algorithm);
    }
}
