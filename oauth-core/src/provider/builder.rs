//! Putting a provider together.

use super::{Inner, Provider, Screens, cache::CachedClients};
use crate::{
    config::Policy,
    endpoints::{Paths, metadata},
    env::Env,
    error::PortError,
    grants::{self, Grant, Grants},
    jose::Sealer,
    keys::KeyRing,
    model::{Client, Issuer, Login, Resource, Scope, UserId},
    ports::{
        Audit, Claims, ClientStore, Clock, Event, GrantStore, KeyStore, Passwords, Random,
        Sessions, SystemClock, SystemRandom, Users, Verdict,
    },
};
use async_trait::async_trait;
use http::HeaderMap;
use serde_json::{Map, Value};
use std::sync::Arc;
use url::Url;

/// What a provider cannot be built without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the provider has no {0}")]
pub struct Incomplete(&'static str);

/// Collects the parts of a provider.
#[must_use]
pub struct Builder {
    issuer: Issuer,
    clients: Option<Arc<dyn ClientStore>>,
    grant_store: Option<Arc<dyn GrantStore>>,
    users: Option<Arc<dyn Users>>,
    keys: Option<Arc<dyn KeyStore>>,
    sealer: Option<Sealer>,
    claims: Arc<dyn Claims>,
    passwords: Arc<dyn Passwords>,
    audit: Arc<dyn Audit>,
    sessions: Arc<dyn Sessions>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    grants: Vec<Box<dyn Grant>>,
    resources: Vec<Resource>,
    scopes: Vec<String>,
    screens: Screens,
    paths: Paths,
    policy: Policy,
}

impl Provider {
    /// Starts a provider for this issuer ([RFC 8414 2](https://www.rfc-editor.org/rfc/rfc8414#section-2)).
    pub fn builder(issuer: Issuer) -> Builder {
        Builder {
            issuer,
            clients: None,
            grant_store: None,
            users: None,
            keys: None,
            sealer: None,
            claims: Arc::new(Nothing),
            passwords: Arc::new(Nothing),
            audit: Arc::new(Nothing),
            sessions: Arc::new(Nothing),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            grants: grants::standard(),
            resources: Vec::new(),
            scopes: Vec::new(),
            screens: Screens { login: "/login".into(), consent: "/consent".into() },
            paths: Paths::default(),
            policy: Policy::default(),
        }
    }
}

impl Builder {
    /// One store for clients, users, keys and everything issued. Single parts can be replaced afterwards.
    pub fn store<S>(self, store: S) -> Self
    where
        S: ClientStore + GrantStore + Users + KeyStore + 'static,
    {
        let store = Arc::new(store);
        Self {
            clients: Some(Arc::clone(&store) as Arc<dyn ClientStore>),
            grant_store: Some(Arc::clone(&store) as Arc<dyn GrantStore>),
            users: Some(Arc::clone(&store) as Arc<dyn Users>),
            keys: Some(store),
            ..self
        }
    }

    /// Clients kept elsewhere.
    pub fn clients(self, clients: impl ClientStore + 'static) -> Self {
        Self { clients: Some(Arc::new(clients)), ..self }
    }

    /// Users kept elsewhere.
    pub fn users(self, users: impl Users + 'static) -> Self {
        Self { users: Some(Arc::new(users)), ..self }
    }

    /// Further claims for access tokens.
    pub fn claims(self, claims: impl Claims + 'static) -> Self {
        Self { claims: Arc::new(claims), ..self }
    }

    /// Checks hand-chosen client secrets; without it they are refused.
    pub fn passwords(self, passwords: impl Passwords + 'static) -> Self {
        Self { passwords: Arc::new(passwords), ..self }
    }

    /// Hears of every decision.
    pub fn audit(self, audit: impl Audit + 'static) -> Self {
        Self { audit: Arc::new(audit), ..self }
    }

    /// Browser sessions, so that somebody who is signed in is not asked again.
    pub fn sessions(self, sessions: impl Sessions + 'static) -> Self {
        Self { sessions: Arc::new(sessions), ..self }
    }

    /// The key that seals signing keys in the store: 256 random bits, the same in every process.
    pub fn sealing_key(self, key: &[u8; 32]) -> Self {
        Self { sealer: Some(Sealer::new(key)), ..self }
    }

    /// Another clock, for tests.
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Other randomness, for tests.
    pub fn random(self, random: impl Random + 'static) -> Self {
        Self { random: Arc::new(random), ..self }
    }

    /// One more grant, or another one in the place of a standard grant.
    pub fn grant(mut self, grant: impl Grant + 'static) -> Self {
        self.grants.push(Box::new(grant));
        self
    }

    /// A protected resource tokens can be asked for by name.
    pub fn resource(mut self, resource: Resource) -> Self {
        self.resources.push(resource);
        self
    }

    /// Scopes to advertise in the metadata.
    pub fn scopes(self, scopes: impl IntoIterator<Item = String>) -> Self {
        Self { scopes: scopes.into_iter().collect(), ..self }
    }

    /// Where the sign-in and consent pages are, as paths or URLs.
    pub fn screens(self, login: &str, consent: &str) -> Self {
        Self { screens: Screens { login: login.into(), consent: consent.into() }, ..self }
    }

    /// Other paths for the endpoints.
    pub fn paths(self, paths: Paths) -> Self {
        Self { paths, ..self }
    }

    /// Other decisions than the defaults.
    pub fn policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// The provider, or what is missing. Call [`Provider::maintain`] before the first request: it makes the keys.
    pub fn build(self) -> Result<Provider, Incomplete> {
        let clients = self.clients.ok_or(Incomplete("client store"))?;
        let clients = match self.policy.client_cache_ttl {
            ttl if ttl.is_zero() => clients,
            ttl => Arc::new(CachedClients::new(clients, Arc::clone(&self.clock), ttl)),
        };
        let host =
            Url::parse(self.issuer.as_str()).ok().and_then(|u| u.host_str().map(str::to_owned));
        let names = host.map(|h| h.trim_matches(['[', ']']).to_owned()).into_iter().collect();
        let env = Env {
            keys: KeyRing::new(
                self.keys.ok_or(Incomplete("key store"))?,
                self.sealer.ok_or(Incomplete("sealing key"))?,
                Arc::clone(&self.random),
                &self.policy,
                names,
            ),
            issuer: self.issuer,
            clients,
            grants: self.grant_store.ok_or(Incomplete("grant store"))?,
            users: self.users.ok_or(Incomplete("user store"))?,
            claims: self.claims,
            passwords: self.passwords,
            audit: self.audit,
            clock: self.clock,
            random: self.random,
            resources: self.resources,
            policy: self.policy,
        };
        let grants = Grants::new(self.grants);
        let metadata = metadata(&env, &grants, &self.paths, &self.scopes);
        Ok(Provider(Arc::new(Inner {
            env,
            grants,
            paths: self.paths,
            sessions: self.sessions,
            screens: self.screens,
            scopes: self.scopes,
            metadata,
        })))
    }
}

/// Adds nothing, hears nothing, knows nobody, accepts nothing.
struct Nothing;

#[async_trait]
impl Claims for Nothing {
    async fn claims(
        &self,
        _: Option<&UserId>,
        _: &Client,
        _: &Scope,
    ) -> Result<Map<String, Value>, PortError> {
        Ok(Map::new())
    }
}

#[async_trait]
impl Passwords for Nothing {
    async fn hash(&self, _: &str) -> Result<String, PortError> {
        Err(PortError::new("this provider was built without a password hasher"))
    }
    async fn verify(&self, _: Option<&str>, _: &str) -> Result<Verdict, PortError> {
        Ok(Verdict::Wrong)
    }
}

#[async_trait]
impl Sessions for Nothing {
    async fn login(&self, _: &HeaderMap) -> Result<Option<Login>, PortError> {
        Ok(None)
    }
}

impl Audit for Nothing {
    fn record(&self, _: &Event<'_>) {}
}
