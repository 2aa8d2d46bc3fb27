//! The lists of tables: names that must be there, and entries that must make sense.

use crate::{
    access_rights,
    config::{AuthMethod, ClientEntry, Config, Problems},
    policy,
    registration::{self, Field},
};
use oauth_core::model::{ResourceUri, Scope};
use std::collections::BTreeSet;

/// Bytes of a secret that can secure a JWT with HS256 ([RFC 7518 3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2)).
const SHORTEST_MAC_SECRET: usize = 32;

/// Notes what is wrong with APIs, scopes, resources, clients and users.
pub(super) fn check(config: &Config, problems: &mut Problems) {
    every_name(config, problems);
    for (index, client) in config.clients.iter().enumerate() {
        self::client(config, client, &format!("client[{index}]"), problems);
    }
    users(config, problems);
    let issuers = config.statement_issuers.iter().map(|i| i.issuer.as_str());
    names("software_statement_issuer", "issuer", issuers, problems, |_| true);
    if let Err(e) = registration::rules_for_strangers(&policy::grants(config), config) {
        problems.add("software_statement_issuer", format!("{e:#}"));
    }
}

/// Names that must be there, be well formed and be given once.
fn every_name(config: &Config, problems: &mut Problems) {
    let apis = config.apis.iter().map(|a| a.name.as_str());
    names("api", "name", apis, problems, is_scope_token);
    let scopes = config.scopes.iter().map(|s| s.name.as_str());
    names("scope", "name", scopes, problems, is_scope_token);
    let uris = config.resources.iter().map(|r| r.uri.as_ref().map_or("", ResourceUri::as_str));
    names("resource", "uri", uris, problems, |_| true);
    let clients = config.clients.iter().map(|c| c.id.as_str());
    names("client", "id", clients, problems, |id| {
        id.bytes().all(|b| (0x20..0x7f).contains(&b)) && id.len() <= 255
    });
    let users = config.users.iter().map(|u| u.name.as_str());
    names("user", "name", users, problems, |name| !name.chars().any(char::is_control));
}

fn names<'a>(
    list: &str,
    field: &str,
    names: impl Iterator<Item = &'a str>,
    problems: &mut Problems,
    well_formed: fn(&str) -> bool,
) {
    let mut seen = BTreeSet::new();
    for (index, name) in names.enumerate() {
        let key = format!("{list}[{index}].{field}");
        if name.is_empty() {
            problems.add(key, "is required");
        } else if !well_formed(name) {
            problems.add(key, "has characters that are not allowed");
        } else if !seen.insert(name) {
            problems.add(key, "is given twice");
        }
    }
}

fn is_scope_token(name: &str) -> bool {
    !name.contains(' ') && Scope::parse(name).is_some()
}

/// A client of the configuration keeps the rules of every client.
fn client(config: &Config, client: &ClientEntry, at: &str, problems: &mut Problems) {
    if client.id == crate::people::own_client::ID {
        problems
            .add(format!("{at}.id"), "is the id of the server's own client; choose another one");
    }
    let secret = match (&client.secret, client.auth_method) {
        (Some(_), AuthMethod::None) => "must not be given where auth_method is \"none\"",
        (Some(_), AuthMethod::PrivateKeyJwt) => {
            "must not be given where auth_method is \"private_key_jwt\""
        }
        (Some(secret), AuthMethod::SecretJwt) if secret.reveal().len() < SHORTEST_MAC_SECRET => {
            "is shorter than the 32 bytes that RFC 7518 3.2 demands for HS256"
        }
        (None, AuthMethod::Basic | AuthMethod::Post | AuthMethod::SecretJwt) => {
            "is required; or set auth_method to \"none\" for a public client"
        }
        (Some(secret), _) if secret.reveal().is_empty() => "is empty",
        _ => "",
    };
    if !secret.is_empty() {
        problems.add(format!("{at}.secret"), secret);
    }
    let rules = registration::rules(&policy::grants(config), config);
    let checked = policy::draft(config, client).and_then(|draft| draft.check(&rules));
    for objection in checked.err().unwrap_or_default() {
        let key = match objection.field {
            Field::Name => "name".to_owned(),
            Field::Uri => "uri".to_owned(),
            Field::AuthMethod => "auth_method".to_owned(),
            field if client.metadata.0.contains_key(field.as_str()) => {
                format!("metadata.{}", field.as_str())
            }
            field => field.as_str().to_owned(),
        };
        let hint = if objection.field == Field::GrantTypes { switch(config, client) } else { "" };
        problems.add(format!("{at}.{key}"), format!("{}{hint}", objection.text));
    }
}

/// The switch that would offer what the client asks for.
fn switch(config: &Config, client: &ClientEntry) -> &'static str {
    let uses = |grant: &str| client.grant_types.iter().any(|g| g == grant);
    if uses("password") && !config.grants.danger_password {
        " Set grants.danger_password to offer it."
    } else if uses("implicit") && !config.grants.danger_implicit {
        " Set grants.danger_implicit to offer it."
    } else {
        ""
    }
}

fn users(config: &Config, problems: &mut Problems) {
    let apis: BTreeSet<String> = config.known_apis().into_iter().map(|a| a.name).collect();
    for (i, user) in config.users.iter().enumerate() {
        if user.password.as_ref().is_none_or(|p| p.reveal().is_empty()) {
            problems.add(format!("user[{i}].password"), "is required");
        }
        for (claim, what) in user.claims.problems() {
            problems.add(format!("user[{i}].claims.{claim}"), what);
        }
        if let Some(text) = access_rights::problem(&user.rights, |api| apis.contains(api)) {
            problems.add(
                format!("user[{i}].rights"),
                format!("{text:?} is not a known API with :none, :read or :write, and a path pattern perhaps"),
            );
        }
    }
}
