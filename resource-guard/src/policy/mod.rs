//! What a good token must allow for a request to pass.

mod compose;
mod fresh;
mod methods;
mod nmos;
mod roles;
mod scopes;
mod uses;
mod verdict;

pub use compose::{And, Optional, PolicyExt};
pub use fresh::Fresh;
pub use methods::Methods;
pub(crate) use nmos::Nmos;
pub use roles::Roles;
pub use scopes::Scopes;
pub use uses::{Access, Guest, Refresh};
pub use verdict::Verdict;

use crate::{
    asked::Asked,
    principal::Principal,
    refusal::{Refusal, Style},
    token_use::TokenUse,
};

/// Whether a request needs a token at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Need {
    /// It passes as it is.
    Nothing,
    /// It passes without a token, but one that is there must be good and allow this.
    Optional,
    /// It needs a good token.
    Token,
}

impl Need {
    /// What two policies need together: whatever is more.
    pub(crate) const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Token, _) | (_, Self::Token) => Self::Token,
            (Self::Optional, _) | (_, Self::Optional) => Self::Optional,
            (Self::Nothing, Self::Nothing) => Self::Nothing,
        }
    }
}

/// Decides which requests need a token and what the token must allow.
///
/// A request for which somebody must be waited for is looked at twice: first in case everything is known, and again where
/// it is not. So [`need`](Self::need) and [`allow`](Self::allow) do nothing but look. What is more than that belongs in
/// the future of [`Verdict::later`], which is waited for once.
pub trait Policy: Send + Sync {
    /// Whether the request needs a token. Asked before any token is looked at.
    fn need(&self, asked: &Asked<'_>) -> Result<Need, Refusal> {
        let _ = asked;
        Ok(Need::Token)
    }

    /// Whether tokens for this use are taken. Access tokens alone, unless the policy says otherwise.
    fn takes(&self, token: TokenUse) -> bool {
        token == TokenUse::Access
    }

    /// Whether a caller with a good token may do this. What waits may be dropped before it is done, as every future.
    fn allow<'a>(&'a self, asked: &'a Asked<'a>, principal: &'a Principal) -> Verdict<'a>;

    /// The form of refusals.
    fn style(&self) -> Style {
        Style::Rfc6750
    }
}

/// Any good token will do.
pub(crate) struct AnyToken;

impl Policy for AnyToken {
    fn allow<'a>(&'a self, _: &'a Asked<'a>, _: &'a Principal) -> Verdict<'a> {
        Verdict::Now(Ok(()))
    }
}

/// Nobody passes, because the rules could not be read.
pub(crate) struct Nobody;

impl Policy for Nobody {
    fn need(&self, _: &Asked<'_>) -> Result<Need, Refusal> {
        Err(Refusal::misconfigured())
    }

    fn allow<'a>(&'a self, _: &'a Asked<'a>, _: &'a Principal) -> Verdict<'a> {
        Verdict::Now(Err(Refusal::misconfigured()))
    }
}
