//! Finding authorization servers by DNS-SD ([RFC 6763](https://www.rfc-editor.org/rfc/rfc6763); AMWA IS-10,
//! discovery): unicast first, multicast second.
//!
//! What DNS says is not protected. It leads to addresses only; whether a server is believed is decided by TLS, by the
//! issuer its metadata names, and by the hosts or certificate authorities that the operator allows.

mod advert;
mod multicast;
mod search;
mod sieve;
mod unicast;

pub(crate) use search::Search;

use advert::Advert;
use std::{net::SocketAddr, time::Duration};

/// The service type that authorization servers advertise.
pub(crate) const SERVICE: &str = "_nmos-auth._tcp";

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Unicast,
    Multicast,
}

/// What one way of asking tells.
#[derive(Debug, Default)]
struct Heard {
    adverts: Vec<Advert>,
    /// Whether no question went without an answer: then whoever is not there is not advertised.
    complete: bool,
}

/// How servers are looked for. By default: in the search domain of this machine, and by multicast where nothing is
/// found there; live servers alone; again every ten minutes.
#[derive(Clone, Debug)]
#[must_use]
pub struct DnsSd {
    domain: Option<String>,
    name_servers: Vec<SocketAddr>,
    unicast: bool,
    multicast: bool,
    development: bool,
    every: Duration,
}

impl Default for DnsSd {
    fn default() -> Self {
        Self {
            domain: None,
            name_servers: Vec::new(),
            unicast: true,
            multicast: true,
            development: false,
            every: Duration::from_mins(10),
        }
    }
}

impl DnsSd {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks in this domain.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// Asks this name server instead of those of the machine. May be called several times.
    pub fn name_server(mut self, address: SocketAddr) -> Self {
        self.name_servers.push(address);
        self
    }

    /// Never asks by multicast.
    pub const fn unicast_only(mut self) -> Self {
        self.multicast = false;
        self.unicast = true;
        self
    }

    /// Asks by multicast alone, in networks without a name server.
    pub const fn multicast_only(mut self) -> Self {
        self.unicast = false;
        self.multicast = true;
        self
    }

    /// Takes servers in development too: those that advertise a priority of 100 or more. Live ones come first.
    pub const fn development(mut self) -> Self {
        self.development = true;
        self
    }

    /// How often to look again once servers were found.
    pub const fn every(mut self, time: Duration) -> Self {
        self.every = time;
        self
    }
}
