//! The implicit grant: [RFC 6749 4.2](https://www.rfc-editor.org/rfc/rfc6749#section-4.2).
//! [RFC 9700 2.1.2](https://www.rfc-editor.org/rfc/rfc9700#section-2.1.2) advises against it; it is here for old browser clients.

use super::{Exchange, Grant};
use crate::{
    error::{ErrorCode, OAuthError},
    model::Approval,
};
use async_trait::async_trait;

/// The implicit grant. Works only where it is added to the provider *and* registered for the client.
#[derive(Clone, Copy, Debug, Default)]
pub struct Implicit;

#[async_trait]
impl Grant for Implicit {
    fn grant_type(&self) -> &'static str {
        "implicit"
    }

    fn has_token_request(&self) -> bool {
        false
    }

    fn warning(&self) -> Option<&'static str> {
        Some(
            "RFC 9700 2.1.2: the implicit grant hands tokens to the address bar and should not be used",
        )
    }

    async fn approve(&self, _: &Exchange<'_>) -> Result<Approval, OAuthError> {
        Err(OAuthError::new(
            ErrorCode::UnsupportedGrantType,
            "the implicit grant has no token request",
        ))
    }
}
