//! Who may see which part of a profile. Whatever nothing is said about is private.

use oauth_core::{error::PortError, model::Role, openid::is_standard_claim};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How far a part of a profile is shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// With administrators, who see everything.
    #[default]
    Private,
    /// With those who look after the others.
    Collective,
    /// With every user whose address is confirmed.
    Commons,
    /// With whoever asks.
    Opendata,
}

impl Level {
    const ALL: [Self; 4] = [Self::Private, Self::Collective, Self::Commons, Self::Opendata];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Collective => "collective",
            Self::Commons => "commons",
            Self::Opendata => "opendata",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }

    /// The least that must be shared for somebody of this role to see it.
    const fn seen_by(role: Role) -> Self {
        match role {
            Role::Admin => Self::Private,
            Role::Staff => Self::Collective,
            Role::Registered => Self::Commons,
            Role::Guest | Role::Anonymous => Self::Opendata,
        }
    }
}

/// The name of the user, which is shared like a claim.
pub(super) const USERNAME: &str = "username";

/// What is shared with whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visibility(BTreeMap<String, Level>);

impl Visibility {
    /// As it is stored.
    pub(super) fn read(stored: Option<&str>) -> Result<Self, PortError> {
        let Some(text) = stored else { return Ok(Self::default()) };
        let words: BTreeMap<String, String> = serde_json::from_str(text).map_err(PortError::new)?;
        let levels =
            words.into_iter().filter_map(|(name, word)| Some((name, Level::parse(&word)?)));
        Ok(Self(levels.collect()))
    }

    /// To be stored; nothing where everything is private.
    pub(super) fn stored(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| Value::Object(self.to_json()).to_string())
    }

    /// As people see it.
    pub(super) fn to_json(&self) -> Map<String, Value> {
        self.0.iter().map(|(name, level)| (name.clone(), level.as_str().into())).collect()
    }

    /// Whether there is such a part of a profile.
    pub(super) fn is_part(name: &str) -> bool {
        name == USERNAME || is_standard_claim(name)
    }

    /// Shares a part otherwise.
    pub(super) fn set(&mut self, name: &str, level: Level) {
        if level == Level::Private {
            self.0.remove(name);
        } else {
            self.0.insert(name.to_owned(), level);
        }
    }

    /// Whether somebody of this role sees a part. Whether an address or a number is verified goes with it.
    pub(super) fn shows(&self, name: &str, to: Role) -> bool {
        let name = name.strip_suffix("_verified").unwrap_or(name);
        self.0.get(name).copied().unwrap_or_default() >= Level::seen_by(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s2_30_each_level_is_for_its_readers() {
        let mut shared = Visibility::default();
        for level in Level::ALL {
            shared.set("name", level);
            for (role, seen) in [
                (Role::Anonymous, level >= Level::Opendata),
                (Role::Guest, level >= Level::Opendata),
                (Role::Registered, level >= Level::Commons),
                (Role::Staff, level >= Level::Collective),
                (Role::Admin, true),
            ] {
                assert_eq!(shared.shows("name", role), seen, "{level:?} {role:?}");
                assert_eq!(shared.shows("nickname", role), role == Role::Admin, "{role:?}");
            }
            let again = Visibility::read(shared.stored().as_deref()).unwrap();
            assert_eq!(again, shared);
        }
        shared.set("email", Level::Commons);
        assert!(shared.shows("email_verified", Role::Registered));
        assert!(Visibility::read(Some("[]")).is_err());
    }
}
