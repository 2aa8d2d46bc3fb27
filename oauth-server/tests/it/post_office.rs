//! A mail server for tests: it speaks SMTP over a real port, with or without TLS, and fails as a test wants. And what
//! reads the letters of a server, from it or from a folder.

use crate::support::Server;
use mailparse::MailHeaderMap as _;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{ServerConfig, crypto::aws_lc_rs::default_provider, pki_types::PrivatePkcs8KeyDer};
use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    sync::{Notify, mpsc},
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(2);

/// A letter as its reader sees it.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// The message as it travelled.
    pub raw: String,
    /// The address it is to.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// What it says, as text.
    pub text: String,
    /// What it says, as HTML.
    pub html: String,
}

impl Arrived {
    /// Reads a message.
    pub fn read(raw: &[u8]) -> Self {
        let mail = mailparse::parse_mail(raw).unwrap();
        assert_eq!(mail.ctype.mimetype, "multipart/alternative");
        let part = |kind: &str| {
            let part = mail.subparts.iter().find(|p| p.ctype.mimetype == kind).unwrap();
            part.get_body().unwrap().replace("\r\n", "\n")
        };
        Self {
            raw: String::from_utf8(raw.to_vec()).unwrap(),
            to: mail.headers.get_first_value("To").unwrap(),
            subject: mail.headers.get_first_value("Subject").unwrap(),
            text: part("text/plain"),
            html: part("text/html"),
        }
    }

    /// The first link of the text that has this in it.
    #[track_caller]
    pub fn link(&self, part: &str) -> String {
        let found =
            self.text.split_whitespace().find(|w| w.starts_with("http") && w.contains(part));
        found.unwrap_or_else(|| panic!("no link with {part:?} in {}", self.text)).to_owned()
    }
}

/// The letters in a folder, the oldest first.
pub fn letters_in(folder: &Path) -> Vec<Arrived> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|e| e.unwrap().path()).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "eml"));
    paths.sort();
    paths.iter().map(|p| Arrived::read(&std::fs::read(p).unwrap())).collect()
}

impl Server {
    /// Sends what waits; all letters so far, the oldest first.
    pub async fn letters(&self) -> Vec<Arrived> {
        self.state.mail.deliver(1000).await.unwrap();
        letters_in(self.state.mail.folder().expect("letters become files"))
    }

    /// Sends what waits; the last letter to an address.
    pub async fn letter_to(&self, address: &str) -> Arrived {
        let letters = self.letters().await;
        let to = letters.iter().rfind(|letter| letter.to == address).cloned();
        to.unwrap_or_else(|| panic!("no letter to {address} among {letters:?}"))
    }
}

/// A letter that the mail server took.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Whom the envelope is to.
    pub to: String,
    /// The message.
    pub letter: Arrived,
    /// Whether it came over TLS.
    pub tls: bool,
    /// What the sender proved itself with, in base64.
    pub credentials: Option<String>,
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Mood {
    /// Nothing.
    Good,
    /// A command is answered with this; the end of the message is the command `.`.
    Says(&'static str, &'static str),
    /// A command is not answered until the sink is told to go on.
    Hangs(&'static str),
}

/// How it is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speech {
    /// By TLS from the first byte on.
    Implicit,
    /// By STARTTLS.
    Starttls,
    /// Without.
    Plain,
}

/// The mail server. It stops when dropped.
pub struct PostOffice {
    pub port: u16,
    /// The certificate of the authority that vouches for `localhost`.
    pub authority: String,
    taken: mpsc::UnboundedReceiver<Taken>,
    desk: Arc<Desk>,
    task: JoinHandle<()>,
}

/// What the conversations share.
struct Desk {
    speech: Speech,
    acceptor: TlsAcceptor,
    mood: Mutex<Mood>,
    commands: Mutex<Vec<String>>,
    /// Somebody hangs.
    hanging: Notify,
    go_on: Notify,
    taken: mpsc::UnboundedSender<Taken>,
}

