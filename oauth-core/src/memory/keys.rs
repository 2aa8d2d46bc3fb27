//! Sealed signing keys.

use super::MemoryStore;
use crate::{
    error::PortError,
    model::{StoredKey, Timestamp},
    ports::KeyStore,
};
use async_trait::async_trait;

#[async_trait]
impl KeyStore for MemoryStore {
    async fn keys(&self) -> Result<Vec<StoredKey>, PortError> {
        let mut keys: Vec<_> = self.lock().keys.values().cloned().collect();
        keys.sort_by_key(|k| (k.alg, k.sequence));
        Ok(keys)
    }

    async fn insert_key(&self, key: StoredKey) -> Result<bool, PortError> {
        let keys = &mut self.lock().keys;
        let taken =
            |k: &StoredKey| k.kid == key.kid || (k.alg == key.alg && k.sequence == key.sequence);
        if keys.values().any(taken) {
            return Ok(false);
        }
        keys.insert(key.kid.clone(), key);
        Ok(true)
    }

    async fn retire_key(&self, kid: &str, at: Timestamp) -> Result<bool, PortError> {
        Ok(self.lock().keys.get_mut(kid).map(|k| k.retired_at.get_or_insert(at)).is_some())
    }

    async fn remove_key(&self, kid: &str) -> Result<(), PortError> {
        self.lock().keys.remove(kid);
        Ok(())
    }
}
