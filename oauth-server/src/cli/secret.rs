//! Passwords for commands: typed without echo, from a file, or from standard input; never from an argument.

use crate::credentials::{LONGEST_PASSWORD, check_password};
use anyhow::{Context as _, bail, ensure};
use clap::Args;
use std::{
    io::{IsTerminal as _, Read as _},
    path::PathBuf,
};
use zeroize::Zeroizing;

/// Where a password comes from.
#[derive(Debug, Args)]
pub(super) struct PasswordSource {
    /// File with the password; without it the password is asked for, or read from standard input
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl PasswordSource {
    /// A password fit for this user.
    pub(super) fn read(&self, username: &str, shortest: u16) -> anyhow::Result<Zeroizing<String>> {
        let password = match &self.password_file {
            Some(path) => {
                let text = std::fs::read_to_string(path);
                Zeroizing::new(text.with_context(|| format!("cannot read {}", path.display()))?)
            }
            None if std::io::stdin().is_terminal() => typed()?,
            None => piped()?,
        };
        let line = password.strip_suffix('\n').unwrap_or(&password);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if let Err(why) = check_password(line, username, shortest) {
            bail!("{why}");
        }
        Ok(Zeroizing::new(line.to_owned()))
    }
}

fn piped() -> anyhow::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    let read = std::io::stdin().lock().take(2 * LONGEST_PASSWORD as u64).read_to_string(&mut text);
    read.context("cannot read the password from standard input")?;
    Ok(text)
}

fn typed() -> anyhow::Result<Zeroizing<String>> {
    let ask = |prompt| {
        rpassword::prompt_password(prompt)
            .map(Zeroizing::new)
            .context("cannot ask for the password")
    };
    let password = ask("Password: ")?;
    ensure!(password == ask("Again: ")?, "the two passwords differ");
    Ok(password)
}
