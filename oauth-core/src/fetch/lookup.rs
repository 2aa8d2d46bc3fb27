//! From names to addresses, each of which is checked before anything connects to it.

use super::networks::{Networks, Reach};
use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs as _},
    sync::Arc,
};
use tokio::sync::Semaphore;

/// Finds the addresses of a name.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// All addresses of the name.
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// Asks the operating system.
#[derive(Clone, Debug)]
pub struct SystemLookup {
    running: Arc<Semaphore>,
}

/// Most lookups at once. Each occupies a thread for as long as the system waits for an answer, longer than
/// whoever asked; so many of the threads that the runtime has for blocking work may go to strangers' names.
const LOOKUPS: usize = 64;

impl Default for SystemLookup {
    fn default() -> Self {
        Self { running: Arc::new(Semaphore::new(LOOKUPS)) }
    }
}

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(io::Error::other)?;
        let name = name.to_owned();
        tokio::task::spawn_blocking(move || {
            // Held by the work: who asked may have left long before the system gives up.
            let _held = running;
            Ok((name.as_str(), 0).to_socket_addrs()?.map(|at| at.ip()).collect())
        })
        .await
        .map_err(io::Error::other)?
    }
}

/// A lookup whose answers are checked. What it returns is what is connected to: there is no second lookup whose
/// answer could be another.
#[derive(Clone)]
pub(super) struct CheckedLookup {
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) networks: Arc<Networks>,
    pub(super) reach: Reach,
}

/// Most addresses of a name that are tried, so that a name with thousands does not make thousands of attempts.
const TRIED: usize = 8;

impl Resolve for CheckedLookup {
    fn resolve(&self, name: Name) -> Resolving {
        let Self { lookup, networks, reach } = self.clone();
        Box::pin(async move {
            let found = lookup.lookup(name.as_str()).await?;
            // One address that is refused spoils the name: a mixture is a mistake or an attack.
            for ip in &found {
                networks.check(*ip, reach)?;
            }
            let tried = found.into_iter().take(TRIED);
            let tried: Addrs = Box::new(tried.map(|ip| SocketAddr::new(ip.to_canonical(), 0)));
            Ok(tried)
        })
    }
}
