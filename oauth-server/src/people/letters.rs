//! The letters of the user service. Each is two templates, in the folder of the language they are written in.

mod de;
mod en;
mod fr;

use crate::{
    config::LetterLanguage,
    mail::{Letter, Masthead},
};
pub(crate) use en::UNITS;
use oauth_core::{error::PortError, seaorm::UserAccount};
use std::time::Duration;

/// What a letter is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
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
    /// Your address was replaced, which had itself replaced another one a short while ago.
    EmailChangedAgain,
    /// An identity at another provider was linked.
    Identity,
    /// A passkey was added.
    #[cfg(feature = "passkeys")]
    PasskeyAdded,
    /// A passkey was removed.
    PasskeyRemoved,
    /// Your account has a password, the first.
    PasswordSet,
    /// A second factor was set up.
    SecondFactorAdded,
    /// Your second factor was taken away.
    SecondFactorRemoved,
}

/// Whom a letter is to.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    /// The address.
    pub(crate) to: &'a str,
    /// The user name.
    pub(crate) name: &'a str,
    /// The language that the profile names.
    pub(crate) locale: Option<&'a str>,
}

impl<'a> Reader<'a> {
    /// The user of this account, at this address.
    pub(crate) fn of(account: &'a UserAccount, to: &'a str) -> Self {
        Self { to, name: &account.username, locale: account.locale.as_deref() }
    }

    /// The language to write in: that of the profile, or the one that is configured.
    pub(crate) fn language(self, configured: LetterLanguage) -> LetterLanguage {
        self.locale.and_then(LetterLanguage::of).unwrap_or(configured)
    }
}

/// What a letter says beside its fixed words.
#[derive(Clone, Copy)]
pub(crate) struct Content<'a> {
    pub(crate) head: &'a Masthead,
    pub(crate) reader: Reader<'a>,
    /// Where to go, in full.
    pub(crate) link: &'a str,
    /// For how long the link is good.
    pub(crate) life: Duration,
    /// The provider that was linked, and as whom.
    pub(crate) identity: (&'a str, Option<&'a str>),
    /// The name of the passkey that came or went.
    pub(crate) passkey: &'a str,
}

impl<'a> Content<'a> {
    /// A link, and nothing else that only some letters say.
    pub(crate) const fn of(head: &'a Masthead, reader: Reader<'a>, link: &'a str) -> Self {
        Self { head, reader, link, life: Duration::ZERO, identity: ("", None), passkey: "" }
    }
}

/// The letter.
pub(crate) fn write(
    language: LetterLanguage,
    about: About,
    content: &Content<'_>,
) -> Result<Letter, PortError> {
    match language {
        LetterLanguage::German => de::write(about, content),
        LetterLanguage::English => en::write(about, content),
        LetterLanguage::French => fr::write(about, content),
    }
}

/// What the templates of a letter may say, in the words of its language.
#[derive(Clone, Copy)]
struct Words<'a> {
    head: &'a Masthead,
    to: &'a str,
    name: &'a str,
    link: &'a str,
    life: &'a str,
    provider: &'a str,
    label: &'a str,
    passkey: &'a str,
}

impl<'a> Words<'a> {
    fn of(content: &Content<'a>, life: &'a str, nameless: &'a str) -> Self {
        let Content { head, reader: Reader { to, name, .. }, link, passkey, .. } = *content;
        let (provider, label) = content.identity;
        let label = label.unwrap_or(nameless);
        Self { head, to, name, link, life, provider, label, passkey }
    }
}

/// A length of time in its largest whole unit, whose names are given for one and for many: days, hours, minutes, seconds.
pub(crate) fn span(duration: Duration, units: [[&str; 2]; 4]) -> String {
    let seconds = duration.as_secs();
    let [days, hours, minutes, rest] = units;
    let (number, [one, many]) = [(86_400, days), (3_600, hours), (60, minutes)]
        .into_iter()
        .find(|(size, _)| seconds >= *size && seconds.is_multiple_of(*size))
        .map_or((seconds, rest), |(size, unit)| (seconds / size, unit));
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Declares a letter: the function that writes it from its two templates, with what they say beside the name and the
/// link.
macro_rules! letter {
    ($name:ident, $text:literal, $html:literal $(, $field:ident)*) => {
        fn $name(subject: &str, words: Words<'_>) -> Result<Letter, PortError> {
            #[derive(Template)]
            #[template(path = $text)]
            struct Text<'a> {
                head: &'a Masthead,
                name: &'a str,
                link: &'a str,
                $($field: &'a str,)*
            }
            #[derive(Template)]
            #[template(path = $html)]
            struct Html<'a> {
                head: &'a Masthead,
                name: &'a str,
                link: &'a str,
                $($field: &'a str,)*
            }
            let Words { head, to, name, link, .. } = words;
            $(let $field = words.$field;)*
            let text = Text { head, name, link, $($field,)* };
            Letter::render(to, subject, &text, &Html { head, name, link, $($field,)* })
        }
    };
}
use letter;

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &[About] = &[
        About::Confirm,
        About::Known,
        About::Reset,
        About::PasswordChanged,
        About::Change,
        About::EmailChanged,
        About::EmailChangedAgain,
        About::Identity,
        #[cfg(feature = "passkeys")]
        About::PasskeyAdded,
        About::PasskeyRemoved,
        About::PasswordSet,
        About::SecondFactorAdded,
        About::SecondFactorRemoved,
    ];

    #[test]
    fn s2_08_every_letter_is_there_in_every_language_and_says_what_it_must() {
        let head = Masthead { place: "id.example".into(), url: "https://id.example".into() };
        for &language in LetterLanguage::ALL {
            let mut subjects = Vec::new();
            for &about in ALL {
                let reader = Reader { to: "ann@example.org", name: "<ann>", locale: None };
                let content = Content {
                    life: Duration::from_hours(2),
                    identity: ("Example & Co", None),
                    passkey: "Phone & Co",
                    ..Content::of(&head, reader, "https://id.example/go?token=t")
                };
                let letter = write(language, about, &content).unwrap();
                assert!(letter.subject.contains("id.example"), "{language} {about:?}");
                assert!(letter.text.contains("<ann>") && letter.html.contains("&#60;ann&#62;"));
                assert!(letter.text.contains(content.link) && letter.html.contains(content.link));
                assert!(letter.html.contains(&format!("<html lang=\"{language}\">")));
                assert!(!letter.text.contains("&#"), "{language} {about:?}");
                subjects.push(letter.subject);
            }
            subjects.sort();
            subjects.dedup();
            assert_eq!(subjects.len(), ALL.len(), "{language}");
        }
    }

    #[test]
    fn s2_08_the_profile_names_the_language() {
        let language =
            |locale| Reader { to: "", name: "", locale }.language(LetterLanguage::German);
        assert_eq!(language(None), LetterLanguage::German);
        assert_eq!(language(Some("fr")), LetterLanguage::French);
        assert_eq!(language(Some("FR-ca")), LetterLanguage::French);
        assert_eq!(language(Some("en-GB-oed")), LetterLanguage::English);
        for unknown in ["fro", "", "-fr", "pt-BR"] {
            assert_eq!(language(Some(unknown)), LetterLanguage::German, "{unknown}");
        }
    }

    #[test]
    fn lengths_of_time_in_words() {
        let units =
            [["day", "days"], ["hour", "hours"], ["minute", "minutes"], ["second", "seconds"]];
        for (seconds, words) in [
            (86_400, "1 day"),
            (7_200, "2 hours"),
            (5_400, "90 minutes"),
            (61, "61 seconds"),
            (0, "0 seconds"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds), units), words);
        }
    }
}
