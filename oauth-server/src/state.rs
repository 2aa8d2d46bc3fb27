//! Everything a handler needs, put together from the configuration.

use crate::{
    approval::ApprovedClients,
    audit::{AuditLog, ServerAudit},
    compat::toktok::TokenClaims,
    config::{Config, RegistrationMode, SessionCookie},
    folder,
    forms::Forms,
    mail::Mail,
    metrics::Metrics,
    migration,
    nmos::{self, hosted::Hosted},
    outgoing,
    passkeys::Passkeys,
    people::OwnClaims,
    policy,
    registrars::ServerRegistrars,
    registration,
    revocations::ServerRevocations,
    second_factor::SecondFactor,
    seed,
    session::Sessions,
    sign_in::ServerUsers,
    social::Social,
    throttle::Throttle,
};
use anyhow::Context as _;
use oauth_core::{
    grants::{Implicit, Password},
    jose::Sealer,
    model::Timestamp,
    password::Argon2Passwords,
    ports::{Clock, Passwords, Random, SystemClock, SystemRandom, Users},
    provider::{Builder, Provider},
    seaorm::{SeaStore, StoreOptions},
};
use std::{ops::Deref, sync::Arc};

/// The parts of a running server. Cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Parts>);

/// What an [`AppState`] holds.
pub struct Parts {
    /// The configuration.
    pub config: Config,
    /// The database: clients, users, grants, keys.
    pub store: SeaStore,
    /// The protocol.
    pub provider: Provider,
    /// People. Try passwords here and nowhere else: it counts attempts.
    pub users: Arc<dyn Users>,
    /// Hashes passwords, a bounded number at a time.
    pub passwords: Arc<dyn Passwords>,
    /// Browser sessions.
    pub sessions: Sessions,
    /// Letters.
    pub mail: Mail,
    /// Providers that people sign in through.
    pub social: Social,
    /// What is asked for after a first factor.
    pub second_factor: SecondFactor,
    /// Forms that arrive encrypted.
    pub forms: Forms,
    /// What people keep in place of a password.
    pub passkeys: Passkeys,
    /// Who may register clients.
    pub registrars: ServerRegistrars,
    /// Tokens that are dead before their time.
    pub revocations: ServerRevocations,
    /// Counters of attempts, for signing up.
    pub throttle: Throttle,
    /// Counters for the operator.
    pub metrics: Metrics,
    /// What was decided, for good.
    pub audit: AuditLog,
    /// Keys of other servers that are published here.
    pub hosted: Hosted,
}

impl Deref for AppState {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Where time and randomness come from.
#[derive(Clone)]
pub struct World {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
}

impl Default for World {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) }
    }
}

impl AppState {
    /// Opens the database, brings it up to date, makes signing keys if there are none, and writes what the
    /// configuration seeds.
    pub async fn start(config: Config, world: World) -> anyhow::Result<Self> {
        let state = Self::open(config, world).await?;
        migration::run(&state.store).await.context("the database cannot be brought up to date")?;
        crate::maintenance::maintain_keys(&state)
            .await
            .context("the signing keys cannot be made or opened; is keys.sealing_key the one they were sealed with?")?;
        seed::seed(&state)
            .await
            .context("the clients and users of the configuration cannot be written")?;
        Ok(state)
    }

