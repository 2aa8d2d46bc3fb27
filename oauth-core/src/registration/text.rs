//! Texts that are shown to people, and addresses that are followed.

use crate::model::UriProblem;
use url::{Host, Url};

/// The longest name.
pub(super) const LONGEST_NAME: usize = 100;
/// The longest address.
pub(super) const LONGEST_URI: usize = 2000;

/// Whether it could make one text look like another: controls, invisible characters, changes of direction.
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether it is a web address that can be shown and followed.
pub fn is_web_address(text: &str) -> bool {
    let url = Url::parse(text).ok().filter(|_| text.len() <= LONGEST_URI);
    url.is_some_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && !text.chars().any(|c| c.is_whitespace() || is_deceptive(c) || c == '\\')
    })
}

/// The objection to a text of one line, if there is one.
pub(super) fn objection_to_line(text: &str, longest: usize) -> Option<String> {
    if text.chars().count() > longest {
        Some(format!("Use at most {longest} characters."))
    } else if text.chars().any(is_deceptive) {
        Some("Leave out invisible and control characters.".into())
    } else {
        None
    }
}

/// Enough of a text to recognise it by.
pub(super) fn short(text: &str) -> String {
    const ENOUGH: usize = 60;
    if text.chars().count() <= ENOUGH {
        return text.to_owned();
    }
    text.chars().take(ENOUGH).chain(['\u{2026}']).collect()
}

/// The problem in words.
pub(super) const fn why(problem: UriProblem) -> &'static str {
    match problem {
        UriProblem::Fragment => "leave out the fragment (#).",
        UriProblem::NotAbsolute => "give a full address, such as https://app.example/callback.",
        UriProblem::PlainHttp => {
            "http is for this machine only (http://127.0.0.1/); use https elsewhere."
        }
        UriProblem::Scheme => {
            "begin with https://, or with the reversed domain name of an app, such as com.example.app:/callback."
        }
        _ => {
            "leave out user names, wildcards (*), spaces and whatever else does not belong in an address."
        }
    }
}

/// Whether the host is this machine: a loopback address, or the name for it.
pub(super) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Whether it has the form of a language tag ([RFC 5646 2.1](https://www.rfc-editor.org/rfc/rfc5646#section-2.1)):
/// parts of letters and digits, the first of letters only.
pub(super) fn is_language_tag(tag: &str) -> bool {
    const LONGEST: usize = 35;
    let mut parts = tag.split('-');
    let fits = |part: &str| (1..=8).contains(&part.len());
    tag.len() <= LONGEST
        && parts.next().is_some_and(|p| fits(p) && p.bytes().all(|b| b.is_ascii_alphabetic()))
        && parts.all(|p| fits(p) && p.bytes().all(|b| b.is_ascii_alphanumeric()))
}
