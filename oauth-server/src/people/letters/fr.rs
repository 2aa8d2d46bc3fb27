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
letter!(identity, "emails/fr/identity.txt", "emails/fr/identity.html", provider, label);

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
        About::Identity => {
            identity(&format!("Une nouvelle façon de vous connecter à {place}"), words)
        }
    }
}
