//! A store that counts what is written and can be made to fail.

use async_trait::async_trait;
use oauth_core::{
    error::PortError,
    memory::MemoryStore,
    model::{
        AccessRight, AuthCode, Authorization, AuthorizationId, Client, ClientId, Committed,
        Consent, Epoch, HashedToken, Issuance, LogoutNotice, Participant, PendingAuthorization,
        StoredKey, Timestamp, Token, User, UserId,
    },
    ports::{ClientStore, GrantStore, KeyStore, SignIn, Users},
    testing::LawfulStore,
};
use serde_json::{Map, Value};
use std::{
    any::Any,
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// A store that counts writes, forgets users and clients on demand, and fails with a given text on demand.
///
/// People are always in memory. The rest is too, unless `TEST_STORE` says `sqlite` or `postgres`.
#[derive(Clone)]
pub(crate) struct Watched {
    inner: Arc<dyn LawfulStore>,
    people: MemoryStore,
    writes: Arc<AtomicUsize>,
    broken: Arc<Mutex<Option<String>>>,
    read_only: Arc<Mutex<Option<String>>>,
    gone: Arc<Mutex<BTreeSet<String>>>,
    /// What must live as long as the store.
    _kept: Arc<dyn Any + Send + Sync>,
}

type Kept = Arc<dyn Any + Send + Sync>;

async fn chosen() -> (Arc<dyn LawfulStore>, Kept) {
    match std::env::var("TEST_STORE").as_deref() {
        #[cfg(feature = "seaorm")]
        Ok("sqlite") => {
            let database = oauth_core::testing::TestDatabase::sqlite().await;
            (Arc::new(database.store()), Arc::new(database))
        }
        #[cfg(feature = "seaorm")]
        Ok("postgres") => {
            let database = oauth_core::testing::TestDatabase::postgres().await;
            (Arc::new(database.store()), Arc::new(database))
        }
        Ok("memory") | Err(_) => (Arc::new(MemoryStore::new()), Arc::new(())),
        Ok(other) => unreachable!("TEST_STORE is {other}"),
    }
}

impl Watched {
    pub(crate) async fn new(people: MemoryStore, clients: Vec<Client>) -> Self {
        let (inner, kept) = chosen().await;
        for client in clients {
            let id = client.id.clone();
            assert!(inner.insert_client(client).await.unwrap(), "{id} is there twice");
        }
        Self {
            inner,
            people,
            writes: Arc::default(),
            broken: Arc::default(),
            read_only: Arc::default(),
            gone: Arc::default(),
            _kept: kept,
        }
    }

    /// How many writes there have been.
    pub(crate) fn writes(&self) -> usize {
        self.writes.load(Ordering::SeqCst)
    }

    /// From now on every call fails with this text; `None` heals.
    pub(crate) fn fail(&self, text: Option<&str>) {
        *self.broken.lock().unwrap() = text.map(str::to_owned);
    }

    /// From now on every write fails with this text; `None` heals.
    pub(crate) fn fail_writes(&self, text: Option<&str>) {
        *self.read_only.lock().unwrap() = text.map(str::to_owned);
    }

    /// The user or client with this id is gone, without anybody having told this store.
    pub(crate) fn forget(&self, id: &str) {
        self.gone.lock().unwrap().insert(id.into());
    }

    fn is_gone(&self, id: &str) -> bool {
        self.gone.lock().unwrap().contains(id)
    }

    pub(crate) fn set_right(&self, right: AccessRight) {
        drop(self.people.clone().with_right(right));
    }

    fn read(&self) -> Result<&dyn LawfulStore, PortError> {
        match &*self.broken.lock().unwrap() {
            Some(text) => Err(PortError::new(text.clone())),
            None => Ok(&*self.inner),
        }
    }

    fn write(&self) -> Result<&dyn LawfulStore, PortError> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        match &*self.read_only.lock().unwrap() {
            Some(text) => Err(PortError::new(text.clone())),
            None => self.read(),
        }
    }
}

#[async_trait]
impl ClientStore for Watched {
    async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, PortError> {
        if self.is_gone(id.as_str()) {
            return Ok(None);
        }
        self.read()?.client(id).await
    }
    async fn clients_of(&self, owner: &UserId) -> Result<Vec<Client>, PortError> {
        self.read()?.clients_of(owner).await
    }
    async fn insert_client(&self, client: Client) -> Result<bool, PortError> {
        self.write()?.insert_client(client).await
    }
    async fn replace_client(&self, client: Client) -> Result<bool, PortError> {
        self.write()?.replace_client(client).await
    }
    async fn replace_unchanged_client(
        &self,
        client: Client,
        before: &Client,
    ) -> Result<bool, PortError> {
        self.write()?.replace_unchanged_client(client, before).await
    }
    async fn remove_client(&self, id: &ClientId) -> Result<bool, PortError> {
        self.write()?.remove_client(id).await
    }
    async fn keep_client(&self, id: &ClientId) -> Result<bool, PortError> {
        self.write()?.keep_client(id).await
    }
}

