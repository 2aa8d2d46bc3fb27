//! A provider that says what a test wants, over a real port.

use crate::support::{Server, TestClock, start_in};
use axum::{
    Router,
    body::Body,
    extract::State,
    response::Response,
    routing::{get, post},
};
use oauth_core::{
    jose::{Signer, generate},
    model::SigningAlgorithm,
    ports::SystemRandom,
};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{net::TcpListener, task::JoinHandle};

/// The client that the server is at the provider.
pub const CLIENT: &str = "down";
/// Its secret.
pub const SECRET: &str = "mV7xQ2nR9pT4wZ8kB3cY6dL1hJ5sGfAe";

/// What an endpoint answers.
#[derive(Clone, Debug)]
pub enum Says {
    /// This, with status 200.
    Json(Value),
    /// This, whatever it is.
    Text(&'static str),
    /// This status and nothing else.
    Status(u16),
    /// A redirect.
    Redirect,
    /// Ten megabytes.
    Flood,
    /// Nothing, ever.
    Hang,
}

/// A request as it arrived.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub authorization: String,
    pub form: HashMap<String, String>,
}

struct Mouth {
    issuer: String,
    metadata: Mutex<Option<Says>>,
    keys: Mutex<Value>,
    keys_read: AtomicUsize,
    codes: Mutex<HashMap<String, Says>>,
    userinfo: Mutex<Says>,
    asked: Mutex<Vec<Asked>>,
}

/// The provider. It stops when dropped.
pub struct Liar {
    pub issuer: String,
    pub signer: Signer,
    mouth: Arc<Mouth>,
    task: JoinHandle<()>,
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A new key.
pub fn key() -> Signer {
    generate(SigningAlgorithm::ES256, &SystemRandom).unwrap().signer
}

impl Liar {
    /// Opens on a free port. It tells the truth until told otherwise.
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let signer = key();
        let mouth = Arc::new(Mouth {
            issuer: issuer.clone(),
            metadata: Mutex::default(),
            keys: Mutex::new(json!({ "keys": [signer.public_jwk()] })),
            keys_read: AtomicUsize::new(0),
            codes: Mutex::default(),
            userinfo: Mutex::new(Says::Status(404)),
            asked: Mutex::default(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .with_state(Arc::clone(&mouth));
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.ok();
        });
        Self { issuer, signer, mouth, task }
    }

    /// What its metadata is from now on.
    pub fn metadata(&self, says: Says) {
        *self.mouth.metadata.lock().unwrap() = Some(says);
    }

    /// The metadata it has by itself.
    pub fn true_metadata(&self) -> Value {
        self.mouth.document()
    }

    /// Publishes these keys.
    pub fn publish(&self, signers: &[&Signer]) {
        let keys: Vec<_> = signers.iter().map(|s| s.public_jwk()).collect();
        *self.mouth.keys.lock().unwrap() = json!({ "keys": keys });
    }

    /// How often its keys were read.
    pub fn keys_read(&self) -> usize {
        self.mouth.keys_read.load(Ordering::SeqCst)
    }

    /// What a code is answered with.
    pub fn code(&self, code: &str, says: Says) {
        self.mouth.codes.lock().unwrap().insert(code.to_owned(), says);
    }

    /// What it answers to an access token.
    pub fn userinfo(&self, says: Says) {
        *self.mouth.userinfo.lock().unwrap() = says;
    }

    /// The requests of a client so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.mouth.asked.lock().unwrap().clone()
    }

    /// Honest claims for a sign-in.
    pub fn claims(&self, server: &Server, nonce: &str, subject: &str) -> Value {
        let now = oauth_core::ports::Clock::now(&*server.clock).unix();
        json!({
            "iss": self.issuer, "sub": subject, "aud": CLIENT, "nonce": nonce, "iat": now, "exp": now + 300, "auth_time": now,
            "name": "Ada Lovelace", "preferred_username": "ada", "email": "ada@example.org", "email_verified": true,
        })
    }

