//! Lives and algorithms: what must not be zero, and what must not exceed what.

use super::ttl;
use crate::config::{Config, Problems};
use std::time::Duration;

/// The longest life of a code that RFC 6749 4.1.2 recommends.
const TEN_MINUTES: Duration = Duration::from_mins(10);

/// Notes what is wrong with durations and algorithms.
pub(super) fn check(config: &Config, problems: &mut Problems) {
    positive(config, problems);
    ordered(config, problems);
    if config.tokens.code_ttl > TEN_MINUTES {
        problems.add("tokens.code_ttl", "must be ten minutes or less (RFC 6749 4.1.2)");
    }
    if config.tokens.refresh_retry_window > TEN_MINUTES {
        problems.add("tokens.refresh_retry_window", "must be ten minutes or less");
    }
    algorithms(config, problems);
    ttl(config, Some(config.tokens.access_token_ttl), "tokens", problems);
    for (i, resource) in config.resources.iter().enumerate() {
        ttl(config, resource.access_token_ttl, &format!("resource[{i}]"), problems);
    }
}

fn positive(config: &Config, problems: &mut Problems) {
    let tokens = &config.tokens;
    for (key, duration) in [
        ("tokens.access_token_ttl", tokens.access_token_ttl),
        ("tokens.access_token_max_ttl", tokens.access_token_max_ttl),
        ("tokens.refresh_token_ttl", tokens.refresh_token_ttl),
        ("tokens.refresh_token_max_age", tokens.refresh_token_max_age),
        ("tokens.code_ttl", tokens.code_ttl),
        ("tokens.interaction_ttl", tokens.interaction_ttl),
        ("openid.id_token_ttl", config.openid.id_token_ttl),
        ("registration.unused_client_ttl", config.registration.unused_client_ttl),
        ("accounts.guest_token_ttl", config.accounts.guest_token_ttl),
        ("accounts.confirm_ttl", config.accounts.confirm_ttl),
        ("accounts.reset_ttl", config.accounts.reset_ttl),
        ("accounts.change_ttl", config.accounts.change_ttl),
        ("accounts.undo_ttl", config.accounts.undo_ttl),
        ("accounts.fresh_for", config.accounts.fresh_for),
        ("sessions.idle_timeout", config.sessions.idle_timeout),
        ("throttle.first_delay", config.throttle.first_delay),
        ("maintenance.sweep_every", config.maintenance.sweep_every),
    ] {
        if duration.is_zero() {
            problems.add(key, "must not be 0");
        }
    }
}

/// Pairs of which the first must not be shorter than the second.
fn ordered(config: &Config, problems: &mut Problems) {
    let (tokens, sessions, throttle) = (&config.tokens, &config.sessions, &config.throttle);
    for ((long, a), (short, b)) in [
        (
            ("tokens.refresh_token_max_age", tokens.refresh_token_max_age),
            ("tokens.refresh_token_ttl", tokens.refresh_token_ttl),
        ),
        // A retired key is published as long as an access token can live, and must be as long as an id token does.
        (
            ("tokens.access_token_max_ttl", tokens.access_token_max_ttl),
            ("openid.id_token_ttl", config.openid.id_token_ttl),
        ),
        (
            ("tokens.access_token_max_ttl", tokens.access_token_max_ttl),
            ("accounts.guest_token_ttl", config.accounts.guest_token_ttl),
        ),
        (
            ("accounts.unconfirmed_ttl", config.accounts.unconfirmed_ttl),
            ("accounts.confirm_ttl", config.accounts.confirm_ttl),
        ),
        (("sessions.max_age", sessions.max_age), ("sessions.idle_timeout", sessions.idle_timeout)),
        (
            ("throttle.longest_delay", throttle.longest_delay),
            ("throttle.first_delay", throttle.first_delay),
        ),
        (
            ("throttle.forget_after", throttle.forget_after),
            ("throttle.longest_delay", throttle.longest_delay),
        ),
    ] {
        if a < b {
            problems.add(long, format!("must not be shorter than {short}"));
        }
    }
    if config.keys.rotate_every <= config.keys.publish_lead {
        problems.add("keys.rotate_every", "must be longer than keys.publish_lead");
    }
}

fn algorithms(config: &Config, problems: &mut Problems) {
    if config.keys.algorithms.is_empty() {
        problems.add("keys.algorithms", "must not be empty");
    }
    let resources = config.resources.iter().enumerate();
    let resources = resources.map(|(i, r)| (format!("resource[{i}]"), r.access_token_algorithm));
    let clients = config.clients.iter().enumerate();
    let clients = clients.map(|(i, c)| (format!("client[{i}]"), c.access_token_algorithm));
    let general = ("tokens".to_owned(), Some(config.tokens.access_token_algorithm));
    for (section, algorithm) in std::iter::once(general).chain(resources).chain(clients) {
        if algorithm.is_some_and(|alg| !config.keys.algorithms.contains(&alg)) {
            let what = "has no key; add it to keys.algorithms";
            problems.add(format!("{section}.access_token_algorithm"), what);
        }
    }
}
