//! The one protocol error, and the one door for failures of the outside world.

use http::StatusCode;
use std::{borrow::Cow, error::Error};

type Cause = Box<dyn Error + Send + Sync>;

macro_rules! error_codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $status:ident;)*) => {
        /// Every error code a peer may see.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[$doc])* $variant,)*
        }

        impl ErrorCode {
            /// The registered text.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The HTTP status where the error is an answer of its own.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }
        }
    };
}

error_codes! {
    /// [RFC 6749 4.1.2.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1): the user or the server said no.
    AccessDenied = "access_denied", FORBIDDEN;
    /// [OpenID Connect Core 3.1.2.6](https://openid.net/specs/openid-connect-core-1_0.html#AuthError): a person must choose an account, and `prompt=none` forbids asking.
    AccountSelectionRequired = "account_selection_required", BAD_REQUEST;
    /// [OpenID Connect Core 3.1.2.6](https://openid.net/specs/openid-connect-core-1_0.html#AuthError): a person must agree, and `prompt=none` forbids asking.
    ConsentRequired = "consent_required", BAD_REQUEST;
    /// [RFC 6750 3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1): the token is fine but does not allow this.
    InsufficientScope = "insufficient_scope", FORBIDDEN;
    /// [RFC 9470 3](https://www.rfc-editor.org/rfc/rfc9470#section-3): the person signed in too long ago, or too weakly.
    InsufficientUserAuthentication = "insufficient_user_authentication", UNAUTHORIZED;
    /// [RFC 6749 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2): client authentication failed.
    InvalidClient = "invalid_client", UNAUTHORIZED;
    /// [RFC 7591 3.2.2](https://www.rfc-editor.org/rfc/rfc7591#section-3.2.2): client metadata that cannot be accepted.
    InvalidClientMetadata = "invalid_client_metadata", BAD_REQUEST;
    /// [RFC 6749 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2): code, refresh token or password is not good.
    InvalidGrant = "invalid_grant", BAD_REQUEST;
    /// [RFC 7591 3.2.2](https://www.rfc-editor.org/rfc/rfc7591#section-3.2.2): a redirect URI that cannot be accepted.
    InvalidRedirectUri = "invalid_redirect_uri", BAD_REQUEST;
    /// [RFC 6749 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2): a parameter is missing, repeated or malformed.
    InvalidRequest = "invalid_request", BAD_REQUEST;
    /// [OpenID Connect Core 3.1.2.6](https://openid.net/specs/openid-connect-core-1_0.html#AuthError): the request object cannot be accepted.
    InvalidRequestObject = "invalid_request_object", BAD_REQUEST;
    /// [OpenID Connect Core 3.1.2.6](https://openid.net/specs/openid-connect-core-1_0.html#AuthError): the request object cannot be fetched, or may not be from there.
    InvalidRequestUri = "invalid_request_uri", BAD_REQUEST;
    /// [RFC 6749 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2): the scope is malformed or exceeds what may be granted.
    InvalidScope = "invalid_scope", BAD_REQUEST;
    /// [RFC 7591 3.2.2](https://www.rfc-editor.org/rfc/rfc7591#section-3.2.2): the software statement is not good.
    InvalidSoftwareStatement = "invalid_software_statement", BAD_REQUEST;
    /// [RFC 8707 2](https://www.rfc-editor.org/rfc/rfc8707#section-2): the resource is malformed or unknown.
    InvalidTarget = "invalid_target", BAD_REQUEST;
    /// [RFC 6750 3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1): the access token is expired, revoked, malformed or not for here.
    InvalidToken = "invalid_token", UNAUTHORIZED;
    /// [OpenID Connect Core 3.1.2.6](https://openid.net/specs/openid-connect-core-1_0.html#AuthError): a person must sign in, and `prompt=none` forbids asking.
    LoginRequired = "login_required", BAD_REQUEST;
    /// [OpenID Connect Core 3.1.2.6](https://openid.net/specs/openid-connect-core-1_0.html#AuthError): request objects of this kind are not taken.
    RequestNotSupported = "request_not_supported", BAD_REQUEST;
    /// [OpenID Connect Core 3.1.2.6](https://openid.net/specs/openid-connect-core-1_0.html#AuthError): request objects of this kind are not taken from an address either.
    RequestUriNotSupported = "request_uri_not_supported", BAD_REQUEST;
    /// [RFC 6749 4.1.2.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1): something inside failed.
    ServerError = "server_error", INTERNAL_SERVER_ERROR;
    /// [RFC 6749 4.1.2.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1): too busy at the moment; also sent when attempts are throttled.
    TemporarilyUnavailable = "temporarily_unavailable", SERVICE_UNAVAILABLE;
    /// [RFC 7591 3.2.2](https://www.rfc-editor.org/rfc/rfc7591#section-3.2.2): the software statement is not from anybody trusted here.
    UnapprovedSoftwareStatement = "unapproved_software_statement", BAD_REQUEST;
    /// [OpenID Connect Core Unmet Authentication Requirements 2](https://openid.net/specs/openid-connect-unmet-authentication-requirements-1_0.html): no sign-in here is as strong as the client demands.
    UnmetAuthenticationRequirements = "unmet_authentication_requirements", BAD_REQUEST;
    /// [RFC 6749 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2): this client may not use this grant.
    UnauthorizedClient = "unauthorized_client", BAD_REQUEST;
    /// [RFC 6749 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2): no such grant type here.
    UnsupportedGrantType = "unsupported_grant_type", BAD_REQUEST;
    /// [RFC 6749 4.1.2.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1): no such response type here.
    UnsupportedResponseType = "unsupported_response_type", BAD_REQUEST;
    /// [RFC 7009 2.2.1](https://www.rfc-editor.org/rfc/rfc7009#section-2.2.1): tokens of this type cannot be revoked.
    UnsupportedTokenType = "unsupported_token_type", BAD_REQUEST;
}

