//! Where secrets are kept, and the lock that lets one process at a time renew them.

mod file;
#[cfg(feature = "keyring")]
mod keyring;
mod memory;
#[cfg(feature = "redis")]
mod redis;

#[cfg(feature = "keyring")]
pub use self::keyring::KeyringVault;
#[cfg(feature = "redis")]
pub use self::redis::RedisVault;
pub use self::{file::FileVault, memory::MemoryVault};

use crate::error::Result;
use async_trait::async_trait;
use std::{any::Any, fmt, time::Duration};

/// The name of one secret value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Entry {
    /// Whose it is.
    pub client: u32,
    /// What it is.
    pub kind: Kind,
}

/// What a secret value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// What the client proves itself with.
    Credentials,
    /// Its tokens.
    Tokens,
}

impl Entry {
    /// The tokens of a client.
    pub const fn tokens(client: u32) -> Self {
        Self { client, kind: Kind::Tokens }
    }

    /// The credentials of a client.
    pub const fn credentials(client: u32) -> Self {
        Self { client, kind: Kind::Credentials }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Credentials => "credentials",
            Kind::Tokens => "tokens",
        };
        write!(f, "{}.{kind}", self.client)
    }
}

/// The right to renew the tokens of one client. It ends when it is dropped or given back, and when the process dies.
pub struct Lease {
    /// What proves to the vault that the lease still holds, where locks can run out.
    pub fence: Option<String>,
    /// What is held.
    pub held: Box<dyn Any + Send + Sync>,
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lease")
    }
}

/// A place for secrets.
#[async_trait]
pub trait Vault: Send + Sync + fmt::Debug {
    /// Its name, for people.
    fn name(&self) -> &'static str;

    /// Reads a value.
    async fn load(&self, entry: Entry) -> Result<Option<Vec<u8>>>;

    /// Writes a value durably: when this returns, it survives the death of the process. `life` is how long it is of
    /// use; a vault that can forget forgets it then. With a lease that has run out nothing is written.
    async fn save(
        &self,
        entry: Entry,
        value: &[u8],
        life: Duration,
        lease: Option<&Lease>,
    ) -> Result<()>;

    /// Removes a value, if it is there.
    async fn remove(&self, entry: Entry) -> Result<()>;

    /// Waits until no other process renews the tokens of this client, at most as long as `patience`.
    async fn lock(&self, client: u32, patience: Duration) -> Result<Lease>;

    /// Gives a lease back.
    async fn unlock(&self, client: u32, lease: Lease) {
        let _ = client;
        drop(lease);
    }
}
