//! `oauth-server dns-sd`.

use super::output;
use crate::{config::Config, nmos::dns_sd};
use clap::Subcommand;

/// How devices find the server.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print the records for the zone file of a DNS server
    Zone,
}

pub(super) fn run(command: &Command, config: &Config) -> anyhow::Result<()> {
    match command {
        Command::Zone => output::raw(dns_sd::zone(config).as_bytes()),
    }
}
