//! Putting a provider together.

use super::{Inner, Provider, Screens, cache::CachedClients, registration::Registration};
use crate::{
    client_keys::ClientKeys,
    config::{Paths, Policy},
    endpoints::{Offers, metadata},
    env::Env,
    error::PortError,
    grants::{self, Grant, Grants},
    jose::Sealer,
    keys::KeyRing,
    model::{Client, Issuer, Login, Resource, Scope, UserId},
    ports::{
        Audit, Claims, ClientStore, Clock, Event, Fetch, FetchProblem, GrantStore, HostedKeys,
        KeyStore, Passwords, Random, Registrars, Sessions, SystemClock, SystemRandom, Users,
        Verdict,
    },
    registration::Rules,
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
    fetch: Option<Arc<dyn Fetch>>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    grants: Vec<Box<dyn Grant>>,
    resources: Vec<Resource>,
    scopes: Vec<String>,
    screens: Screens,
    paths: Paths,
    policy: Policy,
    registration: Option<Registration>,
    hosted: Option<Arc<dyn HostedKeys>>,
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
            fetch: None,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            grants: grants::standard(),
            resources: Vec::new(),
            scopes: Vec::new(),
            screens: Screens::default(),
            paths: Paths::default(),
            policy: Policy::default(),
            registration: None,
            hosted: None,
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

    /// The way out to what clients publish, and to where they want to be told of things; without it, nothing is
    /// fetched and nobody is told.
    pub fn fetch(self, fetch: impl Fetch + 'static) -> Self {
        Self { fetch: Some(Arc::new(fetch)), ..self }
    }

    /// The key that seals signing keys and client secrets in the store, and that pairwise subjects are made with: 256 random bits, the same in every process.
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
        let (login, consent) = (login.into(), consent.into());
        Self { screens: Screens { login, consent, ..self.screens }, ..self }
    }

    /// Where people make an account, for `prompt=create`; without it they are sent to sign in.
    pub fn sign_up_screen(self, path: &str) -> Self {
        Self { screens: Screens { sign_up: Some(path.into()), ..self.screens }, ..self }
    }

    /// Where people choose an account, for `prompt=select_account`; without it they are sent to sign in.
    pub fn account_screen(self, path: &str) -> Self {
        Self { screens: Screens { select_account: Some(path.into()), ..self.screens }, ..self }
    }

    /// Says that [`Paths::end_session`] is served with the help of [`Provider::end_session`], and that the browser of
    /// whoever is signed in has the cookie of [`browser_state`](crate::openid::browser_state). The metadata then tells of
    /// logout and session management ([RP-Initiated Logout 2.1](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#OPMetadata)).
    pub fn logout_page(self) -> Self {
        Self { screens: Screens { logout: true, ..self.screens }, ..self }
    }

    /// Lets clients register themselves by these rules where `registrars` admit them
    /// ([RFC 7591 3](https://www.rfc-editor.org/rfc/rfc7591#section-3)); without it, there is no such endpoint.
    pub fn registration(self, rules: Rules, registrars: impl Registrars + 'static) -> Self {
        let registrars = Arc::new(registrars);
        Self { registration: Some(Registration { rules, registrars }), ..self }
    }

    /// Keys of other servers, published beside the own ones.
    pub fn hosted_keys(self, keys: impl HostedKeys + 'static) -> Self {
        Self { hosted: Some(Arc::new(keys)), ..self }
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
        let ttl = self.policy.client_cache_ttl;
        let clients = Arc::new(CachedClients::new(clients, Arc::clone(&self.clock), ttl));
        let host =
            Url::parse(self.issuer.as_str()).ok().and_then(|u| u.host_str().map(str::to_owned));
        let names = host.map(|h| h.trim_matches(['[', ']']).to_owned()).into_iter().collect();
        let fetches = self.fetch.is_some();
        let fetch = self.fetch.unwrap_or_else(|| Arc::new(Nothing));
        let sealer = Arc::new(self.sealer.ok_or(Incomplete("sealing key"))?);
        let env = Env {
            keys: KeyRing::new(
                self.keys.ok_or(Incomplete("key store"))?,
                Arc::clone(&sealer),
                Arc::clone(&self.random),
                &self.policy,
                names,
            ),
            issuer: self.issuer,
            paths: self.paths,
            client_keys: ClientKeys::new(Arc::clone(&fetch)),
            fetch,
            sealer,
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
        let grants = Grants::new(self.grants, env.policy.openid);
        let offers = Offers {
            screens: &self.screens,
            scopes: &self.scopes,
            fetches,
            registration: self.registration.is_some(),
            logout: self.screens.logout,
        };
        let metadata = metadata(&env, &grants, &offers);
        Ok(Provider(Arc::new(Inner {
            env,
            grants,
            sessions: self.sessions,
            screens: self.screens,
            scopes: self.scopes,
            registration: self.registration,
            hosted: self.hosted,
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

#[async_trait]
impl Fetch for Nothing {
    async fn get(&self, _: &str, _: usize) -> Result<Vec<u8>, FetchProblem> {
        Err(FetchProblem::Address("this provider was built without a way out"))
    }
    async fn post_form(&self, _: &str, _: &str) -> Result<(), FetchProblem> {
        Err(FetchProblem::Address("this provider was built without a way out"))
    }
}

impl Audit for Nothing {
    fn record(&self, _: &Event<'_>) {}
}
