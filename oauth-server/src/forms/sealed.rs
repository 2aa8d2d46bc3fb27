//! What arrives encrypted, and what it comes to: decided with values, without database or clock.

use crate::config::Salt;
use base64::{
    Engine as _,
    engine::{
        DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::URL_SAFE_NO_PAD,
    },
};
use oauth_core::{
    jose::DecryptionKey,
    model::{HashedToken, Timestamp},
    ports::Random,
};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};

/// How old a JWE may be.
pub(super) const LIFE: Duration = Duration::from_mins(5);
/// How far the clock of a browser may be ahead of ours.
const SKEW: Duration = Duration::from_secs(30);
/// No ciphertext of a key of ours is longer in base64, with line breaks.
const LONGEST_FIELD: usize = 1024;
/// No form is longer.
const LONGEST_FORM: usize = 8 * 1024;
/// Standard base64, with its padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The encrypted members of a request.
#[derive(Clone, Default)]
pub struct Sealed {
    /// The e-mail address or user name, encrypted by itself, in base64.
    pub email_encrypt: Option<String>,
    /// The password, encrypted by itself, in base64.
    pub pwd_encrypt: Option<String>,
    /// Everything together, as a compact JWE.
    pub form: Option<String>,
}

/// What a request must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A name and a password.
    Both,
    /// A name.
    Email,
    /// A password.
    Password,
}

impl Wanted {
    const fn email(self) -> bool {
        matches!(self, Self::Both | Self::Email)
    }

    const fn password(self) -> bool {
        matches!(self, Self::Both | Self::Password)
    }
}

impl Sealed {
    /// Whether nothing is encrypted.
    pub const fn is_empty(&self) -> bool {
        self.email_encrypt.is_none() && self.pwd_encrypt.is_none() && self.form.is_none()
    }

    /// Whether the members are there that are wanted, and no others: one JWE, or each field by itself.
    pub const fn fits(&self, salt: Salt, wanted: Wanted) -> bool {
        let fields = (self.email_encrypt.is_some(), self.pwd_encrypt.is_some());
        match (salt, self.form.is_some()) {
            (Salt::No, _) | (Salt::Jsencrypt, true) => false,
            (Salt::Yes, true) => !fields.0 && !fields.1,
            (Salt::Yes | Salt::Jsencrypt, false) => {
                fields.0 == wanted.email() && fields.1 == wanted.password()
            }
        }
    }
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealed").finish_non_exhaustive()
    }
}

/// What was encrypted. What was not wanted is empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// The e-mail address or user name.
    pub email: String,
    /// The password.
    pub password: String,
    /// The user name that somebody signs up with, where a JWE has one.
    pub username: Option<String>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").finish_non_exhaustive()
    }
}

impl Opened {
    /// For whoever refuses it as if it could not be read.
    pub fn into_unreadable(self) -> Unreadable {
        Unreadable { name: self.email }
    }
}

/// What could not be read, or may not be used: nobody is told why.
///
/// It goes on under a name, as a wrong password does: the one that could be read, or one that stands for the
/// ciphertext and that nobody has. So it is counted like a wrong password, too, and what is counted tells nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Unreadable {
    name: String,
}

impl std::fmt::Debug for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unreadable").finish_non_exhaustive()
    }
}

impl Unreadable {
    /// The name to go on with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A name that no account can have stands for what came.
    fn of(ciphertext: &str) -> Self {
        let hash = URL_SAFE_NO_PAD.encode(HashedToken::of(ciphertext).as_bytes());
        Self { name: format!("\u{1}{hash}") }
    }
}

/// What came of reading, and the mark of what was read. There is one of what could not be read, too, so that it costs
/// the same.
pub(super) struct Read {
    pub(super) outcome: Result<Opened, Unreadable>,
    /// What of it may come once.
    pub(super) mark: String,
}

/// What there is to read with.
pub(super) struct Reading<'a> {
    pub(super) keys: &'a [Arc<DecryptionKey>],
    pub(super) random: &'a dyn Random,
    pub(super) now: Timestamp,
    /// The `jti` of the guest token that came along.
    pub(super) guest: Option<&'a str>,
}

