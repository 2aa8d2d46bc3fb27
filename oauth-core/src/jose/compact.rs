//! The compact form of a JWS, taken apart. What is here verifies nothing.

use super::{Jwt, JwtProblem};
use crate::model::JwsAlgorithm;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Longer than any token that fits the header limits of HTTP servers.
pub(super) const LONGEST: usize = 16 * 1024;
/// The algorithm of what nothing protects ([RFC 7518 3.6](https://www.rfc-editor.org/rfc/rfc7518#section-3.6)).
const NONE: &str = "none";

/// What a JWT says of itself before anything is verified.
///
/// Enough to find whose key to verify it with, and not to be believed in anything else.
#[derive(Clone, Debug)]
pub struct Unverified {
    /// The algorithm it names; none for `none`.
    pub alg: Option<JwsAlgorithm>,
    /// The claims it makes.
    pub claims: Map<String, Value>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    crit: Option<Value>,
}

/// A compact JWS, taken apart: short enough, and its header understood.
pub(super) struct Parts<'a> {
    header: Header,
    pub(super) message: &'a str,
    payload: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> Parts<'a> {
    pub(super) fn of(token: &'a str) -> Result<Self, JwtProblem> {
        if token.len() > LONGEST {
            return Err(JwtProblem::Malformed);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(JwtProblem::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(JwtProblem::Malformed)?;
        let header: Header = decode(header)?;
        if header.crit.is_some() {
            return Err(JwtProblem::Malformed);
        }
        Ok(Self { header, message, payload, signature })
    }

    pub(super) fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    pub(super) fn alg(&self) -> &str {
        &self.header.alg
    }

    /// The signature; what cannot be decoded cannot verify.
    pub(super) fn decoded_signature(&self) -> Result<Vec<u8>, JwtProblem> {
        URL_SAFE_NO_PAD.decode(self.signature).map_err(|_| JwtProblem::Signature)
    }

    /// For those who have verified it.
    pub(super) fn jwt(&self) -> Result<Jwt, JwtProblem> {
        let claims = decode(self.payload)?;
        Ok(Jwt { typ: self.header.typ.clone(), kid: self.header.kid.clone(), claims })
    }
}

/// Reads what a JWT says before its key is known. **Verifies nothing.**
pub fn peek(token: &str) -> Result<Unverified, JwtProblem> {
    let parts = Parts::of(token)?;
    let alg = match parts.alg() {
        NONE => None,
        name => Some(JwsAlgorithm::parse(name).ok_or(JwtProblem::Algorithm)?),
    };
    Ok(Unverified { alg, claims: parts.jwt()?.claims })
}

/// Reads a JWT that says of itself that nothing protects it. **Verifies nothing**: anybody can have made it.
///
/// Only for a client that has registered that its request objects are not signed
/// ([OIDC Core 6.1](https://openid.net/specs/openid-connect-core-1_0.html#RequestObject)). The algorithm must be `none`
/// and the signature empty ([RFC 7519 6](https://www.rfc-editor.org/rfc/rfc7519#section-6)).
pub fn read_unsecured(token: &str) -> Result<Jwt, JwtProblem> {
    let parts = Parts::of(token)?;
    if parts.alg() != NONE {
        return Err(JwtProblem::Algorithm);
    }
    if !parts.signature.is_empty() {
        return Err(JwtProblem::Signature);
    }
    parts.jwt()
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, JwtProblem> {
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| JwtProblem::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| JwtProblem::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        jose::{KeySet, Signer, generate, verify},
        model::{SigningAlgorithm, VerificationAlgorithm},
        ports::SystemRandom,
    };
    use serde_json::json;

    fn signer() -> Signer {
        generate(SigningAlgorithm::ES256, &SystemRandom).unwrap().signer
    }

    /// The example of RFC 7515 A.5, and its refused relatives.
    #[test]
    fn rfc7519_s6_unsecured() {
        let payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let example = format!("eyJhbGciOiJub25lIn0.{payload}.");
        assert_eq!(read_unsecured(&example).unwrap().text("iss"), Some("joe"));
        let signer = signer();
        let set = KeySet::from_jwks(&json!({"keys": [signer.public_jwk()]}));
        let all = VerificationAlgorithm::ALL;
        assert_eq!(verify(&example, &set, &all).unwrap_err(), JwtProblem::Algorithm);
        let with = |header: Value, rest: &str| {
            format!("{}.{payload}{rest}", URL_SAFE_NO_PAD.encode(header.to_string()))
        };
        for (token, problem) in [
            (with(json!({"alg": "none"}), ".AA"), JwtProblem::Signature),
            (with(json!({"alg": "none"}), ".!"), JwtProblem::Signature),
            (with(json!({"alg": "None"}), "."), JwtProblem::Algorithm),
            (with(json!({"alg": ""}), "."), JwtProblem::Algorithm),
            (with(json!({"alg": "HS256"}), "."), JwtProblem::Algorithm),
            (signer.sign("JWT", &json!({})).unwrap(), JwtProblem::Algorithm),
            (with(json!({"alg": "none", "crit": ["exp"]}), "."), JwtProblem::Malformed),
            (with(json!({"alg": "none"}), ""), JwtProblem::Malformed),
            (with(json!({"alg": "none"}), ".."), JwtProblem::Malformed),
            (with(json!({}), "."), JwtProblem::Malformed),
            (format!("{}.", "x".repeat(LONGEST)), JwtProblem::Malformed),
        ] {
            assert_eq!(read_unsecured(&token).unwrap_err(), problem, "{token:.60}");
        }
    }

    #[test]
    fn peeking_tells_whose_key_to_ask_for() {
        let signer = signer();
        let signed = peek(&signer.sign("JWT", &json!({"iss": "me"})).unwrap()).unwrap();
        assert_eq!(signed.alg, Some(SigningAlgorithm::ES256.into()));
        assert_eq!(signed.claims["iss"], "me");
        let with = |header: Value| format!("{}.e30.", URL_SAFE_NO_PAD.encode(header.to_string()));
        assert_eq!(peek(&with(json!({"alg": "none"}))).unwrap().alg, None);
        let mac = peek(&with(json!({"alg": "HS256"}))).unwrap();
        assert_eq!(mac.alg, JwsAlgorithm::parse("HS256"));
        for (token, problem) in [
            (with(json!({"alg": "RSA-OAEP"})), JwtProblem::Algorithm),
            (with(json!({"alg": "HS256", "crit": []})), JwtProblem::Malformed),
            (
                format!("{}.W10.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#)),
                JwtProblem::Malformed,
            ),
            ("a.b.c.d.e".into(), JwtProblem::Malformed),
        ] {
            assert_eq!(peek(&token).unwrap_err(), problem, "{token:.60}");
        }
    }
}
