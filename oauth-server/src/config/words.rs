//! APIs and scopes in words, with those that are there when none is configured.

use super::{Api, Config};

/// A scope token and what it means, for the consent page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeWords {
    /// The scope token.
    pub name: String,
    /// A short name for people.
    pub title: String,
    /// What it allows, to go after *wants to*.
    pub description: String,
}

/// The APIs of AMWA NMOS that are there for a start: name, title, description, versions.
const BUILT_IN: [(&str, &str, &str, &[&str]); 4] = [
    ("registration", "IS-04 Registration", "register devices with the registry", &["v1.2", "v1.3"]),
    ("query", "IS-04 Query", "look up what the registry knows", &["v1.2", "v1.3"]),
    ("node", "IS-04 Node", "read what devices say about themselves", &["v1.2", "v1.3"]),
    (
        "connection",
        "IS-05 Connection",
        "connect and disconnect senders and receivers",
        &["v1.0", "v1.1"],
    ),
];

/// Those that a profile of NMOS has as well.
const BUILT_IN_NMOS: [(&str, &str, &str, &[&str]); 3] = [
    ("events", "IS-07 Events", "receive events and states of devices", &["v1.0"]),
    ("channelmapping", "IS-08 Channel Mapping", "map audio channels", &["v1.0"]),
    ("system", "IS-09 System", "read the parameters of the facility", &["v1.0"]),
];

impl Config {
    /// The APIs that people have rights on.
    pub fn known_apis(&self) -> Vec<Api> {
        if !self.apis.is_empty() || !(self.is_demo() || self.profile().is_nmos()) {
            return self.apis.clone();
        }
        let own = |(name, title, description, versions): (&str, &str, &str, &[&str])| Api {
            name: name.into(),
            title: title.into(),
            description: description.into(),
            versions: versions.iter().map(|&v| v.to_owned()).collect(),
            audience: Vec::new(),
        };
        let more: &[_] = if self.profile().is_nmos() { &BUILT_IN_NMOS } else { &[] };
        BUILT_IN.iter().chain(more).copied().map(own).collect()
    }

    /// Every scope there is, in words.
    pub fn known_scopes(&self) -> Vec<ScopeWords> {
        let mut all: Vec<ScopeWords> = self
            .scopes
            .iter()
            .map(|s| ScopeWords {
                name: s.name.clone(),
                title: s.name.clone(),
                description: or(&s.description, || format!("use \u{201c}{}\u{201d}", s.name)),
            })
            .collect();
        let standard: &[_] = if self.openid.enabled {
            &OPENID_SCOPES
        } else if all.is_empty() {
            &[("profile", "Profile", "know your user name")]
        } else {
            &[]
        };
        for (name, title, description) in standard {
            // What the operator says about a scope goes before what everybody says.
            if !all.iter().any(|s| s.name == *name) {
                all.push(ScopeWords {
                    name: (*name).into(),
                    title: (*title).into(),
                    description: (*description).into(),
                });
            }
        }
        if self.administration_api() {
            all.push(ScopeWords {
                name: crate::admin_api::SCOPE.into(),
                title: "Administration".into(),
                description: "do what you may do as an administrator: give rights, approve of applications, read the audit log".into(),
            });
        }
        for api in self.known_apis() {
            let title = or(&api.title, || api.name.clone());
            let description =
                or(&api.description, || format!("use {title} as far as your rights go"));
            all.push(ScopeWords { name: api.name, title, description });
        }
        all
    }
}

/// The scopes of [OpenID Connect Core 5.4 and 11](https://openid.net/specs/openid-connect-core-1_0.html#ScopeClaims),
/// in words for people.
const OPENID_SCOPES: [(&str, &str, &str); 6] = [
    ("openid", "Sign-in", "know who you are and when you signed in"),
    (
        "profile",
        "Profile",
        "see your profile: your names, your picture, and what else you wrote there",
    ),
    ("email", "E-mail", "see your e-mail address"),
    ("address", "Address", "see your postal address"),
    ("phone", "Telephone", "see your telephone number"),
    ("offline_access", "Access while you are away", "keep its access while you are not there"),
];

fn or(text: &str, otherwise: impl FnOnce() -> String) -> String {
    if text.is_empty() { otherwise() } else { text.to_owned() }
}
