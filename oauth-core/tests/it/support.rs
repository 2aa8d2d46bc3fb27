//! One helper per kind, so that a change of the API touches this file and not a hundred tests.
//!
//! `World` is a provider over memory with a clock that stands still. `Ask` is a POST to an endpoint that issues or
//! refuses; `Walk` is an authorization request with the person's steps after it. Both go through the router.

mod ask;
mod browser_session;
mod html;
mod id_token;
pub(crate) mod jwt;
mod published;
pub(crate) mod registering;
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
    grants::Implicit,
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
use serde_json::{Value, json};
use std::time::Duration;
use tower::ServiceExt as _;

pub(crate) use ask::Ask;
pub(crate) use browser_session::opened;
pub(crate) use html::Html;
pub(crate) use id_token::{IdToken, half_hash};
pub(crate) use published::Published;
pub(crate) use reply::{Answer, Reply};
pub(crate) use walk::{Step, Walk};
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
/// Of every [`World::sign_in`].
pub(crate) const NONCE: &str = "n-0S6_WzA2Mj";
/// Every response type, its words in sorted order.
pub(crate) const RESPONSE_TYPES: [&str; 8] = [
    "code",
    "code id_token",
    "code id_token token",
    "code token",
    "id_token",
    "id_token token",
    "none",
    "token",
];
/// Of assertions that are JWTs: RFC 7523 2.2.
pub(crate) const CLIENT_ASSERTION_TYPE: &str =
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
pub(crate) const SEALING_KEY: [u8; 32] = [7; 32];

/// The parts of a world, to be changed before it starts.
pub(crate) struct Setup {
    people: MemoryStore,
    clients: Vec<Client>,
    policy: Policy,
    issuer: &'static str,
    with_sid: bool,
    further: Vec<Box<dyn FnOnce(Builder) -> Builder>>,
}

/// A provider and what stands around it.
pub(crate) struct World {
    pub(crate) provider: Provider,
    pub(crate) store: Watched,
    pub(crate) clock: ManualClock,
    with_sid: bool,
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
            with_sid: false,
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

    /// A world of OpenID Connect: two clients that may ask for everything in every way, a user with every standard
    /// claim, and browser sessions that have identifiers.
    pub(crate) fn openid() -> Self {
        let everything = |c: &mut Client| {
            let grants = ["authorization_code", "implicit", "refresh_token"];
            c.grant_types = grants.map(str::to_owned).into();
            c.response_types = RESPONSE_TYPES.map(str::to_owned).into();
            c.scope = fixtures::scope("openid profile email address phone offline_access a b");
        };
        Self { with_sid: true, ..Self::new() }
            .client("rp", everything)
            .client("rp2", everything)
            .profile(USER, &profile())
            .policy(|p| p.acr_values = vec![fixtures::ACR.into()])
            .builder(|b| b.grant(Implicit))
    }

    pub(crate) fn profile(mut self, user: &str, claims: &Value) -> Self {
        let claims = claims.as_object().unwrap().clone();
        self.people = self.people.with_profile(&UserId::new(user), claims);
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
            .sessions(HeaderSessions { clock: clock.clone(), with_sid: self.with_sid })
            .policy(self.policy);
        let builder = self.further.into_iter().fold(builder, |builder, change| change(builder));
        let provider = builder.build().unwrap();
        provider.maintain().await.unwrap();
        World { router: router(provider.clone()), provider, store, clock, with_sid: self.with_sid }
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
    pub(crate) async fn introspect(&self, token: &str) -> Value {
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
        Login { at: self.clock.now(), ..sign_in_of(user, self.with_sid) }
    }

    /// An authorization request that asks this client's user to sign in, and for nothing else.
    pub(crate) fn sign_in(&self, client: &str) -> Walk<'_> {
        self.request(client).set("scope", "openid").set("nonce", NONCE)
    }

    /// The whole code flow of OpenID Connect.
    pub(crate) async fn openid_tokens(
        &self,
        client: &str,
        scope: &str,
    ) -> oauth_core::issue::TokenResponse {
        let code = self.sign_in(client).set("scope", scope).code().await;
        self.redeem(client, &code).issues().await
    }

    /// What the token lets a client know of the user.
    pub(crate) async fn userinfo(&self, token: &str) -> Value {
        let request = Request::get("/oauth/userinfo");
        let request = request.header("authorization", format!("Bearer {token}"));
        let reply = self.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
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

/// The browser session of this user.
pub(crate) fn sid_of(user: &str) -> String {
    format!("session of {user}")
}

/// Every standard claim (OpenID Connect Core 5.1).
pub(crate) fn profile() -> Value {
    json!({
        "name": "Ada Lovelace",
        "family_name": "Lovelace",
        "given_name": "Ada",
        "middle_name": "King",
        "nickname": "Countess",
        "preferred_username": "ada",
        "profile": "https://people.example/ada",
        "picture": "https://people.example/ada.png",
        "website": "https://ada.example",
        "gender": "female",
        "birthdate": "1815-12-10",
        "zoneinfo": "Europe/London",
        "locale": "en-GB",
        "updated_at": 1_700_000_000,
        "email": USERNAME,
        "email_verified": true,
        "address": {"formatted": "12 St James's Square\nLondon", "country": "GB"},
        "phone_number": "+44 20 7946 0000",
        "phone_number_verified": false,
    })
}

fn hash(text: &str) -> HashedToken {
    HashedToken::of(text)
}

/// Whoever the header `x-user` names is signed in since ten seconds ago.
struct HeaderSessions {
    clock: ManualClock,
    with_sid: bool,
}

fn sign_in_of(user: &str, with_sid: bool) -> Login {
    if with_sid { fixtures::session_login(user, &sid_of(user)) } else { fixtures::login(user) }
}

#[async_trait]
impl Sessions for HeaderSessions {
    async fn login(&self, headers: &HeaderMap) -> Result<Option<Login>, PortError> {
        let Some(user) = headers.get("x-user") else {
            return Ok(None);
        };
        Ok(Some(Login {
            at: self.clock.now().minus(Duration::from_secs(10)),
            ..sign_in_of(user.to_str().map_err(PortError::new)?, self.with_sid)
        }))
    }
}
