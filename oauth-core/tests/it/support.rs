//! One helper per kind, so that a change of the API touches this file and not a hundred tests.
//!
//! `World` is a provider over memory with a clock that stands still. `Ask` is a POST to an endpoint that issues or
//! refuses; `Walk` is an authorization request with the person's steps after it. Both go through the router.

mod ask;
mod reply;
mod walk;
mod watched;

use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request},
};
use oauth_core::{
    Provider,
    config::Policy,
    error::PortError,
    http::router,
    memory::MemoryStore,
    model::{
        AccessRight, Client, ClientAuth, HashedToken, Login, RedirectUri, SecretHash, SecretMethod,
        SigningAlgorithm, User, UserId,
    },
    ports::{Clock, Sessions},
    provider::Builder,
    testing::{ManualClock, SeededRandom, fixtures},
};
use std::time::Duration;
use tower::ServiceExt as _;

pub(crate) use ask::Ask;
pub(crate) use reply::{Answer, Reply};
pub(crate) use walk::Walk;
pub(crate) use watched::Watched;

pub(crate) const ISSUER: &str = "https://as.example";
pub(crate) const CALLBACK: &str = "https://client.example/cb";
/// The example of RFC 7636, Appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Of every client with a secret but `odd`.
pub(crate) const SECRET: &str = "secret";
/// Of the client `odd`, whose id is as odd.
pub(crate) const ODD_SECRET: &str = "s e:c+r%e/t é?";
pub(crate) const ODD_ID: &str = "odd one: +%é";
pub(crate) const USER: &str = "u";
pub(crate) const USERNAME: &str = "ada@people.example";
pub(crate) const PASSWORD: &str = "correct horse";
pub(crate) const SEALING_KEY: [u8; 32] = [7; 32];

/// The parts of a world, to be changed before it starts.
pub(crate) struct Setup {
    people: MemoryStore,
    clients: Vec<Client>,
    policy: Policy,
    issuer: &'static str,
    further: Vec<Box<dyn FnOnce(Builder) -> Builder>>,
}

/// A provider and what stands around it.
pub(crate) struct World {
    pub(crate) provider: Provider,
    pub(crate) store: Watched,
    pub(crate) clock: ManualClock,
    router: Router,
}

impl Setup {
    /// One signing algorithm, no cache of clients, seven clients, one user.
    pub(crate) fn new() -> Self {
        let user = User { id: UserId::new(USER), username: USERNAME.into() };
        let policy = Policy {
            algorithms: vec![SigningAlgorithm::ES256],
            client_cache_ttl: Duration::ZERO,
            ..Policy::default()
        };
        Self {
            people: MemoryStore::new().with_user(user, PASSWORD),
            clients: clients(),
            policy,
            issuer: ISSUER,
            further: Vec::new(),
        }
    }

    pub(crate) fn policy(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        change(&mut self.policy);
        self
    }

    /// Another client, or a known one otherwise.
    pub(crate) fn client(mut self, id: &str, change: impl FnOnce(&mut Client)) -> Self {
        let known = self.clients.iter().position(|c| c.id.as_str() == id);
        let mut client = match known {
            Some(at) => self.clients.remove(at),
            None => fixtures::client(id),
        };
        change(&mut client);
        self.clients.push(client);
        self
    }

    pub(crate) fn user(mut self, id: &str, name: &str, password: &str) -> Self {
        let user = User { id: UserId::new(id), username: name.into() };
        self.people = self.people.with_user(user, password);
        self
    }

    pub(crate) fn right(mut self, right: AccessRight) -> Self {
        self.people = self.people.with_right(right);
        self
    }

    pub(crate) fn issuer(mut self, issuer: &'static str) -> Self {
        self.issuer = issuer;
        self
    }

    pub(crate) fn builder(mut self, change: impl FnOnce(Builder) -> Builder + 'static) -> Self {
        self.further.push(Box::new(change));
        self
    }

    pub(crate) async fn start(self) -> World {
        let clock = ManualClock::default();
        let store = Watched::new(self.people, self.clients).await;
        let builder = Provider::builder(self.issuer.parse().unwrap())
            .store(store.clone())
            .clock(clock.clone())
            .random(SeededRandom::default())
            .sealing_key(&SEALING_KEY)
            .sessions(HeaderSessions(clock.clone()))
            .policy(self.policy);
        let builder = self.further.into_iter().fold(builder, |builder, change| change(builder));
        let provider = builder.build().unwrap();
        provider.maintain().await.unwrap();
        World { router: router(provider.clone()), provider, store, clock }
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Setup::new().start().await
    }

