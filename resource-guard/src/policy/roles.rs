//! Roles of the user.

use super::{Policy, Verdict};
use crate::{asked::Asked, principal::Principal, problem::ConfigProblem, refusal::Refusal};
use serde_json::Value;

/// The roles of which a token must name one, or every one, in its claim `roles`
/// ([RFC 9068 2.2.3.1](https://www.rfc-editor.org/rfc/rfc9068#section-2.2.3.1)).
#[derive(Clone, Debug)]
pub struct Roles {
    wanted: Vec<String>,
    how_many: HowMany,
    claim: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HowMany {
    All,
    Any,
}

impl Roles {
    /// At least one of these.
    ///
    /// # Errors
    /// When there is none, or one is empty.
    pub fn any<'r>(roles: impl IntoIterator<Item = &'r str>) -> Result<Self, ConfigProblem> {
        Self::new(roles, HowMany::Any)
    }

    /// Every one of these.
    ///
    /// # Errors
    /// When there is none, or one is empty.
    pub fn all<'r>(roles: impl IntoIterator<Item = &'r str>) -> Result<Self, ConfigProblem> {
        Self::new(roles, HowMany::All)
    }

    fn new<'r>(
        roles: impl IntoIterator<Item = &'r str>,
        how_many: HowMany,
    ) -> Result<Self, ConfigProblem> {
        let wanted: Vec<String> = roles.into_iter().map(str::to_owned).collect();
        if wanted.is_empty() || wanted.iter().any(|role| role.trim().is_empty()) {
            return Err(ConfigProblem::Role);
        }
        Ok(Self { wanted, how_many, claim: "roles".to_owned() })
    }

    /// Another claim that lists them, such as `groups`.
    #[must_use]
    pub fn in_claim(mut self, name: impl Into<String>) -> Self {
        self.claim = name.into();
        self
    }

    /// Whether a claim, which is one word or a list of words, names the role. Compared character by character.
    fn names(claim: Option<&Value>, role: &str) -> bool {
        match claim {
            Some(Value::String(one)) => one == role,
            Some(Value::Array(list)) => list.iter().any(|one| one.as_str() == Some(role)),
            _ => false,
        }
    }
}

impl Policy for Roles {
    fn allow<'a>(&'a self, _: &'a Asked<'a>, principal: &'a Principal) -> Verdict<'a> {
        let claim = principal.claim(&self.claim);
        let mut named = self.wanted.iter().map(|role| Self::names(claim, role));
        let enough = match self.how_many {
            HowMany::All => named.all(|is| is),
            HowMany::Any => named.any(|is| is),
        };
        Verdict::Now(if enough { Ok(()) } else { Err(Refusal::insufficient_scope(None)) })
    }
}