#[async_trait]
impl GrantStore for Watched {
    async fn code(&self, hash: &HashedToken) -> Result<Option<AuthCode>, PortError> {
        let found = self.read()?.code(hash).await;
        tokio::task::yield_now().await;
        found
    }
    async fn token(&self, hash: &HashedToken) -> Result<Option<Token>, PortError> {
        let found = self.read()?.token(hash).await;
        tokio::task::yield_now().await;
        found
    }
    async fn suspend(
        &self,
        interaction: HashedToken,
        pending: PendingAuthorization,
    ) -> Result<(), PortError> {
        self.write()?.suspend(interaction, pending).await
    }
    async fn pending(
        &self,
        interaction: &HashedToken,
    ) -> Result<Option<PendingAuthorization>, PortError> {
        let found = self.read()?.pending(interaction).await;
        // Whoever else is at it gets a turn between the reading and the writing.
        tokio::task::yield_now().await;
        found
    }
    async fn commit(&self, issuance: Issuance) -> Result<Committed, PortError> {
        self.write()?.commit(issuance).await
    }
    async fn revoke(&self, id: AuthorizationId, at: Timestamp) -> Result<(), PortError> {
        self.write()?.revoke(id, at).await
    }
    async fn revoke_token(&self, hash: &HashedToken, at: Timestamp) -> Result<(), PortError> {
        self.write()?.revoke_token(hash, at).await
    }
    async fn epoch(&self) -> Result<Epoch, PortError> {
        self.read()?.epoch().await
    }
    async fn revoke_user(
        &self,
        user: &UserId,
        client: Option<&ClientId>,
        at: Timestamp,
    ) -> Result<(), PortError> {
        self.write()?.revoke_user(user, client, at).await
    }
    async fn authorizations(
        &self,
        user: &UserId,
        now: Timestamp,
    ) -> Result<Vec<Authorization>, PortError> {
        self.read()?.authorizations(user, now).await
    }
    async fn consent(
        &self,
        user: &UserId,
        client: &ClientId,
    ) -> Result<Option<Consent>, PortError> {
        self.read()?.consent(user, client).await
    }
    async fn consents(&self, user: &UserId) -> Result<Vec<Consent>, PortError> {
        self.read()?.consents(user).await
    }
    async fn see(
        &self,
        kind: &str,
        key: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, PortError> {
        self.write()?.see(kind, key, until, now).await
    }
    async fn seen(&self, kind: &str, key: &str, now: Timestamp) -> Result<bool, PortError> {
        self.read()?.seen(kind, key, now).await
    }
    async fn end_session(&self, sid: &str, at: Timestamp) -> Result<Vec<Participant>, PortError> {
        self.write()?.end_session(sid, at).await
    }
    async fn due_logouts(
        &self,
        now: Timestamp,
        lease: Timestamp,
        limit: u64,
    ) -> Result<Vec<LogoutNotice>, PortError> {
        self.write()?.due_logouts(now, lease, limit).await
    }
    async fn settle_logout(
        &self,
        id: uuid::Uuid,
        retry_at: Option<Timestamp>,
    ) -> Result<(), PortError> {
        self.write()?.settle_logout(id, retry_at).await
    }
    async fn sweep(&self, now: Timestamp, limit: u64) -> Result<u64, PortError> {
        self.write()?.sweep(now, limit).await
    }
}

#[async_trait]
impl Users for Watched {
    async fn user(&self, id: &UserId) -> Result<Option<User>, PortError> {
        if self.is_gone(id.as_str()) {
            return Ok(None);
        }
        self.read()?;
        self.people.user(id).await
    }
    async fn sign_in(&self, name: &str, password: &str) -> Result<SignIn, PortError> {
        self.read()?;
        self.people.sign_in(name, password).await
    }
    async fn profile(&self, id: &UserId) -> Result<Map<String, Value>, PortError> {
        self.read()?;
        self.people.profile(id).await
    }
    async fn rights(&self, id: &UserId) -> Result<Vec<AccessRight>, PortError> {
        self.read()?;
        self.people.rights(id).await
    }
}

#[async_trait]
impl KeyStore for Watched {
    async fn keys(&self) -> Result<Vec<StoredKey>, PortError> {
        self.read()?.keys().await
    }
    async fn insert_key(&self, key: StoredKey) -> Result<bool, PortError> {
        self.write()?.insert_key(key).await
    }
    async fn retire_key(&self, kid: &str, at: Timestamp) -> Result<bool, PortError> {
        self.write()?.retire_key(kid, at).await
    }
    async fn remove_key(&self, kid: &str) -> Result<(), PortError> {
        self.write()?.remove_key(kid).await
    }
}
