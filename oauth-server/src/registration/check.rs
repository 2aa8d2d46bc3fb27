//! The rules, field by field. Everything that is wrong is said at once.

use super::{CheckedClient, ClientDraft, Field, Objection, Rules};
use oauth_core::model::{
    RedirectUri, Scope, SecretMethod, SigningAlgorithm, TokenFormat, UriProblem,
};
use std::{collections::BTreeSet, time::Duration};
use url::Url;

/// The word for opaque access tokens.
pub(super) const OPAQUE: &str = "opaque";
const LONGEST_NAME: usize = 100;
const LONGEST_URI: usize = 2000;
const MOST_REDIRECT_URIS: usize = 20;

impl ClientDraft {
    /// The draft as a client, or everything that is wrong with it, in the order of the form.
    pub fn check(&self, rules: &Rules) -> Result<CheckedClient, Vec<Objection>> {
        let mut notes = Notes::default();
        let name = self.name(&mut notes);
        let uri = self.uri(&mut notes);
        let scope = self.scope(rules, &mut notes);
        let grant_types = self.grant_types(rules, &mut notes);
        let redirect_uris = self.redirect_uris(&mut notes);
        let response_types = self.response_types(rules, &grant_types, &mut notes);
        let method = self.auth_method(&grant_types, &mut notes);
        let access_token_format = self.access_token_format(rules, &mut notes);
        let access_token_ttl = self.access_token_ttl(rules, &mut notes);
        if !response_types.is_empty() && self.redirects().next().is_none() {
            notes.add(Field::RedirectUris, "Say where people are sent back to after signing in.");
        }
        if !notes.0.is_empty() {
            notes.0.sort_by_key(|objection| objection.field);
            return Err(notes.0);
        }
        Ok(CheckedClient {
            name,
            uri,
            scope,
            redirect_uris,
            grant_types,
            response_types,
            method,
            access_token_format,
            access_token_ttl,
        })
    }

    fn name(&self, notes: &mut Notes) -> String {
        let name = self.name.trim();
        if name.is_empty() {
            notes.add(Field::Name, "Give the client a name.");
        } else if name.chars().count() > LONGEST_NAME {
            notes.add(Field::Name, format!("Use at most {LONGEST_NAME} characters."));
        } else if name.chars().any(is_deceptive) {
            notes.add(Field::Name, "Leave out invisible and control characters.");
        }
        name.to_owned()
    }

    fn uri(&self, notes: &mut Notes) -> Option<String> {
        let uri = self.uri.trim();
        if uri.is_empty() {
            return None;
        }
        if !is_web_address(uri) {
            let text = "Give a full web address that begins with https:// or http://.";
            notes.add(Field::Uri, text);
        }
        Some(uri.to_owned())
    }

    fn scope(&self, rules: &Rules, notes: &mut Notes) -> Scope {
        let Some(scope) = Scope::parse(&self.scope) else {
            notes.add(Field::Scope, "Use scope names with spaces between them.");
            return Scope::default();
        };
        let unknown: Vec<_> = scope.iter().filter(|s| !rules.scopes.contains(*s)).collect();
        if !unknown.is_empty() {
            let text = format!("There is no such scope here: {}.", unknown.join(", "));
            notes.add(Field::Scope, text);
        }
        scope
    }

    fn grant_types(&self, rules: &Rules, notes: &mut Notes) -> BTreeSet<String> {
        let mut grant_types = words(&self.grant_types);
        if self.grant_types.is_empty() && self.response_types.is_empty() {
            grant_types.insert("authorization_code".into());
        }
        for grant_type in &grant_types {
            if !rules.grant_types.contains(&grant_type.as_str()) {
                let text = format!("The grant type {grant_type} is not offered here.");
                notes.add(Field::GrantTypes, text);
            }
        }
        if grant_types.is_empty() {
            notes.add(Field::GrantTypes, "Choose at least one way to get tokens.");
        }
        let has = |grant_type: &str| grant_types.contains(grant_type);
        if has("refresh_token") && !has("authorization_code") && !has("password") {
            let text = "Refresh tokens come with the authorization code or the password grant: choose one of them too.";
            notes.add(Field::GrantTypes, text);
        }
        grant_types
    }

    fn redirects(&self) -> impl Iterator<Item = &str> {
        self.redirect_uris.iter().map(|uri| uri.trim()).filter(|uri| !uri.is_empty())
    }

