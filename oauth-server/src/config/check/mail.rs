//! Whether letters can leave.

use crate::{
    config::{Config, Mail, MailTls, MailTransport, Mode, Problems},
    mail,
};
use lettre::message::Mailbox;
use std::net::IpAddr;

/// Notes what is wrong with letters.
pub(super) fn check(config: &Config, problems: &mut Problems) {
    let settings = &config.mail;
    for (key, text) in [("mail.from", &settings.from), ("mail.reply_to", &settings.reply_to)] {
        if text.as_ref().is_some_and(|text| text.parse::<Mailbox>().is_err()) {
            problems.add(key, "is not a mail address, such as \"Example <no-reply@example.org>\"");
        }
    }
    if settings.timeout.is_zero() {
        problems.add("mail.timeout", "must not be 0");
    }
    if settings.attempts == 0 {
        problems.add("mail.attempts", "must not be 0");
    }
    for path in &settings.ca_files {
        if let Err(what) = mail::authority(path) {
            problems.add("mail.ca_files", format!("{}: {what:#}", path.display()));
        }
    }
    if config.mail_transport() == MailTransport::Smtp {
        smtp(settings, problems);
    } else if settings.transport.is_none()
        && settings.host.is_some()
        && config.mode() != Mode::Development
    {
        let what =
            "is given, but letters do not go to a mail server; set mail.transport to \"smtp\"";
        problems.add("mail.host", what);
    }
}

fn smtp(settings: &Mail, problems: &mut Problems) {
    let is_empty = |text: &Option<String>| text.as_ref().is_none_or(String::is_empty);
    if is_empty(&settings.host) {
        problems.add("mail.host", "is required where mail.transport is \"smtp\"");
    }
    if is_empty(&settings.from) {
        problems.add("mail.from", "is required where mail.transport is \"smtp\"");
    }
    if settings.username.is_some() != settings.password.is_some() {
        let (missing, there) = if settings.username.is_some() {
            ("mail.password", "mail.username")
        } else {
            ("mail.username", "mail.password")
        };
        problems.add(missing, format!("is not set, but {there} is; give both"));
    }
    if settings.tls != MailTls::None {
        return;
    }
    if !settings.danger_plain {
        let what = "`none` shows letters and the password to whoever listens; use \"implicit\" or \"starttls\", \
                    or, for a mail server on this machine, set mail.danger_plain";
        problems.add("mail.tls", what);
    } else if !settings.host.as_deref().is_some_and(is_this_machine) {
        problems.add("mail.host", "is not this machine; without TLS letters go nowhere else");
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl Config {
    /// How letters leave.
    pub fn mail_transport(&self) -> MailTransport {
        let usual = match self.mode() {
            Mode::DevEmail => MailTransport::Smtp,
            _ if self.is_demo() => MailTransport::File,
            _ => MailTransport::None,
        };
        self.mail.transport.unwrap_or(usual)
    }

    /// Where letters become files.
    pub fn mail_folder(&self) -> std::path::PathBuf {
        let usual = || self.general.data_folder.join("mail");
        self.mail.folder.clone().unwrap_or_else(usual)
    }
}
