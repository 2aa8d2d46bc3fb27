//! A *no* as front ends of this family read it: `msg`, `status`, and `sub_status` where they decide by it. Every text is a
//! constant, but for the names of fields.

use super::answers;
use crate::{
    api::{Problem, Unfit},
    people::{Complaint, Error, Refusal},
};
use axum::{
    extract::rejection::PathRejection,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use oauth_core::error::PortError;
use serde_json::{Map, Value, json};

/// What front ends branch on: the token was good, and another one is to be had for the refresh token.
const EXPIRED: u16 = 42;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct No {
    status: StatusCode,
    msg: &'static str,
    sub_status: Option<u16>,
    errors: Vec<Complaint>,
    retry_after: Option<u64>,
    /// Where the same is to be had in another way.
    instead: Option<&'static str>,
}

impl No {
    const fn new(status: StatusCode, msg: &'static str) -> Self {
        Self { status, msg, sub_status: None, errors: Vec::new(), retry_after: None, instead: None }
    }

    /// Whoever calls is a user already.
    pub(super) const ANONYMOUS_ONLY: Self =
        Self::new(StatusCode::FORBIDDEN, "Anonymous users only !!! ");
    /// Whoever calls is no user, or one whose address is not confirmed.
    pub(super) const REGISTERED_ONLY: Self =
        Self::new(StatusCode::FORBIDDEN, "Registred users only !!! ");
    /// It is for administrators.
    pub(super) const ADMINS_ONLY: Self = Self::new(StatusCode::FORBIDDEN, "Admins only !!! ");
    /// It is for administrators, and for users about themselves.
    pub(super) const NOT_YOURS: Self =
        Self::new(StatusCode::FORBIDDEN, "Admins or your own user only  !!! ");

    /// There is no token.
    pub(super) const MISSING: Self =
        Self::new(StatusCode::UNAUTHORIZED, "Missing Authorization Header");
    /// The header is no token alone.
    pub(super) const HEADER: Self = Self::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "The Authorization header must be a token and nothing else",
    );
    /// The token cannot be read, or is not of this server.
    pub(super) const MALFORMED: Self =
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "This is no token of this server");
    /// The token was good once, and what it belongs to has ended.
    pub(super) const REVOKED: Self =
        Self::new(StatusCode::UNAUTHORIZED, "The token has been revoked");
    /// An access token where a refresh token has to be.
    pub(super) const REFRESH_ONLY: Self =
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Only refresh tokens are taken here");
    /// The refresh token of a guest.
    pub(super) const NO_USER: Self =
        Self::new(StatusCode::UNAUTHORIZED, "user not found or is anonymous");
    /// The sign-in was too long ago for what was asked.
    pub(super) const NOT_FRESH: Self = Self::new(
        StatusCode::UNAUTHORIZED,
        "Fresh token required: the sign-in was too long ago, log in again",
    );
    /// What was sent is not what the operation takes.
    pub(super) const INPUT: Self =
        Self::new(StatusCode::BAD_REQUEST, "The request is not what this operation takes");
    /// Some of the fields are none that anybody writes here.
    pub(super) const UNKNOWN_FIELD: Self =
        Self::new(StatusCode::FORBIDDEN, "There are fields among these that nobody writes here");
    /// A token in an address is in every log on the way.
    pub(super) const IN_ADDRESS: Self = Self {
        status: StatusCode::GONE,
        msg: "Refresh tokens are not taken in addresses: post {\"refresh_token\": ...} to /api/refresh",
        sub_status: None,
        errors: Vec::new(),
        retry_after: None,
        instead: Some("/api/refresh"),
    };

    /// With what is wrong, field by field.
    pub(super) fn about(self, errors: Vec<Complaint>) -> Self {
        Self { errors, ..self }
    }

    /// With another status.
    pub(super) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// The status.
    #[cfg(test)]
    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    fn failed() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Something failed on our side")
    }
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::TokenMissing => Self::MISSING,
            Refusal::TokenExpired => Self {
                sub_status: Some(EXPIRED),
                ..Self::new(StatusCode::UNAUTHORIZED, "The token has expired")
            },
            Refusal::TokenInvalid => Self::MALFORMED,
            Refusal::RefreshInvalid => Self::new(
                StatusCode::UNAUTHORIZED,
                "The refresh token was used, has expired, or never was: log in again",
            ),
            Refusal::WrongCredentials => {
                Self::new(StatusCode::UNAUTHORIZED, "incorrect login or password")
            }
            Refusal::SecondFactorNeeded => Self::new(
                StatusCode::FORBIDDEN,
                "This account signs in on the page, with its second factor",
            ),
            Refusal::SignInAgain => Self::NOT_FRESH,
            Refusal::Throttled(seconds) => Self {
                retry_after: Some(seconds),
                ..Self::new(StatusCode::TOO_MANY_REQUESTS, "There were too many attempts")
            },
            Refusal::Invalid(mut errors) => {
                for error in &mut errors {
                    error.field = answers::form_field(&error.field).to_owned();
                }
                Self::new(StatusCode::BAD_REQUEST, "Input payload validation failed").about(errors)
            }
            Refusal::FieldsNotAllowed(errors) => Self::ADMINS_ONLY.about(errors),
            other => Self::rest(&other),
        }
    }
}

