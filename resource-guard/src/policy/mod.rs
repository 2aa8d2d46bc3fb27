//! What a good token must allow for a request to pass.

mod methods;
mod nmos;
mod scopes;

pub use methods::Methods;
pub(crate) use nmos::Nmos;
pub use scopes::Scopes;

use crate::{
    asked::Asked,
    principal::Principal,
    refusal::{Refusal, Style},
};
use async_trait::async_trait;

/// Whether a request needs a token at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Need {
    /// It passes as it is.
    Nothing,
    /// It needs a good token.
    Token,
}

/// Decides which requests need a token and what the token must allow.
#[async_trait]
pub trait Policy: Send + Sync {
    /// Whether the request needs a token. Asked before any token is looked at.
    fn need(&self, asked: &Asked<'_>) -> Result<Need, Refusal> {
        let _ = asked;
        Ok(Need::Token)
    }

    /// Whether a caller with a good token may do this.
    async fn allow(&self, asked: &Asked<'_>, principal: &Principal) -> Result<(), Refusal>;

    /// The form of refusals.
    fn style(&self) -> Style {
        Style::Rfc6750
    }
}

/// Any good token will do.
pub(crate) struct AnyToken;

#[async_trait]
impl Policy for AnyToken {
    async fn allow(&self, _: &Asked<'_>, _: &Principal) -> Result<(), Refusal> {
        Ok(())
    }
}

/// Nobody passes, because the rules could not be read.
pub(crate) struct Nobody;

#[async_trait]
impl Policy for Nobody {
    fn need(&self, _: &Asked<'_>) -> Result<Need, Refusal> {
        Err(Refusal::misconfigured())
    }

    async fn allow(&self, _: &Asked<'_>, _: &Principal) -> Result<(), Refusal> {
        Err(Refusal::misconfigured())
    }
}
