//! The section about letters.

use super::{secret::Secret, section::sections, setting::words};
use std::{path::PathBuf, time::Duration};

words! {
    /// How letters leave.
    MailTransport {
        /// Each becomes an `.eml` file in a folder. For development and tests.
        File = "file",
        /// Not at all: nothing that needs a letter is offered.
        None = "none",
        /// To a mail server.
        Smtp = "smtp",
    }
}

words! {
    /// How the connection to the mail server is protected.
    MailTls {
        /// By TLS from the first byte on (RFC 8314).
        Implicit = "implicit",
        /// Not at all. Only to this machine.
        None = "none",
        /// By STARTTLS, without which nothing is said (RFC 3207).
        Starttls = "starttls",
    }
}

words! {
    /// The languages that letters are written in.
    LetterLanguage {
        /// German.
        German = "de",
        /// English.
        English = "en",
        /// French.
        French = "fr",
    }
}

impl LetterLanguage {
    /// The language of a tag such as `fr-CA` ([BCP 47](https://www.rfc-editor.org/rfc/rfc5646)), if there are letters in it.
    pub fn of(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or_default();
        Self::parse(&primary.to_ascii_lowercase())
    }
}

sections! {
    /// Letters to people. They wait in the database, sealed, until they are sent: by the server, or by `oauth-server maintain`.
    Mail ["mail"] {
        /// How letters leave. Unset: `file` in development and testing, `smtp` in `dev_email`, else `none`.
        transport: Option<MailTransport> = None,
        /// Whom letters are from, such as `Example <no-reply@example.org>`. Required for `smtp`.
        from: Option<String> = None,
        /// The language of letters to whoever has no `locale` in the profile, or one that there are no letters in.
        language: LetterLanguage = LetterLanguage::English,
        /// Where answers to letters go. Unset: to `from`.
        reply_to: Option<String> = None,
        /// The name of the mail server, as in its certificate. Required for `smtp`.
        host: Option<String> = None,
        /// The port of the mail server. Unset: 465 for `implicit`, 587 for `starttls`, 25 for `none`.
        port: Option<u16> = None,
        /// How the connection to the mail server is protected.
        tls: MailTls = MailTls::Implicit,
        /// Speak to a mail server on this machine without TLS.
        danger_plain: bool = false,
        /// The name to sign in to the mail server with.
        username: Option<String> = None,
        /// The password to sign in to the mail server with.
        password: Option<Secret> = None,
        /// PEM files with certificates of authorities that are trusted as well as the public ones.
        ca_files: Vec<PathBuf> = Vec::new(),
        /// The longest that sending one letter may take.
        timeout: Duration = Duration::from_secs(20),
        /// How often sending a letter is tried before it is given up. The first wait is half a minute, and each is twice the one before.
        attempts: u16 = 8,
        /// The folder for `.eml` files. Unset: `mail` in the data folder.
        folder: Option<PathBuf> = None,
    }
}