impl No {
    fn rest(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::NotAllowed => Self::NOT_YOURS,
            Refusal::LinkInvalid => Self::new(
                StatusCode::UNAUTHORIZED,
                "The token of the letter was used, has expired, or never was",
            ),
            Refusal::NotEncrypted => {
                Self::new(StatusCode::BAD_REQUEST, "Address and password have to be encrypted")
            }
            Refusal::NotFound => {
                Self::new(StatusCode::NOT_FOUND, "There is no such user, or not for you")
            }
            Refusal::Conflict("email_taken") => {
                Self::new(StatusCode::CONFLICT, "Another user has this address")
            }
            Refusal::Conflict("last_admin") => {
                Self::new(StatusCode::CONFLICT, "The last administrator cannot go")
            }
            Refusal::Conflict("own_account") => {
                Self::new(StatusCode::CONFLICT, "Nobody does this to itself")
            }
            Refusal::Conflict(_) => {
                Self::new(StatusCode::CONFLICT, "It clashes with what is there")
            }
            Refusal::Closed(_) => {
                Self::new(StatusCode::FORBIDDEN, "The operator has switched this off")
            }
            _ => Self::failed(),
        }
    }
}

impl From<Error> for No {
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

impl From<PortError> for No {
    fn from(e: PortError) -> Self {
        Error::from(e).into()
    }
}

/// What is wrong with a body.
impl From<Problem> for No {
    fn from(problem: Problem) -> Self {
        Self::INPUT.with_status(problem.status())
    }
}

impl From<Unfit> for No {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Malformed => Self::INPUT,
            Unfit::Refused(error) => error.into(),
        }
    }
}

impl From<PathRejection> for No {
    fn from(_: PathRejection) -> Self {
        Refusal::NotFound.into()
    }
}

impl IntoResponse for No {
    fn into_response(self) -> Response {
        let mut body = Map::new();
        body.insert("msg".into(), json!(self.msg));
        body.insert("status".into(), json!(self.status.as_u16()));
        if let Some(sub_status) = self.sub_status {
            body.insert("sub_status".into(), json!(sub_status));
        }
        if let Some(instead) = self.instead {
            body.insert("instead".into(), json!(instead));
        }
        if !self.errors.is_empty() {
            let errors = self.errors.into_iter().map(|e| (e.field, json!(e.text)));
            let errors: Map<String, Value> = errors.collect();
            body.insert("errors".into(), Value::Object(errors));
        }
        let mut response = answers::json(self.status, &Value::Object(body));
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The answer to a request that came to no operation: it was too large, there was no time for it, or something broke.
pub(crate) fn unserved(status: StatusCode, retry_after: Option<u64>) -> Response {
    let no = match status {
        StatusCode::PAYLOAD_TOO_LARGE => No::INPUT.with_status(status),
        StatusCode::SERVICE_UNAVAILABLE => {
            No { retry_after, ..No::new(status, "The server is too busy, try again") }
        }
        _ => No::failed(),
    };
    no.into_response()
}

/// The method makes no sense at this address.
pub(super) async fn method_not_allowed() -> No {
    No::new(StatusCode::METHOD_NOT_ALLOWED, "This address takes other methods")
}
