//! Floor 7: our provider behind the primitives of oxide-auth, so that its frontends run on our tables.
//!
//! | value | for the flow | is |
//! |---|---|---|
//! | [`Authorize`] | `AuthorizationFlow` | `Registrar`, `Authorizer`, extension |
//! | [`Token`] | `AccessTokenFlow`, `RefreshFlow` | `Registrar`, `Authorizer`, `Issuer`, extension |
//! | [`ClientCredentials`] | `ClientCredentialsFlow` | `Registrar`, `Issuer`, its own `OwnerSolicitor` |
//! | [`Resource`] | `ResourceFlow` | `Issuer`, `Scopes` |
//!
//! There is one value per flow because the traits do not say which flow asks, and **a value serves one request**:
//! it remembers what the calls of a flow do not hand on to each other, such as which client proved itself and
//! which authorization a code belonged to. A second request on the same value is an error, never a mix-up.
//! Clones share the memory, for endpoints that want registrar, authorizer and issuer apart.
//!
//! Each value is also a whole `oxide_auth_async` endpoint ([`Authorize`] together with somebody who
//! [asks the owner](Authorize::asking)). [`Blocking`] turns a value into the traits of `oxide_auth` itself.
//!
//! # What the traits make impossible
//!
//! What is stored, issued and refused is the same as behind our own endpoints. How it is *said* is oxide-auth's:
//!
//! * Errors are closed enums. An unknown or used code, a wrong `code_verifier` and an unknown bearer token are
//!   `invalid_request`; a refusal of [`Authorize`] before the redirect URI is known, and a scope that is too wide for
//!   [`ClientCredentials`], are `DenySilently`; whatever an issuer refuses is `PrimitiveError`. The reason is in our log.
//! * `check` is not told whether a secret came in the header or in the body, so a client may use whichever the
//!   flow takes. The flows do not form-decode Basic credentials; generated secrets need no decoding.
//! * A code is used up before redirect URI and verifier are compared, because `extract` is one call: whoever steals
//!   the code of a public client cannot redeem it, but can burn it. A code of another client is left alone.
//! * The flows read the clock of the operating system and compare redirect URIs as parsed URLs. Repeated optional
//!   parameters are dropped before we see them, so only one `resource` can be asked for, and none when refreshing.
//! * A `PrimitiveError` is all that two refreshes at the very same moment leave one of them.
//! * Answers of the authorization endpoint carry no `iss` ([RFC 9207](https://www.rfc-editor.org/rfc/rfc9207)).

mod authorize;
mod blocking;
mod client_credentials;
mod convert;
mod endpoint;
mod memory;
mod resource;
mod token;

use crate::{
    error::{ErrorCode, OAuthError},
    ports::Event,
    provider::Provider,
};
use oxide_auth::primitives::registrar::RegistrarError;

pub use authorize::Authorize;
pub use blocking::Blocking;
pub use client_credentials::ClientCredentials;
pub use endpoint::Asking;
pub use resource::Resource;
pub use token::Token;

/// Writes down what the traits have no words for.
fn refused(provider: &Provider, endpoint: &'static str, e: &OAuthError) {
    let error = e.code();
    provider.env().audit.record(&Event::Refused { endpoint, error });
    let error = error.as_str();
    let description = e.description().unwrap_or_default();
    let causes = e.causes();
    if e.code().status().is_server_error() {
        tracing::error!(error, description, causes, endpoint, "request failed");
    } else {
        tracing::info!(error, description, causes, endpoint, "request refused");
    }
}

/// A refusal as a registrar words it.
fn registrar_error(e: &OAuthError) -> RegistrarError {
    match e.code() {
        ErrorCode::ServerError | ErrorCode::TemporarilyUnavailable => {
            RegistrarError::PrimitiveError
        }
        _ => RegistrarError::Unspecified,
    }
}

/// A refusal as authorizers and issuers word it: `None` for a credential that is not good, an error for the rest.
fn none_or_error<T>(e: &OAuthError) -> Result<Option<T>, ()> {
    match e.code() {
        ErrorCode::ServerError | ErrorCode::TemporarilyUnavailable => Err(()),
        _ => Ok(None),
    }
}

/// The value was used for a second request, or a flow left a step out.
const fn out_of_order() -> OAuthError {
    OAuthError::new(
        ErrorCode::ServerError,
        "one value serves one request, and its flow makes the calls in order",
    )
}
