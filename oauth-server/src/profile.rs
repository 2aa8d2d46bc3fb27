//! What a person says about itself: texts from a form, a command line or the configuration become standard claims
//! ([OpenID Connect Core 5.1](https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims)), or a list of
//! what is wrong.
//!
//! The one set of rules, whoever writes. Whether an address or a number is *verified* is nothing one says about
//! oneself: those claims follow from the rest and from the word of an administrator.

mod check;
mod kept;
mod written;

pub(crate) use check::is_email;
pub(crate) use kept::write;
pub use kept::{AddressTaken, change};
pub use written::Flag;

use serde_json::{Map, Value};
use std::{collections::BTreeMap, fmt};

/// Declares the claims that people write.
macro_rules! claims {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// A claim that a person writes, or a member of the claim `address`, in the order of the form.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Claim {
            $(#[doc = concat!("`", $name, "`.")] $variant),+
        }

        impl Claim {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name; members of the address are named `address.locality` and the like.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

claims! {
    Name = "name",
    GivenName = "given_name",
    MiddleName = "middle_name",
    FamilyName = "family_name",
    Nickname = "nickname",
    PreferredUsername = "preferred_username",
    Email = "email",
    PhoneNumber = "phone_number",
    Picture = "picture",
    Profile = "profile",
    Website = "website",
    Birthdate = "birthdate",
    Gender = "gender",
    Locale = "locale",
    Zoneinfo = "zoneinfo",
    Formatted = "address.formatted",
    StreetAddress = "address.street_address",
    PostalCode = "address.postal_code",
    Locality = "address.locality",
    Region = "address.region",
    Country = "address.country",
}

impl Claim {
    /// The claim of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|claim| claim.as_str() == name)
    }

    /// The name of the member, where it is one of the address.
    fn member(self) -> Option<&'static str> {
        self.as_str().strip_prefix("address.")
    }
}

/// What somebody says about itself, as typed. What is not there, or empty, is not said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileDraft(BTreeMap<Claim, String>);

impl ProfileDraft {
    /// What was typed for a claim.
    pub fn get(&self, claim: Claim) -> &str {
        self.0.get(&claim).map_or("", String::as_str)
    }

    /// What was typed, claim by claim.
    pub fn iter(&self) -> impl Iterator<Item = (Claim, &str)> {
        self.0.iter().map(|(claim, text)| (*claim, text.as_str()))
    }

    /// Says something else for a claim.
    pub fn set(&mut self, claim: Claim, text: impl Into<String>) {
        self.0.insert(claim, text.into());
    }
}

/// What is wrong with one claim, in words for the person who typed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// Where.
    pub claim: Claim,
    /// What, as a sentence.
    pub text: String,
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.claim.as_str(), self.text)
    }
}

/// A draft that passed every rule, without anything empty. Only [`ProfileDraft::check`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedProfile(BTreeMap<Claim, String>);

impl CheckedProfile {
    /// What it says for the claim, if anything.
    pub fn get(&self, claim: Claim) -> Option<&str> {
        self.0.get(&claim).map(String::as_str)
    }
}

impl From<&Map<String, Value>> for ProfileDraft {
    fn from(profile: &Map<String, Value>) -> Self {
        let text = |claim: &Claim| {
            let value = match claim.member() {
                None => profile.get(claim.as_str()),
                Some(member) => profile.get("address").and_then(|address| address.get(member)),
            };
            Some((*claim, value?.as_str()?.to_owned()))
        };
        Self(Claim::ALL.iter().filter_map(text).collect())
    }
}

#[cfg(test)]
mod tests;