impl Reading<'_> {
    pub(super) fn read(&self, sealed: &Sealed, wanted: Wanted) -> Read {
        match &sealed.form {
            Some(jwe) => {
                let outcome = self.form(jwe, wanted);
                let mark = outcome.as_ref().map_or_else(|_| unread(jwe), |_| jwe.clone());
                Read { outcome, mark }
            }
            None => self.fields(sealed, wanted),
        }
    }

    /// Both fields are always decrypted, with every key: what fails takes as long as what does not.
    fn fields(&self, sealed: &Sealed, wanted: Wanted) -> Read {
        let email_encrypt = sealed.email_encrypt.as_deref().unwrap_or_default();
        let pwd_encrypt = sealed.pwd_encrypt.as_deref().unwrap_or_default();
        let email = if wanted.email() { self.field(email_encrypt) } else { None };
        let password = if wanted.password() { self.field(pwd_encrypt) } else { None };
        // The password is what must not come again. Where there is none, it is the name.
        let (decisive, text) =
            if wanted.password() { (&password, pwd_encrypt) } else { (&email, email_encrypt) };
        let mark = decisive.as_ref().map(|(_, ciphertext)| ciphertext.clone());
        let has_all =
            (email.is_some() || !wanted.email()) && (password.is_some() || !wanted.password());
        let outcome = if has_all {
            let (email, _) = email.unwrap_or_default();
            let (password, _) = password.unwrap_or_default();
            Ok(Opened { email, password, username: None })
        } else {
            Err(match email {
                Some((email, _)) => Unreadable { name: email },
                None if wanted.email() => Unreadable::of(email_encrypt),
                None => Unreadable::of(pwd_encrypt),
            })
        };
        let mark = mark.filter(|_| outcome.is_ok()).unwrap_or_else(|| unread(text));
        Read { outcome, mark }
    }

    /// One field, and the ciphertext in its one spelling.
    fn field(&self, text: &str) -> Option<(String, String)> {
        if text.len() > LONGEST_FIELD {
            return None;
        }
        // Some front ends break lines, as PEM does.
        let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let ciphertext = BASE64.decode(text).ok()?;
        let plain = self.keys.iter().map(|key| key.decrypt(&ciphertext));
        let plain = plain.fold(None, Option::or)?;
        let text = std::str::from_utf8(&plain).ok()?.to_owned();
        let zeros = ciphertext.iter().take_while(|byte| **byte == 0).count();
        Some((text, URL_SAFE_NO_PAD.encode(ciphertext.get(zeros..)?)))
    }

    fn form(&self, jwe: &str, wanted: Wanted) -> Result<Opened, Unreadable> {
        let unreadable = || Unreadable::of(jwe);
        if jwe.len() > LONGEST_FORM {
            return Err(unreadable());
        }
        let plain = self.keys.iter().find_map(|key| key.open(jwe, self.random));
        let plain = plain.ok_or_else(unreadable)?;
        let form: Form = serde_json::from_slice(&plain).map_err(|_| unreadable())?;
        let opened = Opened {
            email: form.email.clone().unwrap_or_default(),
            password: form.pwd.clone().unwrap_or_default(),
            username: form.username.clone(),
        };
        let is_whole =
            (form.email.is_some() || !wanted.email()) && (form.pwd.is_some() || !wanted.password());
        if !is_whole || form.jti.as_deref() != self.guest || !is_fresh(form.iat, self.now) {
            let has_name = form.email.is_some();
            return Err(if has_name { opened.into_unreadable() } else { unreadable() });
        }
        Ok(opened)
    }
}

/// The mark of what could not be read. It keeps nobody from reading the same with the right guest token later.
fn unread(text: &str) -> String {
    format!("unread {text}")
}

/// What a JWE holds. Other members are passed over.
#[derive(Deserialize)]
struct Form {
    email: Option<String>,
    pwd: Option<String>,
    username: Option<String>,
    jti: Option<String>,
    iat: i64,
}

fn is_fresh(iat: i64, now: Timestamp) -> bool {
    let (oldest, youngest) = (now.minus(LIFE).unix(), now.plus(SKEW).unix());
    (oldest..=youngest).contains(&iat)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s2_26_members_fit_or_they_do_not() {
        let sealed = |email: bool, pwd: bool, form: bool| Sealed {
            email_encrypt: email.then(String::new),
            pwd_encrypt: pwd.then(String::new),
            form: form.then(String::new),
        };
        let (both, email, pwd, form, none) = (
            sealed(true, true, false),
            sealed(true, false, false),
            sealed(false, true, false),
            sealed(false, false, true),
            sealed(false, false, false),
        );
        let every = sealed(true, true, true);
        for (wanted, one) in
            [(Wanted::Both, &both), (Wanted::Email, &email), (Wanted::Password, &pwd)]
        {
            for all in [&both, &email, &pwd, &form, &none, &every] {
                let is_it = std::ptr::eq(all, one);
                let is_form = std::ptr::eq(all, &raw const form);
                assert_eq!(all.fits(Salt::Yes, wanted), is_it || is_form, "{wanted:?}");
                assert_eq!(all.fits(Salt::Jsencrypt, wanted), is_it, "{wanted:?}");
                assert!(!all.fits(Salt::No, wanted));
            }
        }
        assert!(none.is_empty() && !form.is_empty() && !email.is_empty() && !pwd.is_empty());
    }

    #[test]
    fn s2_26_a_form_is_young() {
        let now = Timestamp::from_unix(1_790_000_000);
        for (age, fresh) in [(0, true), (300, true), (301, false), (-30, true), (-31, false)] {
            assert_eq!(is_fresh(now.unix() - age, now), fresh, "{age}");
        }
        assert!(!is_fresh(i64::MIN, now) && !is_fresh(i64::MAX, now));
    }

    #[test]
    fn s2_26_what_stands_for_a_ciphertext_is_no_name_and_nothing_is_printed() {
        let one = Unreadable::of("a ciphertext");
        assert_eq!(one, Unreadable::of("a ciphertext"));
        assert_ne!(one, Unreadable::of("another"));
        assert!(one.name().chars().any(char::is_control));
        let opened = Opened { email: "grace".into(), password: "x".into(), username: None };
        assert_eq!(opened.clone().into_unreadable().name(), "grace");
        let sealed = Sealed { form: Some("grace".into()), ..Sealed::default() };
        let unreadable = opened.clone().into_unreadable();
        for text in [format!("{opened:?}"), format!("{sealed:?}"), format!("{unreadable:?}")] {
            assert!(!text.contains("grace"), "{text}");
        }
    }
}
