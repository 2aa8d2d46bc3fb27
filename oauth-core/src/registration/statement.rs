//! Software statements: [RFC 7591 2.3](https://www.rfc-editor.org/rfc/rfc7591#section-2.3).

use super::{Rules, field::Field};
use crate::{
    error::{ErrorCode, OAuthError},
    jose::{Jwt, JwtProblem, KeySet, peek, verify},
    model::{Issuer, Timestamp, VerificationAlgorithm},
};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// How far clocks may be apart.
const LEEWAY: Duration = Duration::from_mins(1);
/// Claims that are about the statement and not about the client
/// ([RFC 7519 4.1](https://www.rfc-editor.org/rfc/rfc7519#section-4.1)).
const OWN: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

/// The metadata with what its software statement says in the place of what it says itself, if there is a statement.
pub(crate) fn superseded(
    mut map: Map<String, Value>,
    rules: &Rules,
    here: &Issuer,
    now: Timestamp,
) -> Result<Map<String, Value>, OAuthError> {
    let name = Field::SoftwareStatement.as_str();
    let statement = match map.get(name) {
        None | Some(Value::Null) => return Ok(map),
        Some(Value::String(statement)) => statement.clone(),
        Some(_) => return Err(invalid(JwtProblem::Malformed)),
    };
    let claims = verified(&statement, rules, here, now)?.claims;
    let about_client = |claim: &str| !OWN.contains(&claim) && claim != name;
    map.extend(claims.into_iter().filter(|(claim, _)| about_client(claim)));
    Ok(map)
}

fn verified(
    statement: &str,
    rules: &Rules,
    here: &Issuer,
    now: Timestamp,
) -> Result<Jwt, OAuthError> {
    let unapproved = || {
        OAuthError::new(
            ErrorCode::UnapprovedSoftwareStatement,
            "the issuer of the software statement is not trusted here",
        )
    };
    if rules.statement_issuers.is_empty() {
        return Err(unapproved());
    }
    let peeked = peek(statement).map_err(invalid)?;
    let issuer = peeked.claims.get("iss").and_then(Value::as_str);
    let issuer = issuer.ok_or_else(|| invalid(JwtProblem::MissingClaim))?;
    let keys = rules.statement_issuers.get(issuer).ok_or_else(unapproved)?;
    let jwt = verify(statement, &KeySet::from_jwks(keys), &VerificationAlgorithm::ALL);
    let mut jwt = jwt.map_err(invalid)?;
    // A statement need not have an end; the times it has are checked.
    let end = now.plus(LEEWAY).unix();
    jwt.claims.entry("exp").or_insert_with(|| json!(end));
    jwt.check_times(now, LEEWAY).map_err(invalid)?;
    let meant = match jwt.claims.get("aud") {
        None => true,
        Some(Value::String(one)) => one == here.as_str(),
        Some(Value::Array(many)) => many.iter().any(|aud| aud == here.as_str()),
        Some(_) => false,
    };
    if meant { Ok(jwt) } else { Err(invalid("the statement is for another server")) }
}

fn invalid(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> OAuthError {
    OAuthError::new(
        ErrorCode::InvalidSoftwareStatement,
        "the software statement cannot be verified",
    )
    .because(cause)
}
