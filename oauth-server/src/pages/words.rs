//! Values in words.

use crate::{people::letters, state::AppState};
use oauth_core::{
    model::{Access, ClientAuth, Consent, Scope, SecretMethod, Timestamp, TokenFormat},
    openid::scope_of_claim,
};
use std::{collections::BTreeSet, time::Duration};
use time::{OffsetDateTime, macros::format_description};

/// Something to choose, with what it means.
pub(super) struct Choice {
    /// Its value in forms.
    pub(super) name: String,
    /// What it is called.
    pub(super) title: String,
    /// What it means.
    pub(super) description: String,
    /// Whether it is chosen.
    pub(super) checked: bool,
}

/// A grant type for people.
pub(super) struct GrantWords {
    /// What it does.
    pub(super) title: &'static str,
    /// Its name among those who know, and whom it is for.
    pub(super) description: &'static str,
    /// The name alone.
    pub(super) name: &'static str,
}

/// The words for a grant type; `None` for one that an embedder added.
pub(super) fn grant(grant_type: &str) -> Option<GrantWords> {
    let (title, name, description) = match grant_type {
        "authorization_code" => (
            "People sign in with their browser",
            "authorization code",
            "The authorization code grant with PKCE: for web sites, apps, and whatever else acts for people.",
        ),
        "client_credentials" => (
            "It acts for itself",
            "client credentials",
            "The client credentials grant: for services and scripts that act for nobody.",
        ),
        "refresh_token" => (
            "It keeps access without asking again",
            "refresh tokens",
            "Refresh tokens: each is used once and replaced by the next.",
        ),
        "password" => (
            "People type their password into it",
            "password",
            "The password grant: for old programs of your own.",
        ),
        "implicit" => (
            "It finds the token in the address",
            "implicit",
            "The implicit grant: for old applications that run in the browser.",
        ),
        _ => return None,
    };
    Some(GrantWords { title, description, name })
}

/// Grant types as a list in a sentence.
pub(super) fn grants<'a>(grant_types: impl IntoIterator<Item = &'a String>) -> String {
    let names: Vec<&str> =
        grant_types.into_iter().map(|g| grant(g).map_or(g.as_str(), |words| words.name)).collect();
    names.join(", ")
}

/// A scope in words.
pub(super) struct ScopeLine {
    /// The scope token.
    pub(super) name: String,
    /// Its short name.
    pub(super) title: String,
    /// What it allows.
    pub(super) description: String,
}

/// Scopes in words, in the order of the configuration; those it no longer knows come last, as they are. A word
/// `claim:name`, which stands for a single fact about the person, comes after its scope, or is left out beside it.
pub(super) fn scopes(state: &AppState, scope: &Scope) -> Vec<ScopeLine> {
    let mut unknown = scope.clone();
    let mut lines: Vec<ScopeLine> = Vec::new();
    for words in state.config.known_scopes() {
        if scope.contains(&words.name) {
            lines.push(ScopeLine {
                name: words.name.clone(),
                title: words.title.clone(),
                description: words.description,
            });
        }
        for (word, claim) in facts(scope, &words.name) {
            unknown = unknown.without([word]);
            if !scope.contains(&words.name) {
                lines.push(ScopeLine {
                    name: word.to_owned(),
                    title: words.title.clone(),
                    description: format!("see {}", fact(claim)),
                });
            }
        }
        unknown = unknown.without([words.name.as_str()]);
    }
    let mut shown = BTreeSet::new();
    for word in unknown.iter() {
        let title = called(word);
        if shown.insert(title) {
            lines.push(ScopeLine {
                name: word.to_owned(),
                title: title.to_owned(),
                description: format!("use \u{201c}{title}\u{201d}"),
            });
        }
    }
    lines
}

/// What a word is called that no configuration knows. A remembered yes names the resources it was given for: once with
/// each word, and in times past as words of their own.
fn called(word: &str) -> &str {
    let at = Consent::split_word(word).map(|(resource, _)| resource);
    at.or_else(|| word.strip_prefix("resource:")).unwrap_or(word)
}

/// The words that stand for single claims of a scope, with the claims.
fn facts<'s>(words: &'s Scope, scope: &str) -> impl Iterator<Item = (&'s str, &'s str)> {
    let claims = words.iter().filter_map(|word| Some((word, word.strip_prefix("claim:")?)));
    claims.filter(move |(_, claim)| scope_of_claim(claim) == Some(scope))
}

