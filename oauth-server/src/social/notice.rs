//! Telling people that there is a new way into their account.

use super::{Person, Upstream};
use crate::{
    config::LetterLanguage,
    mail::{Letter, Mail},
    people::letters::{self, About, Content, Reader},
};
use oauth_core::{error::PortError, seaorm::UserAccount};
use sea_orm::DatabaseTransaction;

/// A letter about an identity that is linked, for whoever has a confirmed address.
pub struct Notice(Option<(Mail, Letter)>);

impl Notice {
    /// The letter to this account, in its language or the one that is configured.
    pub fn new(
        (mail, configured): (&Mail, LetterLanguage),
        upstream: &Upstream,
        person: &Person,
        account: Option<&UserAccount>,
    ) -> Result<Self, PortError> {
        let Some(account) = account.filter(|a| a.email_verified && mail.is_on()) else {
            return Ok(Self(None));
        };
        let Some(address) = &account.email else { return Ok(Self(None)) };
        let (head, label) = (mail.masthead(), person.label());
        let link = format!("{}/account/identities", head.url);
        let content = Content {
            identity: (upstream.settings.name(), label.as_deref()),
            ..Content::of(head, Reader::of(account, address), &link)
        };
        let language = content.reader.language(configured);
        let letter = letters::write(language, About::Identity, &content)?;
        Ok(Self(Some((mail.clone(), letter))))
    }

    /// Queues it in the transaction in which the identity is linked.
    pub(super) async fn queue(self, t: &DatabaseTransaction) -> Result<(), PortError> {
        match self.0 {
            Some((mail, letter)) => mail.queue(t, letter).await,
            None => Ok(()),
        }
    }
}
