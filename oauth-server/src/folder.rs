//! The data folder and the sealing key in it, for servers that were not told where else to keep them.

use crate::config::{Config, decode_key};
use anyhow::{Context as _, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use oauth_core::ports::Random;
use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    path::Path,
};

/// The SQLite file; [`Config::database_url`] names it.
const DATABASE_FILE: &str = "oauth.db";
/// The file with the sealing key.
const KEY_FILE: &str = "sealing.key";

/// Makes the data folder if something is to be kept in it.
pub fn prepare(config: &Config) -> anyhow::Result<()> {
    if config.database.url.is_some() && config.keys.sealing_key.is_some() {
        return Ok(());
    }
    let folder = &config.general.data_folder;
    make_private_folder(folder)
        .with_context(|| format!("cannot make the data folder {}", folder.display()))?;
    if config.database.url.is_none() {
        // SQLite gives the files it makes beside this one the same access.
        match private_file().open(folder.join(DATABASE_FILE)) {
            Err(e) if e.kind() != ErrorKind::AlreadyExists => {
                return Err(e).context("cannot make the database");
            }
            _ => {}
        }
    }
    Ok(())
}

/// A file to be made, for the owner alone.
pub(crate) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The key that seals signing keys: the configured one, else that of the data folder, made on first start.
pub fn sealing_key(config: &Config, random: &dyn Random) -> anyhow::Result<[u8; 32]> {
    if let Some(key) = config.sealing_key() {
        return Ok(key);
    }
    let path = config.general.data_folder.join(KEY_FILE);
    make_key(&path, random)
        .with_context(|| format!("cannot make the sealing key {}", path.display()))?;
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    match decode_key(&text) {
        Some(key) => Ok(key),
        None => bail!("{} does not hold 32 bytes in base64", path.display()),
    }
}

/// Writes a new key beside its place and links it there, so that of several processes one wins and nobody reads half a key.
fn make_key(path: &Path, random: &dyn Random) -> std::io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let mut key = [0; 32];
    random.fill(&mut key);
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = private_file().open(&draft)?;
    let written = writeln!(file, "{}", STANDARD.encode(key)).and_then(|()| file.sync_all());
    let linked = written.and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    match linked {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

pub(crate) fn make_private_folder(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
