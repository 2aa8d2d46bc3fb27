//! Letters in English.

use super::{About, Content, Words, letter, span};
use crate::mail::{Letter, Masthead};
use askama::Template;
use oauth_core::error::PortError;

letter!(confirm, "emails/en/confirm.txt", "emails/en/confirm.html", life);
letter!(known, "emails/en/known.txt", "emails/en/known.html");
letter!(reset, "emails/en/reset.txt", "emails/en/reset.html", life);
letter!(password_changed, "emails/en/password_changed.txt", "emails/en/password_changed.html");
letter!(change, "emails/en/change.txt", "emails/en/change.html", life);
letter!(email_changed, "emails/en/email_changed.txt", "emails/en/email_changed.html", life);
letter!(identity, "emails/en/identity.txt", "emails/en/identity.html", provider, label);

/// The units of time.
pub(crate) const UNITS: [[&str; 2]; 4] =
    [["day", "days"], ["hour", "hours"], ["minute", "minutes"], ["second", "seconds"]];

pub(super) fn write(about: About, content: &Content<'_>) -> Result<Letter, PortError> {
    let place = &content.head.place;
    let life = span(content.life, UNITS);
    let words = Words::of(content, &life, "the person you are there");
    match about {
        About::Confirm => confirm(&format!("Confirm your address for {place}"), words),
        About::Known => known(&format!("You have an account at {place}"), words),
        About::Reset => reset(&format!("Choose another password for {place}"), words),
        About::PasswordChanged => {
            password_changed(&format!("Your password for {place} was replaced"), words)
        }
        About::Change => change(&format!("Confirm your new address for {place}"), words),
        About::EmailChanged => {
            email_changed(&format!("Your address for {place} was replaced"), words)
        }
        About::Identity => identity(&format!("A new way to sign in to {place}"), words),
    }
}
