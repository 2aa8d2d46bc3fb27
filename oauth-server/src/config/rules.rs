//! What is refused in which mode. Each rule is a row: where it holds, how it is broken, what to do.

use super::{
    Authenticator, Config, DangerousGrant, MailTransport, Mode, Pkce, Problems, Profile, Secret,
    SelfService,
};
use std::time::Duration;

/// A shortcut that some modes refuse.
pub struct Rule {
    /// The key it is about, or the name of the list.
    pub key: &'static str,
    /// The modes that refuse it.
    pub refused_in: &'static [Mode],
    /// The places where it is broken, as keys.
    broken: fn(&Config) -> Vec<String>,
    /// What is wrong and what to do.
    pub what: &'static str,
}

const PRODUCTION: &[Mode] = &[Mode::Production];
const SERIOUS: &[Mode] = &[Mode::Stage, Mode::Production];

/// Every rule, in the order of the reference.
pub const RULES: &[Rule] = &[
    Rule {
        key: "authenticator",
        refused_in: SERIOUS,
        broken: |c| one("authenticator", c.general.authenticator == Authenticator::Any),
        what: "`any` accepts every password and is for demonstrations; set it to \"database\"",
    },
    Rule {
        key: "server.public_url",
        refused_in: SERIOUS,
        broken: |c| one("server.public_url", c.server.public_url.is_none()),
        what: "is not set; give the https URL under which people and clients reach the server",
    },
    Rule {
        key: "server.public_url",
        refused_in: SERIOUS,
        broken: |c| {
            let plain = c.server.public_url.as_ref().is_some_and(|url| !url.is_https());
            one("server.public_url", plain)
        },
        what: "must begin with https: here; over plain http codes, tokens and passwords can be read on the way",
    },
    Rule {
        key: "outgoing.danger_plain_http",
        refused_in: PRODUCTION,
        broken: |c| one("outgoing.danger_plain_http", c.outgoing.danger_plain_http),
        what: "the keys of a client can be replaced on the way; give the client https, with your authority in outgoing.ca_files",
    },
    Rule {
        key: "registration.danger_loopback",
        refused_in: SERIOUS,
        broken: |c| one("registration.danger_loopback", c.registration.danger_loopback),
        what: "what is at an address on this machine is not the client's alone; give the client https",
    },
    Rule {
        key: "keys.sealing_key",
        refused_in: SERIOUS,
        broken: |c| one("keys.sealing_key", c.keys.sealing_key.is_none()),
        what: "is not set; make one with `openssl rand -base64 32` and give it here, or a file with it in keys.sealing_key_file",
    },
    Rule {
        key: "keys.sealing_key",
        refused_in: PRODUCTION,
        broken: |c| {
            one(
                "keys.sealing_key",
                c.keys.sealing_key.as_ref().is_some_and(|k| is_regular(k.reveal())),
            )
        },
        what: "is not random; make one with `openssl rand -base64 32`",
    },
    Rule {
        key: "keys.publish_lead",
        refused_in: PRODUCTION,
        broken: |c| one("keys.publish_lead", c.keys.publish_lead < Duration::from_hours(1)),
        what: "is shorter than an hour, for which resource servers remember the key set; make it \"2h\" or longer",
    },
    Rule {
        key: "database.url",
        refused_in: PRODUCTION,
        broken: |c| one("database.url", database_password(c).is_some_and(|p| p.is_placeholder())),
        what: "has a placeholder where the password should be; give the database a real one",
    },
    Rule {
        key: "mail.transport",
        refused_in: PRODUCTION,
        broken: |c| one("mail.transport", c.mail_transport() == MailTransport::File),
        what: "`file` leaves letters with links that let people in on the disk; set it to \"smtp\" or \"none\"",
    },
    Rule {
        key: "mail.transport",
        refused_in: SERIOUS,
        broken: |c| {
            let needed = c.profile() == Profile::Toktok || c.is_toktok();
            one("mail.transport", needed && c.mail_transport() != MailTransport::Smtp)
        },
        what: "is not \"smtp\", but toktok confirms addresses and resets passwords by letter; give a mail server",
    },
    Rule {
        key: "signup.access_rights",
        refused_in: SERIOUS,
        broken: |c| {
            one("signup.access_rights", c.signup.open && c.self_service() == SelfService::Choose)
        },
        what: "`choose` lets people give themselves rights and is for demonstrations; set it to \"none\" or \"fixed\"",
    },
    Rule {
        key: "signup.password_length",
        refused_in: PRODUCTION,
        broken: |c| one("signup.password_length", c.signup.password_length < 8),
        what: "passwords of fewer than 8 characters are guessed; make it 8 or more",
    },
    Rule {
        key: "grants.danger_implicit",
        refused_in: PRODUCTION,
        broken: |c| {
            let accepted =
                c.grants.danger_accepted_in_production.contains(&DangerousGrant::Implicit);
            one("grants.danger_implicit", c.grants.danger_implicit && !accepted)
        },
        what: "RFC 9700 advises against it; turn it off, or add \"implicit\" to grants.danger_accepted_in_production",
    },
    Rule {
        key: "grants.danger_password",
        refused_in: PRODUCTION,
        broken: |c| {
            let accepted =
                c.grants.danger_accepted_in_production.contains(&DangerousGrant::Password);
            one("grants.danger_password", c.grants.danger_password && !accepted)
        },
        what: "RFC 9700 forbids it; turn it off, or add \"password\" to grants.danger_accepted_in_production",
    },
    Rule {
        key: "grants.pkce",
        refused_in: PRODUCTION,
        broken: |c| {
            // RFC 9700 recommends it for confidential clients; AMWA IS-10 does not ask it of them.
            one("grants.pkce", c.grants.pkce != Pkce::Everybody && !c.profile().is_nmos())
        },
        what: "clients without PKCE are open to code injection; set it to \"everybody\"",
    },
    Rule {
        key: "upstream.client_secret",
        refused_in: SERIOUS,
        broken: |c| {
            let is_bad = |s: &Option<Secret>| s.as_ref().is_some_and(Secret::is_placeholder);
            let upstreams =
                c.upstreams.iter().enumerate().filter(|(_, u)| is_bad(&u.client_secret));
            upstreams.map(|(i, _)| format!("upstream[{i}].client_secret")).collect()
        },
        what: "is a placeholder; give the one that the provider has given you",
    },
    Rule {
        key: "client.secret",
        refused_in: SERIOUS,
        broken: |c| secrets_of_clients(c, Secret::is_placeholder),
        what: "is a placeholder; give a real one, or make the client with `oauth-server client create`",
    },
    Rule {
        key: "client.secret",
        refused_in: PRODUCTION,
        broken: |c| secrets_of_clients(c, |secret| !secret.is_strong()),
        what: "is too weak to stand in a configuration; use 32 random characters, as `openssl rand -base64 32` makes them",
    },
    Rule {
        key: "user",
        refused_in: SERIOUS,
        broken: |c| c.users.iter().enumerate().map(|(i, _)| format!("user[{i}]")).collect(),
        what: "users from the configuration are for demonstrations; remove it and use `oauth-server user create`",
    },
];

/// Notes every rule that the configuration breaks.
pub(super) fn enforce(config: &Config, problems: &mut Problems) {
    for rule in RULES.iter().filter(|r| r.refused_in.contains(&config.mode())) {
        for key in (rule.broken)(config) {
            problems.add(key, format!("{} (mode {})", rule.what, config.mode()));
        }
    }
}

fn one(key: &str, broken: bool) -> Vec<String> {
    if broken { vec![key.to_owned()] } else { Vec::new() }
}

fn secrets_of_clients(config: &Config, bad: fn(&Secret) -> bool) -> Vec<String> {
    let is_bad = |secret: &Option<Secret>| secret.as_ref().is_some_and(bad);
    let clients = config.clients.iter().enumerate().filter(|(_, c)| is_bad(&c.secret));
    clients.map(|(i, _)| format!("client[{i}].secret")).collect()
}

/// Whether a key is the same few characters over and over.
fn is_regular(key: &str) -> bool {
    key.bytes().collect::<std::collections::BTreeSet<_>>().len() < 12
}

/// The password in the URL of the database.
fn database_password(config: &Config) -> Option<Secret> {
    let url = url::Url::parse(config.database.url.as_ref()?.reveal()).ok()?;
    url.password().map(Secret::new)
}
