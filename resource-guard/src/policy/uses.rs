//! Which kind of token a route takes.

use super::{Policy, Verdict};
use crate::{asked::Asked, principal::Principal, refusal::Refusal, token_use::TokenUse};

/// An access token of somebody: a user or a client, and not a guest.
#[derive(Clone, Copy, Debug, Default)]
pub struct Access;

impl Policy for Access {
    fn allow<'a>(&'a self, _: &'a Asked<'a>, principal: &'a Principal) -> Verdict<'a> {
        Verdict::Now(if principal.is_guest() {
            Err(Refusal::insufficient_scope(None))
        } else {
            Ok(())
        })
    }
}

/// A refresh token and nothing else, for the route that gives another access token for it. It must be a JWT that says
/// so: `typ` of `rt+jwt` ([`GuardBuilder::also_typ`](crate::GuardBuilder::also_typ)), or a claim such as
/// `token_use: refresh`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Refresh;

impl Policy for Refresh {
    fn takes(&self, token: TokenUse) -> bool {
        token == TokenUse::Refresh
    }

    fn allow<'a>(&'a self, _: &'a Asked<'a>, _: &'a Principal) -> Verdict<'a> {
        Verdict::Now(Ok(()))
    }
}

/// The token of a guest and nothing else: an access token whose scope has the word `guest`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Guest;

impl Policy for Guest {
    fn allow<'a>(&'a self, _: &'a Asked<'a>, principal: &'a Principal) -> Verdict<'a> {
        Verdict::Now(if principal.is_guest() {
            Ok(())
        } else {
            Err(Refusal::insufficient_scope(None))
        })
    }
}
