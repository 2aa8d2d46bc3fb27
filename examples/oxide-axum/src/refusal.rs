//! Errors of `oxide-auth-axum`, which by itself answers each of them with 500 and its text.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use oxide_auth::endpoint::OAuthError;
use oxide_auth_axum::WebError;

/// An error on its way to the peer, who learns whose fault it was and no more.
pub(crate) struct Refusal(WebError);

impl<E: Into<WebError>> From<E> for Refusal {
    fn from(e: E) -> Self {
        Self(e.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self.0 {
            WebError::Endpoint(OAuthError::PrimitiveError)
            | WebError::Header(_)
            | WebError::InternalError(_) => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        (status, "this request cannot be answered").into_response()
    }
}
