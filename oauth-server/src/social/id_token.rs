//! Believing an id token, or not
//! ([OpenID Connect Core 3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation)).

use super::Refusal;
use oauth_core::{
    jose::{Jwt, KeySet, left_half_hash, peek, verify},
    model::{HashedToken, Timestamp, VerificationAlgorithm},
};
use serde_json::{Map, Value};
use std::time::Duration;

/// How far the clock of a provider may be off.
const LEEWAY: Duration = Duration::from_mins(1);
/// The longest subject, in bytes (OpenID Connect Core 2).
const LONGEST_SUBJECT: usize = 255;

/// What an id token has to be.
pub(super) struct Expected<'a> {
    /// Of this issuer.
    pub(super) issuer: &'a str,
    /// For this client.
    pub(super) client_id: &'a str,
    /// For this sign-in.
    pub(super) nonce: &'a str,
    /// Beside this access token.
    pub(super) access_token: Option<&'a str>,
    /// Now.
    pub(super) now: Timestamp,
}

/// The claims of an id token that is signed by one of the keys, with an algorithm of public keys, and is what was
/// expected.
pub(super) fn check(
    token: &str,
    keys: &KeySet,
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, Refusal> {
    let jwt = verify(token, keys, &VerificationAlgorithm::ALL)?;
    let is_ours = jwt.text("iss").ok_or(Refusal::IdTokenMalformed)? == expected.issuer;
    if !is_ours {
        return Err(Refusal::IdTokenIssuer);
    }
    audience(&jwt, expected.client_id)?;
    if !jwt.claims.contains_key("iat") {
        return Err(Refusal::IdTokenMalformed);
    }
    jwt.check_times(expected.now, LEEWAY)?;
    let nonce = jwt.text("nonce").map(HashedToken::of);
    if nonce != Some(HashedToken::of(expected.nonce)) {
        return Err(Refusal::IdTokenNonce);
    }
    if let Some(hash) = jwt.claims.get("at_hash") {
        let alg = peek(token)?.alg.ok_or(Refusal::IdTokenAlgorithm)?;
        let access_token = expected.access_token.ok_or(Refusal::IdTokenHash)?;
        if hash.as_str() != Some(&*left_half_hash(alg, access_token)) {
            return Err(Refusal::IdTokenHash);
        }
    }
    let subject = jwt.text("sub").unwrap_or_default();
    if subject.is_empty() || subject.len() > LONGEST_SUBJECT {
        return Err(Refusal::IdTokenMalformed);
    }
    Ok(jwt.claims)
}

fn audience(jwt: &Jwt, client_id: &str) -> Result<(), Refusal> {
    let (is_for_us, several) = match jwt.claims.get("aud") {
        Some(Value::String(one)) => (one == client_id, false),
        Some(Value::Array(all)) => {
            (all.iter().any(|one| one.as_str() == Some(client_id)), all.len() > 1)
        }
        _ => return Err(Refusal::IdTokenMalformed),
    };
    let azp = jwt.claims.get("azp");
    let is_party = match azp {
        None => !several,
        Some(azp) => azp.as_str() == Some(client_id),
    };
    if is_for_us && is_party { Ok(()) } else { Err(Refusal::IdTokenAudience) }
}
