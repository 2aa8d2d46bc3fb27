//! `oauth-server config`: what can be set, and what is.

use super::output;
use crate::config::{Config, dump};
use clap::Subcommand;

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print the reference of every setting as Markdown
    Reference,
    /// Print what is in effect as TOML, secrets hidden
    Dump,
    /// Check the configuration; as --check-config
    Check,
}

pub(super) fn run(command: &Command, config: &Config) -> anyhow::Result<()> {
    match command {
        // Printed before anything is loaded.
        Command::Reference => Ok(()),
        Command::Dump => output::raw(dump(config).as_bytes()),
        Command::Check => output::message("the configuration is fine"),
    }
}
