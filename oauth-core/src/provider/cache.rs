//! Client registrations remembered for a few seconds, so that a token request need not ask the store.
//! Nothing that must not happen rests on it: what is consumed or revoked always asks the store.
//!
//! It also knows the time, which stores do not, and so leaves out clients that have expired.

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
        let client = self.store.client(id).await?.filter(|client| lives(client, now));
        match &client {
            // What expires is not remembered for longer than it lives.
            Some(client) if !self.ttl.is_zero() => {
                let until = now.plus(self.ttl);
                let until = client.expires_at.map_or(until, |end| end.min(until));
                self.known.insert(id.clone(), (until, Arc::clone(client)));
            }
            _ => drop(self.known.remove(id)),
        }
        Ok(client)
    }

    async fn current_client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, PortError> {
        self.known.remove(id);
        let now = self.clock.now();
        Ok(self.store.current_client(id).await?.filter(|client| lives(client, now)))
    }

    async fn clients_of(&self, owner: &UserId) -> Result<Vec<Client>, PortError> {
        self.store.clients_of(owner).await
    }

    async fn insert_client(&self, client: Client) -> Result<bool, PortError> {
        self.store.insert_client(client).await
    }

    async fn insert_pending_client(&self, client: Client) -> Result<bool, PortError> {
        self.store.insert_pending_client(client).await
    }

    async fn replace_client(&self, client: Client) -> Result<bool, PortError> {
        let id = client.id.clone();
        let replaced = self.store.replace_client(client).await;
        self.known.remove(&id);
        replaced
    }

    async fn replace_unchanged_client(
        &self,
        client: Client,
        before: &Client,
    ) -> Result<bool, PortError> {
        let id = client.id.clone();
        let replaced = self.store.replace_unchanged_client(client, before).await;
        self.known.remove(&id);
        replaced
    }

    async fn replace_pending_client(
        &self,
        client: Client,
        before: &Client,
    ) -> Result<bool, PortError> {
        let id = client.id.clone();
        let replaced = self.store.replace_pending_client(client, before).await;
        self.known.remove(&id);
        replaced
    }

    async fn remove_client(&self, id: &ClientId) -> Result<bool, PortError> {
        let removed = self.store.remove_client(id).await;
        self.known.remove(id);
        removed
    }

    async fn keep_client(&self, id: &ClientId) -> Result<bool, PortError> {
        let kept = self.store.keep_client(id).await;
        self.known.remove(id);
        kept
    }
}

/// Whether the time of a client that is only here for a while is not over.
fn lives(client: &Client, now: Timestamp) -> bool {
    client.expires_at.is_none_or(|end| end > now)
}