    fn redirect_uris(&self, notes: &mut Notes) -> Vec<RedirectUri> {
        let mut good: Vec<RedirectUri> = Vec::new();
        for text in self.redirects() {
            match RedirectUri::parse(text) {
                Ok(_) if text.len() > LONGEST_URI => {
                    let text = format!("A redirect URI has at most {LONGEST_URI} characters.");
                    notes.add(Field::RedirectUris, text);
                }
                Ok(uri) if !good.contains(&uri) => good.push(uri),
                Ok(_) => {}
                Err(e) => notes.add(Field::RedirectUris, format!("{}: {}", short(text), why(e))),
            }
        }
        if good.len() > MOST_REDIRECT_URIS {
            let text = format!("A client has at most {MOST_REDIRECT_URIS} redirect URIs.");
            notes.add(Field::RedirectUris, text);
        }
        good
    }

    /// Grant types and response types must say the same ([RFC 7591 2.1](https://www.rfc-editor.org/rfc/rfc7591#section-2.1)).
    fn response_types(
        &self,
        rules: &Rules,
        grant_types: &BTreeSet<String>,
        notes: &mut Notes,
    ) -> BTreeSet<String> {
        let asked = words(&self.response_types);
        if asked.is_empty() {
            let own = grant_types.iter().flat_map(|g| rules.responses_of(g).collect::<Vec<_>>());
            return own.map(str::to_owned).collect();
        }
        for response_type in &asked {
            let known = rules.response_types.iter().find(|(r, _)| r == response_type);
            match known {
                None => {
                    let text = format!("The response type {response_type} is not offered here.");
                    notes.add(Field::ResponseTypes, text);
                }
                Some((_, grant_type)) if !grant_types.contains(*grant_type) => {
                    let text = format!(
                        "The response type {response_type} needs the grant type {grant_type}."
                    );
                    notes.add(Field::ResponseTypes, text);
                }
                Some(_) => {}
            }
        }
        for grant_type in grant_types {
            let own: Vec<_> = rules.responses_of(grant_type).collect();
            if !own.is_empty() && !own.iter().any(|r| asked.contains(*r)) {
                let text = format!(
                    "The grant type {grant_type} needs the response type {}.",
                    own.join(" or ")
                );
                notes.add(Field::ResponseTypes, text);
            }
        }
        asked
    }

    fn auth_method(
        &self,
        grant_types: &BTreeSet<String>,
        notes: &mut Notes,
    ) -> Option<SecretMethod> {
        match self.auth_method.trim() {
            "" | "client_secret_basic" => return Some(SecretMethod::Basic),
            "client_secret_post" => return Some(SecretMethod::Post),
            "none" => {}
            _ => notes.add(Field::AuthMethod, "Choose one of the ways that are offered."),
        }
        if grant_types.contains("client_credentials") {
            let text = "A public client has no credentials, so it cannot use the client credentials grant.";
            notes.add(Field::AuthMethod, text);
        }
        None
    }

    fn access_token_format(&self, rules: &Rules, notes: &mut Notes) -> Option<TokenFormat> {
        match self.access_token_format.trim() {
            "" => None,
            OPAQUE => Some(TokenFormat::Opaque),
            name => {
                let algorithm =
                    SigningAlgorithm::parse(name).filter(|a| rules.algorithms.contains(a));
                if algorithm.is_none() {
                    notes
                        .add(Field::AccessTokenFormat, "Choose one of the forms that are offered.");
                }
                algorithm.map(TokenFormat::Jwt)
            }
        }
    }

    fn access_token_ttl(&self, rules: &Rules, notes: &mut Notes) -> Option<Duration> {
        let text = self.access_token_ttl.trim();
        if text.is_empty() {
            return None;
        }
        let ttl = text.parse().ok().map(Duration::from_secs);
        let ttl = ttl.filter(|ttl| !ttl.is_zero() && *ttl <= rules.longest_ttl);
        if ttl.is_none() {
            let most = rules.longest_ttl.as_secs();
            notes.add(Field::AccessTokenTtl, format!("Use whole seconds from 1 to {most}."));
        }
        ttl
    }
}

#[derive(Default)]
struct Notes(Vec<Objection>);

impl Notes {
    fn add(&mut self, field: Field, text: impl Into<String>) {
        self.0.push(Objection { field, text: text.into() });
    }
}

fn words(texts: &[String]) -> BTreeSet<String> {
    texts.iter().map(|w| w.trim()).filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

/// Whether it could make one text look like another: controls, invisible characters, changes of direction.
pub(crate) fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn is_web_address(text: &str) -> bool {
    let url = Url::parse(text).ok().filter(|_| text.len() <= LONGEST_URI);
    url.is_some_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && !text.chars().any(|c| c.is_whitespace() || is_deceptive(c) || c == '\\')
    })
}

/// Enough of a text to recognise it by.
fn short(text: &str) -> String {
    const ENOUGH: usize = 60;
    if text.chars().count() <= ENOUGH {
        return text.to_owned();
    }
    text.chars().take(ENOUGH).chain(['\u{2026}']).collect()
}

fn why(problem: UriProblem) -> &'static str {
    match problem {
        UriProblem::Fragment => "a redirect URI has no fragment (no #).",
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
