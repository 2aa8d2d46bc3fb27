//! The environment this program reads.

use crate::tls::Files;
use anyhow::{Context as _, bail};
use resource_guard::{DnsSd, Guard, GuardBuilder};
use std::{
    env, fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

pub(crate) struct Settings {
    /// By which tokens mean this node.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) listen: SocketAddr,
    /// Of the interface that media would use.
    pub(crate) address: IpAddr,
    pub(crate) certificate: Files,
    /// For whoever can verify ECDSA; then the other is RSA.
    pub(crate) ecdsa: Option<Files>,
    issuers: Vec<String>,
    hosts: Vec<String>,
    authorities: Vec<Vec<u8>>,
    discovery: Option<DnsSd>,
    on: bool,
}

impl Settings {
    pub(crate) fn from_environment() -> anyhow::Result<Self> {
        let host = needed("NMOS_HOST")?;
        let port =
            optional("NMOS_PORT").map_or(Ok(8443), |port| port.parse()).context("NMOS_PORT")?;
        let listen = optional("NMOS_LISTEN").unwrap_or_else(|| "0.0.0.0".to_owned());
        let listen: IpAddr = listen.parse().context("NMOS_LISTEN must be an IP address")?;
        let address = optional("NMOS_ADDRESS").map(|text| text.parse()).transpose();
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let usual = if listen.is_unspecified() { loopback } else { listen };
        let authorities = list("CA_FILE")
            .iter()
            .map(|path| fs::read(path).with_context(|| path.clone()))
            .collect::<anyhow::Result<_>>()?;
        Ok(Self {
            host,
            port,
            listen: SocketAddr::new(listen, port),
            address: address.context("NMOS_ADDRESS must be an IP address")?.unwrap_or(usual),
            certificate: Files {
                certificate: needed("CERTIFICATE")?.into(),
                key: needed("KEY")?.into(),
            },
            ecdsa: ecdsa()?,
            issuers: list("ISSUER"),
            hosts: list("TRUST_HOSTS"),
            authorities,
            discovery: discovery()?,
            on: optional("GUARD").as_deref() != Some("off"),
        })
    }

    /// The guard of this node. With certificate authorities of its own it trusts no others.
    pub(crate) fn guard(&self) -> anyhow::Result<GuardBuilder> {
        let mut builder = Guard::nmos_node(&self.host).condition(self.on);
        for issuer in &self.issuers {
            builder = builder.trust_issuer(issuer);
        }
        for host in &self.hosts {
            builder = builder.trust_issuers_on(host);
        }
        for authority in &self.authorities {
            builder = builder.root_certificates(authority.clone()).only_root_certificates();
        }
        if let Some(how) = &self.discovery {
            builder = builder.discover(how.clone());
        }
        if self.issuers.is_empty() && self.hosts.is_empty() && self.discovery.is_none() {
            bail!("no authorization server is trusted: set ISSUER, TRUST_HOSTS or DISCOVER");
        }
        Ok(builder)
    }
}

fn ecdsa() -> anyhow::Result<Option<Files>> {
    match (optional("ECDSA_CERTIFICATE"), optional("ECDSA_KEY")) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => {
            Ok(Some(Files { certificate: certificate.into(), key: key.into() }))
        }
        _ => bail!("ECDSA_CERTIFICATE and ECDSA_KEY go together: set both, or neither"),
    }
}

fn discovery() -> anyhow::Result<Option<DnsSd>> {
    let how = match optional("DISCOVER").as_deref() {
        None | Some("off") => return Ok(None),
        Some("on") => DnsSd::new(),
        Some("unicast") => DnsSd::new().unicast_only(),
        Some("multicast") => DnsSd::new().multicast_only(),
        Some(_) => bail!("DISCOVER must be off, on, unicast or multicast"),
    };
    let how = match optional("DNS_SD_DOMAIN") {
        Some(domain) => how.domain(domain),
        None => how,
    };
    Ok(Some(match optional("DNS_SERVER") {
        Some(server) => how.name_server(server.parse().context("DNS_SERVER must be IP:PORT")?),
        None => how,
    }))
}

fn optional(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn needed(name: &str) -> anyhow::Result<String> {
    optional(name).with_context(|| format!("{name} is missing; see examples/nmos-node/README.md"))
}

/// Words between commas or blanks.
fn list(name: &str) -> Vec<String> {
    let words = optional(name).unwrap_or_default();
    words.split([',', ' ']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
