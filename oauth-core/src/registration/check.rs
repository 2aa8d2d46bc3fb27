//! The rules, field by field. Everything that is wrong is said at once.

mod addresses;
mod keys;
mod openid;

use super::{
    CheckedClient, ClientDraft, Objection, Rules,
    checked::Method,
    field::{Field, Notes},
    rules::belong_together,
    text::{LONGEST_NAME, objection_to_line},
};
pub(super) use addresses::looks_native;
pub use keys::has_private_key;

use crate::model::{ApplicationType, Scope, SigningAlgorithm, TokenFormat};
use std::{collections::BTreeSet, time::Duration};

/// The word for opaque access tokens.
pub(super) const OPAQUE: &str = "opaque";
/// The `application_type` of web sites.
pub(super) const WEB: &str = "web";
/// The `application_type` of apps.
pub(super) const NATIVE: &str = "native";
/// The `subject_type` that only the clients of a sector know.
pub(super) const PAIRWISE: &str = "pairwise";

impl ClientDraft {
    /// The draft as a client, or everything that is wrong with it, in the order of the form.
    pub fn check(&self, rules: &Rules) -> Result<CheckedClient, Vec<Objection>> {
        let mut check = Check { draft: self, rules, notes: Notes::default() };
        let client = check.client();
        check.notes.unless(client)
    }
}

/// A draft on its way through the rules.
struct Check<'a> {
    draft: &'a ClientDraft,
    rules: &'a Rules,
    notes: Notes,
}

