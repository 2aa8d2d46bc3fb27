//! Telling people that there is a new way into their account.

use super::{Person, Upstream};
use crate::mail::{Letter, Mail, Masthead};
use askama::Template;
use oauth_core::{error::PortError, seaorm::UserAccount};
use sea_orm::DatabaseTransaction;

#[derive(Template)]
#[template(path = "emails/identity.txt")]
struct Text<'a> {
    head: &'a Masthead,
    provider: &'a str,
    username: &'a str,
    label: &'a str,
}

#[derive(Template)]
#[template(path = "emails/identity.html")]
struct Html<'a> {
    head: &'a Masthead,
    provider: &'a str,
    username: &'a str,
    label: &'a str,
}

/// A letter about an identity that is linked, for whoever has a confirmed address.
pub struct Notice(Option<(Mail, Letter)>);

impl Notice {
    /// The letter to this account.
    pub fn new(
        mail: &Mail,
        upstream: &Upstream,
        person: &Person,
        account: Option<&UserAccount>,
    ) -> Result<Self, PortError> {
        let Some(account) = account.filter(|a| a.email_verified && mail.is_on()) else {
            return Ok(Self(None));
        };
        let Some(address) = &account.email else { return Ok(Self(None)) };
        let (head, provider) = (mail.masthead(), upstream.settings.name());
        let (username, label) = (&*account.username, person.label());
        let label = label.as_deref().unwrap_or("the person you are there");
        let text = Text { head, provider, username, label };
        let html = Html { head, provider, username, label };
        let subject = format!("A new way to sign in to {}", head.place);
        Ok(Self(Some((mail.clone(), Letter::render(address, &subject, &text, &html)?))))
    }

    /// Queues it in the transaction in which the identity is linked.
    pub(super) async fn queue(self, t: &DatabaseTransaction) -> Result<(), PortError> {
        match self.0 {
            Some((mail, letter)) => mail.queue(t, letter).await,
            None => Ok(()),
        }
    }
}
