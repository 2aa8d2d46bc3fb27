//! Answers as providers really give them, made into what the standard says.
//!
//! Tolerated: a wrong content type, form encoding, errors with status 200, errors as objects, no `token_type`,
//! numbers as text, scopes with commas. Not tolerated: redirects, other text, an answer without a token.

use super::Answer;
use crate::error::{Endpoint, Error, Result, clean};
use oauth2::{ExtraTokenFields, StandardTokenResponse, basic::BasicTokenType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A token response with what else is read of it.
pub type TokenAnswer = StandardTokenResponse<Extra, BasicTokenType>;

/// What is read of a token response beyond RFC 6749.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Extra {
    /// The id token of OpenID Connect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// Life of the refresh token, under the name several providers use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token_expires_in: Option<u64>,
}

impl ExtraTokenFields for Extra {}

/// An access token longer than this is refused: no server would take it in a header.
const LONGEST_TOKEN: usize = 64 * 1024;

/// The answer of a token endpoint as the members RFC 6749 names.
pub fn standard(answer: &Answer) -> Result<Map<String, Value>> {
    let endpoint = Endpoint::Token;
    let mut object = object(endpoint, answer)?;
    let token = object.get("access_token").and_then(Value::as_str).unwrap_or_default();
    if token.is_empty() {
        return Err(Error::unusable(endpoint, "gave an answer without an access token"));
    }
    if token.len() > LONGEST_TOKEN || token.chars().any(|c| c.is_control() || c == ' ') {
        return Err(Error::unusable(endpoint, "gave an access token that cannot be sent"));
    }
    let kind = object.get("token_type").and_then(Value::as_str).unwrap_or_default();
    if kind.is_empty() {
        object.insert("token_type".into(), "Bearer".into());
    } else if !kind.eq_ignore_ascii_case("bearer") {
        // A token that is bound to a key or a message is useless without it.
        let what =
            format!("gave a token of the type {:?}, of which only Bearer is known", clean(kind));
        return Err(Error::unusable(endpoint, what));
    }
    for name in ["refresh_token", "id_token"] {
        if object.get(name).and_then(Value::as_str).is_none_or(str::is_empty) {
            object.remove(name);
        }
    }
    number(&mut object, &["expires_in"], "expires_in");
    let names = ["refresh_token_expires_in", "refresh_expires_in"];
    number(&mut object, &names, "refresh_token_expires_in");
    scope(&mut object);
    Ok(object)
}

/// The members of an answer, whatever its form; a refusal as an error, whatever its status.
pub(super) fn object(endpoint: Endpoint, answer: &Answer) -> Result<Map<String, Value>> {
    if (300..400).contains(&answer.status) {
        return Err(Error::unusable(
            endpoint,
            format!("redirects ({}), which is not followed", answer.status),
        ));
    }
    let object = members(answer);
    if let Some(refused) = object.as_ref().and_then(|o| refused(endpoint, o)) {
        return Err(refused);
    }
    if !(200..300).contains(&answer.status) {
        return Err(unusable_status(endpoint, answer.status));
    }
    object.ok_or_else(|| {
        let kind =
            if answer.content_type.is_empty() { "no content type" } else { &answer.content_type };
        Error::unusable(endpoint, format!("gave an answer that is not JSON ({})", clean(kind)))
    })
}

/// What a status alone says.
pub(super) fn unusable_status(endpoint: Endpoint, status: u16) -> Error {
    match status {
        429 => Error::unusable(endpoint, "asks for fewer requests (429)"),
        300..400 => {
            Error::unusable(endpoint, format!("redirects ({status}), which is not followed"))
        }
        500.. => Error::unusable(endpoint, format!("failed ({status})")),
        _ => Error::unusable(endpoint, format!("answered {status} and no error code")),
    }
}

/// Whether an answer, of the revocation endpoint for one, is a refusal.
pub fn refusal(endpoint: Endpoint, answer: &Answer) -> Option<Error> {
    if let Some(refused) = members(answer).and_then(|o| refused(endpoint, &o)) {
        return Some(refused);
    }
    (!(200..300).contains(&answer.status)).then(|| unusable_status(endpoint, answer.status))
}

fn members(answer: &Answer) -> Option<Map<String, Value>> {
    if let Ok(Value::Object(object)) = serde_json::from_slice(&answer.body) {
        return Some(object);
    }
    let text = std::str::from_utf8(&answer.body).ok()?.trim();
    let plausible = matches!(
        answer.content_type.as_str(),
        "application/x-www-form-urlencoded" | "text/plain" | "text/html" | ""
    );
    let looks = text.contains("access_token=") || text.contains("error=");
    if !plausible || !looks || text.contains(['<', '\n', ' ', '{']) {
        return None;
    }
    let pairs = form_urlencoded::parse(text.as_bytes()).into_owned();
    Some(pairs.map(|(name, value)| (name, Value::String(value))).collect())
}

fn refused(endpoint: Endpoint, object: &Map<String, Value>) -> Option<Error> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(clean(text)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let (code, mut description) = match object.get("error")? {
        Value::Null | Value::Bool(false) => return None,
        Value::Object(inner) => {
            let code = ["code", "type", "status"].iter().find_map(|n| inner.get(*n).and_then(text));
            (code, inner.get("message").and_then(text).unwrap_or_default())
        }
        other => (text(other), String::new()),
    };
    if let Some(said) = object.get("error_description").and_then(text) {
        description = said;
    }
    let code = code.filter(|c| !c.is_empty()).unwrap_or_else(|| "unknown_error".into());
    Some(Error::Refused { endpoint, code, description })
}

/// Seconds under the first of these names, as a whole number under one name.
fn number(object: &mut Map<String, Value>, names: &[&str], name: &str) {
    let found = names.iter().find_map(|n| object.get(*n)).and_then(|value| match value {
        Value::Number(n) => n.as_u64().or_else(|| n.as_f64().and_then(whole)),
        Value::String(text) => {
            text.trim().parse().ok().or_else(|| text.trim().parse().ok().and_then(whole))
        }
        _ => None,
    });
    for other in names {
        object.remove(*other);
    }
    if let Some(seconds) = found {
        // A token of a hundred years is one without an end.
        object.insert(name.into(), seconds.min(3_155_760_000).into());
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn whole(seconds: f64) -> Option<u64> {
    seconds.is_finite().then(|| seconds.clamp(0.0, 3_155_760_000.0) as u64)
}

fn scope(object: &mut Map<String, Value>) {
    let text = match object.get("scope") {
        Some(Value::String(text)) if text.contains(',') && !text.contains(' ') => {
            text.replace(',', " ")
        }
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
        }
        _ => String::new(),
    };
    object.remove("scope");
    if !text.trim().is_empty() {
        object.insert("scope".into(), text.into());
    }
}
