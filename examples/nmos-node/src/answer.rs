//! Answers as NMOS APIs give them: JSON without a charset, listings with slashes, and error objects.

use axum::{
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// A refusal: `{code, error, debug}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NmosError {
    pub(crate) status: StatusCode,
    pub(crate) error: &'static str,
}

impl NmosError {
    pub(crate) const NOT_FOUND: Self = Self::new(StatusCode::NOT_FOUND, "there is nothing here");
    pub(crate) const METHOD: Self =
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "this cannot be done here");
    pub(crate) const LOCKED: Self =
        Self::new(StatusCode::LOCKED, "an activation is scheduled: cancel it, or wait for it");

    pub(crate) const TOO_LARGE: Self =
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large");

    pub(crate) const fn new(status: StatusCode, error: &'static str) -> Self {
        Self { status, error }
    }

    pub(crate) const fn bad(error: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    pub(crate) fn body(&self) -> Value {
        json!({"code": self.status.as_u16(), "error": self.error, "debug": null})
    }
}

impl IntoResponse for NmosError {
    fn into_response(self) -> Response {
        answer(self.status, &self.body())
    }
}

/// A JSON answer.
pub(crate) fn answer(status: StatusCode, body: &Value) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json")];
    (status, headers, Body::from(body.to_string())).into_response()
}

/// 200 with a JSON answer.
pub(crate) fn ok(body: &Value) -> Response {
    answer(StatusCode::OK, body)
}

/// What is below a path.
pub(crate) fn listing(names: &[&str]) -> Response {
    ok(&json!(names))
}
