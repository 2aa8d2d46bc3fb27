//! The clients of a profile and their secrets: what everything else here starts from.

use crate::{
    client::OAuthClient,
    clock::{Clock, SystemClock},
    error::{Error, Result},
    flights::Flights,
    hooks::Hooks,
    model::{Client, Credentials, Record},
    registry::Registry,
    seal::{KeySource, Sealer},
    secret::Secret,
    vault::{Entry, FileVault, Kind, Lease, MemoryVault, Vault},
    wire::{HttpOptions, Wire},
};
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use zeroize::Zeroizing;

/// How long a vault that forgets keeps the credentials of a client nobody uses.
const CREDENTIALS_LIFE: Duration = Duration::from_hours(400 * 24);
/// How long it keeps tokens whose end the provider does not say.
const TOKENS_LIFE: Duration = Duration::from_hours(90 * 24);
/// Credentials kept for longer than this since they were read are written again, so that they do not end in use.
const MARGIN: i64 = 60;

/// Clients, their metadata and their secrets. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct TokenStore {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) registry: Registry,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) wire: Wire,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) flights: Flights,
    pub(crate) hooks: Hooks,
    pub(crate) redirect_url: Option<url::Url>,
    /// Answers that came and could not be written yet.
    unsaved: Mutex<HashMap<u32, Record>>,
}

/// Where a store keeps what.
#[derive(Debug)]
pub struct TokenStoreBuilder {
    profile: String,
    metadata: PathBuf,
    data: PathBuf,
    key: KeySource,
    backend: Backend,
    http: HttpOptions,
    clock: Arc<dyn Clock>,
    hooks: Hooks,
    redirect_url: Option<url::Url>,
}

#[derive(Debug)]
enum Backend {
    Custom(Arc<dyn Vault>),
    File,
    #[cfg(feature = "keyring")]
    Keyring,
    #[cfg(feature = "redis")]
    Redis {
        server: crate::redis_link::RedisServer,
        prefix: String,
    },
}

impl TokenStore {
    /// A store with its files below this folder, secrets in sealed files, and a key file beside them.
    pub fn builder(folder: impl Into<PathBuf>) -> TokenStoreBuilder {
        let folder = folder.into();
        TokenStoreBuilder {
            profile: "default".into(),
            metadata: folder.join("clients.json"),
            data: folder.join("secrets"),
            key: KeySource::File(folder.join("vault.key")),
            backend: Backend::File,
            http: HttpOptions::default(),
            clock: SystemClock::shared(),
            hooks: Hooks::default(),
            redirect_url: None,
        }
    }

    /// All clients, by service and name.
    pub async fn list(&self) -> Result<Vec<Client>> {
        Ok(self.inner.registry.load().await?.all().into_iter().cloned().collect())
    }

    /// The services, each with the number of its clients.
    pub async fn services(&self) -> Result<BTreeMap<String, usize>> {
        let mut services = BTreeMap::new();
        for client in self.list().await? {
            *services.entry(client.service).or_default() += 1;
        }
        Ok(services)
    }

    /// The client with this name or number.
    pub async fn find(&self, which: &str) -> Result<Client> {
        Ok(self.inner.registry.load().await?.find(which)?.clone())
    }

    /// The client with this name or number, to get tokens from.
    pub async fn client(&self, which: &str) -> Result<OAuthClient> {
        Ok(OAuthClient::new(self.clone(), &self.find(which).await?))
    }

    /// Adds a client with its credentials.
    pub async fn add(&self, client: Client, credentials: &Credentials) -> Result<Client> {
        let now = self.now();
        let added = self.inner.registry.change(move |clients| clients.add(client, now)).await?;
        if let Err(e) = self.save_credentials(added.id, credentials).await {
            // A client without its secret is of no use to anybody.
            let id = added.id;
            self.inner.registry.change(move |clients| clients.remove(id)).await?;
            return Err(e);
        }
        Ok(added)
    }

    /// Changes a client's metadata. Its number and the time it was added stay; what the issuer said is forgotten
    /// where the issuer changes.
    pub async fn edit(
        &self,
        id: u32,
        change: impl FnOnce(&mut Client) -> Result<()> + Send + 'static,
    ) -> Result<Client> {
        let now = self.now();
        self.inner
            .registry
            .change(move |clients| {
                let before = clients.get(id)?.clone();
                let mut client = before.clone();
                change(&mut client)?;
                client.id = id;
                client.added_at = before.added_at;
                if client.issuer != before.issuer {
                    client.discovered = None;
                }
                if client != before {
                    client.modified_at = now;
                }
                clients.put(client.clone())?;
                Ok(client)
            })
            .await
    }

