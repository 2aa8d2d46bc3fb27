//! Who somebody is, in the words of a provider.

use crate::config::UpstreamEntry;
use lettre::Address;
use oauth_core::model::HashedToken;
use serde_json::{Map, Value};

/// The longest text that is taken over, in characters.
const LONGEST: usize = 255;

/// Who somebody is, in the words of a provider.
#[derive(Clone)]
pub struct Person {
    /// Who says so.
    pub issuer: String,
    /// The identifier there.
    pub subject: String,
    /// The user name there.
    pub username: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The mail address, if it is one.
    pub email: Option<String>,
    /// Whether the provider says that the address is the person's.
    pub email_verified: bool,
    /// When the person last proved it there, in Unix time.
    pub auth_time: Option<i64>,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person(..)")
    }
}

impl Person {
    /// By the claims of an id token and of userinfo.
    pub(super) fn of_claims(issuer: &str, claims: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).and_then(clean);
        Some(Self {
            issuer: issuer.to_owned(),
            subject: claims.get("sub")?.as_str()?.to_owned(),
            username: text("preferred_username").or_else(|| text("nickname")),
            name: text("name"),
            email: text("email").filter(|e| e.parse::<Address>().is_ok()),
            email_verified: claims.get("email_verified").is_some_and(is_true),
            auth_time: claims.get("auth_time").and_then(Value::as_i64),
        })
    }

    /// By the userinfo answer of a server without OpenID Connect, as the operator explains it.
    pub(super) fn of_userinfo(settings: &UpstreamEntry, answer: &Value) -> Option<Self> {
        let member = |path: &str| path.split('.').try_fold(answer, |value, name| value.get(name));
        let text = |path: &str| member(path).and_then(Value::as_str).and_then(clean);
        let subject = match member(&settings.userinfo_id)? {
            Value::String(id) if !id.is_empty() && id.len() <= LONGEST => id.clone(),
            Value::Number(id) if id.is_u64() || id.is_i64() => id.to_string(),
            _ => return None,
        };
        Some(Self {
            issuer: settings.userinfo_endpoint.clone()?,
            subject,
            username: text(&settings.userinfo_username),
            name: text(&settings.userinfo_name),
            email: text(&settings.userinfo_email).filter(|e| e.parse::<Address>().is_ok()),
            email_verified: member(&settings.userinfo_email_verified).is_some_and(is_true),
            auth_time: None,
        })
    }

    /// What issuer and subject make together.
    pub fn key(&self) -> Vec<u8> {
        // No URL has a line break in it.
        HashedToken::of(&format!("{}\n{}", self.issuer, self.subject)).as_bytes().to_vec()
    }

    /// What the account page shows of it.
    pub fn label(&self) -> Option<String> {
        self.email.clone().or_else(|| self.username.clone()).or_else(|| self.name.clone())
    }

    /// The address, if the provider says that it is the person's.
    pub fn verified_email(&self) -> Option<&str> {
        self.email.as_deref().filter(|_| self.email_verified)
    }

    /// Names for an account here, the best first: plain ones that say nothing about a mailbox.
    pub fn usernames(&self) -> Vec<String> {
        let email = self.email.as_deref();
        let texts = [self.username.as_deref(), email, self.name.as_deref()];
        let mut names: Vec<String> = texts.into_iter().flatten().filter_map(plain).collect();
        names.push("person".into());
        names.dedup();
        names
    }
}

/// Some providers send it as text.
fn is_true(value: &Value) -> bool {
    value.as_bool() == Some(true) || value.as_str() == Some("true")
}

fn clean(text: &str) -> Option<String> {
    let fine = |c: char| !c.is_control() && !crate::registration::is_deceptive(c);
    let text: String = text.trim().chars().filter(|&c| fine(c)).take(LONGEST).collect();
    (!text.is_empty()).then_some(text)
}

/// What of a text can be a user name.
fn plain(text: &str) -> Option<String> {
    const LONGEST_NAME: usize = 32;
    let before_at = text.split('@').next().unwrap_or_default().to_lowercase();
    let kept = |c: char| if c.is_whitespace() { Some('.') } else { Some(c) };
    let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let name: String = before_at.chars().filter_map(kept).filter(fits).take(LONGEST_NAME).collect();
    let name = name.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned();
    (name.len() >= 2).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn person(claims: &Value) -> Person {
        Person::of_claims("https://op.example", claims.as_object().unwrap()).unwrap()
    }

    #[test]
    fn s0_17_an_identity_is_issuer_and_subject() {
        let ada = person(&json!({"sub": "1", "email": "ada@example.org"}));
        let same = person(&json!({"sub": "1", "email": "other@example.org"}));
        assert_eq!(ada.key(), same.key());
        assert_ne!(ada.key(), person(&json!({"sub": "2", "email": "ada@example.org"})).key());
        let elsewhere = Person { issuer: "https://other.example".into(), ..ada.clone() };
        assert_ne!(ada.key(), elsewhere.key());
    }

    #[test]
    fn s0_17_an_address_counts_only_if_it_is_one_and_is_verified() {
        for (claims, email) in [
            (
                json!({"sub": "1", "email": "ada@example.org", "email_verified": true}),
                Some("ada@example.org"),
            ),
            (
                json!({"sub": "1", "email": "ada@example.org", "email_verified": "true"}),
                Some("ada@example.org"),
            ),
            (json!({"sub": "1", "email": "ada@example.org", "email_verified": false}), None),
            (json!({"sub": "1", "email": "ada@example.org", "email_verified": 1}), None),
            (json!({"sub": "1", "email": "ada@example.org"}), None),
            (json!({"sub": "1", "email": "ada", "email_verified": true}), None),
            (
                json!({"sub": "1", "email": "a@b.example, c@d.example", "email_verified": true}),
                None,
            ),
            (json!({"sub": "1", "email_verified": true}), None),
        ] {
            assert_eq!(person(&claims).verified_email(), email, "{claims}");
        }
    }

    #[test]
    fn names_are_plain_and_no_addresses() {
        let names = |claims: Value| person(&claims).usernames();
        assert_eq!(
            names(
                json!({"sub": "1", "preferred_username": "Ada.L@corp.example", "email": "al@example.org", "name": "Ada Lovelace"})
            ),
            ["ada.l", "al", "ada.lovelace", "person"]
        );
        assert_eq!(names(json!({"sub": "1", "name": "\u{202e}<>"})), ["person"]);
        assert_eq!(names(json!({"sub": "1"})), ["person"]);
    }

    #[test]
    fn userinfo_without_openid_is_read_as_the_operator_says() {
        let settings = UpstreamEntry {
            userinfo_endpoint: Some("https://api.example/user".into()),
            userinfo_id: "data.id".into(),
            userinfo_email: "data.mail".into(),
            ..UpstreamEntry::default()
        };
        let read = |answer: Value| Person::of_userinfo(&settings, &answer);
        let ada =
            read(json!({"data": {"id": 7, "mail": "ada@example.org"}, "login": "ada"})).unwrap();
        assert_eq!((&*ada.issuer, &*ada.subject), ("https://api.example/user", "7"));
        assert_eq!(ada.verified_email(), None);
        for answer in [
            json!({"id": 7}),
            json!({"data": {"id": ""}}),
            json!({"data": {"id": 1.5}}),
            json!({"data": {"id": null}}),
        ] {
            assert!(read(answer.clone()).is_none(), "{answer}");
        }
    }
}
