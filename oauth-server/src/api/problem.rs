//! Refusals as problem details ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)). Every text is a constant, but for
//! the names of fields: nothing that was sent and nothing from inside comes back.

use crate::people::{Complaint, Error, Refusal};
use axum::{
    extract::rejection::PathRejection,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use oauth_core::error::PortError;
use serde_json::{Map, Value, json};

/// What the types of problems begin with; the code follows.
const TYPE: &str = "urn:oauth-server:problem:";

/// A refusal of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    errors: Vec<Complaint>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    const fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        Self { status, code, title, errors: Vec::new(), headers: Vec::new() }
    }

    fn with(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The body cannot be read: not JSON, not an object, a member of the wrong type or of an unknown name.
    pub(super) const fn malformed() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "malformed",
            "The request is not what this operation takes",
        )
    }

    /// The body is of another type.
    pub(super) const fn media_type() -> Self {
        let title = "The body must be application/json";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", title)
    }

    /// The body is too large.
    pub(crate) const fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The body is too large")
    }

    /// Nothing is here.
    pub(super) const fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is no such thing, or not for you")
    }

    /// The stable code.
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// The status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// There was no time for it; there may be in so many seconds.
    pub(crate) fn overloaded(seconds: u64) -> Self {
        let title = "The server is too busy";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", title)
            .with(header::RETRY_AFTER, seconds)
    }

    /// Something failed, and the log says what.
    pub(crate) const fn failed() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "Something failed on our side")
    }
}

/// The answer of RFC 6750 to a token that is missing or not good.
fn challenge(error: Option<&'static str>) -> (HeaderName, HeaderValue) {
    let value = match error {
        None => HeaderValue::from_static("Bearer realm=\"api\""),
        Some("invalid_token") => {
            HeaderValue::from_static("Bearer realm=\"api\", error=\"invalid_token\"")
        }
        Some(_) => HeaderValue::from_static("Bearer realm=\"api\", error=\"insufficient_scope\""),
    };
    (header::WWW_AUTHENTICATE, value)
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let unauthorized = |code, title, error| {
            let (name, value) = challenge(error);
            Self::new(StatusCode::UNAUTHORIZED, code, title).with(name, value)
        };
        match refusal {
            Refusal::Invalid(errors) => Self {
                errors,
                ..Self::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "invalid",
                    "A field is not acceptable",
                )
            },
            Refusal::FieldsNotAllowed(errors) => Self {
                errors,
                ..Self::new(
                    StatusCode::FORBIDDEN,
                    "field_not_allowed",
                    "A field is not yours to write",
                )
            },
            Refusal::WrongCredentials => Self::new(
                StatusCode::UNAUTHORIZED,
                "wrong_credentials",
                "The name or the password is wrong",
            )
            .with(challenge(None).0, challenge(None).1),
            Refusal::SecondFactorNeeded => Self::new(
                StatusCode::FORBIDDEN,
                "second_factor_needed",
                "This account signs in on the page, with its second factor",
            ),
            Refusal::Throttled(seconds) => {
                let title = "There were too many attempts";
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", title)
                    .with(header::RETRY_AFTER, seconds)
            }
            Refusal::TokenMissing => {
                unauthorized("token_missing", "An access token is needed", None)
            }
            Refusal::TokenExpired => {
                unauthorized("token_expired", "The access token has expired", Some("invalid_token"))
            }
            Refusal::TokenInvalid => {
                unauthorized("token_invalid", "The access token is not good", Some("invalid_token"))
            }
            Refusal::RefreshInvalid => Self::new(
                StatusCode::UNAUTHORIZED,
                "refresh_invalid",
                "The refresh token is not good",
            )
            .with(challenge(None).0, challenge(None).1),
            other => Self::rest(&other),
        }
    }
}

impl Problem {
    fn rest(refusal: &Refusal) -> Self {
        let (name, value) = challenge(Some("insufficient_scope"));
        match refusal {
            Refusal::NotAllowed => {
                Self::new(StatusCode::FORBIDDEN, "not_allowed", "You may not do this")
                    .with(name, value)
            }
            Refusal::SignInAgain => Self::new(
                StatusCode::FORBIDDEN,
                "sign_in_again",
                "Sign in again, or send the password along",
            ),
            Refusal::NotEncrypted => Self::new(
                StatusCode::BAD_REQUEST,
                "form_not_encrypted",
                "Names and passwords come encrypted here; /api/auth/features says how",
            ),
            Refusal::LinkInvalid => Self::new(
                StatusCode::BAD_REQUEST,
                "link_invalid",
                "The token was used, has expired, or never was",
            ),
            Refusal::NotFound => Self::not_found(),
            Refusal::Stale => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "stale",
                "Somebody else changed it meanwhile; read it again",
            ),
            Refusal::PreconditionMissing => Self::new(
                StatusCode::PRECONDITION_REQUIRED,
                "precondition_missing",
                "Send If-Match with the ETag of what you read",
            ),
            Refusal::Conflict(code) => Self::new(StatusCode::CONFLICT, code, conflict(code)),
            Refusal::Closed(_) => {
                Self::new(StatusCode::FORBIDDEN, "closed", "The operator has switched this off")
            }
            _ => Self::failed(),
        }
    }
}

fn conflict(code: &str) -> &'static str {
    match code {
        "username_taken" => "The user name is taken",
        "email_taken" => "Another user has this address",
        "last_admin" => "The last administrator cannot go",
        "own_account" => "Nobody does this to itself",
        _ => "It clashes with what is there",
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::Failed(e) => {
                tracing::error!(causes = e.causes(), "the user service failed");
                Self::failed()
            }
        }
    }
}

impl From<PortError> for Problem {
    fn from(e: PortError) -> Self {
        Error::from(e).into()
    }
}

impl From<PathRejection> for Problem {
    fn from(_: PathRejection) -> Self {
        Self::not_found()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = Map::new();
        body.insert("type".into(), json!(format!("{TYPE}{}", self.code)));
        body.insert("title".into(), json!(self.title));
        body.insert("status".into(), json!(self.status.as_u16()));
        body.insert("code".into(), json!(self.code));
        if !self.errors.is_empty() {
            let errors = self.errors.iter();
            let errors = errors.map(|e| json!({"field": e.field, "detail": e.text}));
            body.insert("errors".into(), errors.collect());
        }
        let mut headers = HeaderMap::from_iter(self.headers);
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        (self.status, headers, Value::Object(body).to_string()).into_response()
    }
}

/// The method makes no sense at this address.
pub(super) async fn method_not_allowed() -> Problem {
    let title = "This address takes other methods";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", title)
}
