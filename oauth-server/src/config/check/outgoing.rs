//! Where requests of the server itself may go.

use crate::{
    config::{Config, Problems},
    outgoing,
};

/// Notes what is wrong with outgoing requests.
pub(super) fn check(config: &Config, problems: &mut Problems) {
    networks(config, problems);
    limits(config, problems);
    for path in &config.outgoing.ca_files {
        if let Err(what) = outgoing::authority(path) {
            problems.add("outgoing.ca_files", format!("{}: {what:#}", path.display()));
        }
    }
}

fn networks(config: &Config, problems: &mut Problems) {
    let outgoing = &config.outgoing;
    for network in &outgoing.allowed_networks {
        if network.prefix_len() == 0 {
            let what = "allows every address there is; name the networks in which clients are";
            problems.add("outgoing.allowed_networks", format!("{network} {what}"));
        }
        if let Some(by) = outgoing.refused_networks.iter().find(|by| by.contains(network)) {
            let what = format!("{network} lies in {by}, which outgoing.refused_networks refuses");
            problems.add("outgoing.allowed_networks", what);
        }
    }
    if outgoing.danger_plain_http && outgoing.allowed_networks.is_empty() {
        let what = "is for the networks in outgoing.allowed_networks, and there are none";
        problems.add("outgoing.danger_plain_http", what);
    }
}

fn limits(config: &Config, problems: &mut Problems) {
    let outgoing = &config.outgoing;
    if outgoing.timeout.is_zero() {
        problems.add("outgoing.timeout", "must not be 0");
    }
    if outgoing.timeout >= config.server.request_timeout {
        let what = "must be shorter than server.request_timeout, in which some of them are made";
        problems.add("outgoing.timeout", what);
    }
    if outgoing.concurrency == 0 {
        problems.add("outgoing.concurrency", "must not be 0");
    }
}
