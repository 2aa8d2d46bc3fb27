//! Secrets that end with the process.

use super::{Entry, Lease, Vault};
use crate::error::{Error, Result};
use async_trait::async_trait;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Secrets in memory: for tests, and for programs that sign in each time.
#[derive(Debug, Default)]
pub struct MemoryVault {
    values: Mutex<HashMap<Entry, Vec<u8>>>,
    locks: Mutex<HashMap<u32, Arc<tokio::sync::Mutex<()>>>>,
}

#[async_trait]
impl Vault for MemoryVault {
    fn name(&self) -> &'static str {
        "memory"
    }

    async fn load(&self, entry: Entry) -> Result<Option<Vec<u8>>> {
        Ok(self.values.lock().unwrap_or_else(PoisonError::into_inner).get(&entry).cloned())
    }

    async fn save(
        &self,
        entry: Entry,
        value: &[u8],
        _life: Duration,
        _lease: Option<&Lease>,
    ) -> Result<()> {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        values.insert(entry, value.to_vec());
        Ok(())
    }

    async fn remove(&self, entry: Entry) -> Result<()> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner).remove(&entry);
        Ok(())
    }

    async fn lock(&self, client: u32, patience: Duration) -> Result<Lease> {
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(locks.entry(client).or_default())
        };
        let held = tokio::time::timeout(patience, lock.lock_owned())
            .await
            .map_err(|_| Error::Store("another task renews these tokens for too long".into()))?;
        Ok(Lease { fence: None, held: Box::new(held) })
    }
}