    /// Removes a client, its credentials and its tokens from this machine. To take the tokens back at the provider
    /// as well, call [`OAuthClient::revoke`] first.
    pub async fn remove(&self, id: u32) -> Result<()> {
        let lease = self.lock(id).await?;
        let outcome = self.forget(id).await;
        self.inner.vault.unlock(id, lease).await;
        outcome
    }

    async fn forget(&self, id: u32) -> Result<()> {
        self.inner.vault.remove(Entry::tokens(id)).await?;
        self.inner.vault.remove(Entry::credentials(id)).await?;
        self.unsaved().remove(&id);
        self.inner.registry.change(move |clients| clients.remove(id)).await.map(drop)
    }

    /// What the client proves itself with.
    pub async fn credentials(&self, id: u32) -> Result<Credentials> {
        self.load(Entry::credentials(id)).await.map(Option::unwrap_or_default)
    }

    /// Stores what the client proves itself with.
    pub async fn save_credentials(&self, id: u32, credentials: &Credentials) -> Result<()> {
        let entry = Entry::credentials(id);
        if *credentials == Credentials::default() {
            return self.inner.vault.remove(entry).await;
        }
        self.write(entry, credentials, CREDENTIALS_LIFE, None).await
    }

    /// What is stored of the client's tokens.
    pub async fn record(&self, id: u32) -> Result<Record> {
        if let Some(unsaved) = self.unsaved().get(&id) {
            return Ok(unsaved.clone());
        }
        self.load(Entry::tokens(id)).await.map(Option::unwrap_or_default)
    }

    /// Puts a record of tokens in the place of what is stored, as when it is brought from elsewhere.
    pub async fn restore(&self, id: u32, record: &Record) -> Result<()> {
        let lease = self.lock(id).await?;
        let outcome = self.save_record(id, record, &lease).await;
        self.inner.vault.unlock(id, lease).await;
        outcome
    }

    /// The name of the place secrets are in.
    pub fn vault_name(&self) -> &'static str {
        self.inner.vault.name()
    }

    /// The metadata file.
    pub fn metadata_file(&self) -> &std::path::Path {
        self.inner.registry.path()
    }

    /// The redirect URI of clients that have none of their own, if one is configured.
    pub fn redirect_url(&self) -> Option<&url::Url> {
        self.inner.redirect_url.as_ref()
    }

    /// Now.
    pub fn now(&self) -> i64 {
        self.inner.clock.now()
    }

    pub(crate) async fn lock(&self, id: u32) -> Result<Lease> {
        // Whoever holds it makes two calls at most.
        let patience = self.inner.wire.timeout() * 2 + Duration::from_secs(10);
        self.inner.vault.lock(id, patience).await
    }

    /// Writes what is known of the tokens. Where that fails, this process keeps it and tries again at the next use.
    pub(crate) async fn save_record(&self, id: u32, record: &Record, lease: &Lease) -> Result<()> {
        const TRIES: u32 = 3;
        let life = life(record, self.now());
        let mut outcome = Ok(());
        for attempt in 1..=TRIES {
            outcome = self.write(Entry::tokens(id), record, life, Some(lease)).await;
            if outcome.is_ok() {
                self.unsaved().remove(&id);
                // Used is used: a vault that forgets keeps the credentials as long as the tokens are renewed.
                return self.prolong_credentials(id).await;
            }
            if attempt < TRIES {
                tokio::time::sleep(Duration::from_millis(50) * attempt).await;
            }
        }
        if lease.fence.is_none() {
            self.unsaved().insert(id, record.clone());
        }
        outcome
    }

    /// Whether something waits to be written.
    pub(crate) fn is_unsaved(&self, id: u32) -> bool {
        self.unsaved().contains_key(&id)
    }

    async fn prolong_credentials(&self, id: u32) -> Result<()> {
        if self.inner.vault.name() == "redis" {
            let credentials = self.credentials(id).await?;
            self.save_credentials(id, &credentials).await?;
        }
        Ok(())
    }

    async fn load<T: serde::de::DeserializeOwned>(&self, entry: Entry) -> Result<Option<T>> {
        let Some(bytes) = self.inner.vault.load(entry).await?.map(Zeroizing::new) else {
            return Ok(None);
        };
        let damaged = |_| Error::Store(format!("the stored value {entry} is damaged"));
        serde_json::from_slice(&bytes).map(Some).map_err(damaged)
    }

    async fn write<T: serde::Serialize>(
        &self,
        entry: Entry,
        value: &T,
        life: Duration,
        lease: Option<&Lease>,
    ) -> Result<()> {
        debug_assert!(matches!(entry.kind, Kind::Credentials | Kind::Tokens));
        let bytes = serde_json::to_vec(value)
            .map(Zeroizing::new)
            .map_err(|_| Error::Store(format!("the value {entry} cannot be written")))?;
        self.inner.vault.save(entry, &bytes, life, lease).await
    }

    fn unsaved(&self) -> std::sync::MutexGuard<'_, HashMap<u32, Record>> {
        self.inner.unsaved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a record is of use: as long as its refresh token, or its access token where there is none.
