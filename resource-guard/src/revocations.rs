//! Tokens that are dead before their time, although their signature is good.

use async_trait::async_trait;
use oauth_core::{error::PortError, model::Timestamp};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// What a session is listed under: everything issued in it is dead.
pub fn session_entry(sid: &str) -> String {
    format!("sid:{sid}")
}

/// A list of revoked tokens, by their `jti`, or by their `sid` as [`session_entry`] writes it. What is not on the list
/// is not revoked: losing a list that others can fill again revokes nobody.
#[async_trait]
pub trait Revocations: Send + Sync {
    /// Lists an id until then, which is when the token would die anyway. Listing it twice keeps the later time.
    async fn revoke(&self, id: &str, until: Timestamp) -> Result<(), PortError>;

    /// Whether any of these ids is listed.
    ///
    /// # Errors
    /// When nobody can say. The guard then refuses with 503, unless it was told to let such tokens pass.
    async fn is_any_revoked(&self, ids: &[&str], now: Timestamp) -> Result<bool, PortError>;
}

/// A list in memory: for tests, and for a single process whose tokens live shorter than it.
#[derive(Debug, Default)]
pub struct MemoryRevocations(Mutex<HashMap<String, Timestamp>>);

impl MemoryRevocations {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets what has died by itself; returns how many.
    pub fn sweep(&self, now: Timestamp) -> usize {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = list.len();
        list.retain(|_, until| *until > now);
        before - list.len()
    }
}

#[async_trait]
impl Revocations for MemoryRevocations {
    async fn revoke(&self, id: &str, until: Timestamp) -> Result<(), PortError> {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = list.entry(id.to_owned()).or_insert(until);
        *known = (*known).max(until);
        Ok(())
    }

    async fn is_any_revoked(&self, ids: &[&str], now: Timestamp) -> Result<bool, PortError> {
        let list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(ids.iter().any(|id| list.get(*id).is_some_and(|until| *until > now)))
    }
}

#[async_trait]
impl<R: Revocations + ?Sized> Revocations for Arc<R> {
    async fn revoke(&self, id: &str, until: Timestamp) -> Result<(), PortError> {
        (**self).revoke(id, until).await
    }

    async fn is_any_revoked(&self, ids: &[&str], now: Timestamp) -> Result<bool, PortError> {
        (**self).is_any_revoked(ids, now).await
    }
}

/// What happens to tokens while the list does not answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum WhileSilent {
    /// They are refused with 503.
    #[default]
    Refuse,
    /// They pass.
    Pass,
}

/// The list that a guard asks.
#[derive(Clone)]
pub(crate) struct Listed {
    pub(crate) list: Arc<dyn Revocations>,
    pub(crate) while_silent: WhileSilent,
    pub(crate) timeout: Duration,
}

impl Listed {
    /// Whether one of these ids is listed; `None` when nobody can say and that matters.
    pub(crate) async fn has(&self, ids: &[&str], now: Timestamp) -> Option<bool> {
        let asked = tokio::time::timeout(self.timeout, self.list.is_any_revoked(ids, now)).await;
        let why = match asked {
            Ok(Ok(revoked)) => return Some(revoked),
            Ok(Err(_)) => "it failed",
            Err(_) => "it took too long",
        };
        match self.while_silent {
            WhileSilent::Refuse => {
                tracing::error!(
                    why,
                    "the list of revoked tokens gives no answer; requests are refused"
                );
                None
            }
            WhileSilent::Pass => {
                tracing::error!(
                    why,
                    "the list of revoked tokens gives no answer; requests pass unchecked"
                );
                Some(false)
            }
        }
    }
}
