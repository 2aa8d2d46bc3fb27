//! Load that a fixed request cannot make: chains of refresh tokens, and codes that are good for one exchange.
//!
//! `flow MODE HOST:PORT` reads its settings from the environment and prints one line of JSON.
//!
//! * `refresh`: one line of standard input is one refresh token; each connection takes one and goes on with what it
//!   is given, for `SECONDS`.
//! * `authorize`: asks for `COUNT` codes with the session in `COOKIE`, at the path and query in `TARGET`, and writes
//!   them to standard error, one a line.
//! * `exchange`: one line of standard input is one code; each is exchanged once.
//! * `sign-in`: everything a person and a client do, over and over for `SECONDS`: the authorization request at `TARGET`
//!   without any session, the sign-in form with `USERNAME` and `PASSWORD`, a yes on the consent page, the exchange of the code.
//!
//! `BASIC` is the client's id and secret as Basic wants them, `FORM` goes before the token or code in the body.

use anyhow::{Context as _, bail, ensure};
use std::{
    collections::{BTreeMap, VecDeque},
    env,
    io::{BufRead as _, Write as _},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// As many connections as wrk opens in the other cases.
const CONNECTIONS: usize = 64;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = env::args().skip(1);
    let mode = arguments.next().context("a mode is missing")?;
    let address = arguments.next().context("HOST:PORT is missing")?;
    let work = Arc::new(Work::new(&mode, address)?);
    let begin = Instant::now();
    let tasks: Vec<_> =
        (0..CONNECTIONS).map(|_| tokio::spawn(Arc::clone(&work).run(begin))).collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await??);
    }
    let seconds = begin.elapsed().as_secs_f64();
    times.sort_unstable();
    let percentile = |percent: usize| {
        let at = times.len().saturating_sub(1) * percent / 100;
        times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    let result = serde_json::json!({
        "requests": times.len(),
        "seconds": seconds,
        "p50_ms": percentile(50),
        "p99_ms": percentile(99),
        "errors": 0,
    });
    writeln!(std::io::stdout(), "{result}")?;
    Ok(())
}

/// What the connections do, and with what.
struct Work {
    address: String,
    basic: String,
    form: String,
    kind: Kind,
    /// Refresh tokens to begin with, or codes to exchange.
    supply: Mutex<VecDeque<String>>,
}

enum Kind {
    Refresh { length: Duration },
    Authorize { target: String, cookie: String, left: AtomicUsize },
    Exchange,
    SignIn { target: String, person: String, length: Duration },
}

impl Work {
    fn new(mode: &str, address: String) -> anyhow::Result<Self> {
        let kind = match mode {
            "refresh" => {
                Kind::Refresh { length: Duration::from_secs_f64(variable("SECONDS")?.parse()?) }
            }
            "authorize" => Kind::Authorize {
                target: variable("TARGET")?,
                cookie: variable("COOKIE")?,
                left: AtomicUsize::new(variable("COUNT")?.parse()?),
            },
            "exchange" => Kind::Exchange,
            "sign-in" => Kind::SignIn {
                target: variable("TARGET")?,
                person: form_urlencoded::Serializer::new(String::new())
                    .append_pair("username", &variable("USERNAME")?)
                    .append_pair("password", &variable("PASSWORD")?)
                    .finish(),
                length: Duration::from_secs_f64(variable("SECONDS")?.parse()?),
            },
            _ => bail!("no mode {mode}"),
        };
        let supply = match kind {
            Kind::Authorize { .. } | Kind::SignIn { .. } => VecDeque::new(),
            _ => std::io::stdin().lock().lines().collect::<Result<_, _>>()?,
        };
        Ok(Self {
            address,
            basic: env::var("BASIC").unwrap_or_default(),
            form: env::var("FORM").unwrap_or_default(),
            kind,
            supply: Mutex::new(supply),
        })
    }

