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
letter!(
    email_changed_again,
    "emails/en/email_changed_again.txt",
    "emails/en/email_changed_again.html"
);
letter!(identity, "emails/en/identity.txt", "emails/en/identity.html", provider, label);
#[cfg(feature = "passkeys")]
letter!(passkey_added, "emails/en/passkey_added.txt", "emails/en/passkey_added.html", passkey);
letter!(
    passkey_removed,
    "emails/en/passkey_removed.txt",
    "emails/en/passkey_removed.html",
    passkey
);
letter!(password_set, "emails/en/password_set.txt", "emails/en/password_set.html");
letter!(
    second_factor_added,
    "emails/en/second_factor_added.txt",
    "emails/en/second_factor_added.html"
);
letter!(
    second_factor_removed,
    "emails/en/second_factor_removed.txt",
    "emails/en/second_factor_removed.html"
);

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
        About::EmailChangedAgain => {
            email_changed_again(&format!("Your address for {place} was replaced again"), words)
        }
        About::Identity => identity(&format!("A new way to sign in to {place}"), words),
        #[cfg(feature = "passkeys")]
        About::PasskeyAdded => passkey_added(&format!("A new passkey for {place}"), words),
        About::PasskeyRemoved => passkey_removed(&format!("A passkey less for {place}"), words),
        About::PasswordSet => {
            password_set(&format!("Your account at {place} has a password now"), words)
        }
        About::SecondFactorAdded => {
            second_factor_added(&format!("A second factor for {place} was set up"), words)
        }
        About::SecondFactorRemoved => {
            second_factor_removed(&format!("Your second factor for {place} was taken away"), words)
        }
    }
}
