//! What AMWA IS-10 asks of the settings, and what it forbids.

use super::{Default, Demand};
use crate::{
    config::{Config, Format, RegistrationMode, ResourceEntry},
    nmos,
};
use oauth_core::model::SigningAlgorithm;
use std::time::Duration;

/// The shortest life of an access token, and the longest.
const LIFE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_hours(1));
/// How long a key must be published before it signs.
const LEAD: Duration = Duration::from_hours(2);
/// The fewest characters of a client id.
const SHORTEST_ID: usize = 20;

pub(super) const DEFAULTS: &[Default] = &[
    ("tokens.access_token_format", "jwt"),
    ("tokens.access_token_algorithm", "RS512"),
    ("tokens.access_token_max_ttl", "1h"),
    // A family of refresh tokens lives as long as its first one.
    ("tokens.refresh_token_max_age", "30d"),
    ("keys.algorithms", "RS512,RS256"),
    ("grants.pkce", "public_clients"),
    ("grants.danger_plain_pkce", "true"),
    ("registration.mode", "approval"),
    ("audit.enabled", "true"),
    ("administration_api", "true"),
    ("dns_sd.enabled", "true"),
];

/// What breaks both profiles.
macro_rules! common {
    ($($own:expr),* $(,)?) => {
        &[
            Demand {
                key: "grants.danger_implicit",
                broken: |c| one("grants.danger_implicit", c.grants.danger_implicit),
                what: "IS-10 forbids the implicit grant; turn it off",
            },
            Demand {
                key: "tokens.access_token_format",
                broken: formats,
                what: "IS-10 wants access tokens to be JWTs; set it to \"jwt\" or leave it out",
            },
            Demand {
                key: "tokens.access_token_algorithm",
                broken: algorithms,
                what: "IS-10 wants access tokens to be signed with RS512; leave it out",
            },
            Demand {
                key: "tokens.access_token_ttl",
                broken: lives,
                what: "IS-10 wants access tokens to live between 30 seconds and an hour",
            },
            Demand {
                key: "keys.publish_lead",
                broken: |c| one("keys.publish_lead", c.keys.publish_lead < LEAD),
                what: "IS-10 wants a key to be published two hours before it signs; make it \"2h\" or longer",
            },
            Demand {
                key: "nmos.audience",
                broken: |c| one("nmos.audience", !c.is_demo() && c.nmos.audience.is_empty()),
                what: "is not set; name the domain of the devices that tokens are for, such as \"*.studio.example.org\"",
            },
            Demand {
                key: "audit.enabled",
                broken: |c| one("audit.enabled", !c.audit.enabled),
                what: "IS-10 wants an audit log; leave it on",
            },
            Demand {
                key: "server.public_url",
                broken: |c| one("server.public_url", !c.is_demo() && !c.issuer().is_https()),
                what: "IS-10 forbids plain http; use https, with TLS here or at a proxy before this server",
            },
            Demand {
                key: "resource.uri",
                broken: |c| {
                    let other = |r: &ResourceEntry| {
                        r.uri.as_ref().is_some_and(|uri| !nmos::is_audience(uri.as_str()))
                    };
                    entries(c.resources.iter().map(other), "resource", "uri")
                },
                what: "IS-10 wants an audience to be a domain name or a URI without port, path and query",
            },
            Demand {
                key: "client.id",
                broken: |c| entries(c.clients.iter().map(|e| e.id.len() < SHORTEST_ID), "client", "id"),
                what: "IS-10 wants client ids of 20 characters or more",
            },
            Demand {
                key: "registration.mode",
                broken: |c| {
                    one("registration.mode", c.registration.mode == RegistrationMode::Closed)
                },
                what: "IS-10 wants devices to be able to register; choose \"approval\" or \"token\"",
            },
            Demand {
                key: "compat",
                broken: |c| one("compat", c.is_toktok()),
                what: "devices have no use for the addresses of another program; leave it out",
            },
            $($own,)*
        ]
    };
}

pub(super) const DEMANDS: &[Demand] = common![
    Demand {
        key: "grants.danger_password",
        broken: |c| one("grants.danger_password", c.grants.danger_password),
        what: "IS-10 advises against the password grant; turn it off, or use the profile is10-legacy",
    },
    // Those of 2019 had names such as is-04.
    Demand {
        key: "api.name",
        broken: |c| entries(c.apis.iter().map(|api| !is_api(&api.name)), "api", "name"),
        what: "IS-10 names APIs by small letters alone, as in x-nmos-connection",
    },
];

pub(super) const LEGACY_DEMANDS: &[Demand] = common![];

fn is_api(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_lowercase())
}

fn one(key: &str, broken: bool) -> Vec<String> {
    if broken { vec![key.to_owned()] } else { Vec::new() }
}

/// The entries of a list that break a demand.
fn entries(broken: impl Iterator<Item = bool>, list: &str, key: &str) -> Vec<String> {
    let broken = broken.enumerate().filter(|(_, broken)| *broken);
    broken.map(|(index, _)| format!("{list}[{index}].{key}")).collect()
}

fn formats(config: &Config) -> Vec<String> {
    let opaque = |format: Option<Format>| format == Some(Format::Opaque);
    let key = "access_token_format";
    let mut broken =
        one("tokens.access_token_format", opaque(Some(config.tokens.access_token_format)));
    let resources = config.resources.iter().map(|r| opaque(r.access_token_format));
    broken.extend(entries(resources, "resource", key));
    broken.extend(entries(
        config.clients.iter().map(|c| opaque(c.access_token_format)),
        "client",
        key,
    ));
    broken
}

fn algorithms(config: &Config) -> Vec<String> {
    let other =
        |alg: Option<SigningAlgorithm>| alg.is_some_and(|alg| alg != SigningAlgorithm::RS512);
    let key = "access_token_algorithm";
    let mut broken =
        one("tokens.access_token_algorithm", other(Some(config.tokens.access_token_algorithm)));
    let resources = config.resources.iter().map(|r| other(r.access_token_algorithm));
    broken.extend(entries(resources, "resource", key));
    broken.extend(entries(
        config.clients.iter().map(|c| other(c.access_token_algorithm)),
        "client",
        key,
    ));
    broken
}

fn lives(config: &Config) -> Vec<String> {
    let wrong = |ttl: Option<Duration>| ttl.is_some_and(|ttl| ttl < LIFE.0 || ttl > LIFE.1);
    let key = "access_token_ttl";
    let tokens = &config.tokens;
    let mut broken = one("tokens.access_token_ttl", wrong(Some(tokens.access_token_ttl)));
    broken.extend(one("tokens.access_token_max_ttl", tokens.access_token_max_ttl > LIFE.1));
    let resources = config.resources.iter().map(|r| wrong(r.access_token_ttl));
    broken.extend(entries(resources, "resource", key));
    broken.extend(entries(config.clients.iter().map(|c| wrong(c.access_token_ttl)), "client", key));
    broken
}
