//! A server on loopback, over TLS or not, that answers byte by byte as a test wants; and names that lead to it.

use async_trait::async_trait;
use oauth_core::fetch::{FetchOptions, Lookup};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::{ServerConfig, crypto::aws_lc_rs::default_provider, pki_types::PrivatePkcs8KeyDer};
use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
    sync::Semaphore,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// The name of the server in URLs and certificates.
pub(super) const HOST: &str = "client.example";
pub(super) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// An authority that no system knows.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(super) fn certifies(&self, name: &str) -> Tls {
        self.issue(&CertificateParams::new([name.to_owned()]).unwrap())
    }

    pub(super) fn certified_once(&self, name: &str) -> Tls {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_after = date_time_ymd(2001, 1, 1);
        self.issue(&params)
    }

    fn issue(&self, params: &CertificateParams) -> Tls {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let config = ServerConfig::builder_with_provider(default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .unwrap();
        Tls(Some(Arc::new(config)))
    }
}

/// What the server proves itself with; nothing for plain http.
pub(super) struct Tls(Option<Arc<ServerConfig>>);

impl Tls {
    pub(super) fn none() -> Self {
        Self(None)
    }
}

/// What the server sends when it has read a request, before anything else.
#[derive(Clone)]
pub(super) struct Script {
    bytes: Vec<u8>,
    then: Then,
}

#[derive(Clone)]
enum Then {
    Close,
    Hang,
    /// Sends this again and again, as fast as it is taken.
    Flood(Vec<u8>),
    /// The same, every few milliseconds.
    Drip(Vec<u8>),
}

impl Script {
    pub(super) fn closes(bytes: impl AsRef<[u8]>) -> Self {
        Self { bytes: bytes.as_ref().to_vec(), then: Then::Close }
    }

    pub(super) fn hangs(bytes: impl AsRef<[u8]>) -> Self {
        Self { bytes: bytes.as_ref().to_vec(), then: Then::Hang }
    }

    pub(super) fn floods(bytes: impl AsRef<[u8]>, with: impl AsRef<[u8]>) -> Self {
        let then = Then::Flood(with.as_ref().to_vec());
        Self { bytes: bytes.as_ref().to_vec(), then }
    }

    pub(super) fn drips(bytes: impl AsRef<[u8]>, with: impl AsRef<[u8]>) -> Self {
        let then = Then::Drip(with.as_ref().to_vec());
        Self { bytes: bytes.as_ref().to_vec(), then }
    }

    /// An honest answer with this body.
    pub(super) fn says(body: &str) -> Self {
        Self::closes(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
    }

    /// An answer with this status, further headers, and no body.
    pub(super) fn status(status: u16, headers: &str) -> Self {
        Self::closes(format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: 0\r\n\r\n"))
    }
}

#[derive(Default)]
struct Seen {
    connections: usize,
    requests: Vec<String>,
    open: usize,
    most_open: usize,
}

/// The server. It stops when dropped.
pub(super) struct Peer {
    port: u16,
    https: bool,
    seen: Arc<Mutex<Seen>>,
    gate: Arc<Semaphore>,
    task: JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Peer {
    pub(super) async fn start(tls: Tls, script: Script) -> Self {
        let peer = Self::gated(tls, script).await;
        peer.answer(MANY);
        peer
    }

    /// A server that reads requests and answers none until it [may](Self::answer).
    pub(super) async fn gated(tls: Tls, script: Script) -> Self {
        let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (seen, gate) = (Arc::<Mutex<Seen>>::default(), Arc::new(Semaphore::new(0)));
        let https = tls.0.is_some();
        let acceptor = tls.0.map(TlsAcceptor::from);
        let (saw, waits) = (Arc::clone(&seen), Arc::clone(&gate));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                saw.lock().unwrap().connections += 1;
                let (acceptor, script) = (acceptor.clone(), script.clone());
                let (saw, waits) = (Arc::clone(&saw), Arc::clone(&waits));
                // A peer that goes away in the middle is none of the server's business.
                tokio::spawn(async move {
                    match acceptor {
                        Some(acceptor) => {
                            serve(acceptor.accept(stream).await?, script, &saw, &waits).await
                        }
                        None => serve(stream, script, &saw, &waits).await,
                    }
                });
            }
        });
        Self { port, https, seen, gate, task }
    }

    /// Answers so many more requests.
    pub(super) fn answer(&self, requests: usize) {
        self.gate.add_permits(requests);
    }

    pub(super) fn url(&self, path: &str) -> String {
        self.url_at(HOST, path)
    }

    pub(super) fn url_at(&self, host: &str, path: &str) -> String {
        format!("{}://{host}:{}{path}", if self.https { "https" } else { "http" }, self.port)
    }

    pub(super) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    /// The requests, heads and bodies.
    pub(super) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().requests.clone()
    }

    /// The most requests that were without an answer at one time.
    pub(super) fn most_open(&self) -> usize {
        self.seen.lock().unwrap().most_open
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    script: Script,
    seen: &Mutex<Seen>,
    gate: &Semaphore,
) -> io::Result<()> {
    let request = read(&mut stream).await?;
    {
        let mut seen = seen.lock().unwrap();
        seen.requests.push(request);
        seen.open += 1;
        seen.most_open = seen.most_open.max(seen.open);
    }
    gate.acquire().await.unwrap().forget();
    seen.lock().unwrap().open -= 1;
    stream.write_all(&script.bytes).await?;
    stream.flush().await?;
    match script.then {
        Then::Close => stream.shutdown().await,
        Then::Hang => std::future::pending().await,
        Then::Flood(bytes) => loop {
            stream.write_all(&bytes).await?;
        },
        Then::Drip(bytes) => loop {
            stream.write_all(&bytes).await?;
            stream.flush().await?;
            tokio::time::sleep(Duration::from_millis(10)).await;
        },
    }
}

/// More requests than any test makes.
const MANY: usize = 1000;

/// A request with as much of a body as it announces.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
        });
        if body.len() >= length.unwrap_or(0) {
            return Ok(text.into_owned());
        }
    }
}

/// Names that lead where a test says: one answer after the other, the last one for ever.
#[derive(Clone, Default)]
pub(super) struct Names {
    answers: Arc<Mutex<VecDeque<Vec<IpAddr>>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Names {
    pub(super) fn lead_to<const N: usize>(answers: [&str; N]) -> Self {
        let ips = |answer: &str| answer.split_whitespace().map(|ip| ip.parse().unwrap()).collect();
        let answers = answers.into_iter().map(ips).collect();
        Self { answers: Arc::new(Mutex::new(answers)), asked: Arc::default() }
    }

    /// The names that were looked up.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Lookup for Names {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.lock().unwrap().push(name.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let next = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        next.ok_or_else(|| io::Error::other("no such name"))
    }
}

/// Options of an operator who lets requests go to loopback, where every name leads.
pub(super) fn loopback() -> FetchOptions {
    FetchOptions::default()
        .allow(["127.0.0.0/8".parse().unwrap()])
        .lookup(Names::lead_to(["127.0.0.1"]))
}
