//! Verifying compact JWTs. What `jsonwebtoken` leaves to the caller is checked here: `crit`, `typ`, `iat`, and time
//! by the injected clock without hidden leeway.

use super::{
    compact::Parts,
    key_set::{KeySet, jwt_algorithm},
};
use crate::model::{Timestamp, VerificationAlgorithm};
use serde_json::{Map, Value};
use std::time::Duration;

/// Signatures tried for one token before giving up.
const MOST_TRIES: usize = 100;

/// A JWT whose signature is good, unless it is one of [`read_unsecured`](super::read_unsecured), which has none. Its
/// claims are not yet checked.
#[derive(Clone, Debug)]
pub struct Jwt {
    /// The `typ` header, as sent.
    pub typ: Option<String>,
    /// The `kid` header, as sent.
    pub kid: Option<String>,
    /// The claims.
    pub claims: Map<String, Value>,
}

/// Why a JWT is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwtProblem {
    /// The algorithm is not on the list of the verifier.
    #[error("the algorithm is not allowed")]
    Algorithm,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `iat` lies in the future.
    #[error("the token was issued in the future")]
    FromTheFuture,
    /// It is not a compact JWS of JSON objects, or too long, or carries `crit`.
    #[error("not a usable JWT")]
    Malformed,
    /// A claim that must be there is missing or of the wrong type.
    #[error("a required claim is missing or of the wrong type")]
    MissingClaim,
    /// `nbf` lies in the future.
    #[error("the token is not yet valid")]
    NotYetValid,
    /// The signature is wrong.
    #[error("the signature does not verify")]
    Signature,
    /// No key of the set can have made the signature; a newer set may have it.
    #[error("no key fits the token")]
    UnknownKey,
}

/// Verifies the signature with the keys of the set that fit, by one of the allowed algorithms
/// ([RFC 8725 3.1](https://www.rfc-editor.org/rfc/rfc8725#section-3.1)).
pub fn verify<A: Copy + Into<VerificationAlgorithm>>(
    token: &str,
    keys: &KeySet,
    allowed: &[A],
) -> Result<Jwt, JwtProblem> {
    let parts = Parts::of(token)?;
    let alg = VerificationAlgorithm::parse(parts.alg())
        .filter(|alg| allowed.iter().any(|a| (*a).into() == *alg))
        .ok_or(JwtProblem::Algorithm)?;
    let kid = parts.kid();
    let mut problem = JwtProblem::UnknownKey;
    for key in keys.candidates(alg, kid).take(MOST_TRIES) {
        let good = jsonwebtoken::crypto::verify(
            parts.signature,
            parts.message.as_bytes(),
            &key.key,
            jwt_algorithm(alg),
        );
        if good.is_ok_and(|good| good) {
            return parts.jwt();
        }
        if kid.is_some() && key.kid.as_deref() == kid {
            problem = JwtProblem::Signature;
        }
    }
    Err(problem)
}

impl Jwt {
    /// Checks `exp` (required), `nbf` and `iat` (if there) against `now`, with this much leeway either way.
    pub fn check_times(&self, now: Timestamp, leeway: Duration) -> Result<(), JwtProblem> {
        self.time("exp")?.ok_or(JwtProblem::MissingClaim)?;
        self.check_times_given(now, leeway)
    }

    /// Checks `exp`, `nbf` and `iat`, each of them only if it is there, like [`check_times`](Self::check_times).
    pub fn check_times_given(&self, now: Timestamp, leeway: Duration) -> Result<(), JwtProblem> {
        let past = numeric(now.minus(leeway));
        let future = numeric(now.plus(leeway));
        if self.time("exp")?.is_some_and(|exp| exp <= past) {
            return Err(JwtProblem::Expired);
        }
        if self.time("nbf")?.is_some_and(|nbf| nbf > future) {
            return Err(JwtProblem::NotYetValid);
        }
        if self.time("iat")?.is_some_and(|iat| iat > future) {
            return Err(JwtProblem::FromTheFuture);
        }
        Ok(())
    }

    /// The `exp` claim in whole seconds, rounded down.
    pub fn expires_at(&self) -> Option<Timestamp> {
        let exp = self.time("exp").ok()??;
        #[expect(clippy::cast_possible_truncation, reason = "a float that is too large saturates")]
        Some(Timestamp::from_unix(exp.floor() as i64))
    }

    /// Whether the `typ` header names this media type, with or without `application/`, in any case
    /// ([RFC 7515 4.1.9](https://www.rfc-editor.org/rfc/rfc7515#section-4.1.9)).
    pub fn is_typ(&self, wanted: &str) -> bool {
        self.typ.as_deref().is_some_and(|typ| {
            let typ = match typ.get(..12) {
                Some(prefix) if prefix.eq_ignore_ascii_case("application/") => {
                    typ.get(12..).unwrap_or_default()
                }
                _ => typ,
            };
            typ.eq_ignore_ascii_case(wanted)
        })
    }

    /// A claim of text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }

    fn time(&self, name: &str) -> Result<Option<f64>, JwtProblem> {
        match self.claims.get(name) {
            None => Ok(None),
            Some(value) => match value.as_f64().filter(|t| t.is_finite()) {
                Some(time) => Ok(Some(time)),
                None => Err(JwtProblem::MissingClaim),
            },
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "Unix seconds are far below 2^52")]
fn numeric(t: Timestamp) -> f64 {
    t.unix() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        jose::{Signer, compact::LONGEST, generate},
        model::SigningAlgorithm,
        ports::SystemRandom,
    };
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::json;

    fn key() -> (Signer, KeySet) {
        let signer = generate(SigningAlgorithm::ES256, &SystemRandom).unwrap().signer;
        let set = KeySet::from_jwks(&json!({"keys": [signer.public_jwk()]}));
        (signer, set)
    }

    fn es256(token: &str, set: &KeySet) -> Result<Jwt, JwtProblem> {
        verify(token, set, &[SigningAlgorithm::ES256])
    }

    #[test]
    fn rfc8725_s3_1_refusals() {
        let (signer, set) = key();
        let good = signer.sign("at+jwt", &json!({"sub": "u"})).unwrap();
        assert!(es256(&good, &set).is_ok());
        let (head, rest) = good.split_once('.').unwrap();
        let with = |header: Value| format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()));
        for (token, problem) in [
            (with(json!({"alg": "none"})), JwtProblem::Algorithm),
            (with(json!({"alg": "HS256", "kid": signer.kid()})), JwtProblem::Algorithm),
            (with(json!({"alg": "RS256"})), JwtProblem::Algorithm),
            (with(json!({"alg": "ES256", "kid": "other"})), JwtProblem::UnknownKey),
            (with(json!({"alg": "ES256", "kid": signer.kid()})), JwtProblem::Signature),
            (with(json!({"alg": "ES256", "crit": ["exp"]})), JwtProblem::Malformed),
            (format!("{head}.{}", "x".repeat(LONGEST)), JwtProblem::Malformed),
            ("a.b".into(), JwtProblem::Malformed),
            (String::new(), JwtProblem::Malformed),
        ] {
            assert_eq!(es256(&token, &set).unwrap_err(), problem, "{token:.60}");
        }
        let mut other = good.clone();
        other.pop();
        assert!(es256(&other, &set).is_err());
    }

    #[test]
    fn sets_in_the_wild_are_read_key_by_key() {
        let (signer, _) = key();
        let mut bare = serde_json::to_value(signer.public_jwk()).unwrap();
        bare.as_object_mut().unwrap().remove("kid");
        bare["key_ops"] = json!("verify");
        let set = KeySet::from_jwks(
            &json!({"keys": [{"kty": "oct", "k": "AA"}, 7, {"kty": "EC", "crv": "P-256", "x": "!", "y": ""}, {"kty": "RSA", "use": "enc"}, bare]}),
        );
        assert_eq!(set.len(), 1);
        assert!(es256(&signer.sign("JWT", &json!({})).unwrap(), &set).is_ok());
        assert!(KeySet::from_jwks(&json!([])).is_empty());
    }

    #[test]
    fn rfc7519_s4_1_times_without_hidden_leeway() {
        let jwt = |claims: Value| Jwt {
            typ: None,
            kid: None,
            claims: claims.as_object().unwrap().clone(),
        };
        let at = |claims, leeway| {
            jwt(claims).check_times(Timestamp::from_unix(100), Duration::from_secs(leeway))
        };
        assert_eq!(at(json!({"exp": 101, "nbf": 100, "iat": 100}), 0), Ok(()));
        assert_eq!(at(json!({"exp": 100.5}), 0), Ok(()));
        assert_eq!(at(json!({"exp": 100}), 0), Err(JwtProblem::Expired));
        assert_eq!(at(json!({"exp": 100}), 1), Ok(()));
        assert_eq!(at(json!({"exp": 105, "nbf": 101}), 0), Err(JwtProblem::NotYetValid));
        assert_eq!(at(json!({"exp": 105, "iat": 101}), 0), Err(JwtProblem::FromTheFuture));
        assert_eq!(at(json!({}), 0), Err(JwtProblem::MissingClaim));
        assert_eq!(at(json!({"exp": "105"}), 0), Err(JwtProblem::MissingClaim));
        assert_eq!(at(json!({"exp": 105, "nbf": null}), 0), Err(JwtProblem::MissingClaim));
        let given =
            |claims| jwt(claims).check_times_given(Timestamp::from_unix(100), Duration::ZERO);
        assert_eq!(given(json!({})), Ok(()));
        assert_eq!(given(json!({"exp": 101})), Ok(()));
        assert_eq!(given(json!({"exp": 100})), Err(JwtProblem::Expired));
        assert_eq!(given(json!({"exp": null})), Err(JwtProblem::MissingClaim));
        assert_eq!(given(json!({"nbf": 101})), Err(JwtProblem::NotYetValid));
        assert_eq!(given(json!({"iat": 101})), Err(JwtProblem::FromTheFuture));
    }

    #[test]
    fn rfc7515_s4_1_9_typ() {
        let jwt = |typ: &str| Jwt { typ: Some(typ.into()), kid: None, claims: Map::new() };
        assert!(jwt("at+jwt").is_typ("at+jwt") && jwt("application/AT+JWT").is_typ("at+jwt"));
        assert!(!jwt("JWT").is_typ("at+jwt") && !jwt("").is_typ("at+jwt"));
    }
}
