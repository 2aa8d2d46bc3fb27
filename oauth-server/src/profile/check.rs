//! The rules, claim by claim. Everything that is wrong is said at once.

use super::{CheckedProfile, Claim, Objection, ProfileDraft};
use crate::registration::{is_deceptive, is_web_address};
use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, Ipv6Addr},
};
use time::{Date, Month};

const LONGEST_LINE: usize = 200;
const LONGEST_TEXT: usize = 1000;
/// [RFC 5321 4.5.3.1](https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1), without the angle brackets.
const LONGEST_EMAIL: usize = 254;

impl ProfileDraft {
    /// The draft without what is empty, or everything that is wrong with it, in the order of the form.
    pub fn check(&self) -> Result<CheckedProfile, Vec<Objection>> {
        let mut good = BTreeMap::new();
        let mut objections = Vec::new();
        for (&claim, text) in &self.0 {
            match checked(claim, text) {
                Ok(text) if text.is_empty() => {}
                Ok(text) => {
                    good.insert(claim, text);
                }
                Err(text) => objections.push(Objection { claim, text }),
            }
        }
        if objections.is_empty() { Ok(CheckedProfile(good)) } else { Err(objections) }
    }
}

/// What is kept of a text, or what is wrong with it. Empty is fine: nothing is said.
fn checked(claim: Claim, text: &str) -> Result<String, String> {
    let text = match claim {
        Claim::Formatted | Claim::StreetAddress => return lines(text),
        _ => line(text)?,
    };
    if text.is_empty() {
        return Ok(text);
    }
    let refused = match claim {
        Claim::PhoneNumber => return phone_number(&text).map_err(str::to_owned),
        Claim::Email if !is_email(&text) => "Give an address such as ada@example.org.",
        Claim::Profile | Claim::Picture | Claim::Website if !is_web_address(&text) => {
            "Give a full web address that begins with https:// or http://."
        }
        Claim::Birthdate if !is_birthdate(&text) => {
            "Write the date as 1815-12-10, the year alone as 1815, or the day without the year as 0000-12-10."
        }
        Claim::Zoneinfo if !is_zone(&text) => {
            "Give the name of a time zone such as Europe/Paris or America/New_York."
        }
        Claim::Locale if !is_language_tag(&text) => {
            "Give a language such as en, en-GB or pt-BR, with hyphens."
        }
        _ => return Ok(text),
    };
    Err(refused.into())
}

/// One line of text.
fn line(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.chars().count() > LONGEST_LINE {
        return Err(format!("Use at most {LONGEST_LINE} characters."));
    }
    if text.chars().any(is_deceptive) {
        return Err("Leave out invisible and control characters.".into());
    }
    Ok(text.to_owned())
}

/// Lines of text, with nothing but a line feed between them.
fn lines(text: &str) -> Result<String, String> {
    if text.chars().count() > LONGEST_TEXT {
        return Err(format!("Use at most {LONGEST_TEXT} characters."));
    }
    let lines: Vec<&str> = text.trim().lines().map(str::trim).collect();
    if lines.iter().any(|line| line.chars().any(is_deceptive)) {
        return Err("Leave out invisible and control characters.".into());
    }
    Ok(lines.join("\n"))
}

/// Whether it can be an address: a dot-atom, an `@`, and a domain or an address literal
/// ([RFC 5322 3.4.1](https://www.rfc-editor.org/rfc/rfc5322#section-3.4.1)). Quoted local parts are not taken: nobody
/// has one, and few programs can read it. Letters beyond ASCII are ([RFC 6531](https://www.rfc-editor.org/rfc/rfc6531)).
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let atom = |c: char| {
        c.is_ascii_alphanumeric()
            || "!#$%&'*+-/=?^_`{|}~".contains(c)
            || (!c.is_ascii() && !c.is_whitespace())
    };
    let atoms = |text: &str| text.split('.').all(|part| !part.is_empty() && part.chars().all(atom));
    text.len() <= LONGEST_EMAIL && local.len() <= 64 && atoms(local) && is_mail_domain(domain)
}

