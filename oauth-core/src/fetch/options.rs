//! How an operator bounds what is fetched.

use super::{
    lookup::{Lookup, SystemLookup},
    networks::Networks,
};
use crate::error::PortError;
use ipnet::IpNet;
use reqwest::Certificate;
use std::{sync::Arc, time::Duration};

/// What a [`SafeFetch`](super::SafeFetch) may do. By default: https to public addresses, five seconds.
#[derive(Clone)]
pub struct FetchOptions {
    pub(super) networks: Networks,
    pub(super) plain_http: bool,
    pub(super) authorities: Vec<Certificate>,
    pub(super) timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) concurrency: usize,
    pub(super) lookup: Arc<dyn Lookup>,
}

impl Default for FetchOptions {
    fn default() -> Self {
        Self {
            networks: Networks::default(),
            plain_http: false,
            authorities: Vec::new(),
            timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(3),
            concurrency: 32,
            lookup: Arc::new(SystemLookup::default()),
        }
    }
}

impl FetchOptions {
    /// Networks that may be gone to although they are not public.
    pub fn allow(mut self, networks: impl IntoIterator<Item = IpNet>) -> Self {
        self.networks.allowed.extend(networks);
        self
    }

    /// Networks that are never gone to, even if they are public or allowed: one's own public addresses, or the
    /// prefix of one's own NAT64.
    pub fn refuse(mut self, networks: impl IntoIterator<Item = IpNet>) -> Self {
        self.networks.refused.extend(networks);
        self
    }

    /// Goes to addresses in the allowed networks over plain http, too. Whoever is in between can then replace
    /// the keys of a client.
    pub fn danger_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Trusts the authorities of a PEM file as well as those of the system.
    pub fn trust(mut self, pem: &[u8]) -> Result<Self, PortError> {
        let certificates = Certificate::from_pem_bundle(pem).map_err(PortError::new)?;
        if certificates.is_empty() {
            return Err(PortError::new("there is no certificate in it"));
        }
        // Whether they can be trust anchors comes out only where they are used.
        let trial = reqwest::Client::builder().tls_certs_only(certificates.clone()).build();
        trial.map_err(PortError::new)?;
        self.authorities.extend(certificates);
        Ok(self)
    }

    /// The longest a request may take with everything: waiting for its turn, name, connection, answer.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The longest until there is a connection, with name and TLS.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Most requests at once; further ones wait.
    pub fn concurrency(mut self, most: usize) -> Self {
        self.concurrency = most.clamp(1, tokio::sync::Semaphore::MAX_PERMITS);
        self
    }

    /// Finds the addresses of names in another way.
    pub fn lookup(mut self, lookup: impl Lookup + 'static) -> Self {
        self.lookup = Arc::new(lookup);
        self
    }
}
