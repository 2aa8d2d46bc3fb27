//! A server without a port, with a clock that a test moves.

use axum::{Router, body::Body};
use http::{Request, Response, header};
use http_body_util::BodyExt as _;
use oauth_core::{
    model::{Timestamp, UserId},
    ports::{Clock, SystemRandom},
    seaorm::{NewUser, new_user_id},
    testing::TestDatabase,
};
use oauth_server::{
    config::{Config, Sources, load},
    routes,
    state::{AppState, World},
    telemetry::JsonLines,
};
use std::{
    cell::RefCell,
    io,
    sync::{
        Arc, Once,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tower::ServiceExt as _;
use tracing_subscriber::{layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// A clock that stands until it is moved.
#[derive(Debug)]
pub struct TestClock(AtomicI64);

impl TestClock {
    /// A clock at some time in 2026.
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_790_000_000)))
    }

    /// Moves on.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_secs().try_into().unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.0.load(Ordering::SeqCst))
    }
}

/// A running server without a port.
pub struct Server {
    /// Its parts.
    pub state: AppState,
    /// Its routes.
    pub router: Router,
    /// Its clock.
    pub clock: Arc<TestClock>,
    /// Where it keeps its data; deleted at the end.
    pub folder: tempfile::TempDir,
}

/// The configuration that this TOML makes, with its data in the folder.
pub fn config(toml: &str, folder: &tempfile::TempDir) -> Config {
    let path = folder.path().join("test.toml");
    std::fs::write(&path, toml).unwrap();
    let data = folder.path().join("data");
    let environment = vec![
        ("OAUTH__MODE".into(), "testing".into()),
        ("OAUTH__DATA_FOLDER".into(), data.into_os_string()),
    ];
    load(&Sources { files: vec![path], environment, ..Sources::default() })
        .unwrap_or_else(|e| panic!("{e}"))
}

/// A server with a database of its own. The keys are of ES256 alone, which are made in no time.
pub async fn start(toml: &str) -> Server {
    start_in(toml, tempfile::tempdir().unwrap(), TestClock::new()).await
}

/// A server on what another one left behind.
pub async fn start_in(toml: &str, folder: tempfile::TempDir, clock: Arc<TestClock>) -> Server {
    let mut config = config(toml, &folder);
    config.keys.algorithms = vec![oauth_core::model::SigningAlgorithm::ES256];
    let world =
        World { clock: Arc::clone(&clock) as Arc<dyn Clock>, random: Arc::new(SystemRandom) };
    let state = Box::pin(AppState::start(config, world)).await.unwrap();
    Server { router: routes::router(&state), state, clock, folder }
}

/// Two servers on one database, which share a clock and what they seal with.
pub async fn two_on(database: &TestDatabase, more: &str) -> (Server, Server) {
    let toml = format!(
        "[database]\nurl = {:?}\n[keys]\nsealing_key = \"q0zXn5bWc8YhT2mJ7dLkR4vPaSfUeGi1oB3xCwN6yQE=\"\n{more}",
        database.url()
    );
    let clock = TestClock::new();
    let one = start_in(&toml, tempfile::tempdir().unwrap(), Arc::clone(&clock)).await;
    (one, start_in(&toml, tempfile::tempdir().unwrap(), clock).await)
}

impl Server {
    /// Sends a request.
    pub async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Fetches a path.
    pub async fn get(&self, path: &str) -> Response<Body> {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Posts a form, with Basic credentials if there are any.
    pub async fn post(
        &self,
        path: &str,
        basic: Option<(&str, &str)>,
        form: &[(&str, &str)],
    ) -> Response<Body> {
        self.send(form_request(path, basic, form)).await
    }

    /// Makes a user.
    pub async fn user(&self, name: &str, password: &str) -> UserId {
        let now = self.clock.now();
        let new = NewUser {
            password_hash: Some(self.state.passwords.hash(password).await.unwrap()),
            ..NewUser::new(new_user_id(now, &SystemRandom), name, now)
        };
        self.state.store.create_user(new).await.unwrap().expect("the name is free")
    }
}

/// A request that posts a form.
pub fn form_request(
    path: &str,
    basic: Option<(&str, &str)>,
    form: &[(&str, &str)],
) -> Request<Body> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let mut request =
        Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if let Some((id, secret)) = basic {
        request = request.header(
            header::AUTHORIZATION,
            format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))),
        );
    }
    request.body(Body::from(body)).unwrap()
}

/// The body of a response as text.
pub async fn text(response: Response<Body>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The body of a response as JSON.
pub async fn json(response: Response<Body>) -> serde_json::Value {
    serde_json::from_str(&text(response).await).unwrap()
}

/// A header of a response as text, empty where it is not there.
pub fn header_of<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |v| v.to_str().unwrap())
}

thread_local! {
    /// What is logged on this thread. A test has a thread to itself.
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct ThreadLog;

impl io::Write for ThreadLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.extend_from_slice(bytes));
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Logs everything, for the whole process: a subscriber for one thread would not hear of events that another
/// thread met first.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing_subscriber::registry().with(JsonLines::new(|| ThreadLog)).init());
}

/// What is logged while something runs.
pub async fn logged(run: impl Future<Output = ()>) -> String {
    listen();
    LOG.take();
    run.await;
    String::from_utf8(LOG.take()).unwrap()
}
