//! Letters in German.

use super::{About, Content, Words, letter, span};
use crate::mail::{Letter, Masthead};
use askama::Template;
use oauth_core::error::PortError;

letter!(confirm, "emails/de/confirm.txt", "emails/de/confirm.html", life);
letter!(known, "emails/de/known.txt", "emails/de/known.html");
letter!(reset, "emails/de/reset.txt", "emails/de/reset.html", life);
letter!(password_changed, "emails/de/password_changed.txt", "emails/de/password_changed.html");
letter!(change, "emails/de/change.txt", "emails/de/change.html", life);
letter!(email_changed, "emails/de/email_changed.txt", "emails/de/email_changed.html", life);
letter!(
    email_changed_again,
    "emails/de/email_changed_again.txt",
    "emails/de/email_changed_again.html"
);
letter!(identity, "emails/de/identity.txt", "emails/de/identity.html", provider, label);
#[cfg(feature = "passkeys")]
letter!(passkey_added, "emails/de/passkey_added.txt", "emails/de/passkey_added.html", passkey);
letter!(
    passkey_removed,
    "emails/de/passkey_removed.txt",
    "emails/de/passkey_removed.html",
    passkey
);
letter!(password_set, "emails/de/password_set.txt", "emails/de/password_set.html");
letter!(
    second_factor_added,
    "emails/de/second_factor_added.txt",
    "emails/de/second_factor_added.html"
);
letter!(
    second_factor_removed,
    "emails/de/second_factor_removed.txt",
    "emails/de/second_factor_removed.html"
);

const UNITS: [[&str; 2]; 4] =
    [["Tag", "Tagen"], ["Stunde", "Stunden"], ["Minute", "Minuten"], ["Sekunde", "Sekunden"]];

pub(super) fn write(about: About, content: &Content<'_>) -> Result<Letter, PortError> {
    let place = &content.head.place;
    let life = span(content.life, UNITS);
    let words = Words::of(content, &life, "die Person, die Sie dort sind,");
    match about {
        About::Confirm => confirm(&format!("Bestätigen Sie Ihre Adresse für {place}"), words),
        About::Known => known(&format!("Sie haben ein Konto bei {place}"), words),
        About::Reset => reset(&format!("Wählen Sie ein anderes Passwort für {place}"), words),
        About::PasswordChanged => {
            password_changed(&format!("Ihr Passwort für {place} wurde ersetzt"), words)
        }
        About::Change => change(&format!("Bestätigen Sie Ihre neue Adresse für {place}"), words),
        About::EmailChanged => {
            email_changed(&format!("Ihre Adresse für {place} wurde ersetzt"), words)
        }
        About::EmailChangedAgain => email_changed_again(
            &format!("Ihre Adresse für {place} wurde noch einmal ersetzt"),
            words,
        ),
        About::Identity => identity(&format!("Ein neuer Weg, sich bei {place} anzumelden"), words),
        #[cfg(feature = "passkeys")]
        About::PasskeyAdded => passkey_added(&format!("Ein neuer Passkey für {place}"), words),
        About::PasskeyRemoved => {
            passkey_removed(&format!("Ein Passkey weniger für {place}"), words)
        }
        About::PasswordSet => {
            password_set(&format!("Ihr Konto bei {place} hat jetzt ein Passwort"), words)
        }
        About::SecondFactorAdded => second_factor_added(
            &format!("Ein zweiter Faktor für {place} wurde eingerichtet"),
            words,
        ),
        About::SecondFactorRemoved => {
            second_factor_removed(&format!("Ihr zweiter Faktor für {place} wurde entfernt"), words)
        }
    }
}
