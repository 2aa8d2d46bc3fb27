//! Why the user service says no.

use oauth_core::error::{OAuthError, PortError};

/// What a peer may be told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Something that was sent is not acceptable, field by field.
    Invalid(Vec<Complaint>),
    /// Fields that whoever asks may not write.
    FieldsNotAllowed(Vec<Complaint>),
    /// The name is unknown, the password is wrong, or the user is locked out: nobody is told which.
    WrongCredentials,
    /// A name or a password came as it is, where they come encrypted.
    NotEncrypted,
    /// The password is right, and the user has a second factor or has to have one, which is a matter of the page alone.
    SecondFactorNeeded,
    /// Too many attempts. Seconds to wait.
    Throttled(u64),
    /// No access token was sent.
    TokenMissing,
    /// The access token was good and has expired.
    TokenExpired,
    /// The access token is not good, or not for here.
    TokenInvalid,
    /// The access token is good, but whoever holds it may not do this.
    NotAllowed,
    /// Whoever holds the access token has to sign in again first: it was too long ago.
    SignInAgain,
    /// The refresh token is not good.
    RefreshInvalid,
    /// The link from a letter was used, has expired, or never was.
    LinkInvalid,
    /// There is no such thing, or it is not for whoever asks.
    NotFound,
    /// What is there is not what the change was meant for: somebody else changed it meanwhile.
    Stale,
    /// The change must say what it is meant for, with `If-Match`.
    PreconditionMissing,
    /// It clashes with what is there.
    Conflict(&'static str),
    /// The operator has switched it off.
    Closed(&'static str),
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The name of the field.
    pub field: String,
    /// What, as a sentence.
    pub text: String,
}

impl Refusal {
    /// One field that is not acceptable.
    pub fn invalid(field: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Invalid(vec![Complaint { field: field.into(), text: text.into() }])
    }
}

/// Why something was not done.
#[derive(Debug)]
pub enum Error {
    /// It is refused, and the peer may know why.
    Refused(Refusal),
    /// Something inside failed. The cause is for the log.
    Failed(OAuthError),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<PortError> for Error {
    fn from(e: PortError) -> Self {
        Self::Failed(e.into())
    }
}

impl From<OAuthError> for Error {
    fn from(e: OAuthError) -> Self {
        Self::Failed(e)
    }
}
