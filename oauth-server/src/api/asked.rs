//! Reading requests of the API: the access token, and bodies of JSON.

use super::Problem;
use crate::{
    people::{Caller, Need, Refusal},
    state::AppState,
};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::IntoResponse as _,
};
use serde::de::DeserializeOwned;

/// Whoever holds the access token of the request.
pub struct Bearer(pub Caller);

impl Bearer {
    /// The caller, if it is what it must be.
    pub fn needs(self, need: Need) -> Result<Caller, Problem> {
        Ok(self.0.needs(need)?)
    }
}

impl FromRequestParts<AppState> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Ok(Self(state.people().caller(bearer(&parts.headers)?).await?))
    }
}

/// The token of the one `Authorization` header ([RFC 6750 2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)).
pub(super) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut all = headers.get_all(header::AUTHORIZATION).into_iter();
    let (Some(value), None) = (all.next(), all.next()) else {
        let none = !headers.contains_key(header::AUTHORIZATION);
        return if none { Ok(None) } else { Err(Refusal::TokenInvalid) };
    };
    let text = value.to_str().map_err(|_| Refusal::TokenInvalid)?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Err(Refusal::TokenMissing),
    }
}

/// A body of JSON that has the members it should have and no others.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
        let is_json = ["application/json", "application/merge-patch+json"];
        if !is_json.iter().any(|json| kind.eq_ignore_ascii_case(json)) {
            return Err(Problem::media_type());
        }
        let body =
            Bytes::from_request(request, state).await.map_err(|rejection| {
                match rejection.into_response().status() {
                    StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(),
                    _ => Problem::malformed(),
                }
            })?;
        // What is wrong is not said in the words of the parser, which would repeat what was sent.
        serde_json::from_slice(&body).map(Self).map_err(|_| Problem::malformed())
    }
}
