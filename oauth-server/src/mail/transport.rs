//! How letters leave: to a mail server, into a folder, or not at all.

use super::authority;
use crate::{
    config::{Config, MailTls, MailTransport},
    folder,
};
use anyhow::Context as _;
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    transport::smtp::{
        self,
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};
use std::{
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

/// Why a letter did not leave.
#[derive(Debug)]
pub(super) struct Failure {
    /// For the log: nothing that a mail server said, since it may repeat the address.
    pub(super) why: String,
    /// What the mail server said, for whoever asks by hand.
    said: Option<String>,
    /// Whether it makes no sense to try again.
    pub(super) is_final: bool,
}

impl Failure {
    /// One that may pass.
    pub(super) const fn temporary(why: String) -> Self {
        Self { why, said: None, is_final: false }
    }

    /// All that is known.
    pub(super) fn in_full(self) -> String {
        match self.said {
            Some(said) => format!("{}: {said}", self.why),
            None => self.why,
        }
    }
}

/// The way out.
pub(super) enum Transport {
    /// There is none.
    None,
    /// A folder.
    File(PathBuf),
    /// A mail server. A connection serves one letter: one that was left in the middle of something would answer the
    /// next question with the answer to the last.
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>, Duration),
}

impl Transport {
    pub(super) fn new(config: &Config) -> anyhow::Result<Self> {
        match config.mail_transport() {
            MailTransport::None => Ok(Self::None),
            MailTransport::File => {
                let path = config.mail_folder();
                folder::make_private_folder(&path)
                    .with_context(|| format!("cannot make the folder {}", path.display()))?;
                Ok(Self::File(path))
            }
            MailTransport::Smtp => Ok(Self::Smtp(Box::new(smtp(config)?), config.mail.timeout)),
        }
    }

    pub(super) const fn is_on(&self) -> bool {
        !matches!(self, Self::None)
    }

    pub(super) fn folder(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            _ => None,
        }
    }

    /// Sends a message.
    pub(super) async fn send(&self, id: &str, message: Message) -> Result<(), Failure> {
        match self {
            Self::None => Err(Failure::temporary("mail.transport is none".into())),
            Self::File(folder) => {
                let path = folder.join(format!("{id}.eml"));
                let written =
                    tokio::task::spawn_blocking(move || write(&path, &message.formatted()));
                let written = written.await.map_err(std::io::Error::other).flatten();
                written.map_err(|e| Failure::temporary(format!("the file cannot be written: {e}")))
            }
            Self::Smtp(server, limit) => {
                match tokio::time::timeout(*limit, server.send(message)).await {
                    Ok(Ok(_)) => Ok(()),
                    Ok(Err(e)) => Err(refused(&e)),
                    Err(_) => Err(Failure::temporary("the mail server took too long".into())),
                }
            }
        }
    }
}

/// The mail server of the configuration.
fn smtp(config: &Config) -> anyhow::Result<AsyncSmtpTransport<Tokio1Executor>> {
    let settings = &config.mail;
    let host = settings.host.clone().unwrap_or_default();
    let protected = || -> anyhow::Result<TlsParameters> {
        let mut parameters = TlsParameters::builder(host.clone());
        for path in &settings.ca_files {
            let certificate =
                authority(path).with_context(|| format!("mail.ca_files: {}", path.display()))?;
            parameters = parameters.add_root_certificate(certificate);
        }
        parameters.build().context("TLS cannot be prepared (mail.ca_files)")
    };
    let (tls, port) = match settings.tls {
        MailTls::Implicit => (Tls::Wrapper(protected()?), smtp::SUBMISSIONS_PORT),
        MailTls::Starttls => (Tls::Required(protected()?), smtp::SUBMISSION_PORT),
        MailTls::None => (Tls::None, smtp::SMTP_PORT),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&host)
        .tls(tls)
        .port(settings.port.unwrap_or(port))
        .timeout(Some(settings.timeout));
    if let (Some(name), Some(password)) = (&settings.username, &settings.password) {
        builder = builder.credentials(Credentials::new(name.clone(), password.reveal().to_owned()));
    }
    Ok(builder.build())
}

/// Answers that say something about us and not about the letter: who we are was not proven, or not well enough
/// ([RFC 4954 6](https://www.rfc-editor.org/rfc/rfc4954#section-6)). The operator can do something about those.
const ABOUT_US: [u16; 4] = [530, 534, 535, 538];

/// What a failure of SMTP means.
fn refused(error: &smtp::Error) -> Failure {
    if let Some(code) = error.status() {
        let code = u16::from(code);
        return Failure {
            why: format!("the mail server answered {code}"),
            said: Some(crate::causes(error)),
            is_final: error.is_permanent() && !ABOUT_US.contains(&code),
        };
    }
    let why = if error.is_timeout() {
        "the mail server took too long"
    } else if error.is_tls() {
        "there is no TLS with the mail server"
    } else if error.is_response() {
        "the mail server answered something else than SMTP"
    } else if error.is_client() {
        "the mail server cannot do what is needed"
    } else {
        "there is no connection to the mail server"
    };
    Failure { why: why.into(), said: Some(crate::causes(error)), is_final: false }
}

/// Writes beside the place and moves there, so that nobody reads half a letter.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let draft = path.with_extension("draft");
    std::fs::remove_file(&draft).ok();
    let mut file = folder::private_file().open(&draft)?;
    file.write_all(bytes)?;
    drop(file);
    std::fs::rename(&draft, path)
}
