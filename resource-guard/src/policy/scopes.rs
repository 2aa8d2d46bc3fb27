//! Scopes of a route.

use super::{Policy, Verdict};
use crate::{asked::Asked, principal::Principal, problem::ConfigProblem, refusal::Refusal};
use oauth_core::model::Scope;

/// The scopes a token must carry: all of one of the alternatives.
#[derive(Clone, Debug)]
pub struct Scopes {
    alternatives: Vec<Scope>,
    /// All of them together, for the challenge.
    hint: Option<Scope>,
}

impl Scopes {
    /// Every token of a space separated list.
    pub fn all(scopes: &str) -> Result<Self, ConfigProblem> {
        Self::any([scopes])
    }

    /// Every token of at least one of these space separated lists.
    pub fn any<'s>(alternatives: impl IntoIterator<Item = &'s str>) -> Result<Self, ConfigProblem> {
        let alternatives: Vec<Scope> = alternatives
            .into_iter()
            .map(|text| Scope::parse(text).filter(|scope| !scope.is_empty()))
            .collect::<Option<_>>()
            .filter(|list: &Vec<_>| !list.is_empty())
            .ok_or(ConfigProblem::Scope)?;
        let words: Vec<&str> = alternatives.iter().flat_map(Scope::iter).collect();
        let hint = Scope::parse(&words.join(" "));
        Ok(Self { alternatives, hint })
    }

    /// Whether the scope of a token is enough.
    pub(super) fn check(&self, principal: &Principal) -> Result<(), Refusal> {
        if self.alternatives.iter().any(|needed| needed.is_within(principal.scope())) {
            Ok(())
        } else {
            Err(Refusal::insufficient_scope(self.hint.clone()))
        }
    }
}

impl Policy for Scopes {
    fn allow<'a>(&'a self, _: &'a Asked<'a>, principal: &'a Principal) -> Verdict<'a> {
        self.check(principal).into()
    }
}

#[cfg(test)]
mod tests {
    use super::Scopes;

    #[test]
    fn rules_that_say_nothing_are_not_rules() {
        for bad in ["", " ", "a\"b", "é"] {
            assert!(Scopes::all(bad).is_err(), "{bad:?}");
        }
        assert!(Scopes::any([]).is_err());
        assert!(Scopes::any(["a", ""]).is_err());
        assert!(Scopes::all("a b").is_ok());
    }
}