    /// One connection's requests and how long each took.
    async fn run(self: Arc<Self>, begin: Instant) -> anyhow::Result<Vec<Duration>> {
        let mut connection = Connection::open(&self.address).await?;
        let mut times = Vec::new();
        match &self.kind {
            Kind::Refresh { length } => {
                let mut token = self.take().context("fewer refresh tokens than connections")?;
                while begin.elapsed() < *length {
                    let sent = Instant::now();
                    let body = connection.send(self.post(&token).as_bytes(), &["200"]).await?.body;
                    times.push(sent.elapsed());
                    let answer: serde_json::Value = serde_json::from_slice(&body)?;
                    let next = answer.get("refresh_token").and_then(serde_json::Value::as_str);
                    let next = next.context("no refresh token in the answer")?;
                    ensure!(next != token, "the refresh token did not rotate");
                    next.clone_into(&mut token);
                }
            }
            Kind::Authorize { target, cookie, left } => {
                let request = format!(
                    "GET {target} HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\r\n",
                    self.address
                );
                let one_less = |left: usize| left.checked_sub(1);
                while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok() {
                    let sent = Instant::now();
                    let answer = connection.send(request.as_bytes(), &["302", "303"]).await?;
                    times.push(sent.elapsed());
                    let code = answer.header("location").and_then(code_in);
                    writeln!(std::io::stderr(), "{}", code.context("no code in the answer")?)?;
                }
            }
            Kind::SignIn { target, person, length } => {
                while begin.elapsed() < *length {
                    let sent = Instant::now();
                    let code = self.sign_in(&mut connection, target, person).await?;
                    connection.send(self.post(&code).as_bytes(), &["200"]).await?;
                    times.push(sent.elapsed());
                }
            }
            Kind::Exchange => {
                while let Some(code) = self.take() {
                    let sent = Instant::now();
                    connection.send(self.post(&code).as_bytes(), &["200"]).await?;
                    times.push(sent.elapsed());
                }
            }
        }
        Ok(times)
    }

    /// What a browser sends until it has a code, with cookies of its own.
    async fn sign_in(
        &self,
        connection: &mut Connection,
        target: &str,
        person: &str,
    ) -> anyhow::Result<String> {
        let mut cookies = BTreeMap::new();
        let mut request = self.browse("GET", target, "", &cookies);
        loop {
            let answer = connection.send(request.as_bytes(), &["302", "303"]).await?;
            cookies.extend(answer.cookies());
            let location = answer.header("location").context("no address to go on to")?;
            if let Some(code) = code_in(location) {
                return Ok(code);
            }
            let (page, interaction) = location.split_once('?').context("no interaction")?;
            let filled_in = match page {
                "/login" => person,
                "/consent" => "decision=allow&scope%3Aread=yes",
                _ => bail!("{page} was not expected"),
            };
            request = self.browse("POST", page, &format!("{interaction}&{filled_in}"), &cookies);
        }
    }

    fn browse(
        &self,
        method: &str,
        target: &str,
        body: &str,
        cookies: &BTreeMap<String, String>,
    ) -> String {
        let cookies: Vec<_> =
            cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nSec-Fetch-Site: same-origin\r\nCookie: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            cookies.join("; "),
            body.len()
        )
    }

    fn take(&self) -> Option<String> {
        self.supply.lock().expect("nobody panics with the lock held").pop_front()
    }

    fn post(&self, credential: &str) -> String {
        let body = format!("{}{credential}", self.form);
        format!(
            "POST /oauth/token HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            self.basic,
            body.len()
        )
    }
}

fn variable(name: &str) -> anyhow::Result<String> {
    env::var(name).with_context(|| format!("{name} is not set"))
}

fn code_in(location: &str) -> Option<String> {
    let (_, query) = location.split_once('?')?;
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "code")
        .map(|(_, code)| code.into_owned())
}

/// A kept-alive HTTP/1.1 connection, as small as the load tool needs.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer: its head as text, and its body.
struct Answer {
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    fn cookies(&self) -> impl Iterator<Item = (String, String)> {
        let set = self.head.lines().filter_map(|line| line.split_once(':'));
        let set = set.filter(|(key, _)| key.eq_ignore_ascii_case("set-cookie"));
        set.filter_map(|(_, cookie)| {
            let (name, value) = cookie.split(';').next()?.trim().split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        })
    }
}

impl Connection {
    async fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(8192) })
    }

    /// Sends one request and reads its answer, which must have one of the statuses.
    async fn send(&mut self, request: &[u8], statuses: &[&str]) -> anyhow::Result<Answer> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head_end = loop {
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            ensure!(self.buffer.len() < 65_536, "the head of the answer is too long");
            self.more().await?;
        };
        let body = self.buffer.split_off(head_end);
        let mut answer =
            Answer { head: String::from_utf8(std::mem::take(&mut self.buffer))?, body };
        let length = answer.header("content-length").unwrap_or("0").parse()?;
        self.buffer = std::mem::take(&mut answer.body);
        while self.buffer.len() < length {
            self.more().await?;
        }
        answer.body = std::mem::take(&mut self.buffer);
        let line = answer.head.lines().next().unwrap_or_default();
        ensure!(
            line.split(' ').nth(1).is_some_and(|status| statuses.contains(&status)),
            "{line}: {}",
            String::from_utf8_lossy(&answer.body)
        );
        Ok(answer)
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        let read = self.stream.read_buf(&mut self.buffer).await?;
        ensure!(read > 0, "the server closed the connection");
        Ok(())
    }
}
