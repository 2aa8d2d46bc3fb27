//! A *no* for scripts ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use oauth_core::error::{OAuthError, PortError};
use resource_guard::Refusal;
use serde_json::json;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
}

impl Problem {
    /// A refusal with a stable word for programs and a sentence for people.
    pub(crate) const fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        Self { status, code, title }
    }

    /// Nobody is signed in here.
    pub(crate) const NOBODY: Self = Self::new(
        StatusCode::UNAUTHORIZED,
        "not_signed_in",
        "Nobody is signed in in this browser.",
    );

    /// The address to return to is not one of ours.
    pub(super) const RETURN_TO: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "invalid_return_to",
        "The address to return to is neither a path of this site nor on its list.",
    );

    /// The query cannot be read.
    pub(super) const QUERY: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "invalid_request",
        "The query has a parameter twice, or cannot be read.",
    );

    /// Nothing that was begun here comes back this way.
    pub(super) const CALLBACK: Self =
        Self::new(StatusCode::BAD_REQUEST, "wrong_state", "Wrong or missing state.");

    /// Refresh tokens are used elsewhere.
    pub(super) const TOKEN_ENDPOINT: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "use_token_endpoint",
        "A refresh token is used at the token endpoint, which gives the next one, too.",
    );

    /// The token is missing, or not good, or not for here.
    pub(super) const TOKEN: Self =
        Self::new(StatusCode::UNAUTHORIZED, "invalid_token", "A good access token is needed.");

    /// The token does not allow this.
    pub(super) const SCOPE: Self = Self::new(
        StatusCode::FORBIDDEN,
        "insufficient_scope",
        "The access token needs the scope users:read.",
    );

    /// The token is not of somebody who may, whatever its scope.
    pub(super) const LOOK_UP: Self = Self::new(
        StatusCode::FORBIDDEN,
        "insufficient_scope",
        "Others are looked up by staff, by administrators, and by clients that the operator made.",
    );

    /// There is nobody of this name.
    pub(super) const NOT_FOUND: Self =
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is no such user.");

    /// The method makes no sense here.
    pub(super) const METHOD: Self = Self::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This address cannot be used like that.",
    );

    /// The request may be another site's.
    pub(super) fn csrf(refusal: &Refusal) -> Self {
        let title = refusal.description().unwrap_or("the request cannot be accepted");
        Self::new(refusal.status(), "csrf", title)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": "about:blank",
            "title": self.title,
            "status": self.status.as_u16(),
            "code": self.code,
        });
        let headers = [
            (header::CONTENT_TYPE, "application/problem+json"),
            (header::CACHE_CONTROL, "no-store"),
        ];
        (self.status, headers, body.to_string()).into_response()
    }
}

/// A refusal, or a failure whose cause is for the log alone.
pub(super) enum Trouble {
    Problem(Problem),
    Failure(OAuthError),
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<PortError> for Trouble {
    fn from(error: PortError) -> Self {
        Self::Failure(error.into())
    }
}

impl From<OAuthError> for Trouble {
    fn from(error: OAuthError) -> Self {
        Self::Failure(error)
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        match self {
            Self::Problem(problem) => problem.into_response(),
            Self::Failure(error) => {
                tracing::error!(error = error.causes(), "a request of a front end failed");
                Problem::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "server_error",
                    "Something failed inside. Try again later.",
                )
                .into_response()
            }
        }
    }
}
