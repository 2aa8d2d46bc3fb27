//! `Principal` as an argument of axum handlers.

use crate::principal::Principal;
use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::Response,
};
use http::request::Parts;

/// As [`Principal::of`].
impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        Self::of(&parts.extensions).cloned()
    }
}

/// As [`Principal::optional`].
impl<S: Send + Sync> OptionalFromRequestParts<S> for Principal {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Response> {
        Ok(Self::optional(&parts.extensions)?.cloned())
    }
}