    pub(crate) fn after(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// A token request by this client, with its credentials.
    pub(crate) fn token(&self, client: &str, grant_type: &str) -> Ask<'_> {
        Ask::new(self, "/oauth/token").by(client).set("grant_type", grant_type)
    }

    /// The request that exchanges a code of a [`Walk`].
    pub(crate) fn redeem(&self, client: &str, code: &str) -> Ask<'_> {
        self.token(client, "authorization_code")
            .set("code", code)
            .set("redirect_uri", CALLBACK)
            .set("code_verifier", VERIFIER)
    }

    pub(crate) fn refresh(&self, client: &str, token: &str) -> Ask<'_> {
        self.token(client, "refresh_token").set("refresh_token", token)
    }

    pub(crate) fn revoke(&self, client: &str, token: &str) -> Ask<'_> {
        Ask::new(self, "/oauth/revoke").by(client).set("token", token)
    }

    pub(crate) fn introspection(&self, client: &str, token: &str) -> Ask<'_> {
        Ask::new(self, "/oauth/introspect").by(client).set("token", token)
    }

    /// What a resource server learns of the token; nothing but `active` when it is not.
    pub(crate) async fn introspect(&self, token: &str) -> serde_json::Value {
        self.introspection("rs", token).describes().await
    }

    pub(crate) async fn is_active(&self, token: &str) -> bool {
        self.introspect(token).await["active"] == true
    }

    /// An authorization request by this client.
    pub(crate) fn request(&self, client: &str) -> Walk<'_> {
        Walk::new(self, client)
    }

    /// The whole code flow.
    pub(crate) async fn tokens(&self, client: &str) -> oauth_core::issue::TokenResponse {
        let code = self.request(client).code().await;
        self.redeem(client, &code).issues().await
    }

    /// The whole code flow of a public client, at the redirect URI it has.
    pub(crate) async fn tokens_of_public(&self, client: &str) -> oauth_core::issue::TokenResponse {
        let code = self.request(client).code().await;
        let redirect_uri = self.request(client).get("redirect_uri");
        self.redeem(client, &code).set("redirect_uri", &redirect_uri).issues().await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: to_bytes(body, usize::MAX).await.unwrap().to_vec(),
        }
    }

    /// A sign-in of the user, now.
    pub(crate) fn login(&self, user: &str) -> Login {
        Login { user: UserId::new(user), at: self.clock.now(), amr: vec!["pwd".into()] }
    }
}

/// Runs an asynchronous test from within a property.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(future)
}

fn clients() -> Vec<Client> {
    let secret = |method, text| ClientAuth::Secret(method, SecretHash::Sha256(hash(text)));
    let uris = |uris: &[&str]| uris.iter().map(|u| RedirectUri::parse(u).unwrap()).collect();
    vec![
        fixtures::client("web"),
        fixtures::client("other"),
        Client { auth: secret(SecretMethod::Post, SECRET), ..fixtures::client("post") },
        Client { auth: secret(SecretMethod::Basic, ODD_SECRET), ..fixtures::client(ODD_ID) },
        fixtures::public_client("spa"),
        Client {
            redirect_uris: uris(&["http://127.0.0.1/cb", "com.example.app:/cb"]),
            ..fixtures::public_client("native")
        },
        Client {
            grant_types: std::collections::BTreeSet::default(),
            redirect_uris: Vec::new(),
            ..fixtures::client("rs")
        },
    ]
}

fn hash(text: &str) -> HashedToken {
    HashedToken::of(text)
}

/// Whoever the header `x-user` names is signed in since ten seconds ago.
struct HeaderSessions(ManualClock);

#[async_trait]
impl Sessions for HeaderSessions {
    async fn login(&self, headers: &HeaderMap) -> Result<Option<Login>, PortError> {
        let Some(user) = headers.get("x-user") else {
            return Ok(None);
        };
        Ok(Some(Login {
            user: UserId::new(user.to_str().map_err(PortError::new)?),
            at: self.0.now().minus(Duration::from_secs(10)),
            amr: vec!["pwd".into()],
        }))
    }
}
