//! Which kind of token a route takes.

use super::Policy;
use crate::{asked::Asked, principal::Principal, refusal::Refusal, token_use::TokenUse};
use async_trait::async_trait;

/// An access token of somebody: a user or a client, and not a guest.
#[derive(Clone, Copy, Debug, Default)]
pub struct Access;

#[async_trait]
impl Policy for Access {
    async fn allow(&self, _: &Asked<'_>, principal: &Principal) -> Result<(), Refusal> {
        if principal.is_guest() {
            return Err(Refusal::insufficient_scope(None));
        }
        Ok(())
    }
}

/// A refresh token and nothing else, for the route that gives another access token for it. It must be a JWT that says
/// so: `typ` of `rt+jwt` ([`GuardBuilder::also_typ`](crate::GuardBuilder::also_typ)), or a claim such as
/// `token_use: refresh`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Refresh;

#[async_trait]
impl Policy for Refresh {
    fn takes(&self, token: TokenUse) -> bool {
        token == TokenUse::Refresh
    }

    async fn allow(&self, _: &Asked<'_>, _: &Principal) -> Result<(), Refusal> {
        Ok(())
    }
}

/// The token of a guest and nothing else: an access token whose scope has the word `guest`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Guest;

#[async_trait]
impl Policy for Guest {
    async fn allow(&self, _: &Asked<'_>, principal: &Principal) -> Result<(), Refusal> {
        if principal.is_guest() { Ok(()) } else { Err(Refusal::insufficient_scope(None)) }
    }
}