fn life(record: &Record, now: i64) -> Duration {
    let Some(tokens) = &record.tokens else { return TOKENS_LIFE };
    let end =
        if tokens.refresh_token.is_some() { tokens.refresh_expires_at } else { tokens.expires_at };
    end.map_or(TOKENS_LIFE, |at| {
        Duration::from_secs(
            at.saturating_sub(now).saturating_add(MARGIN).max(MARGIN).unsigned_abs(),
        )
    })
}

impl TokenStoreBuilder {
    /// The profile: a set of clients of its own, also in the keyring and in Redis.
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = name.into();
        self
    }

    /// The metadata file.
    pub fn metadata_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.metadata = path.into();
        self
    }

    /// The folder of sealed files and locks.
    pub fn data_folder(mut self, path: impl Into<PathBuf>) -> Self {
        self.data = path.into();
        self
    }

    /// The key that seals, of the file and the Redis backend.
    pub fn key(mut self, source: KeySource) -> Self {
        self.key = source;
        self
    }

    /// Secrets in sealed files. The default.
    pub fn file(mut self) -> Self {
        self.backend = Backend::File;
        self
    }

    /// Secrets in memory.
    pub fn memory(self) -> Self {
        self.vault(Arc::new(MemoryVault::default()))
    }

    /// Secrets in a place of your own.
    pub fn vault(mut self, vault: Arc<dyn Vault>) -> Self {
        self.backend = Backend::Custom(vault);
        self
    }

    /// Secrets in the keyring of the operating system.
    #[cfg(feature = "keyring")]
    pub fn keyring(mut self) -> Self {
        self.backend = Backend::Keyring;
        self
    }

    /// Secrets in Redis, under this prefix and the profile. With a `rediss://` address by TLS.
    #[cfg(feature = "redis")]
    pub fn redis(self, url: impl Into<String>, prefix: impl Into<String>) -> Self {
        self.redis_trusting(url, None, prefix)
    }

    /// The same, by TLS, with a Redis that these certificate authorities vouch for, and no others.
    #[cfg(feature = "redis")]
    pub fn redis_trusting(
        mut self,
        url: impl Into<String>,
        ca_file: Option<PathBuf>,
        prefix: impl Into<String>,
    ) -> Self {
        let server = crate::redis_link::RedisServer { url: Secret::new(url), ca_file };
        self.backend = Backend::Redis { server, prefix: prefix.into() };
        self
    }

    /// How calls are made.
    pub fn http(mut self, options: HttpOptions) -> Self {
        self.http = options;
        self
    }

    /// What tells the time.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What is told of logins, renewals and failures.
    pub fn hooks(mut self, hooks: Hooks) -> Self {
        self.hooks = hooks;
        self
    }

    /// The redirect URI of clients that have none of their own.
    pub fn redirect_url(mut self, url: Option<url::Url>) -> Self {
        self.redirect_url = url;
        self
    }

    /// Opens the store.
    pub async fn open(self) -> Result<TokenStore> {
        let vault: Arc<dyn Vault> = match self.backend {
            Backend::Custom(vault) => vault,
            Backend::File => Arc::new(FileVault::open(&self.data, self.key).await?),
            #[cfg(feature = "keyring")]
            Backend::Keyring => {
                Arc::new(crate::vault::KeyringVault::open(&self.profile, self.data).await?)
            }
            #[cfg(feature = "redis")]
            Backend::Redis { server, prefix } => {
                let (key, header) = (self.key, self.data.join("vault.json"));
                let sealer = crate::files::blocking(move || Sealer::open(&key, &header)).await?;
                let prefix = format!("{prefix}{}:", self.profile);
                Arc::new(crate::vault::RedisVault::open(&server, prefix, sealer).await?)
            }
        };
        Ok(TokenStore {
            inner: Arc::new(Inner {
                registry: Registry::new(self.metadata),
                vault,
                wire: Wire::new(&self.http)?,
                clock: self.clock,
                flights: Flights::default(),
                hooks: self.hooks,
                redirect_url: self.redirect_url,
                unsaved: Mutex::default(),
            }),
        })
    }
}
