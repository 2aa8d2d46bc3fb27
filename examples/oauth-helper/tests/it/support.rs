//! A real server on a real port, a browser that signs in there, and the helper as a child process.

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use oauth_helper::{
    Client, Credentials, Secret, TokenStore, TokenStoreBuilder, clock::Clock, model::AuthMethod,
};
use oauth_server::{
    config::{Sources, load},
    routes,
    state::{AppState, World},
};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::io::AsyncWriteExt as _;
use url::Url;

/// Far longer than anything here takes.
pub const PATIENCE: Duration = Duration::from_mins(2);
/// Between two looks at what is waited for.
pub const PAUSE: Duration = Duration::from_millis(5);

pub const SECRET: &str = "a secret that somebody chose: 100% + & =";

/// A clock that stands until it is moved.
#[derive(Debug)]
pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn new() -> Arc<Self> {
        use oauth_helper::clock::SystemClock;
        Arc::new(Self(AtomicI64::new(SystemClock.now())))
    }

    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// What the wire does to the next answers of the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The server does its work, and the answer is lost.
    LoseAnswer,
    /// The server says that it is out of order.
    Unavailable,
}

/// What a test sees of the wire.
#[derive(Debug, Default)]
pub struct Tap {
    pub token_requests: AtomicUsize,
    pub revocations: AtomicUsize,
    pub fault: Mutex<Option<Fault>>,
}

/// Our own server, on a port of its own.
pub struct Provider {
    pub issuer: String,
    pub tap: Arc<Tap>,
    task: tokio::task::JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn settings(issuer: &str, key: &str) -> String {
    format!(
        r#"
[server]
public_url = "{issuer}"

[grants]
danger_password = true

[keys]
algorithms = ["ES256"]

[[user]]
name = "alice"
password = "correct horse battery"

[[client]]
id = "app"
secret = "{SECRET}"
redirect_uris = ["http://127.0.0.1/auth_callback"]
grant_types = ["authorization_code", "refresh_token", "client_credentials", "password"]
response_types = ["code"]
scope = "openid profile query offline_access"
skip_consent = true

[[client]]
id = "post"
secret = "{SECRET}"
auth_method = "client_secret_post"
redirect_uris = ["http://127.0.0.1/auth_callback"]
grant_types = ["authorization_code", "refresh_token", "client_credentials"]
response_types = ["code"]
scope = "openid profile query offline_access"
skip_consent = true

[[client]]
id = "public"
auth_method = "none"
redirect_uris = ["http://127.0.0.1/auth_callback"]
grant_types = ["authorization_code", "refresh_token"]
response_types = ["code"]
scope = "openid profile query offline_access"
skip_consent = true
{key}"#
    )
}

impl Provider {
    pub async fn start() -> Self {
        Self::start_with("").await
    }

    /// With more configuration.
    pub async fn start_with(more: &str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.toml");
        std::fs::write(&path, settings(&issuer, more)).unwrap();
        let environment = vec![
            ("OAUTH__MODE".into(), "testing".into()),
            ("OAUTH__DATA_FOLDER".into(), folder.path().join("data").into_os_string()),
        ];
        let sources = Sources { files: vec![path], environment, ..Sources::default() };
        let config = load(&sources).unwrap_or_else(|e| panic!("{e}"));
        let state = AppState::start(config, World::default()).await.unwrap();
        let tap = Arc::new(Tap::default());
        let routes =
            routes::router(&state).layer(middleware::from_fn_with_state(Arc::clone(&tap), wire));
        let service = routes.into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        Self { issuer, tap, task, _folder: folder }
    }

    pub fn token_requests(&self) -> usize {
        self.tap.token_requests.load(Ordering::SeqCst)
    }

    pub fn break_wire(&self, fault: Option<Fault>) {
        *self.tap.fault.lock().unwrap() = fault;
    }

    /// One of the clients above, as the helper knows it.
    pub fn client(&self, id: &str) -> (Client, Credentials) {
        let auth = match id {
            "post" => AuthMethod::ClientSecretPost,
            "public" => AuthMethod::None,
            _ => AuthMethod::ClientSecretBasic,
        };
        let client = Client {
            issuer: Some(self.issuer.clone()),
            scope: "openid profile offline_access".into(),
            auth,
            ..Client::new(id, id)
        };
        let secret = (id != "public").then(|| Secret::new(SECRET));
        (client, Credentials { secret, ..Credentials::default() })
    }
}

async fn wire(State(tap): State<Arc<Tap>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let token = path == "/oauth/token";
    if token {
        tap.token_requests.fetch_add(1, Ordering::SeqCst);
    }
    if path == "/oauth/revoke" {
        tap.revocations.fetch_add(1, Ordering::SeqCst);
    }
    let fault = if token { *tap.fault.lock().unwrap() } else { None };
    match fault {
        None => next.run(request).await,
        Some(Fault::Unavailable) => {
            Response::builder().status(503).body(Body::from("out of order")).unwrap()
        }
        Some(Fault::LoseAnswer) => {
            let answer = next.run(request).await;
            assert_eq!(answer.status(), 200, "there is an answer to be lost");
            Response::builder().status(502).body(Body::from("bad gateway")).unwrap()
        }
    }
}

/// A store in a folder that goes when the test ends.
pub struct Home {
    pub folder: tempfile::TempDir,
    pub clock: Arc<TestClock>,
}

impl Home {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), clock: TestClock::new() }
    }

    pub fn builder(&self) -> TokenStoreBuilder {
        TokenStore::builder(self.folder.path()).clock(Arc::clone(&self.clock) as Arc<dyn Clock>)
    }

    /// The store as a process would open it: nothing is shared but the files.
    pub async fn store(&self) -> TokenStore {
        self.builder().open().await.unwrap()
    }
}

