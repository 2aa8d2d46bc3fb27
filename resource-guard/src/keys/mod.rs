//! Where verification keys come from.

mod cache;
mod endpoint;
mod issuers;
mod site;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use cache::{CachedKeys, KeyCache, KeyTimes, Standing};
pub(crate) use endpoint::KeyEndpoint;
#[cfg(feature = "dns-sd")]
pub(crate) use endpoint::issuer_at;
pub(crate) use issuers::{Asking, Issuers, Server, Trust};
pub(crate) use site::Site;

use crate::verify::Rejection;
use async_trait::async_trait;
use oauth_core::{jose::KeySet, model::Timestamp};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// A key set, and a number that changes whenever the set does.
#[derive(Clone, Debug)]
pub struct Keys {
    set: KeySet,
    generation: u64,
}

impl Keys {
    /// A set under its number. Tokens verified with keys of another number are verified anew.
    pub const fn new(set: KeySet, generation: u64) -> Self {
        Self { set, generation }
    }

    /// The keys.
    pub const fn set(&self) -> &KeySet {
        &self.set
    }

    /// The number.
    pub const fn generation(&self) -> u64 {
        self.generation
    }
}

/// Counts the changes of keys, and of the trust in them: what was verified in one epoch is verified anew in the next.
#[derive(Clone, Debug, Default)]
pub(crate) struct Epoch(Arc<AtomicU64>);

impl Epoch {
    /// Which it is. To be read before the keys are.
    pub(crate) fn number(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Begins the next one, once the change can be seen.
    pub(crate) fn next(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// There are no keys to verify with at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are no keys to verify with at the moment")]
pub struct KeysUnavailable {
    /// When to try again.
    pub retry_after: Duration,
}

impl From<KeysUnavailable> for Rejection {
    fn from(e: KeysUnavailable) -> Self {
        Self::Unavailable { retry_after: e.retry_after }
    }
}

/// A source of verification keys. Called for every request: an implementation answers from memory nearly always.
#[async_trait]
pub trait KeySource: Send + Sync {
    /// The number of the keys to verify with, where that is known without waiting, and nothing is to be fetched.
    fn generation(&self, now: Timestamp) -> Option<u64> {
        let _ = now;
        None
    }

    /// The keys to verify with.
    async fn keys(&self, now: Timestamp) -> Result<Arc<Keys>, KeysUnavailable>;

    /// Newer keys than `known`, in which no key fits a token; none if there are no newer ones. Anybody can send
    /// tokens that no key fits, so an implementation must not do work for each.
    async fn keys_after(
        &self,
        known: &Keys,
        now: Timestamp,
    ) -> Result<Option<Arc<Keys>>, KeysUnavailable>;
}

/// Keys that never change.
pub(crate) struct FixedKeys(Arc<Keys>);

impl FixedKeys {
    pub(crate) fn new(set: KeySet) -> Self {
        Self(Arc::new(Keys::new(set, 0)))
    }
}

#[async_trait]
impl KeySource for FixedKeys {
    fn generation(&self, _: Timestamp) -> Option<u64> {
        Some(self.0.generation())
    }

    async fn keys(&self, _: Timestamp) -> Result<Arc<Keys>, KeysUnavailable> {
        Ok(self.0.clone())
    }

    async fn keys_after(
        &self,
        _: &Keys,
        _: Timestamp,
    ) -> Result<Option<Arc<Keys>>, KeysUnavailable> {
        Ok(None)
    }
}