    /// Opens the database as it is.
    pub async fn open(config: Config, world: World) -> anyhow::Result<Self> {
        folder::prepare(&config)?;
        let key = folder::sealing_key(&config, &*world.random)?;
        let passwords = passwords(&config);
        let store = connect(&config).await?.with_passwords(passwords.clone());
        let metrics = if config.metrics.enabled { Metrics::on() } else { Metrics::default() };
        let throttle =
            Throttle::new(store.clone(), Arc::clone(&world.clock), config.throttle.clone());
        let ports = || (Arc::clone(&world.clock), Arc::clone(&world.random));
        let users =
            ServerUsers::new(store.clone(), throttle.clone(), metrics.clone(), &config, ports());
        let registrars =
            ServerRegistrars::new(store.clone(), throttle.clone(), ports(), &config.registration);
        let revocations = ServerRevocations::new(store.clone(), &config)?;
        let sessions = sessions((&store, &revocations), &users, ports(), &config);
        let mail = Mail::new(store.clone(), ports(), &key, metrics.clone(), &config)?;
        let second_factor = second_factor((&store, &throttle), &key, ports(), &config);
        let passkeys = Passkeys::new(store.clone(), mail.clone(), ports(), &config);
        let own = ports();
        let audit = AuditLog::new(store.clone(), &key, ports(), config.audit.enabled);
        let hosted = Hosted::of(&config);
        let forms = Forms::new(store.clone(), Sealer::new(&key), ports(), &config.forms);
        let claims = own_claims(&config, &store, &key);
        let builder = Provider::builder(config.issuer())
            .store(store.clone())
            .clients(ApprovedClients::new(store.clone(), Arc::clone(&world.clock), &config))
            .hosted_keys(forms.published(hosted.clone()))
            .users(users.clone())
            .passwords(passwords.clone())
            .audit(ServerAudit::new(metrics.clone(), audit.clone()))
            .claims(nmos::ClientClaims::new(&config, store.clone(), claims))
            .sessions(sessions.clone())
            .sealing_key(&key)
            .clock(Shared(world.clock))
            .random(Shared(world.random));
        let provider = configured(builder, &config, &registrars)?.build()?;
        let fetch = Arc::clone(&provider.env().fetch);
        let social = Social::new(store.clone(), own, fetch, &key, &config);
        Ok(Self(Arc::new(Parts {
            provider,
            users: Arc::new(users),
            passwords: Arc::new(passwords),
            revocations,
            config,
            store,
            sessions,
            second_factor,
            forms,
            passkeys,
            mail,
            social,
            registrars,
            throttle,
            metrics,
            audit,
            hosted,
        })))
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.provider.env().clock.now()
    }
}

fn sessions(
    (store, revocations): (&SeaStore, &ServerRevocations),
    users: &ServerUsers,
    (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
    config: &Config,
) -> Sessions {
    let (store, revocations) = (store.clone(), revocations.clone());
    Sessions::new(store, revocations, Arc::new(users.clone()), (clock, random), config)
}

fn second_factor(
    (store, throttle): (&SeaStore, &Throttle),
    key: &[u8; 32],
    ports: (Arc<dyn Clock>, Arc<dyn Random>),
    config: &Config,
) -> SecondFactor {
    let (store, throttle, sealer) = (store.clone(), throttle.clone(), Sealer::new(key));
    SecondFactor::new(store, throttle, sealer, ports, config)
}

async fn connect(config: &Config) -> anyhow::Result<SeaStore> {
    let options = StoreOptions::default().max_connections(config.database.max_connections);
    SeaStore::connect_with(&config.database_url(), &options)
        .await
        .context("the database cannot be opened (database.url)")
}

/// What the server's own tokens say.
fn own_claims(config: &Config, store: &SeaStore, key: &[u8; 32]) -> TokenClaims<OwnClaims> {
    let claims = OwnClaims::new(store.clone());
    let claims = match config.bff.cookie {
        SessionCookie::Jwt => claims.for_cookies(Sealer::new(key)),
        SessionCookie::Opaque => claims,
    };
    TokenClaims::new(config, store.clone(), claims)
}

/// The provider as the configuration wants it.
fn configured(
    builder: Builder,
    config: &Config,
    registrars: &ServerRegistrars,
) -> anyhow::Result<Builder> {
    let mut builder = builder
        .fetch(outgoing::fetch(config).context("requests to clients cannot be made")?)
        .scopes(config.known_scopes().into_iter().map(|s| s.name))
        .screens("/login", "/consent")
        .logout_page()
        .account_screen("/select-account")
        .policy(policy::policy(config));
    if config.registration.mode != RegistrationMode::Closed {
        let rules = registration::rules_for_strangers(&policy::grants(config), config)?;
        builder = builder.registration(rules, registrars.clone());
    }
    if config.signup.open {
        builder = builder.sign_up_screen("/signup");
    }
    if config.grants.danger_implicit {
        builder = builder.grant(Implicit);
    }
    if config.grants.danger_password {
        builder = builder.grant(Password);
    }
    for resource in config.resources.iter().filter_map(|r| policy::resource(config, r)) {
        builder = builder.resource(resource);
    }
    Ok(builder)
}

fn passwords(config: &Config) -> Argon2Passwords {
    /// Waiting checks for each running one: about a second of waiting.
    const QUEUE: usize = 50;
    match config.passwords.concurrency.map(usize::from) {
        Some(running) => Argon2Passwords::new(running, running * QUEUE),
        None => Argon2Passwords::default(),
    }
}

/// A port that is shared.
struct Shared<T: ?Sized>(Arc<T>);

impl Clock for Shared<dyn Clock> {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

impl Random for Shared<dyn Random> {
    fn fill(&self, out: &mut [u8]) {
        self.0.fill(out);
    }
}
