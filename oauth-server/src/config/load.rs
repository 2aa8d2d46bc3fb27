//! Gathering the layers of the configuration, the strongest last.

use super::{
    Compat, Config, LogFormat, Mode, Profile, Salt, check,
    problem::Problems,
    profiles,
    read::{Reader, is_ours},
    section::PREFIX,
};
use config::{Environment, File, FileFormat, Value, ValueKind};
use std::{collections::HashMap, ffi::OsString, net::IpAddr, path::PathBuf};

/// What the command line says; it beats everything else.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--mode`.
    pub mode: Option<Mode>,
    /// `--profile`.
    pub profile: Option<Profile>,
    /// `--compat`.
    pub compat: Option<Compat>,
    /// `--host`.
    pub host: Option<IpAddr>,
    /// `--port`.
    pub port: Option<u16>,
    /// `--salt`.
    pub salt: Option<Salt>,
    /// `--anojwt`.
    pub anojwt: Option<bool>,
    /// `--log-format`.
    pub log_format: Option<LogFormat>,
    /// `--log-level`.
    pub log_level: Option<String>,
}

/// Where the configuration comes from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// TOML files; later ones win.
    pub files: Vec<PathBuf>,
    /// Environment variables; those of other prefixes are left alone.
    pub environment: Vec<(OsString, OsString)>,
    /// Flags.
    pub flags: Overrides,
}

/// Reads and checks the configuration, and reports everything that is wrong with it.
pub fn load(sources: &Sources) -> Result<Config, Problems> {
    let mut problems = Problems::default();
    let root = merge(sources, &mut problems);
    let config: Config = Reader::new(root, &mut problems).finish();
    check::check(&config, &mut problems);
    problems.into_result(config)
}

fn merge(sources: &Sources, problems: &mut Problems) -> Value {
    let mut builder = config::Config::builder();
    for path in &sources.files {
        match read_file(path) {
            Ok(file) => builder = builder.add_source(file),
            Err(what) => problems.add(path.display().to_string(), what),
        }
    }
    let environment = Environment::with_prefix(PREFIX)
        .prefix_separator("__")
        .separator("__")
        .source(Some(variables(sources, problems)));
    let built = builder.add_source(environment).build();
    let mut merged = built.map_or_else(
        |_| {
            problems.add("environment", "a variable is both a section and a key");
            Value::new(None, ValueKind::Table(HashMap::default()))
        },
        |built| built.cache,
    );
    apply(&sources.flags, &mut merged);
    profiles::fill(&mut merged);
    merged
}

/// Parses one file on its own first, so that an error shows its place but not the line, which may hold a secret.
fn read_file(path: &PathBuf) -> Result<File<config::FileSourceFile, FileFormat>, String> {
    std::fs::read_to_string(path).map_err(|e| format!("cannot be read: {e}"))?;
    let file = File::from(path.clone()).format(FileFormat::Toml);
    match config::Config::builder().add_source(file.clone()).build() {
        Ok(_) => Ok(file),
        Err(e) => {
            let shown = e.to_string();
            let place = shown.lines().next().unwrap_or_default();
            let reason = shown.lines().rfind(|l| !l.trim().is_empty()).unwrap_or_default();
            Err(format!("not TOML: {}: {}", place.trim_end_matches(':'), reason.trim()))
        }
    }
}

/// Our variables, empty ones left out: an empty variable is an unset one.
fn variables(sources: &Sources, problems: &mut Problems) -> HashMap<String, String> {
    let mut ours = HashMap::new();
    for (name, value) in &sources.environment {
        let Some(name) = name.to_str().filter(|n| is_ours(n)) else { continue };
        let Some(value) = value.to_str() else {
            problems.add(name, "the value is not UTF-8");
            continue;
        };
        let parts: Vec<_> = name.split("__").skip(1).collect();
        let well_formed =
            |p: &&str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !parts.iter().all(well_formed) {
            problems.add(name, "unknown key (an environment variable is OAUTH__SECTION__KEY)");
        } else if !value.is_empty() {
            ours.insert(name.to_owned(), value.to_owned());
        }
    }
    ours
}

fn apply(flags: &Overrides, root: &mut Value) {
    set(root, &["mode"], flags.mode.map(Mode::as_str));
    set(root, &["profile"], flags.profile.map(Profile::as_str));
    set(root, &["compat"], flags.compat.map(Compat::as_str));
    set(root, &["server", "host"], flags.host.map(|h| h.to_string()));
    set(root, &["server", "port"], flags.port.map(u64::from));
    set(root, &["forms", "salt"], flags.salt.map(Salt::as_str));
    set(root, &["forms", "anojwt"], flags.anojwt);
    set(root, &["logs", "format"], flags.log_format.map(LogFormat::as_str));
    set(root, &["logs", "level"], flags.log_level.as_deref());
}

fn set(at: &mut Value, path: &[&str], value: Option<impl Into<ValueKind>>) {
    let Some(value) = value else { return };
    let ValueKind::Table(table) = &mut at.kind else { return };
    match path {
        [] => {}
        [name] => {
            table.insert((*name).to_owned(), Value::new(None, value.into()));
        }
        [name, rest @ ..] => {
            let below = table
                .entry((*name).to_owned())
                .or_insert_with(|| Value::new(None, ValueKind::Table(HashMap::default())));
            set(below, rest, Some(value));
        }
    }
}
