//! Answers of the API.

use crate::people::{Person, Tokens};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::{Map, Value, json};

/// JSON.
pub(super) fn json(status: StatusCode, value: &Value) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json")];
    (status, headers, value.to_string()).into_response()
}

/// Adds a member to an object.
pub(super) fn add(body: &mut Value, name: &str, value: &str) {
    if let Some(map) = body.as_object_mut() {
        map.insert(name.to_owned(), value.into());
    }
}

/// Tokens, as the token endpoint would answer ([RFC 6749 5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)), with
/// who they are for.
pub(super) fn tokens(tokens: &Tokens) -> Response {
    let mut body = json!({
        "access_token": tokens.access_token,
        "token_type": "Bearer",
        "expires_in": tokens.expires_in,
        "scope": tokens.scope,
        "role": tokens.role.as_str(),
    });
    if let Some(refresh) = &tokens.refresh_token {
        add(&mut body, "refresh_token", refresh);
    }
    if let Some(user) = &tokens.user {
        add(&mut body, "user_id", user.as_str());
    }
    json(StatusCode::OK, &body)
}

/// A user, with the tag by which it can be changed.
pub(super) fn person(person: &Person, view: Map<String, Value>) -> Response {
    let mut response = json(StatusCode::OK, &Value::Object(view));
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", person.tag())) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
