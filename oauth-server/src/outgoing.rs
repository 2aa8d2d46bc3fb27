//! The server's own requests, bounded as the configuration says.

use crate::config::Config;
use anyhow::Context as _;
use oauth_core::fetch::{FetchOptions, SafeFetch};
use std::path::Path;

/// What goes to documents that clients publish, and to their logout addresses.
pub fn fetch(config: &Config) -> anyhow::Result<SafeFetch> {
    let outgoing = &config.outgoing;
    let mut options = FetchOptions::default()
        .allow(outgoing.allowed_networks.iter().copied())
        .refuse(outgoing.refused_networks.iter().copied())
        .timeout(outgoing.timeout)
        .concurrency(outgoing.concurrency.into());
    if outgoing.danger_plain_http {
        options = options.danger_plain_http();
    }
    for path in &outgoing.ca_files {
        let pem =
            authority(path).with_context(|| format!("outgoing.ca_files: {}", path.display()))?;
        options = options.trust(&pem)?;
    }
    SafeFetch::new(&options).context("outgoing requests cannot be prepared")
}

/// A file with certificates of authorities, tried.
pub(crate) fn authority(path: &Path) -> anyhow::Result<Vec<u8>> {
    let pem = std::fs::read(path).context("cannot be read")?;
    match FetchOptions::default().trust(&pem) {
        Ok(_) => Ok(pem),
        Err(_) => anyhow::bail!("is not a PEM file with certificates"),
    }
}
