//! Whether people can sign in through the providers.

use crate::config::{Config, Problems, UpstreamAuth, UpstreamEntry};
use std::collections::BTreeSet;
use url::Url;

/// The longest id.
const LONGEST: usize = 32;
/// Parameters that are this server's alone.
const OURS: [&str; 12] = [
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "max_age",
    "nonce",
    "prompt",
    "redirect_uri",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "state",
];

/// Notes what is wrong with providers.
pub(super) fn check(config: &Config, problems: &mut Problems) {
    let mut ids = BTreeSet::new();
    for (i, entry) in config.upstreams.iter().enumerate() {
        let mut note = |key: &str, what: &str| problems.add(format!("upstream[{i}].{key}"), what);
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !(1..=LONGEST).contains(&entry.id.len()) || !entry.id.bytes().all(plain) {
            note("id", "must be 1 to 32 lower-case letters, digits and hyphens");
        } else if !ids.insert(&entry.id) {
            note("id", "is the id of another [[upstream]]");
        }
        if entry.client_id.is_empty() {
            note("client_id", "is required");
        }
        match (entry.auth_method, &entry.client_secret) {
            (UpstreamAuth::None, Some(_)) => {
                note("client_secret", "is given, but auth_method is \"none\"");
            }
            (UpstreamAuth::Basic | UpstreamAuth::Post, None) => {
                note("client_secret", "is required, unless auth_method is \"none\"");
            }
            _ => {}
        }
        for parameter in &entry.parameters {
            match parameter.split_once('=') {
                None => note("parameters", "must each be name=value"),
                Some((name, _)) if OURS.contains(&name) => {
                    note("parameters", "has one that only the server itself may set");
                }
                Some(_) => {}
            }
        }
        addresses(config, entry, &mut note);
    }
}

fn addresses(config: &Config, entry: &UpstreamEntry, note: &mut impl FnMut(&str, &str)) {
    let endpoints = [
        ("authorization_endpoint", &entry.authorization_endpoint),
        ("token_endpoint", &entry.token_endpoint),
        ("userinfo_endpoint", &entry.userinfo_endpoint),
    ];
    for (key, address) in endpoints.into_iter().chain([("issuer", &entry.issuer)]) {
        if address.as_ref().is_some_and(|a| !is_acceptable(a, config)) {
            note(key, "must be an https URL without query and fragment");
        }
    }
    match entry.issuer {
        Some(_) => {
            for (key, address) in endpoints {
                if address.is_some() {
                    note(key, "is found by the issuer; give one or the other");
                }
            }
        }
        None => {
            for (key, address) in endpoints {
                if address.is_none() {
                    note(key, "is required where there is no issuer");
                }
            }
        }
    }
}

/// Plain http only where outgoing requests may use it at all.
fn is_acceptable(address: &str, config: &Config) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let scheme =
        url.scheme() == "https" || url.scheme() == "http" && config.outgoing.danger_plain_http;
    scheme && url.host().is_some() && url.query().is_none() && url.fragment().is_none()
}
