//! Letters in French.

use super::{About, Content, Words, letter, span};
use crate::mail::{Letter, Masthead};
use askama::Template;
use oauth_core::error::PortError;

letter!(confirm, "emails/fr/confirm.txt", "emails/fr/confirm.html", life);
letter!(known, "emails/fr/known.txt", "emails/fr/known.html");
letter!(reset, "emails/fr/reset.txt", "emails/fr/reset.html", life);
letter!(password_changed, "emails/fr/password_changed.txt", "emails/fr/password_changed.html");
letter!(change, "emails/fr/change.txt", "emails/fr/change.html", life);
letter!(email_changed, "emails/fr/email_changed.txt", "emails/fr/email_changed.html", life);
letter!(
    email_changed_again,
    "emails/fr/email_changed_again.txt",
    "emails/fr/email_changed_again.html"
);
letter!(identity, "emails/fr/identity.txt", "emails/fr/identity.html", provider, label);
#[cfg(feature = "passkeys")]
letter!(passkey_added, "emails/fr/passkey_added.txt", "emails/fr/passkey_added.html", passkey);
letter!(
    passkey_removed,
    "emails/fr/passkey_removed.txt",
    "emails/fr/passkey_removed.html",
    passkey
);
letter!(password_set, "emails/fr/password_set.txt", "emails/fr/password_set.html");
letter!(
    second_factor_added,
    "emails/fr/second_factor_added.txt",
    "emails/fr/second_factor_added.html"
);
letter!(
    second_factor_removed,
    "emails/fr/second_factor_removed.txt",
    "emails/fr/second_factor_removed.html"
);

const UNITS: [[&str; 2]; 4] =
    [["jour", "jours"], ["heure", "heures"], ["minute", "minutes"], ["seconde", "secondes"]];

pub(super) fn write(about: About, content: &Content<'_>) -> Result<Letter, PortError> {
    let place = &content.head.place;
    let life = span(content.life, UNITS);
    let words = Words::of(content, &life, "la personne que vous y êtes");
    match about {
        About::Confirm => confirm(&format!("Confirmez votre adresse pour {place}"), words),
        About::Known => known(&format!("Vous avez un compte chez {place}"), words),
        About::Reset => reset(&format!("Choisissez un autre mot de passe pour {place}"), words),
        About::PasswordChanged => {
            password_changed(&format!("Votre mot de passe pour {place} a été remplacé"), words)
        }
        About::Change => change(&format!("Confirmez votre nouvelle adresse pour {place}"), words),
        About::EmailChanged => {
            email_changed(&format!("Votre adresse pour {place} a été remplacée"), words)
        }
        About::EmailChangedAgain => email_changed_again(
            &format!("Votre adresse pour {place} a été remplacée une nouvelle fois"),
            words,
        ),
        About::Identity => {
            identity(&format!("Une nouvelle façon de vous connecter à {place}"), words)
        }
        #[cfg(feature = "passkeys")]
        About::PasskeyAdded => {
            passkey_added(&format!("Une nouvelle clé d’accès pour {place}"), words)
        }
        About::PasskeyRemoved => {
            passkey_removed(&format!("Une clé d’accès de moins pour {place}"), words)
        }
        About::PasswordSet => {
            password_set(&format!("Votre compte chez {place} a maintenant un mot de passe"), words)
        }
        About::SecondFactorAdded => second_factor_added(
            &format!("Un second facteur pour {place} a été mis en place"),
            words,
        ),
        About::SecondFactorRemoved => {
            second_factor_removed(&format!("Votre second facteur pour {place} a été retiré"), words)
        }
    }
}
