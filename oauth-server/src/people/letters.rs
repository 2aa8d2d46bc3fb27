//! The letters of the user service. Each is two templates, in the folder of the language they are written in.

use crate::{
    mail::{Letter, Masthead},
    pages::span,
};
use askama::Template;
use oauth_core::error::PortError;
use std::time::Duration;

/// The languages there are letters in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Language {
    /// English.
    #[default]
    English,
}

/// What a letter is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// Confirm the address you signed up with.
    Confirm,
    /// You have an account already.
    Known,
    /// Choose another password.
    Reset,
    /// Your password was replaced.
    PasswordChanged,
    /// Confirm your new address.
    Change,
    /// Your address was replaced.
    EmailChanged,
}

/// Who is written to, and what with.
pub(super) struct Content<'a> {
    pub(super) head: &'a Masthead,
    pub(super) to: &'a str,
    /// The user name.
    pub(super) name: &'a str,
    /// Where to go, in full.
    pub(super) link: &'a str,
    /// For how long the link is good.
    pub(super) life: Duration,
}

/// The letter.
pub(super) fn write(
    language: Language,
    about: About,
    content: &Content<'_>,
) -> Result<Letter, PortError> {
    match language {
        Language::English => english(about, content),
    }
}

/// Declares a letter: the function that writes it from its two templates, which say for how long the link is good or
/// do not.
macro_rules! letter {
    ($name:ident, $text:literal, $html:literal, $($life:ident)?) => {
        fn $name(subject: &str, content: &Content<'_>) -> Result<Letter, PortError> {
            #[derive(Template)]
            #[template(path = $text)]
            struct Text<'a> {
                head: &'a Masthead,
                name: &'a str,
                link: &'a str,
                $($life: &'a str,)?
            }
            #[derive(Template)]
            #[template(path = $html)]
            struct Html<'a> {
                head: &'a Masthead,
                name: &'a str,
                link: &'a str,
                $($life: &'a str,)?
            }
            let Content { head, to, name, link, .. } = *content;
            $(let $life = &*span(content.$life);)?
            let text = Text { head, name, link, $($life)? };
            Letter::render(to, subject, &text, &Html { head, name, link, $($life)? })
        }
    };
}

letter!(confirm, "emails/en/confirm.txt", "emails/en/confirm.html", life);
letter!(known, "emails/en/known.txt", "emails/en/known.html",);
letter!(reset, "emails/en/reset.txt", "emails/en/reset.html", life);
letter!(password_changed, "emails/en/password_changed.txt", "emails/en/password_changed.html",);
letter!(change, "emails/en/change.txt", "emails/en/change.html", life);
letter!(email_changed, "emails/en/email_changed.txt", "emails/en/email_changed.html", life);

fn english(about: About, content: &Content<'_>) -> Result<Letter, PortError> {
    let place = &content.head.place;
    match about {
        About::Confirm => confirm(&format!("Confirm your address for {place}"), content),
        About::Known => known(&format!("You have an account at {place}"), content),
        About::Reset => reset(&format!("Choose another password for {place}"), content),
        About::PasswordChanged => {
            password_changed(&format!("Your password for {place} was replaced"), content)
        }
        About::Change => change(&format!("Confirm your new address for {place}"), content),
        About::EmailChanged => {
            email_changed(&format!("Your address for {place} was replaced"), content)
        }
    }
}
