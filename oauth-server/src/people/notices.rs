//! Telling people what opened or closed a way into their account, in the transaction in which that happens.

use super::letters::{self, About, Content, Reader};
use crate::{
    config::{Config, LetterLanguage},
    mail::{Letter, Mail},
};
use oauth_core::{error::PortError, seaorm::UserAccount};
use sea_orm::DatabaseTransaction;

/// What happened to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// A passkey of this name was added.
    #[cfg(feature = "passkeys")]
    PasskeyAdded(&'a str),
    /// A passkey of this name was removed.
    PasskeyRemoved(&'a str),
    /// Whoever had no password has one.
    PasswordSet,
    /// A second factor was set up.
    SecondFactorAdded,
    /// The second factor was taken away.
    SecondFactorRemoved,
}

impl<'a> Event<'a> {
    /// The letter about it, where to go for whoever did not do it, and the name of the passkey, if it is about one.
    const fn parts(self) -> (About, &'static str, &'a str) {
        match self {
            #[cfg(feature = "passkeys")]
            Self::PasskeyAdded(name) => (About::PasskeyAdded, "/account/passkeys", name),
            Self::PasskeyRemoved(name) => (About::PasskeyRemoved, "/account/passkeys", name),
            Self::PasswordSet => (About::PasswordSet, "/account/sessions", ""),
            // Without the codes one gets no further than this, but another password ends every session.
            Self::SecondFactorAdded => (About::SecondFactorAdded, "/forgot-password", ""),
            Self::SecondFactorRemoved => (About::SecondFactorRemoved, "/account/second-factor", ""),
        }
    }
}

/// What writes to the owners of accounts. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Notices {
    mail: Mail,
    /// The language to write in to whoever names none.
    language: LetterLanguage,
}

impl Notices {
    /// Letters that leave by this mail, in the languages of the configuration.
    pub(crate) fn new(mail: Mail, config: &Config) -> Self {
        Self { mail, language: config.mail.language }
    }

    /// Tells the owner what happened, in the transaction of it, if that is somebody with a confirmed address and
    /// letters leave.
    pub(crate) async fn tell(
        &self,
        t: &DatabaseTransaction,
        event: Event<'_>,
        owner: &UserAccount,
    ) -> Result<(), PortError> {
        match self.letter(event, owner)? {
            Some(letter) => self.mail.queue(t, letter).await,
            None => Ok(()),
        }
    }

    fn letter(&self, event: Event<'_>, owner: &UserAccount) -> Result<Option<Letter>, PortError> {
        let confirmed = owner.email.as_deref().filter(|_| owner.email_verified);
        let Some(to) = confirmed.filter(|_| self.mail.is_on()) else { return Ok(None) };
        let (about, path, passkey) = event.parts();
        let head = self.mail.masthead();
        let link = format!("{}{path}", head.url);
        let reader = Reader::of(owner, to);
        let content = Content { passkey, ..Content::of(head, reader, &link) };
        letters::write(reader.language(self.language), about, &content).map(Some)
    }
}
