//! The claims as they are kept: what was checked, and what follows from it.

use super::{CheckedProfile, Claim};
use oauth_core::model::Timestamp;
use serde_json::{Map, Value};

/// The claim that says when the rest last changed.
const UPDATED_AT: &str = "updated_at";

/// A claim that says whether another one was verified. No person writes it about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// `email_verified`.
    Email,
    /// `phone_number_verified`.
    PhoneNumber,
}

impl Flag {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Email, Self::PhoneNumber];

    /// What it is about.
    pub const fn claim(self) -> Claim {
        match self {
            Self::Email => Claim::Email,
            Self::PhoneNumber => Claim::PhoneNumber,
        }
    }

    /// The name of the claim.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email_verified",
            Self::PhoneNumber => "phone_number_verified",
        }
    }

    /// Whether it is so in a profile.
    pub fn is_set(self, profile: &Map<String, Value>) -> bool {
        profile.get(self.as_str()).and_then(Value::as_bool).unwrap_or(false)
    }

    /// Says whether it is so, by the word of an administrator; false where there is nothing to be verified.
    pub fn set(self, profile: &mut Map<String, Value>, is_verified: bool, now: Timestamp) -> bool {
        if !profile.contains_key(self.claim().as_str()) {
            return false;
        }
        if self.is_set(profile) != is_verified {
            profile.insert(self.as_str().into(), is_verified.into());
            profile.insert(UPDATED_AT.into(), now.unix().into());
        }
        true
    }
}

impl CheckedProfile {
    /// The profile with what was checked in place of what people write of it. An address or a number that is another
    /// one is not verified. `updated_at` moves when anything does.
    pub fn replace(&self, current: &Map<String, Value>, now: Timestamp) -> Map<String, Value> {
        let mut profile = current.clone();
        for claim in Claim::ALL.iter().filter(|claim| claim.member().is_none()) {
            profile.remove(claim.as_str());
        }
        profile.remove("address");
        let mut address = Map::new();
        for (claim, text) in &self.0 {
            match claim.member() {
                None => profile.insert(claim.as_str().into(), text.as_str().into()),
                Some(member) => address.insert(member.into(), text.as_str().into()),
            };
        }
        if !address.is_empty() {
            profile.insert("address".into(), address.into());
        }
        for flag in Flag::ALL {
            let about = flag.claim().as_str();
            match profile.get(about) {
                None => profile.remove(flag.as_str()),
                same if same == current.get(about) => {
                    profile.insert(flag.as_str().into(), flag.is_set(current).into())
                }
                Some(_) => profile.insert(flag.as_str().into(), false.into()),
            };
        }
        if profile != *current {
            profile.insert(UPDATED_AT.into(), now.unix().into());
        }
        profile
    }
}
