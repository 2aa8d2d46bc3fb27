//! Profiles: what a family of standards asks of the settings. A profile supplies defaults, which every file, variable
//! and flag beats, and it refuses what its standard forbids.

mod is10;

use super::{Compat, Config, Problems, setting::words};
use config::{Value, ValueKind};
use std::collections::HashMap;

words! {
    /// The family of standards and habits that the server follows.
    Profile {
        /// OAuth 2.0 and OpenID Connect as everybody expects them.
        Standard = "standard",
        /// AMWA IS-10 and BCP-003-02, for broadcast devices and their controllers.
        Is10 = "is10",
        /// As `is10`, and the paths and forms of 2019 as well, for old controllers.
        Is10Legacy = "is10-legacy",
        /// First-party applications that bring accounts and tokens of their own.
        Toktok = "toktok",
    }
}

/// A default that a profile puts in the place of the general one: the key, and its value as a variable would give it.
pub(super) type Default = (&'static str, &'static str);

/// Something that the standard of a profile forbids.
pub struct Demand {
    /// The key it is about, or the name of the list.
    pub key: &'static str,
    /// The places where it is broken, as keys.
    pub(super) broken: fn(&Config) -> Vec<String>,
    /// What is wrong and what to do.
    pub what: &'static str,
}

/// What `toktok` sets.
const TOKTOK: &[Default] = &[
    ("server.port", "4100"),
    ("compat", "toktok"),
    ("forms.salt", "yes"),
    ("forms.anojwt", "true"),
];

impl Compat {
    /// The defaults of the other program.
    const fn defaults(self) -> &'static [Default] {
        match self {
            Self::None => &[],
            Self::Toktok => &[
                ("server.port", "4100"),
                // People sign in by their address, so nobody is left without one.
                ("accounts.email", "required"),
                // Its front ends keep the first refresh token, which is good once.
                ("tokens.access_token_ttl", "1h"),
            ],
        }
    }
}

impl Profile {
    /// The defaults of the profile.
    pub(super) const fn defaults(self) -> &'static [Default] {
        match self {
            Self::Standard => &[],
            Self::Is10 | Self::Is10Legacy => is10::DEFAULTS,
            Self::Toktok => TOKTOK,
        }
    }

    /// What the profile demands.
    pub const fn demands(self) -> &'static [Demand] {
        match self {
            Self::Standard | Self::Toktok => &[],
            Self::Is10 => is10::DEMANDS,
            Self::Is10Legacy => is10::LEGACY_DEMANDS,
        }
    }

    /// Whether AMWA IS-10 holds.
    pub const fn is_nmos(self) -> bool {
        matches!(self, Self::Is10 | Self::Is10Legacy)
    }
}

/// Puts the defaults of the profile that is set, and then those of the other program, where nothing else is.
pub(super) fn fill(root: &mut Value) {
    // A word that is no profile is reported by the reader.
    if let Some(profile) = word(root, "profile").and_then(|word| Profile::parse(&word)) {
        supply(root, &format!("profile {profile}"), profile.defaults());
    }
    if let Some(compat) = word(root, "compat").and_then(|word| Compat::parse(&word)) {
        supply(root, &format!("compat {compat}"), compat.defaults());
    }
}

fn word(root: &Value, key: &str) -> Option<String> {
    let ValueKind::Table(top) = &root.kind else { return None };
    top.get(key).map(|value| value.kind.to_string().trim().to_owned())
}

fn supply(root: &mut Value, origin: &String, defaults: &[Default]) {
    for (key, value) in defaults {
        let path: Vec<_> = key.split('.').collect();
        fill_one(root, &path, Value::new(Some(origin), ValueKind::String((*value).to_owned())));
    }
}

fn fill_one(at: &mut Value, path: &[&str], value: Value) {
    let ValueKind::Table(table) = &mut at.kind else { return };
    let Some((name, rest)) = path.split_first() else { return };
    let unset = || Value::new(None, ValueKind::Nil);
    let below = table.entry((*name).to_owned()).or_insert_with(unset);
    match (rest, &below.kind) {
        ([], ValueKind::Nil) => *below = value,
        ([], _) => {}
        (_, ValueKind::Nil) => {
            *below = Value::new(None, ValueKind::Table(HashMap::default()));
            fill_one(below, rest, value);
        }
        _ => fill_one(below, rest, value),
    }
}

/// Notes every demand of the profile that is broken.
pub(super) fn enforce(config: &Config, problems: &mut Problems) {
    let profile = config.profile();
    for demand in profile.demands() {
        for key in (demand.broken)(config) {
            problems.add(key, format!("{} (profile {profile})", demand.what));
        }
    }
}

/// The profiles for the reference: what each sets, and what each refuses.
pub(super) fn reference() -> String {
    use std::fmt::Write as _;
    let mut out = String::from(INTRODUCTION);
    for profile in Profile::ALL.iter().filter(|profile| !profile.defaults().is_empty()) {
        for (key, value) in profile.defaults() {
            let _ = writeln!(out, "| `{key}` | {profile} | `{value}` |");
        }
    }
    for compat in Compat::ALL {
        for (key, value) in compat.defaults() {
            let _ = writeln!(out, "| `{key}` | compat {compat} | `{value}` |");
        }
    }
    out.push_str(REFUSED);
    for profile in Profile::ALL {
        for demand in profile.demands() {
            let _ = writeln!(out, "| `{}` | {profile} | {} |", demand.key, demand.what);
        }
    }
    out
}

const INTRODUCTION: &str = "
## What the profiles set

A profile supplies defaults, and so does `compat`. A file, a variable or a flag that sets the same key beats them.

| Key | Profile | Default there |
|---|---|---|
";

const REFUSED: &str = "
## What the profiles refuse

| Key | Refused in | Why, and what to do |
|---|---|---|
";
