//! Rules for addresses: where people are sent, and what this server fetches or tells.

use super::Check;
use crate::{
    model::{ApplicationType, RedirectUri},
    registration::{
        field::Field,
        text::{LONGEST_URI, is_this_machine, is_web_address, short, why},
    },
};
use url::Url;

/// Addresses of one kind that a client has at most.
const MOST: usize = 20;

impl Check<'_> {
    pub(super) fn redirects(&self) -> impl Iterator<Item = &str> {
        filled(&self.draft.redirect_uris)
    }

    /// [OpenID Connect Registration 2](https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata),
    /// `redirect_uris` and `application_type`.
    pub(super) fn redirect_uris(
        &mut self,
        application_type: ApplicationType,
        implicit: bool,
    ) -> Vec<RedirectUri> {
        let texts: Vec<_> = self.redirects().map(str::to_owned).collect();
        let uris = self.uris(Field::RedirectUris, &texts);
        for uri in &uris {
            let Ok(url) = Url::parse(uri.as_str()) else { continue };
            let text = match application_type {
                ApplicationType::Native if url.scheme() == "https" => {
                    "a native app is sent back to http://127.0.0.1/ or to an address with a scheme of its own, such as com.example.app:/callback."
                }
                ApplicationType::Web if implicit && !self.takes_tokens(&url) => {
                    "a web client that uses the implicit grant is sent back to https:// and not to this machine."
                }
                _ => continue,
            };
            self.notes.add(Field::RedirectUris, format!("{}: {text}", short(uri.as_str())));
        }
        uris
    }

    fn takes_tokens(&self, url: &Url) -> bool {
        match (url.scheme(), is_this_machine(url)) {
            ("https", false) => true,
            ("https" | "http", true) => self.rules.danger_loopback,
            _ => false,
        }
    }

    /// Addresses that keep the rules for all redirect URIs, each once.
    pub(super) fn uris(&mut self, field: Field, texts: &[String]) -> Vec<RedirectUri> {
        let mut good: Vec<RedirectUri> = Vec::new();
        if self.too_many(field, texts) {
            return good;
        }
        for text in filled(texts) {
            match RedirectUri::parse(text) {
                Ok(_) if text.len() > LONGEST_URI => self.too_long(field),
                Ok(uri) if !good.contains(&uri) => good.push(uri),
                Ok(_) => {}
                Err(e) => self.notes.add(field, format!("{}: {}", short(text), why(e))),
            }
        }
        good
    }

    /// Addresses of request objects. They may have a fragment, the hash of what is there
    /// ([OpenID Connect Core 6.2](https://openid.net/specs/openid-connect-core-1_0.html#RequestUriParameter)).
    pub(super) fn request_uris(&mut self) -> Vec<String> {
        let draft = self.draft;
        let mut good: Vec<String> = Vec::new();
        if self.too_many(Field::RequestUris, &draft.request_uris) {
            return good;
        }
        for text in filled(&draft.request_uris) {
            let (address, fragment) = text.split_once('#').unwrap_or((text, ""));
            let fine = |b: u8| b.is_ascii_alphanumeric() || b"-._~%+/=".contains(&b);
            if !fragment.bytes().all(fine) || text.len() > LONGEST_URI {
                let text = "The part after # is the hash of the request object, in base64url.";
                self.notes.add(Field::RequestUris, text);
            } else if self.https(Field::RequestUris, address).is_some()
                && !good.iter().any(|known| known == text)
            {
                good.push(text.to_owned());
            }
        }
        good
    }

    /// An https address, or nothing; where the rules say so, http to this machine.
    pub(super) fn https(&mut self, field: Field, text: &str) -> Option<String> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        if text.len() > LONGEST_URI {
            self.too_long(field);
            return None;
        }
        let problem = match RedirectUri::parse(text).map(|_| Url::parse(text)) {
            Ok(Ok(url)) if url.scheme() == "https" => return Some(text.to_owned()),
            // What is parsed as http is on this machine.
            Ok(Ok(url)) if url.scheme() == "http" && self.rules.danger_loopback => {
                return Some(text.to_owned());
            }
            Ok(_) => "begin with https://.",
            Err(e) => why(e),
        };
        self.notes.add(field, format!("{}: {problem}", short(text)));
        None
    }

    /// An address at the same place as a redirect URI
    /// ([OpenID Connect Front-Channel Logout 2](https://openid.net/specs/openid-connect-frontchannel-1_0.html#RPLogout)).
    pub(super) fn beside(
        &mut self,
        field: Field,
        text: &str,
        redirect_uris: &[RedirectUri],
    ) -> Option<String> {
        let uri = self.uris(field, &[text.to_owned()]).pop()?;
        let origin =
            |text: &str| Some(Url::parse(text).ok()?.origin()).filter(url::Origin::is_tuple);
        let own = origin(uri.as_str());
        if own.is_none() || !redirect_uris.iter().any(|r| origin(r.as_str()) == own) {
            let text = "Use the scheme, the host and the port of one of the redirect URIs.";
            self.notes.add(field, text);
            return None;
        }
        Some(uri.into())
    }

    /// A web address that can be shown and followed, or nothing.
    pub(super) fn web_address(&mut self, field: Field, text: &str) -> Option<String> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        if !is_web_address(text) {
            let text = "Give a full web address that begins with https:// or http://.";
            self.notes.add(field, text);
        }
        Some(text.to_owned())
    }

    fn too_long(&mut self, field: Field) {
        self.notes.add(field, format!("An address has at most {LONGEST_URI} characters."));
    }

    /// Whether there are more than there may be; then none of them is looked at, let alone compared with all others.
    fn too_many(&mut self, field: Field, texts: &[String]) -> bool {
        let too_many = filled(texts).nth(MOST).is_some();
        if too_many {
            self.notes.add(field, format!("A client has at most {MOST} of them."));
        }
        too_many
    }
}

/// Whether every redirect URI is one of an app, with a scheme of its own among them.
pub(in crate::registration) fn looks_native(redirect_uris: &[String]) -> bool {
    let scheme = |uri: &str| Url::parse(uri).ok().map(|u| u.scheme().to_owned());
    let schemes: Vec<_> = filled(redirect_uris).filter_map(scheme).collect();
    schemes.iter().any(|s| s.contains('.')) && schemes.iter().all(|s| s != "https")
}

fn filled(texts: &[String]) -> impl Iterator<Item = &str> {
    texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty())
}