/// What the peer is told, and separately what the operator is told.
///
/// The description is a literal, so no identifier, statement or stack can enter it; the cause goes to the log.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}", .code.as_str(), .description.unwrap_or("no description"))]
pub struct OAuthError {
    code: ErrorCode,
    description: Option<&'static str>,
    #[source]
    cause: Option<Cause>,
}

impl OAuthError {
    /// An error with a description from the character set of
    /// [RFC 6749 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2).
    pub const fn new(code: ErrorCode, description: &'static str) -> Self {
        Self { code, description: Some(description), cause: None }
    }

    /// `invalid_request`.
    pub const fn invalid_request(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }

    /// `invalid_grant`.
    pub const fn invalid_grant(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidGrant, description)
    }

    /// `invalid_client`, always with the same words, whatever was wrong.
    pub const fn invalid_client() -> Self {
        Self::new(ErrorCode::InvalidClient, "client authentication failed")
    }

    /// Adds what the operator should know.
    pub fn because(mut self, cause: impl Into<Cause>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The code.
    pub const fn code(&self) -> ErrorCode {
        self.code
    }

    /// The words for the peer.
    pub const fn description(&self) -> Option<&'static str> {
        self.description
    }

    /// The chain of causes, for the log.
    pub fn causes(&self) -> String {
        let mut text = String::new();
        let mut next = self.source();
        while let Some(e) = next {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&e.to_string());
            next = e.source();
        }
        text
    }

    /// Fields of the JSON error response of [RFC 6749 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2).
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, Cow<'static, str>)> {
        std::iter::once(("error", Cow::Borrowed(self.code.as_str())))
            .chain(self.description.map(|d| ("error_description", Cow::Borrowed(d))))
    }
}

/// A failure of something this crate asked of the outside: its text goes to the log, never to a peer.
#[derive(Debug, thiserror::Error)]
#[error("a port failed")]
pub struct PortError(#[source] Cause);

impl PortError {
    /// Wraps the failure.
    pub fn new(cause: impl Into<Cause>) -> Self {
        Self(cause.into())
    }
}

impl From<PortError> for OAuthError {
    fn from(e: PortError) -> Self {
        Self { code: ErrorCode::ServerError, description: None, cause: Some(Box::new(e)) }
    }
}
