//! Proof Key for Code Exchange: [RFC 7636](https://www.rfc-editor.org/rfc/rfc7636).
//!
//! oxide-auth computes and compares; this file adds the syntax of the RFC, which it does not check, and refuses
//! what [RFC 9700 4.8](https://www.rfc-editor.org/rfc/rfc9700#section-4.8) calls a downgrade.

use crate::{error::OAuthError, model::CodeChallenge, params::Params};
use oxide_auth::code_grant::extensions::Pkce;

/// Characters of a base64url SHA-256.
const S256_LENGTH: usize = 43;

/// Reads `code_challenge` and `code_challenge_method` of an authorization request.
pub(crate) fn challenge(
    params: &Params,
    required: bool,
    allow_plain: bool,
) -> Result<Option<CodeChallenge>, OAuthError> {
    let challenge = params.get("code_challenge");
    let method = params.get("code_challenge_method");
    let read = match (challenge, method) {
        (None, None) if required => {
            return Err(OAuthError::invalid_request("code_challenge is required"));
        }
        (None, None) => return Ok(None),
        (None, Some(_)) => {
            return Err(OAuthError::invalid_request(
                "code_challenge_method without code_challenge",
            ));
        }
        (Some(c), Some("S256")) if is_s256(c) => CodeChallenge::S256(c.to_owned()),
        (Some(c), Some("plain")) if allow_plain && is_verifier(c) => {
            CodeChallenge::Plain(c.to_owned())
        }
        (Some(_), Some("S256" | "plain")) => {
            return Err(OAuthError::invalid_request("code_challenge is not acceptable; use S256"));
        }
        (Some(_), _) => {
            return Err(OAuthError::invalid_request("code_challenge_method must be S256"));
        }
    };
    Ok(Some(read))
}

/// Checks `code_verifier` of a token request against the challenge of the code.
pub(crate) fn verify(
    challenge: Option<&CodeChallenge>,
    verifier: Option<&str>,
) -> Result<(), OAuthError> {
    let (challenge, verifier) = match (challenge, verifier) {
        (None, None) => return Ok(()),
        (None, Some(_)) => {
            return Err(OAuthError::invalid_grant("code_verifier without code_challenge"));
        }
        (Some(_), None) => return Err(OAuthError::invalid_grant("code_verifier is missing")),
        (Some(challenge), Some(verifier)) => (challenge, verifier),
    };
    if !is_verifier(verifier) {
        return Err(OAuthError::invalid_grant("code_verifier is malformed"));
    }
    let mut pkce = Pkce::required();
    let (method, value) = match challenge {
        CodeChallenge::S256(value) => ("S256", value),
        CodeChallenge::Plain(value) => {
            pkce.allow_plain();
            ("plain", value)
        }
    };
    pkce.challenge(Some(method.into()), Some(value.into()))
        .and_then(|stored| pkce.verify(stored, Some(verifier.into())))
        .map_err(|()| OAuthError::invalid_grant("code_verifier does not match"))
}

fn is_s256(text: &str) -> bool {
    text.len() == S256_LENGTH
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// [RFC 7636 4.1](https://www.rfc-editor.org/rfc/rfc7636#section-4.1): 43 to 128 unreserved characters.
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn read(raw: &str, required: bool, plain: bool) -> Result<Option<CodeChallenge>, ErrorCode> {
        challenge(&Params::parse(raw.as_bytes()).unwrap(), required, plain).map_err(|e| e.code())
    }

    #[test]
    fn s4_3_what_a_request_may_send() {
        let s256 = format!("code_challenge={CHALLENGE}&code_challenge_method=S256");
        let plain = format!("code_challenge={VERIFIER}&code_challenge_method=plain");
        assert_eq!(read(&s256, true, false), Ok(Some(CodeChallenge::S256(CHALLENGE.into()))));
        assert_eq!(read(&plain, true, true), Ok(Some(CodeChallenge::Plain(VERIFIER.into()))));
        assert_eq!(read("", false, false), Ok(None));
        for (raw, required, allow_plain) in [
            ("", true, true),
            (plain.as_str(), false, false),
            ("code_challenge_method=S256", false, true),
            (&format!("code_challenge={CHALLENGE}"), false, true),
            (&format!("code_challenge={CHALLENGE}&code_challenge_method=s256"), false, true),
            (&format!("code_challenge={CHALLENGE}x&code_challenge_method=S256"), false, true),
            ("code_challenge=short&code_challenge_method=plain", false, true),
        ] {
            assert_eq!(read(raw, required, allow_plain), Err(ErrorCode::InvalidRequest), "{raw}");
        }
    }

    #[test]
    fn s4_6_the_verifier_must_match() {
        let s256 = CodeChallenge::S256(CHALLENGE.into());
        let plain = CodeChallenge::Plain(VERIFIER.into());
        assert!(verify(Some(&s256), Some(VERIFIER)).is_ok());
        assert!(verify(Some(&plain), Some(VERIFIER)).is_ok());
        assert!(verify(None, None).is_ok());
        let other = "x".repeat(43);
        for (challenge, verifier) in [
            (Some(&s256), None),
            (Some(&s256), Some(CHALLENGE)),
            (Some(&s256), Some(other.as_str())),
            (Some(&s256), Some("short")),
            (Some(&plain), Some(other.as_str())),
            (None, Some(VERIFIER)),
        ] {
            assert_eq!(verify(challenge, verifier).unwrap_err().code(), ErrorCode::InvalidGrant);
        }
    }
}