fn is_mail_domain(domain: &str) -> bool {
    if let Some(literal) = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return match literal.strip_prefix("IPv6:") {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => literal.parse::<Ipv4Addr>().is_ok(),
        };
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    domain.split('.').all(label)
}

/// The number without what people put between the digits: `+`, at most fifteen of them ([E.164]), and perhaps an
/// extension ([RFC 3966 3](https://www.rfc-editor.org/rfc/rfc3966#section-3)).
///
/// [E.164]: https://www.itu.int/rec/T-REC-E.164
fn phone_number(text: &str) -> Result<String, &'static str> {
    const WRONG: &str = "Write the number with its country code, such as +44 20 7946 0958.";
    if text.replace(' ', "").contains("(0)") {
        return Err("Leave out the (0): from abroad it is not dialled.");
    }
    let (number, extension) =
        text.split_once(";ext=").map_or((text, None), |(number, ext)| (number, Some(ext)));
    let digits: String = number.chars().filter(|c| !" -.()/\u{a0}".contains(*c)).collect();
    let plain = digits.strip_prefix('+').ok_or(WRONG)?;
    if !digits_only(plain) || plain.starts_with('0') || !(7..=15).contains(&plain.len()) {
        return Err(WRONG);
    }
    match extension {
        None => Ok(digits),
        Some(ext) if digits_only(ext) && (1..=15).contains(&ext.len()) => {
            Ok(format!("{digits};ext={ext}"))
        }
        Some(_) => Err(WRONG),
    }
}

/// A date, a year alone, or, with the year 0000, a day of any year.
fn is_birthdate(text: &str) -> bool {
    let number = |text: &str, length: usize| {
        (text.len() == length && digits_only(text)).then(|| text.parse::<u16>().ok()).flatten()
    };
    let parts: Vec<&str> = text.split('-').collect();
    match *parts.as_slice() {
        [year] => number(year, 4).is_some_and(|year| year > 0),
        [year, month, day] => {
            let date = || {
                let year = i32::from(number(year, 4)?);
                let month = Month::try_from(u8::try_from(number(month, 2)?).ok()?).ok()?;
                // The year 0000 is a leap year, so that whoever is born on 29 February can say so.
                Date::from_calendar_date(year, month, u8::try_from(number(day, 2)?).ok()?).ok()
            };
            date().is_some()
        }
        _ => false,
    }
}

/// Whether it has the form of a name in the time zone database. Which names there are changes several times a year.
fn is_zone(text: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+-".contains(&b))
    };
    text.split('/').count() <= 3 && text.split('/').all(part)
}

/// Whether it is a well-formed language tag
/// ([RFC 5646 2.1](https://www.rfc-editor.org/rfc/rfc5646#section-2.1)), leaving aside the grandfathered ones.
fn is_language_tag(text: &str) -> bool {
    let tags: Vec<&str> = text.split('-').collect();
    let alphanumeric =
        |tag: &&str| (1..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric());
    if !tags.iter().all(alphanumeric) {
        return false;
    }
    let mut rest = tags.as_slice();
    let mut take = |fits: fn(&str) -> bool| match rest {
        [first, tail @ ..] if fits(first) => {
            rest = tail;
            true
        }
        _ => false,
    };
    if take(is_private) {
        return !rest.is_empty();
    }
    if take(|t| (2..=3).contains(&t.len()) && letters(t)) {
        for _ in 0..3 {
            take(|t| t.len() == 3 && letters(t));
        }
    } else if !take(|t| (4..=8).contains(&t.len()) && letters(t)) {
        return false;
    }
    take(|t| t.len() == 4 && letters(t));
    take(|t| (t.len() == 2 && letters(t)) || (t.len() == 3 && digits_only(t)));
    while take(|t| t.len() >= 5 || (t.len() == 4 && t.starts_with(|c: char| c.is_ascii_digit()))) {}
    while take(|t| t.len() == 1 && !is_private(t)) {
        if !take(|t| t.len() >= 2) {
            return false;
        }
        while take(|t| t.len() >= 2) {}
    }
    if take(is_private) { !rest.is_empty() } else { rest.is_empty() }
}

fn is_private(tag: &str) -> bool {
    tag.eq_ignore_ascii_case("x")
}

fn letters(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphabetic())
}

fn digits_only(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}
