//! Which client registered what.

use async_trait::async_trait;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// The owners cannot be read or written at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the owners of registrations cannot be read or written at the moment")]
pub struct OwnersUnavailable;

/// Remembers which client registered which resource. A registry that survives a restart brings one that does too. What
/// stands for a client is a text of the guard's, to be kept and given back as it is.
#[async_trait]
pub trait Owners: Send + Sync {
    /// Makes the client the owner unless there is one, in one step that two callers cannot both win; the owner then,
    /// and whether it became that by this call.
    async fn claim(
        &self,
        resource: &str,
        client: &str,
    ) -> Result<(String, bool), OwnersUnavailable>;

    /// The owner, if there is one.
    async fn owner(&self, resource: &str) -> Result<Option<String>, OwnersUnavailable>;

    /// Forgets the owner.
    async fn release(&self, resource: &str) -> Result<(), OwnersUnavailable>;
}

/// Owners in the memory of one process.
#[derive(Debug, Default)]
pub struct MemoryOwners(Mutex<HashMap<String, String>>);

/// More resources than a large facility has.
const MOST: usize = 1_000_000;

#[async_trait]
impl Owners for MemoryOwners {
    async fn claim(
        &self,
        resource: &str,
        client: &str,
    ) -> Result<(String, bool), OwnersUnavailable> {
        let mut owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(owner) = owners.get(resource) {
            return Ok((owner.clone(), false));
        }
        if owners.len() >= MOST {
            return Err(OwnersUnavailable);
        }
        owners.insert(resource.to_owned(), client.to_owned());
        Ok((client.to_owned(), true))
    }

    async fn owner(&self, resource: &str) -> Result<Option<String>, OwnersUnavailable> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(resource).cloned())
    }

    async fn release(&self, resource: &str) -> Result<(), OwnersUnavailable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(resource);
        Ok(())
    }
}