/// A browser with its cookies.
#[derive(Default)]
pub struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// Opens an address, without following; where it leads.
    pub async fn open(&mut self, url: &Url) -> String {
        let request = http_client().get(url.clone());
        self.send(request).await
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> String {
        let cookies: Vec<_> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let response = request.header("cookie", cookies.join("; ")).send().await.unwrap();
        for cookie in response.headers().get_all("set-cookie") {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.into(), rest.split(';').next().unwrap().into());
        }
        let location = response.headers().get("location").map(|l| l.to_str().unwrap().to_owned());
        location.unwrap_or_else(|| response.status().to_string())
    }

    /// Signs in as alice at our server; where the client is told about it.
    pub async fn authorize(&mut self, url: &Url) -> Url {
        let mut to = self.open(url).await;
        let origin = url.origin().ascii_serialization();
        if let Some(interaction) = to.strip_prefix("/login?interaction=") {
            let form = [
                ("interaction", interaction),
                ("username", "alice"),
                ("password", "correct horse battery"),
            ];
            let request =
                http_client().post(format!("{origin}/login")).header("origin", &origin).form(&form);
            to = self.send(request).await;
        }
        Url::parse(&to).unwrap_or_else(|_| panic!("the browser stays at {to:?}"))
    }
}

#[expect(clippy::disallowed_methods, reason = "the browser of a test")]
pub fn http_client() -> reqwest::Client {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap_or_else(|_| reqwest::Client::new())
}

/// A store with one client, signed in as alice.
pub async fn signed_in(home: &Home, provider: &Provider, id: &str) -> TokenStore {
    let store = home.store().await;
    let (client, credentials) = provider.client(id);
    store.add(client, &credentials).await.unwrap();
    sign_in(&store, id).await;
    store
}

/// Signs in at our server by the authorization code flow.
pub async fn sign_in(store: &TokenStore, name: &str) {
    let client = store.client(name).await.unwrap();
    let redirect = Url::parse("http://127.0.0.1:9/auth_callback").unwrap();
    let pending = client.begin_login(redirect).await.unwrap();
    let back = Browser::default().authorize(&pending.url).await;
    let back = oauth_helper::login::Redirected::pasted(back.as_str()).unwrap();
    let code = pending.check(back).unwrap();
    pending.finish(&code).await.unwrap();
}

/// The helper as a program, with a home of its own.
pub struct Program {
    pub home: tempfile::TempDir,
    pub variables: Vec<(String, String)>,
}

/// What a run of the program left behind.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Program {
    pub fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    pub fn path() -> &'static Path {
        Path::new(env!("CARGO_BIN_EXE_oauth-helper"))
    }

    pub fn command(&self, arguments: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(Self::path());
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.home.path())
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    pub async fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, "").await
    }

    /// Runs it with this on standard input.
    pub async fn run_with(&self, arguments: &[&str], input: &str) -> Run {
        let mut child = self.command(arguments).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).await.ok();
        drop(stdin);
        let output = child.wait_with_output().await.unwrap();
        Run {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// A file in its home, for its owner alone.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.home.path().join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// Adds a client of our server.
    pub async fn add(&self, provider: &Provider, id: &str) {
        let secret = self.file("secret", SECRET);
        let secret = secret.to_str().unwrap();
        let mut arguments = vec![
            "client",
            "add",
            id,
            "--client-id",
            id,
            "--preset",
            "server",
            "--url",
            &provider.issuer,
            "--scope",
            "openid profile offline_access",
        ];
        if id != "public" {
            arguments.extend(["--secret-file", secret]);
        }
        if id == "post" {
            arguments.extend(["--auth", "client_secret_post"]);
        }
        let run = self.run(&arguments).await;
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{run:?}");
    }
}

impl Run {
    /// What it printed, where it was done.
    #[track_caller]
    pub fn done(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// Asserts the exit code and the one line of the error.
    #[track_caller]
    pub fn refuses(&self, code: i32, line: &str) {
        assert_eq!((self.code, self.err.trim_end()), (code, line), "{self:?}");
    }

    /// What it printed as JSON.
    #[track_caller]
    pub fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.done()).unwrap()
    }
}
