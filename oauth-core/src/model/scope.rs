//! Scope values, their order and the one direction they may move in: down.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{collections::BTreeSet, fmt};

/// A set of scope tokens ([RFC 6749 3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)).
///
/// oxide-auth checks the grammar; the set is kept and printed in sorted order, so equal scopes have equal text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scope(BTreeSet<String>);

impl Scope {
    /// Parses a space separated list. `None` when a character is outside the grammar. Empty text is the empty scope.
    pub fn parse(text: &str) -> Option<Self> {
        let parsed: oxide_auth::primitives::scope::Scope = text.parse().ok()?;
        Some(Self(parsed.iter().map(str::to_owned).collect()))
    }

    /// Whether every token of this scope is in `other`.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// The asked scope, if it asks for nothing beyond this one ([RFC 6749 6](https://www.rfc-editor.org/rfc/rfc6749#section-6)).
    pub fn narrow(&self, asked: &Self) -> Option<Self> {
        asked.is_within(self).then(|| asked.clone())
    }

    /// What this scope and another have in common.
    pub fn common(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// This scope without the given tokens.
    pub fn without<'a>(mut self, tokens: impl IntoIterator<Item = &'a str>) -> Self {
        for token in tokens {
            self.0.remove(token);
        }
        self
    }

    /// Whether the token is in this scope.
    pub fn contains(&self, token: &str) -> bool {
        self.0.contains(token)
    }

    /// Whether there is no token at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tokens in sorted order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, token) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token)?;
        }
        Ok(())
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a scope"))
    }
}

#[cfg(test)]
mod tests {
    use super::Scope;
    use proptest::prelude::*;

    fn scope() -> impl Strategy<Value = Scope> {
        prop::collection::btree_set("[a-f]{1,2}", 0..6)
            .prop_map(|s| Scope::parse(&s.into_iter().collect::<Vec<_>>().join(" ")).unwrap())
    }

    #[test]
    fn s3_3_grammar() {
        for bad in ["a\"b", "a\\b", "é", "a\u{7f}", "a\tb\u{0}"] {
            assert_eq!(Scope::parse(bad), None, "{bad:?}");
        }
        assert_eq!(Scope::parse("b a b").unwrap().to_string(), "a b");
        assert!(Scope::parse("").unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn narrowing_only_shrinks(have in scope(), asked in scope()) {
            match have.narrow(&asked) {
                Some(got) => prop_assert!(got.is_within(&have) && got == asked),
                None => prop_assert!(!asked.is_within(&have)),
            }
        }

        #[test]
        fn text_is_a_round_trip(s in scope()) {
            prop_assert_eq!(Scope::parse(&s.to_string()), Some(s));
        }

        #[test]
        fn parsing_never_panics(s in ".{0,64}") {
            let _ = Scope::parse(&s);
        }
    }
}
