//! Telling people that there is a new way into their account, or one less.

use crate::mail::{Letter, Mail, Masthead};
use askama::Template;
use oauth_core::{error::PortError, seaorm::entity::user};

/// What happened to a passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    #[cfg(feature = "passkeys")]
    Added,
    Removed,
}

macro_rules! letter {
    ($name:ident, $text:literal, $html:literal) => {
        fn $name(
            head: &Masthead,
            to: &str,
            subject: &str,
            (username, passkey): (&str, &str),
        ) -> Result<Letter, PortError> {
            #[derive(Template)]
            #[template(path = $text)]
            struct Text<'a> {
                head: &'a Masthead,
                username: &'a str,
                passkey: &'a str,
            }
            #[derive(Template)]
            #[template(path = $html)]
            struct Html<'a> {
                head: &'a Masthead,
                username: &'a str,
                passkey: &'a str,
            }
            let html = Html { head, username, passkey };
            Letter::render(to, subject, &Text { head, username, passkey }, &html)
        }
    };
}

#[cfg(feature = "passkeys")]
letter!(added, "emails/passkey_added.txt", "emails/passkey_added.html");
letter!(removed, "emails/passkey_removed.txt", "emails/passkey_removed.html");

/// The letter to the owner, if that is somebody with a confirmed address and letters leave.
pub(super) fn letter(
    mail: &Mail,
    event: Event,
    owner: &user::Model,
    name: &str,
) -> Result<Option<Letter>, PortError> {
    let Some(to) = owner.email.as_deref().filter(|_| owner.email_verified && mail.is_on()) else {
        return Ok(None);
    };
    let (head, about) = (mail.masthead(), (&*owner.username, name));
    let letter = match event {
        #[cfg(feature = "passkeys")]
        Event::Added => added(head, to, &format!("A new passkey for {}", head.place), about),
        Event::Removed => removed(head, to, &format!("A passkey less for {}", head.place), about),
    };
    letter.map(Some)
}
