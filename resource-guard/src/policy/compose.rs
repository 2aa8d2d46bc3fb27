//! Policies out of policies.

use super::{Need, Policy, Verdict};
use crate::{
    asked::Asked,
    principal::Principal,
    refusal::{Refusal, Style},
    token_use::TokenUse,
};

/// Ways to put policies together.
pub trait PolicyExt: Policy + Sized {
    /// Both must agree. The first one speaks first, and gives refusals their form.
    ///
    /// ```
    /// use resource_guard::{Access, Fresh, PolicyExt as _, Roles};
    /// use std::time::Duration;
    ///
    /// # fn main() -> Result<(), resource_guard::ConfigProblem> {
    /// let rules = Access.and(Roles::any(["admin"])?).and(Fresh::within(Duration::from_mins(5)));
    /// # let _ = rules;
    /// # Ok(())
    /// # }
    /// ```
    fn and<P: Policy>(self, other: P) -> And<Self, P> {
        And { first: self, second: other }
    }

    /// Requests without a token pass, too. A token that is there must still be good and satisfy the policy.
    fn optional(self) -> Optional<Self> {
        Optional(self)
    }
}

impl<P: Policy> PolicyExt for P {}

/// Two policies that must agree.
#[derive(Clone, Debug)]
pub struct And<A, B> {
    first: A,
    second: B,
}

impl<A: Policy, B: Policy> Policy for And<A, B> {
    fn need(&self, asked: &Asked<'_>) -> Result<Need, Refusal> {
        Ok(self.first.need(asked)?.and(self.second.need(asked)?))
    }

    fn takes(&self, token: TokenUse) -> bool {
        self.first.takes(token) && self.second.takes(token)
    }

    fn allow<'a>(&'a self, asked: &'a Asked<'a>, principal: &'a Principal) -> Verdict<'a> {
        match self.first.allow(asked, principal) {
            Verdict::Now(Ok(())) => self.second.allow(asked, principal),
            Verdict::Now(no) => no.into(),
            Verdict::Later(first) => Verdict::later(async move {
                first.await?;
                self.second.allow(asked, principal).wait().await
            }),
        }
    }

    fn style(&self) -> Style {
        self.first.style()
    }
}

/// A policy that counts only for requests with a token.
#[derive(Clone, Debug)]
pub struct Optional<P>(pub P);

impl<P: Policy> Policy for Optional<P> {
    fn need(&self, asked: &Asked<'_>) -> Result<Need, Refusal> {
        Ok(match self.0.need(asked)? {
            Need::Nothing => Need::Nothing,
            Need::Optional | Need::Token => Need::Optional,
        })
    }

    fn takes(&self, token: TokenUse) -> bool {
        self.0.takes(token)
    }

    fn allow<'a>(&'a self, asked: &'a Asked<'a>, principal: &'a Principal) -> Verdict<'a> {
        self.0.allow(asked, principal)
    }

    fn style(&self) -> Style {
        self.0.style()
    }
}