    /// An honest answer with these claims.
    pub fn tokens(&self, claims: &Value) -> Says {
        let token = self.signer.sign("JWT", claims).unwrap();
        Self::answer(&token)
    }

    /// An answer with this id token.
    pub fn answer(id_token: &str) -> Says {
        Says::Json(json!({
            "access_token": "upstream-access-hush", "token_type": "Bearer", "expires_in": 60,
            "refresh_token": "upstream-refresh-hush", "id_token": id_token,
        }))
    }

    /// The entry of the configuration for it.
    pub fn entry(&self, id: &str, more: &str) -> String {
        format!(
            "[[upstream]]\nid = \"{id}\"\ntitle = \"The Liar\"\nissuer = \"{}\"\nclient_id = \"{CLIENT}\"\n\
             client_secret = \"{SECRET}\"\n{more}\n",
            self.issuer
        )
    }

    /// A server that people may sign in to through it.
    pub async fn server(&self, more: &str) -> Server {
        let toml = format!("{OUTGOING}{}", self.entry("liar", more));
        start_in(&toml, tempfile::tempdir().unwrap(), TestClock::new()).await
    }

    /// The same, for a provider that says nothing: a server that does not wait for long.
    pub async fn hasty_server(&self) -> Server {
        let outgoing = OUTGOING.replace("timeout = 25", "timeout = 3");
        let toml = format!("{outgoing}{}", self.entry("liar", ""));
        start_in(&toml, tempfile::tempdir().unwrap(), TestClock::new()).await
    }
}

/// The section that lets a server go to providers on this machine, and wait for them.
pub const OUTGOING: &str =
    "[outgoing]\nallowed_networks = [\"127.0.0.0/8\"]\ndanger_plain_http = true\ntimeout = 25\n";

impl Mouth {
    fn document(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer);
        json!({
            "issuer": self.issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
            "userinfo_endpoint": at("/userinfo"), "jwks_uri": at("/keys"),
            "authorization_response_iss_parameter_supported": true,
        })
    }
}

async fn say(says: Says) -> Response {
    let respond = |status: u16, body: Body| Response::builder().status(status).body(body).unwrap();
    match says {
        Says::Json(value) => respond(200, Body::from(value.to_string())),
        Says::Text(text) => respond(200, Body::from(text)),
        Says::Status(status) => respond(status, Body::empty()),
        Says::Redirect => {
            let mut response = respond(302, Body::empty());
            response.headers_mut().insert("location", "http://127.0.0.1:1/".parse().unwrap());
            response
        }
        Says::Flood => respond(200, Body::from(vec![b' '; 10 * 1024 * 1024])),
        Says::Hang => std::future::pending().await,
    }
}

async fn metadata(State(mouth): State<Arc<Mouth>>) -> Response {
    let says = mouth.metadata.lock().unwrap().clone();
    say(says.unwrap_or_else(|| Says::Json(mouth.document()))).await
}

async fn keys(State(mouth): State<Arc<Mouth>>) -> Response {
    mouth.keys_read.fetch_add(1, Ordering::SeqCst);
    let keys = mouth.keys.lock().unwrap().clone();
    say(Says::Json(keys)).await
}

async fn token(
    State(mouth): State<Arc<Mouth>>,
    headers: http::HeaderMap,
    body: String,
) -> Response {
    let form: HashMap<String, String> =
        form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let says = mouth.codes.lock().unwrap().get(&form["code"]).cloned();
    note(&mouth, &headers, form);
    say(says.unwrap_or(Says::Status(400))).await
}

async fn userinfo(State(mouth): State<Arc<Mouth>>, headers: http::HeaderMap) -> Response {
    note(&mouth, &headers, HashMap::new());
    let says = mouth.userinfo.lock().unwrap().clone();
    say(says).await
}

fn note(mouth: &Mouth, headers: &http::HeaderMap, form: HashMap<String, String>) {
    let authorization = headers.get("authorization").map_or("", |v| v.to_str().unwrap()).to_owned();
    mouth.asked.lock().unwrap().push(Asked { authorization, form });
}