impl Drop for PostOffice {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl PostOffice {
    /// Opens on a free port.
    pub async fn open(speech: Speech) -> Self {
        let (authority, tls) = certified();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (send, taken) = mpsc::unbounded_channel();
        let desk = Arc::new(Desk {
            speech,
            acceptor: TlsAcceptor::from(Arc::new(tls)),
            mood: Mutex::new(Mood::Good),
            commands: Mutex::default(),
            hanging: Notify::new(),
            go_on: Notify::new(),
            taken: send,
        });
        let own = Arc::clone(&desk);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let desk = Arc::clone(&own);
                tokio::spawn(async move {
                    if desk.speech == Speech::Implicit {
                        let Ok(stream) = desk.acceptor.accept(stream).await else { return };
                        desk.greet(stream, true).await;
                    } else if let Some(stream) = desk.greet(stream, false).await {
                        let Ok(stream) = desk.acceptor.accept(stream).await else { return };
                        desk.converse(stream, true).await;
                    }
                });
            }
        });
        Self { port, authority, taken, desk, task }
    }

    /// What goes wrong from now on.
    pub fn mood(&self, mood: Mood) {
        *self.desk.mood.lock().unwrap() = mood;
    }

    /// The next letter that it takes.
    pub async fn next(&mut self) -> Taken {
        timeout(PATIENCE, self.taken.recv()).await.expect("a letter arrives").unwrap()
    }

    /// How many letters have arrived that nobody has asked for.
    pub fn arrived(&self) -> usize {
        self.taken.len()
    }

    /// Every command so far.
    pub fn commands(&self) -> Vec<String> {
        self.desk.commands.lock().unwrap().clone()
    }

    /// Waits until somebody hangs.
    pub async fn hanging(&self) {
        timeout(PATIENCE, self.desk.hanging.notified()).await.expect("somebody hangs");
    }

    /// Lets whoever hangs go on.
    pub fn go_on(&self) {
        self.desk.go_on.notify_one();
    }
}

/// An authority and what it gives to `localhost`.
fn certified() -> (String, ServerConfig) {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "mail tests");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = certificate.signed_by(&key, &authority).unwrap();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = ServerConfig::builder_with_provider(default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.into())
        .unwrap();
    (authority.pem(), config)
}

impl Desk {
    async fn greet<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        mut stream: S,
        tls: bool,
    ) -> Option<S> {
        stream.write_all(b"220 localhost ready\r\n").await.ok()?;
        self.converse(stream, tls).await
    }

    /// Speaks SMTP; the stream where TLS is to begin.
    async fn converse<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S, tls: bool) -> Option<S> {
        let mut stream = BufReader::new(stream);
        let (mut to, mut credentials) = (String::new(), None);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let line = line.trim_end().to_owned();
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
            self.commands.lock().unwrap().push(verb.clone());
            if let Some(answer) = self.trouble(&verb).await {
                stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
                continue;
            }
            let answer = match verb.as_str() {
                "EHLO" => match (self.speech, tls) {
                    (Speech::Starttls, false) => "250-localhost\r\n250 STARTTLS",
                    (_, true) => "250-localhost\r\n250-8BITMIME\r\n250 AUTH PLAIN",
                    _ => "250-localhost\r\n250 8BITMIME",
                },
                "STARTTLS" => {
                    stream.write_all(b"220 go\r\n").await.ok()?;
                    return Some(stream.into_inner());
                }
                "AUTH" => {
                    credentials = line.split(' ').nth(2).map(str::to_owned);
                    "235 welcome"
                }
                "RCPT" => {
                    to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    "250 fine"
                }
                "DATA" => {
                    stream.write_all(b"354 go\r\n").await.ok()?;
                    let raw = message(&mut stream).await?;
                    if let Some(answer) = self.trouble(".").await {
                        answer
                    } else {
                        let (to, credentials) = (to.clone(), credentials.clone());
                        let letter = Arrived::read(&raw);
                        self.taken.send(Taken { to, letter, tls, credentials }).ok()?;
                        "250 taken"
                    }
                }
                "QUIT" => "221 bye",
                _ => "250 fine",
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
        }
    }

    async fn trouble(&self, verb: &str) -> Option<&'static str> {
        let mood = self.mood.lock().unwrap().clone();
        match mood {
            Mood::Says(at, answer) if at == verb => Some(answer),
            Mood::Hangs(at) if at == verb => {
                self.hanging.notify_one();
                self.go_on.notified().await;
                None
            }
            _ => None,
        }
    }
}

/// Reads a message up to the line with the dot.
async fn message<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> Option<Vec<u8>> {
    let mut raw = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await.ok()? == 0 {
            return None;
        }
        if line == b".\r\n" {
            return Some(raw);
        }
        raw.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}
