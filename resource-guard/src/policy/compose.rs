//! Policies out of policies.

use super::{Need, Policy, Verdict};
use crate::{
    asked::Asked,
    principal::Principal,
    refusal::{Refusal, Style},
    token_use::TokenUse,
};
use http::Method;

/// Ways to put policies together.
pub trait PolicyExt: Policy + Sized {
    /// Both must agree, where they ask for anything: one that needs nothing of a request leaves it to the other. The
    /// first one speaks first. Refusals have its form, unless one of them is of NMOS; that one also decides alone about
    /// OPTIONS, for which browsers have no token (AMWA IS-10).
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
        let first = need_beside(&self.first, &self.second, asked)?;
        Ok(first.and(need_beside(&self.second, &self.first, asked)?))
    }

    fn takes(&self, token: TokenUse) -> bool {
        self.first.takes(token) && self.second.takes(token)
    }

    fn allow<'a>(&'a self, asked: &'a Asked<'a>, principal: &'a Principal) -> Verdict<'a> {
        match allow_beside(&self.first, &self.second, asked, principal) {
            Verdict::Now(Ok(())) => allow_beside(&self.second, &self.first, asked, principal),
            Verdict::Now(no) => no.into(),
            Verdict::Later(first) => Verdict::later(async move {
                first.await?;
                allow_beside(&self.second, &self.first, asked, principal).wait().await
            }),
        }
    }

    fn style(&self) -> Style {
        match self.first.style() {
            Style::Nmos => Style::Nmos,
            Style::Rfc6750 => self.second.style(),
        }
    }
}

/// What a policy needs beside another one.
fn need_beside(
    policy: &impl Policy,
    other: &impl Policy,
    asked: &Asked<'_>,
) -> Result<Need, Refusal> {
    let nmos = |style: Style| style == Style::Nmos;
    if *asked.method() == Method::OPTIONS && nmos(other.style()) && !nmos(policy.style()) {
        return Ok(Need::Nothing);
    }
    policy.need(asked)
}

/// What a policy allows beside another one.
fn allow_beside<'a>(
    policy: &'a impl Policy,
    other: &impl Policy,
    asked: &'a Asked<'a>,
    principal: &'a Principal,
) -> Verdict<'a> {
    match need_beside(policy, other, asked) {
        Ok(Need::Nothing) => Verdict::Now(Ok(())),
        Ok(_) => policy.allow(asked, principal),
        Err(no) => Verdict::Now(Err(no)),
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
