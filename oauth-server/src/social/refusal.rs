//! Why somebody is not signed in through a provider.

use axum::http::StatusCode;
use oauth_core::{error::PortError, jose::JwtProblem, ports::FetchProblem};

/// Declares refusals: the code, the status, and whose fault it is.
macro_rules! refusals {
    ($($(#[doc = $text:literal])+ $name:ident = $code:literal, $status:ident, $blame:ident;)+) => {
        /// Why somebody is not signed in through a provider.
        #[derive(Debug)]
        #[non_exhaustive]
        pub enum Refusal {
            $($(#[doc = $text])+ $name,)+
            /// Something of ours failed.
            Inside(PortError),
        }

        impl Refusal {
            /// The code that the page shows.
            pub const fn code(&self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                    Self::Inside(_) => "server_error",
                }
            }

            /// The status of the page.
            pub const fn status(&self) -> StatusCode {
                match self {
                    $(Self::$name => StatusCode::$status,)+
                    Self::Inside(_) => StatusCode::INTERNAL_SERVER_ERROR,
                }
            }

            /// What kind of trouble it is.
            pub const fn blame(&self) -> Blame {
                match self {
                    $(Self::$name => Blame::$blame,)+
                    Self::Inside(_) => Blame::Us,
                }
            }
        }
    };
}

/// What kind of trouble it is, for the words on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Blame {
    /// The return does not belong to a departure.
    Return,
    /// The person, or the provider, said no.
    Denied,
    /// The provider does not answer.
    Silent,
    /// The provider answers something that is not believed.
    Upstream,
    /// An account here is needed first.
    Account,
    /// The identity is somebody else's here.
    Taken,
    /// The account is locked.
    Locked,
    /// The provider did not ask the person again.
    Stale,
    /// Too many accounts were made.
    Throttled,
    /// Something of ours failed.
    Us,
}

refusals! {
    /// The person, or the provider, said no.
    AccessDenied = "access_denied", FORBIDDEN, Denied;
    /// The account here is locked.
    AccountDisabled = "account_disabled", FORBIDDEN, Locked;
    /// Somebody here has the same confirmed address, and this provider may not let anybody into that account.
    EmailTaken = "email_taken", FORBIDDEN, Account;
    /// The id token is not for this server.
    IdTokenAudience = "id_token_audience", BAD_GATEWAY, Upstream;
    /// The id token is signed by an algorithm that is not accepted, or by none.
    IdTokenAlgorithm = "id_token_algorithm", BAD_GATEWAY, Upstream;
    /// The id token has expired, is not valid yet, or comes from the future.
    IdTokenTime = "id_token_time", BAD_GATEWAY, Upstream;
    /// The id token is of another issuer.
    IdTokenIssuer = "id_token_issuer", BAD_GATEWAY, Upstream;
    /// No published key has made the signature.
    IdTokenKey = "id_token_key", BAD_GATEWAY, Upstream;
    /// The id token cannot be read, or lacks a claim.
    IdTokenMalformed = "id_token_malformed", BAD_GATEWAY, Upstream;
    /// There is no id token.
    IdTokenMissing = "id_token_missing", BAD_GATEWAY, Upstream;
    /// The id token is not for this sign-in.
    IdTokenNonce = "id_token_nonce", BAD_GATEWAY, Upstream;
    /// The signature of the id token is wrong.
    IdTokenSignature = "id_token_signature", BAD_GATEWAY, Upstream;
    /// The id token and the access token do not belong together.
    IdTokenHash = "id_token_at_hash", BAD_GATEWAY, Upstream;
    /// The identity belongs to another account here.
    IdentityTaken = "identity_taken", CONFLICT, Taken;
    /// The answer is of another provider than the one that was asked.
    IssuerMismatch = "issuer_mismatch", BAD_REQUEST, Return;
    /// Whoever came back to link is not the one who left.
    LinkOtherUser = "link_other_user", FORBIDDEN, Return;
    /// The metadata cannot be used, or is of another issuer.
    Metadata = "upstream_metadata", BAD_GATEWAY, Upstream;
    /// The person had to sign in anew, and the provider does not say that it asked.
    NotFresh = "sign_in_not_fresh", FORBIDDEN, Stale;
    /// Accounts are not made here by signing in.
    SignupClosed = "signup_closed", FORBIDDEN, Account;
    /// No departure has this state in this browser: it is over, was used, or is of another browser or provider.
    StateUnknown = "state_unknown", BAD_REQUEST, Return;
    /// Too many accounts were made from one address.
    Throttled = "too_many_requests", TOO_MANY_REQUESTS, Throttled;
    /// The provider did not take the code, or answered something else than tokens.
    TokenRefused = "upstream_token", BAD_GATEWAY, Upstream;
    /// The provider answered with an error.
    UpstreamError = "upstream_error", BAD_GATEWAY, Upstream;
    /// The provider does not answer, redirects, or does not come to an end.
    Unreachable = "upstream_unreachable", BAD_GATEWAY, Silent;
    /// The provider does not say who it is, or not the same as before.
    Userinfo = "upstream_userinfo", BAD_GATEWAY, Upstream;
}

impl From<PortError> for Refusal {
    fn from(e: PortError) -> Self {
        Self::Inside(e)
    }
}

impl From<JwtProblem> for Refusal {
    fn from(problem: JwtProblem) -> Self {
        match problem {
            JwtProblem::Algorithm => Self::IdTokenAlgorithm,
            JwtProblem::Expired | JwtProblem::FromTheFuture | JwtProblem::NotYetValid => {
                Self::IdTokenTime
            }
            JwtProblem::Signature => Self::IdTokenSignature,
            JwtProblem::UnknownKey => Self::IdTokenKey,
            _ => Self::IdTokenMalformed,
        }
    }
}

impl From<FetchProblem> for Refusal {
    /// The cause is logged where it is known; here it only matters that there is no answer.
    fn from(_: FetchProblem) -> Self {
        Self::Unreachable
    }
}
