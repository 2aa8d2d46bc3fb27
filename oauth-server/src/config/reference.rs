//! The configuration as text: the reference in Markdown, and the dump in TOML.

use super::{
    Config, Part, profiles,
    rules::RULES,
    section::{Described, env_name},
};
use std::fmt::Write as _;

/// The reference of every setting, as Markdown.
pub fn reference() -> String {
    let mut out = String::from(INTRODUCTION);
    let config = Config::default();
    for part in config.parts() {
        let title = if part.name.is_empty() {
            "Top of the file".into()
        } else {
            format!("`[{}]`", part.name)
        };
        let _ = write!(out, "\n## {title}\n\n{}\n", part.about);
        for setting in &part.settings {
            describe(&mut out, part.name, setting, Place::Section);
        }
    }
    for (part, _) in config.lists() {
        let _ = write!(out, "\n## `[[{}]]`\n\n{}\n", part.name, part.about);
        for setting in &part.settings {
            describe(&mut out, part.name, setting, Place::List);
        }
    }
    out.push_str(&profiles::reference());
    out.push_str(RULES_INTRODUCTION);
    for rule in RULES {
        let modes: Vec<_> = rule.refused_in.iter().map(|m| m.as_str()).collect();
        let _ = writeln!(out, "| `{}` | {} | {} |", rule.key, modes.join(", "), rule.what);
    }
    out
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Section,
    List,
}

fn describe(out: &mut String, section: &str, setting: &Described, place: Place) {
    let key = if section.is_empty() || place == Place::List {
        setting.name.to_owned()
    } else {
        format!("{section}.{}", setting.name)
    };
    let _ = write!(out, "\n### `{key}`\n\n{}\n\n", setting.text);
    let default = match setting.value.as_deref() {
        None => "unset".to_owned(),
        Some("\"\"") => "empty".to_owned(),
        Some(value) => format!("`{value}`"),
    };
    let _ = write!(out, "* Type: {}\n* Default: {default}\n", setting.kind);
    if place == Place::Section {
        let _ = writeln!(out, "* Environment: `{}`", env_name(&key));
    }
    if setting.secret {
        let env = if place == Place::Section {
            format!(" or `{}_FILE`", env_name(&key))
        } else {
            String::new()
        };
        let _ = writeln!(out, "* From a file: `{key}_file`{env}");
    }
}

/// The configuration in effect as TOML, secrets hidden.
pub fn dump(config: &Config) -> String {
    let mut out = String::new();
    for part in config.parts() {
        heading(&mut out, &part, "[", "]");
    }
    for (_, entries) in config.lists() {
        for entry in entries {
            heading(&mut out, &entry, "[[", "]]");
        }
    }
    out
}

fn heading(out: &mut String, part: &Part, open: &str, close: &str) {
    if !part.name.is_empty() {
        let _ = write!(out, "\n{open}{}{close}\n", part.name);
    }
    for setting in &part.settings {
        let _ = match &setting.value {
            Some(value) => writeln!(out, "{} = {value}", setting.name),
            None => writeln!(out, "# {} is unset", setting.name),
        };
    }
}

const INTRODUCTION: &str = "# Configuration of oauth-server

*Written by `oauth-server config reference`; a test compares this file with its output.*

Nothing has to be configured to try the server. Settings come from four places, each beating those before it:

1. the defaults below, or those of the profile that is set;
2. TOML files: `--config FILE`, as often as you like, later files win (or `OAUTH_CONFIG=FILE`);
3. environment variables: `OAUTH__SECTION__KEY`, such as `OAUTH__SERVER__PORT=8443`; an empty variable counts as unset,
   lists are separated by commas;
4. flags: `--mode`, `--profile`, `--host`, `--port`, `--salt`, `--anojwt`, `--log-format`, `--log-level`.

A key that does not exist is an error, wherever it comes from. `oauth-server --check-config` reports everything that is
wrong at once and exits with 0 or 2; `oauth-server config dump` prints what is in effect, secrets hidden. A secret may
also stand in a file of its own, named by the same key with `_file` at the end. What weakens security begins with `danger_`.
";

const RULES_INTRODUCTION: &str = "
## What the modes refuse

| Key | Refused in | Why, and what to do |
|---|---|---|
";
