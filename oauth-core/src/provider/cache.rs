//! Client registrations remembered for a few seconds, so that a token request need not ask the store.
//! Nothing that must not happen rests on it: what is consumed or revoked always asks the store.

use crate::{
    error::PortError,
    model::{Client, ClientId, Timestamp, UserId},
    ports::{ClientStore, Clock},
};
use async_trait::async_trait;
use quick_cache::sync::Cache;
use std::{sync::Arc, time::Duration};

const CAPACITY: usize = 10_000;

pub(super) struct CachedClients {
    store: Arc<dyn ClientStore>,
    clock: Arc<dyn Clock>,
    ttl: Duration,
    known: Cache<ClientId, (Timestamp, Arc<Client>)>,
}

impl CachedClients {
    pub(super) fn new(store: Arc<dyn ClientStore>, clock: Arc<dyn Clock>, ttl: Duration) -> Self {
        Self { store, clock, ttl, known: Cache::new(CAPACITY) }
    }
}

#[async_trait]
impl ClientStore for CachedClients {
    async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, PortError> {
        let now = self.clock.now();
        if let Some((until, client)) = self.known.get(id)
            && until > now
        {
            return Ok(Some(client));
        }
        let client = self.store.client(id).await?;
        match &client {
            Some(client) => self.known.insert(id.clone(), (now.plus(self.ttl), Arc::clone(client))),
            None => drop(self.known.remove(id)),
        }
        Ok(client)
    }

    async fn clients_of(&self, owner: &UserId) -> Result<Vec<Client>, PortError> {
        self.store.clients_of(owner).await
    }

    async fn insert_client(&self, client: Client) -> Result<bool, PortError> {
        self.store.insert_client(client).await
    }

    async fn replace_client(&self, client: Client) -> Result<bool, PortError> {
        let id = client.id.clone();
        let replaced = self.store.replace_client(client).await;
        self.known.remove(&id);
        replaced
    }

    async fn remove_client(&self, id: &ClientId) -> Result<bool, PortError> {
        let removed = self.store.remove_client(id).await;
        self.known.remove(id);
        removed
    }
}