impl Check<'_> {
    fn client(&mut self) -> CheckedClient {
        let name = self.name();
        let uri = self.web_address(Field::Uri, &self.draft.uri);
        let scope = self.scope();
        let grant_types = self.grant_types();
        let response_types = self.response_types(&grant_types);
        let application_type = self.application_type();
        let implicit = grant_types.contains("implicit");
        let redirect_uris = self.redirect_uris(application_type, implicit);
        if !response_types.is_empty() && self.redirects().next().is_none() {
            let text = "Say where people are sent back to after signing in.";
            self.notes.add(Field::RedirectUris, text);
        }
        let method = self.auth_method(&grant_types);
        let access_token_format = self.access_token_format();
        let access_token_ttl = self.access_token_ttl();
        let metadata = self.metadata(application_type, &redirect_uris, method);
        CheckedClient {
            name,
            uri,
            scope,
            redirect_uris,
            grant_types,
            response_types,
            method,
            access_token_format,
            access_token_ttl,
            metadata,
        }
    }

    fn name(&mut self) -> String {
        let name = self.draft.name.trim();
        if name.is_empty() {
            self.notes.add(Field::Name, "Give the client a name.");
        } else if let Some(text) = objection_to_line(name, LONGEST_NAME) {
            self.notes.add(Field::Name, text);
        }
        name.to_owned()
    }

    fn scope(&mut self) -> Scope {
        let Some(scope) = Scope::parse(&self.draft.scope) else {
            self.notes.add(Field::Scope, "Use scope names with spaces between them.");
            return Scope::default();
        };
        let unknown: Vec<_> = scope.iter().filter(|s| !self.rules.scopes.contains(*s)).collect();
        if !unknown.is_empty() {
            let text = format!("There is no such scope here: {}.", unknown.join(", "));
            self.notes.add(Field::Scope, text);
        }
        scope
    }

    /// Where none is named, those that the response types take
    /// ([RFC 7591 2.1](https://www.rfc-editor.org/rfc/rfc7591#section-2.1)).
    fn grant_types(&mut self) -> BTreeSet<String> {
        let mut grant_types = words(&self.draft.grant_types);
        if self.draft.grant_types.is_empty() {
            let asked = response_types(&self.draft.response_types);
            let taken = asked.iter().filter_map(|name| self.rules.grants_of(name)).flatten();
            grant_types.extend(taken.map(|&grant_type| grant_type.to_owned()));
            if grant_types.is_empty() {
                grant_types.insert("authorization_code".into());
            }
        }
        for grant_type in &grant_types {
            if !self.rules.grant_types.contains(&grant_type.as_str()) {
                let text = format!("The grant type {grant_type} is not offered here.");
                self.notes.add(Field::GrantTypes, text);
            }
        }
        if grant_types.is_empty() {
            self.notes.add(Field::GrantTypes, "Choose at least one way to get tokens.");
        }
        let has = |grant_type: &str| grant_types.contains(grant_type);
        if has("refresh_token") && !has("authorization_code") && !has("password") {
            let text = "Refresh tokens come with the authorization code or the password grant: choose one of them too.";
            self.notes.add(Field::GrantTypes, text);
        }
        grant_types
    }

    /// Grant types and response types must say the same ([RFC 7591 2.1](https://www.rfc-editor.org/rfc/rfc7591#section-2.1)).
    fn response_types(&mut self, grant_types: &BTreeSet<String>) -> BTreeSet<String> {
        let asked = response_types(&self.draft.response_types);
        if asked.is_empty() {
            let plainest = grant_types.iter().filter_map(|g| self.rules.plainest_response_of(g));
            return plainest.map(str::to_owned).collect();
        }
        let mut known = Vec::new();
        for response_type in &asked {
            let Some(takes) = self.rules.grants_of(response_type) else {
                let text = format!("The response type {response_type} is not offered here.");
                self.notes.add(Field::ResponseTypes, text);
                continue;
            };
            known.push((response_type, takes));
            for grant_type in takes.iter().filter(|&&g| !grant_types.contains(g)) {
                let text =
                    format!("The response type {response_type} needs the grant type {grant_type}.");
                self.notes.add(Field::ResponseTypes, text);
            }
        }
        for grant_type in grant_types {
            let Some(plainest) = self.rules.plainest_response_of(grant_type) else { continue };
            if !known.iter().any(|(r, takes)| belong_together(r, takes, grant_type)) {
                let text = format!(
                    "The grant type {grant_type} needs a response type, such as {plainest}."
                );
                self.notes.add(Field::ResponseTypes, text);
            }
        }
        asked
    }

    fn auth_method(&mut self, grant_types: &BTreeSet<String>) -> Method {
        let name = match self.draft.auth_method.trim() {
            "" => "client_secret_basic",
            name => name,
        };
        let offered = self.rules.auth_methods.contains(&name);
        let Some(method) = Method::parse(name).filter(|_| offered) else {
            self.notes.add(Field::AuthMethod, "Choose one of the ways that are offered.");
            return Method::None;
        };
        if method == Method::None && grant_types.contains("client_credentials") {
            let text = "A public client has no credentials, so it cannot use the client credentials grant.";
            self.notes.add(Field::AuthMethod, text);
        }
        method
    }

    fn access_token_format(&mut self) -> Option<TokenFormat> {
        match self.draft.access_token_format.trim() {
            "" => None,
            OPAQUE => Some(TokenFormat::Opaque),
            name => self.signing(Field::AccessTokenFormat, name).map(TokenFormat::Jwt),
        }
    }

    /// One of the algorithms there are keys for, if any is named.
    fn signing(&mut self, field: Field, name: &str) -> Option<SigningAlgorithm> {
        let name = name.trim();
        if name.is_empty() {
            return None;
        }
        let alg = SigningAlgorithm::parse(name).filter(|a| self.rules.algorithms.contains(a));
        if alg.is_none() {
            self.notes.add(field, "Choose one of the forms that are offered.");
        }
        alg
    }

    fn access_token_ttl(&mut self) -> Option<Duration> {
        let text = self.draft.access_token_ttl.trim();
        if text.is_empty() {
            return None;
        }
        let ttl = text.parse().ok().map(Duration::from_secs);
        let ttl = ttl.filter(|ttl| !ttl.is_zero() && *ttl <= self.rules.longest_ttl);
        if ttl.is_none() {
            let most = self.rules.longest_ttl.as_secs();
            let text = format!("Use whole seconds from 1 to {most}.");
            self.notes.add(Field::AccessTokenTtl, text);
        }
        ttl
    }

    fn application_type(&mut self) -> ApplicationType {
        match self.draft.application_type.trim() {
            "" if looks_native(&self.draft.redirect_uris) => ApplicationType::Native,
            "" | WEB => ApplicationType::Web,
            NATIVE => ApplicationType::Native,
            _ => {
                self.notes.add(Field::ApplicationType, "Choose web or native.");
                ApplicationType::Web
            }
        }
    }
}

fn words(texts: &[String]) -> BTreeSet<String> {
    texts.iter().map(|w| w.trim()).filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

/// The order of the words of a response type says nothing
/// ([OAuth 2.0 Multiple Response Type Encoding Practices 3](https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html#Combinations)).
fn response_types(texts: &[String]) -> BTreeSet<String> {
    let sorted = |text: String| {
        let mut words: Vec<_> = text.split_whitespace().collect();
        words.sort_unstable();
        words.join(" ")
    };
    words(texts).into_iter().map(sorted).collect()
}
