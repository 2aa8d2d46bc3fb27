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
use std::{sync::Arc, time::Duration};

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