/// A standard claim in words.
fn fact(claim: &str) -> String {
    match claim {
        "address" => "your postal address",
        "birthdate" => "your date of birth",
        "email" => "your e-mail address",
        "email_verified" => "whether your e-mail address is verified",
        "family_name" => "your family name",
        "gender" => "your gender",
        "given_name" => "your given name",
        "locale" => "your language",
        "middle_name" => "your middle name",
        "name" => "your name",
        "nickname" => "your nickname",
        "phone_number" => "your telephone number",
        "phone_number_verified" => "whether your telephone number is verified",
        "picture" => "your picture",
        "preferred_username" => "the name you like to be called by",
        "profile" => "the address of your profile page",
        "updated_at" => "when you last changed your profile",
        "website" => "your web site",
        "zoneinfo" => "your time zone",
        other => return format!("\u{201c}{other}\u{201d}"),
    }
    .to_owned()
}

/// A right in words.
pub(super) const fn access(access: Access) -> &'static str {
    match access {
        Access::None => "you have no rights there, so it gets none",
        Access::Read => "as you may, it only reads",
        Access::Write => "as you may, it reads and writes",
    }
}

/// A way of proving who one is, in words.
pub(super) const fn auth(auth: &ClientAuth) -> &'static str {
    match auth {
        ClientAuth::Public => "nothing: it is a public client",
        ClientAuth::Secret(SecretMethod::Basic, _) => "a secret in the Authorization header",
        ClientAuth::Secret(SecretMethod::Post, _) => "a secret in the form",
        ClientAuth::SecretJwt(_) => "a JWT secured with a secret",
        ClientAuth::PrivateKeyJwt => "a JWT signed with a key of its own",
        _ => "a way of its own",
    }
}

/// A form of tokens in words.
pub(super) fn format(format: TokenFormat) -> String {
    match format {
        TokenFormat::Jwt(algorithm) => format!("JWT signed with {algorithm}"),
        TokenFormat::Opaque => "Opaque".into(),
    }
}

/// A day.
pub(super) fn day(at: Timestamp) -> String {
    written(at, format_description!("[day padding:none] [month repr:long] [year]"))
}

/// A second.
pub(super) fn second(at: Timestamp) -> String {
    written(
        at,
        format_description!(
            "[day padding:none] [month repr:long] [year], [hour]:[minute]:[second] UTC"
        ),
    )
}

/// A minute.
pub(super) fn minute(at: Timestamp) -> String {
    written(
        at,
        format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC"),
    )
}

fn written(at: Timestamp, how: &[time::format_description::BorrowedFormatItem<'_>]) -> String {
    OffsetDateTime::from_unix_timestamp(at.unix())
        .ok()
        .and_then(|t| t.format(how).ok())
        .unwrap_or_else(|| at.unix().to_string())
}

/// A span of time in its largest whole unit.
pub(super) fn span(duration: Duration) -> String {
    letters::span(duration, letters::UNITS)
}

/// What happened just now, named by a word in the query.
pub(super) fn notice(word: Option<&str>) -> Option<&'static str> {
    Some(match word? {
        "signed_out" => "You are signed out.",
        "deleted" => "The client is deleted, with every token it had.",
        "saved" => "Saved.",
        "letter_sent" => "A letter is on its way. Follow the link in it.",
        "made" => {
            "This client was made already; its secret was shown then. Make a new one if you lost it."
        }
        "revoked" => "The application may no longer act for you.",
        "ended" => "That browser is signed out.",
        "ended_others" => "You are signed in here alone.",
        "over" => "That browser was signed out already.",
        "program_ended" => "That program is signed out.",
        "program_over" => "That program was signed out already.",
        "password" => {
            "Your password is changed. You are signed in here alone, and no application may act for you until you allow it again."
        }
        "passkey_added" => "The passkey is added. You may sign in with it from now on.",
        "passkey_removed" => "The passkey is removed. Nobody gets in here with it any more.",
        "passkey_removed_before" => "This passkey was removed already.",
        "passkey_renamed" => "The passkey has its new name.",
        "password_set" => "You have a password. It signs you in from now on.",
        "second_factor_removed" => "Your password alone signs you in again.",
        "account_deleted" => "Your account is deleted, with everything that was kept about you.",
        "unchanged" => "Nothing was changed.",
        "linked" => "The identity is linked. You may sign in with it from now on.",
        "linked_before" => "This identity was linked to your account already.",
        "unlinked" => "The identity is unlinked. Nobody gets in here with it any more.",
        "unlinked_before" => "This identity was unlinked already.",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_spans() {
        assert_eq!(day(Timestamp::from_unix(1_795_305_600)), "22 November 2026");
        assert_eq!(second(Timestamp::from_unix(0)), "1 January 1970, 00:00:00 UTC");
        assert_eq!(minute(Timestamp::from_unix(1_795_305_659)), "22 November 2026, 00:00 UTC");
        assert_eq!(day(Timestamp::from_unix(i64::MAX)), i64::MAX.to_string());
        for (seconds, words) in [
            (1, "1 second"),
            (5, "5 seconds"),
            (90, "90 seconds"),
            (600, "10 minutes"),
            (3600, "1 hour"),
            (172_800, "2 days"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), words);
        }
    }
}
