//! Policies out of policies.

use super::{Need, Policy};
use crate::{
    asked::Asked,
    principal::Principal,
    refusal::{Refusal, Style},
    token_use::TokenUse,
};
use async_trait::async_trait;

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

#[async_trait]
impl<A: Policy, B: Policy> Policy for And<A, B> {
    fn need(&self, asked: &Asked<'_>) -> Result<Need, Refusal> {
        Ok(self.first.need(asked)?.and(self.second.need(asked)?))
    }

    fn takes(&self, token: TokenUse) -> bool {
        self.first.takes(token) && self.second.takes(token)
    }

    async fn allow(&self, asked: &Asked<'_>, principal: &Principal) -> Result<(), Refusal> {
        self.first.allow(asked, principal).await?;
        self.second.allow(asked, principal).await
    }

    fn style(&self) -> Style {
        self.first.style()
    }
}

/// A policy that counts only for requests with a token.
#[derive(Clone, Debug)]
pub struct Optional<P>(pub P);

#[async_trait]
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

    async fn allow(&self, asked: &Asked<'_>, principal: &Principal) -> Result<(), Refusal> {
        self.0.allow(asked, principal).await
    }

    fn style(&self) -> Style {
        self.0.style()
    }
}
