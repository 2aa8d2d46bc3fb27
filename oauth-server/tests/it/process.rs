//! A server as a process of its own, and what a client of it needs.

use axum::http::{HeaderMap, header};
use oauth_core::{
    model::{Client, ClientId, Scope, UserId},
    ports::ClientStore as _,
};
use oauth_server::{
    config::{Sources, load},
    state::{AppState, World},
};
use reqwest::{Response, redirect::Policy};
use serde_json::Value;
use std::{
    cell::RefCell,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

/// Far longer than anything here takes.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// The first-party client of the tests.
pub const APP: (&str, &str) = ("app", "fN3kqv8zR1w0YcTt5LxJm2Ph7UeSbGaD");
/// Where it gets its answers.
pub const BACK: &str = "https://app.example/back";
/// Its PKCE verifier and the challenge of it ([RFC 7636 B](https://www.rfc-editor.org/rfc/rfc7636#appendix-B)).
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A configuration that several processes share.
pub struct Cluster {
    folder: tempfile::TempDir,
    file: PathBuf,
    user: UserId,
    cookie: String,
    environment: Vec<(&'static str, String)>,
}

impl Cluster {
    /// Writes the configuration, and signs a user in through a third party to the same database.
    pub fn new(database: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("server.toml");
        let (id, secret) = APP;
        let toml = format!(
            r#"
            mode = "testing"
            data_folder = "{}"
            [server]
            port = 0
            public_url = "http://127.0.0.1:4999"
            [database]
            url = "{database}"
            [keys]
            sealing_key = "q0zXn5bWc8YhT2mJ7dLkR4vPaSfUeGi1oB3xCwN6yQE="
            algorithms = ["ES256"]
            [grants]
            danger_password = true
            [[client]]
            id = "{id}"
            secret = "{secret}"
            redirect_uris = ["{BACK}"]
            grant_types = ["authorization_code", "refresh_token", "password"]
            scope = "profile query"
            skip_consent = true
            [[user]]
            name = "alice"
            password = "correct horse"
            rights = ["query:read"]
            {more}
            "#,
            folder.path().join("data").display(),
        );
        std::fs::write(&file, toml).unwrap();
        let (user, cookie) = (UserId::new(""), String::new());
        Self { folder, file, user, cookie, environment: Vec::new() }
    }

    /// Sets an environment variable for servers that start from now on.
    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.environment.push((name, value.into()));
    }

    /// A folder for files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Opens the database as one more process would, and begins a session for alice.
    pub async fn sign_in(&mut self) {
        let state = self.state().await;
        let alice =
            state.store.account_by_name("alice").await.unwrap().expect("the server made alice");
        self.user = alice.id;
        self.cookie = begin(&state, &self.user).await;
        state.store.close().await.unwrap();
    }

    /// Starts a server and waits until it listens.
    pub fn start(&self) -> Process {
        Process::start(self)
    }

    /// Runs a command to its end; its standard output.
    pub fn command(&self, arguments: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_oauth-server"))
            .arg("--config")
            .arg(&self.file)
            .args(arguments)
            .env_clear()
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Has the client take part in logout, and see who signed in.
    pub async fn tell_of_logouts_at(&self, uri: &str) {
        let state = self.state().await;
        let client = state.store.client(&ClientId::new(APP.0)).await.unwrap().unwrap();
        let mut client = Client::clone(&client);
        client.scope = Scope::parse("openid profile query").unwrap();
        client.metadata.backchannel_logout_uri = Some(uri.into());
        assert!(state.store.replace_client(client).await.unwrap());
        state.store.close().await.unwrap();
    }

    /// The cookie of one more session of alice's.
    pub async fn another_session(&self) -> String {
        let state = self.state().await;
        let cookie = begin(&state, &self.user).await;
        state.store.close().await.unwrap();
        cookie
    }

    /// The cookie of alice's session.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// Whether nobody is signed in at this server with this cookie.
    pub async fn is_signed_out(&self, server: &Process, cookie: &str) -> bool {
        let request = server.http.get(server.url("/account")).header(header::COOKIE, cookie);
        let response = request.send().await.unwrap();
        response.status() == 303
    }

    /// The database as one more process has it.
    async fn state(&self) -> AppState {
        let sources = Sources { files: vec![self.file.clone()], ..Sources::default() };
        AppState::open(load(&sources).unwrap(), World::default()).await.unwrap()
    }

    /// Gets a code for the client from this server, as alice's browser would.
    pub async fn code(&self, server: &Process) -> String {
        self.code_for(server, &self.cookie, "query").await
    }

    /// Gets a code for the client in the session with this cookie, by which it also learns who signed in.
    pub async fn code_of(&self, server: &Process, cookie: &str) -> String {
        self.code_for(server, cookie, "openid query").await
    }

    async fn code_for(&self, server: &Process, cookie: &str, scope: &str) -> String {
        let query = [
            ("response_type", "code"),
            ("client_id", APP.0),
            ("redirect_uri", BACK),
            ("scope", scope),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let request = server.http.get(server.url(&format!("/oauth/authorize?{query}")));
        let response = request.header(header::COOKIE, cookie).send().await.unwrap();
        assert_eq!(response.status(), 302, "a first-party client needs no consent");
        let back = response.headers()[header::LOCATION].to_str().unwrap().to_owned();
        let code = url::Url::parse(&back)
            .unwrap()
            .query_pairs()
            .find(|(n, _)| n == "code")
            .map(|(_, v)| v.into_owned());
        code.unwrap_or_else(|| panic!("no code in {back}"))
    }
}

/// A server process. It is killed when it is dropped.
pub struct Process {
    child: Child,
    lines: Receiver<String>,
    seen: RefCell<Vec<Value>>,
    address: SocketAddr,
    /// A client that follows no redirects.
    pub http: reqwest::Client,
}

impl Process {
    fn start(cluster: &Cluster) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_oauth-server"))
            .arg("--config")
            .arg(&cluster.file)
            .args(["--log-format", "json"])
            .env_clear()
            .envs(cluster.environment.iter().map(|(n, v)| (n, v)))
            .current_dir(cluster.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| send.send(line))
        });
        let http =
            reqwest::Client::builder().redirect(Policy::none()).timeout(PATIENCE).build().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut process = Self { child, lines, seen: RefCell::default(), address, http };
        let listening = process.line("listening");
        process.address = listening["address"].as_str().unwrap().parse().unwrap();
        process
    }

    /// Waits for a log line with this message, and takes it away.
    pub fn line(&self, message: &str) -> Value {
        let mut seen = self.seen.borrow_mut();
        if let Some(at) = seen.iter().position(|line| line["message"] == message) {
            return seen.remove(at);
        }
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!("no line {message:?} after {seen:?}");
            };
            let value: Value =
                serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
            if value["message"] == message {
                return value;
            }
            seen.push(value);
        }
    }

    /// Forgets the lines so far, so that what is waited for is said from now on. When it is told to read its keys again,
    /// the process says so after everything else that it has said.
    pub fn forget_lines(&self) {
        self.signal("HUP");
        self.line("signing keys read again");
        self.seen.borrow_mut().clear();
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The address it listens on.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A URL of it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Presses the button to sign out in the session with this cookie; the status.
    pub async fn log_out(&self, cookie: &str) -> u16 {
        let form: [(&str, &str); 0] = [];
        let request = self.http.post(self.url("/logout")).header(header::COOKIE, cookie);
        let request = request.header("sec-fetch-site", "same-origin").form(&form);
        request.send().await.unwrap().status().as_u16()
    }

    /// Posts a form as the client.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        self.http
            .post(self.url(path))
            .basic_auth(APP.0, Some(APP.1))
            .form(form)
            .send()
            .await
            .unwrap()
    }

    /// Redeems a code; status and answer.
    pub async fn redeem(&self, code: &str) -> (u16, Value) {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
        ];
        answer(self.post("/oauth/token", &form).await).await
    }

    /// Uses a refresh token; status and answer.
    pub async fn refresh(&self, token: &str) -> (u16, Value) {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        answer(self.post("/oauth/token", &form).await).await
    }

    /// Tries a password; status and answer.
    pub async fn password(&self, name: &str, password: &str) -> (u16, Value) {
        let form = [("grant_type", "password"), ("username", name), ("password", password)];
        answer(self.post("/oauth/token", &form).await).await
    }

    /// Whether a token is alive.
    pub async fn is_active(&self, token: &str) -> bool {
        let (status, answer) =
            answer(self.post("/oauth/introspect", &[("token", token)]).await).await;
        assert_eq!(status, 200);
        answer["active"].as_bool().unwrap()
    }

    /// The ids of the published keys, sorted.
    pub async fn kids(&self) -> Vec<String> {
        let set: Value = self
            .http
            .get(self.url("/.well-known/jwks.json"))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let kids =
            set["keys"].as_array().unwrap().iter().map(|k| k["kid"].as_str().unwrap().to_owned());
        let mut kids: Vec<_> = kids.collect();
        kids.sort();
        kids
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let status =
            Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// A connection to write raw bytes to.
    pub fn connect(&self) -> std::net::TcpStream {
        let stream = std::net::TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Begins a session; its cookie.
async fn begin(state: &AppState, user: &UserId) -> String {
    let started = state.sessions.start(&HeaderMap::new(), user, &["pwd"], None).await.unwrap();
    started.cookies.session.to_str().unwrap().split(';').next().unwrap().to_owned()
}

async fn answer(response: Response) -> (u16, Value) {
    (response.status().as_u16(), response.json().await.unwrap())
}

/// Writes the head of a token request and waits until its handler asks for the body; returns the body.
pub fn head_of_a_request(stream: &mut std::net::TcpStream) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let (id, secret) = APP;
    let basic = STANDARD.encode(format!("{id}:{secret}"));
    let form = [("grant_type", "password"), ("username", "alice"), ("password", "correct horse")];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let head = format!(
        "POST /oauth/token HTTP/1.1\r\nhost: 127.0.0.1\r\nexpect: 100-continue\r\n\
         authorization: Basic {basic}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    body
}
