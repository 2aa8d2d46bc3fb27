//! What must fit together in every mode.

mod bff;
mod lists;
mod mail;
mod outgoing;
mod redis;
mod server;
mod tokens;
mod upstream;

use super::{Config, Problems, profiles, rules};
use crate::nmos;
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use std::time::Duration;

/// Notes everything that does not fit together, and every broken rule of the mode.
pub(super) fn check(config: &Config, problems: &mut Problems) {
    server::check(config, problems);
    outgoing::check(config, problems);
    storage(config, problems);
    tokens::check(config, problems);
    logs(config, problems);
    mail::check(config, problems);
    upstream::check(config, problems);
    bff::check(config, problems);
    redis::check(config, problems);
    super::forms::check(config, problems);
    lists::check(config, problems);
    for (key, what) in nmos::problems(config) {
        problems.add(key, what);
    }
    rules::enforce(config, problems);
    profiles::enforce(config, problems);
}

fn storage(config: &Config, problems: &mut Problems) {
    if let Some(url) = &config.database.url {
        let known = ["sqlite:", "postgres:", "postgresql:"];
        let known = known.iter().any(|s| url.reveal().starts_with(s))
            || cfg!(feature = "mysql") && url.reveal().starts_with("mysql:");
        if !known {
            problems.add("database.url", "must begin with sqlite: or postgres:");
        }
    }
    if config.database.max_connections < 2 {
        problems.add("database.max_connections", "must be 2 or more");
    }
    if config.keys.sealing_key.is_some() && config.sealing_key().is_none() {
        problems.add(
            "keys.sealing_key",
            "is not 32 bytes in base64; make one with `openssl rand -base64 32`",
        );
    }
    if config.passwords.concurrency == Some(0) {
        problems.add("passwords.concurrency", "must not be 0");
    }
}

/// Notes a life of access tokens that is none, or longer than any may be.
fn ttl(config: &Config, ttl: Option<Duration>, section: &str, problems: &mut Problems) {
    if ttl.is_some_and(|ttl| ttl > config.tokens.access_token_max_ttl) {
        problems.add(
            format!("{section}.access_token_ttl"),
            "is longer than tokens.access_token_max_ttl",
        );
    }
}

fn logs(config: &Config, problems: &mut Problems) {
    if crate::telemetry::filter(&config.logs.level).is_err() {
        problems.add(
            "logs.level",
            "expected error, warn, info, debug, trace, or a list such as \"info,oauth_core=debug\"",
        );
    }
}

impl Config {
    /// The sealing key of the configuration, if it is one.
    pub fn sealing_key(&self) -> Option<[u8; 32]> {
        decode_key(self.keys.sealing_key.as_ref()?.reveal())
    }
}

/// Reads 32 bytes in base64, of either alphabet, padded or not.
pub fn decode_key(text: &str) -> Option<[u8; 32]> {
    let standard: String = text
        .trim()
        .trim_end_matches('=')
        .chars()
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            c => c,
        })
        .collect();
    STANDARD_NO_PAD.decode(standard).ok()?.try_into().ok()
}
