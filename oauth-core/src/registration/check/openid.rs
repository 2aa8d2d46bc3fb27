//! Rules for what OpenID Connect and its logout specifications add.

use super::{Check, PAIRWISE};
use crate::{
    model::{ApplicationType, ClientMetadata, RedirectUri, RequestObjectSigning, SubjectType},
    openid::sector_host,
    registration::{
        checked::Method,
        field::Field,
        text::{LONGEST_NAME, is_language_tag, objection_to_line},
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// Entries of a list, and texts in languages, that a client has at most.
const MOST: usize = 50;
/// The longest entry of a list.
const LONGEST_LINE: usize = 200;

impl Check<'_> {
    pub(super) fn metadata(
        &mut self,
        application_type: ApplicationType,
        redirect_uris: &[RedirectUri],
        method: Method,
    ) -> ClientMetadata {
        let draft = self.draft;
        let keys = self.client_keys(method);
        let request_object_signing_alg = self.request_object_signing();
        ClientMetadata {
            application_type,
            contacts: self.lines(Field::Contacts, &draft.contacts),
            texts: self.texts(),
            jwks: keys.jwks,
            jwks_uri: keys.jwks_uri,
            sector_identifier_uri: self
                .https(Field::SectorIdentifierUri, &draft.sector_identifier_uri),
            subject_type: self.subject_type(redirect_uris),
            id_token_signed_response_alg: self
                .signing(Field::IdTokenSigning, &draft.id_token_signed_response_alg),
            id_token_encrypted_response: keys.id_token,
            userinfo_signed_response_alg: self
                .signing(Field::UserinfoSigning, &draft.userinfo_signed_response_alg),
            userinfo_encrypted_response: keys.userinfo,
            request_object_signing_alg,
            token_endpoint_auth_signing_alg: self.auth_signing(method),
            default_max_age: self.default_max_age(),
            require_auth_time: draft.require_auth_time,
            default_acr_values: self.lines(Field::DefaultAcrValues, &draft.default_acr_values),
            initiate_login_uri: self.https(Field::InitiateLoginUri, &draft.initiate_login_uri),
            request_uris: self.request_uris(),
            require_signed_request_object: draft.require_signed_request_object,
            post_logout_redirect_uris: self
                .uris(Field::PostLogoutRedirectUris, &draft.post_logout_redirect_uris)
                .into_iter()
                .map(String::from)
                .collect(),
            frontchannel_logout_uri: self.beside(
                Field::FrontchannelLogoutUri,
                &draft.frontchannel_logout_uri,
                redirect_uris,
            ),
            frontchannel_logout_session_required: draft.frontchannel_logout_session_required,
            backchannel_logout_uri: self
                .https(Field::BackchannelLogoutUri, &draft.backchannel_logout_uri),
            backchannel_logout_session_required: draft.backchannel_logout_session_required,
            software_id: self.line(Field::SoftwareId, &draft.software_id),
            software_version: self.line(Field::SoftwareVersion, &draft.software_version),
            software_statement: Some(draft.software_statement.trim().to_owned())
                .filter(|statement| !statement.is_empty()),
        }
    }

    fn line(&mut self, field: Field, text: &str) -> Option<String> {
        let text = text.trim();
        if let Some(objection) = objection_to_line(text, LONGEST_LINE) {
            self.notes.add(field, objection);
        }
        Some(text.to_owned()).filter(|text| !text.is_empty())
    }

    fn lines(&mut self, field: Field, texts: &[String]) -> Vec<String> {
        if texts.len() > MOST {
            self.notes.add(field, format!("Use at most {MOST} of them."));
            return Vec::new();
        }
        texts.iter().filter_map(|text| self.line(field, text)).collect()
    }

    /// Names and addresses for people, and what they are in other languages
    /// ([RFC 7591 2.2](https://www.rfc-editor.org/rfc/rfc7591#section-2.2)).
    fn texts(&mut self) -> BTreeMap<String, String> {
        let draft = self.draft;
        let mut kept = BTreeMap::new();
        for (full_name, text) in draft.texts.iter().filter(|(_, text)| !text.trim().is_empty()) {
            let (name, tag) = match full_name.split_once('#') {
                Some((name, tag)) => (name, Some(tag)),
                None => (full_name.as_str(), None),
            };
            let field = match (name, tag) {
                ("client_name", Some(_)) => Field::Name,
                ("client_uri", Some(_)) => Field::Uri,
                ("logo_uri", _) => Field::LogoUri,
                ("policy_uri", _) => Field::PolicyUri,
                ("tos_uri", _) => Field::TosUri,
                _ => continue,
            };
            if !tag.is_none_or(is_language_tag) {
                self.notes.add(field, "Put a language tag after #, such as de or pt-BR.");
            }
            let text = text.trim();
            if field != Field::Name {
                self.web_address(field, text);
            } else if let Some(objection) = objection_to_line(text, LONGEST_NAME) {
                self.notes.add(field, objection);
            }
            kept.insert(full_name.clone(), text.to_owned());
        }
        if kept.len() > MOST {
            let text = format!("Use at most {MOST} texts in other languages.");
            self.notes.add(Field::Name, text);
        }
        kept
    }

    /// [OpenID Connect Core 8.1](https://openid.net/specs/openid-connect-core-1_0.html#PairwiseAlg): redirect URIs at
    /// several hosts do not say which sector the client belongs to.
    fn subject_type(&mut self, redirect_uris: &[RedirectUri]) -> SubjectType {
        let subject_type = match self.draft.subject_type.trim() {
            "" | "public" => Some(SubjectType::Public),
            PAIRWISE => Some(SubjectType::Pairwise),
            _ => None,
        };
        let offered = subject_type.filter(|t| self.rules.subject_types.contains(t));
        if offered.is_none() {
            self.notes.add(Field::SubjectType, "Choose one of the types that are offered.");
        }
        if offered == Some(SubjectType::Pairwise)
            && self.draft.sector_identifier_uri.trim().is_empty()
        {
            let host = |uri: &RedirectUri| sector_host(uri.as_str());
            let hosts: BTreeSet<_> = redirect_uris.iter().map(host).collect();
            if hosts.len() > 1 {
                let text = "Pairwise subjects need a sector identifier where the redirect URIs are at several hosts.";
                self.notes.add(Field::SectorIdentifierUri, text);
            }
        }
        offered.unwrap_or_default()
    }

    fn request_object_signing(&mut self) -> Option<RequestObjectSigning> {
        let name = self.draft.request_object_signing_alg.trim();
        if name.is_empty() {
            return None;
        }
        let signing = RequestObjectSigning::parse(name);
        let signing = signing.filter(|s| self.rules.request_objects.contains(s));
        if signing.is_none() {
            let text = "Choose one of the algorithms that are offered.";
            self.notes.add(Field::RequestObjectSigning, text);
        }
        if signing == Some(RequestObjectSigning::Unsecured)
            && self.draft.require_signed_request_object
        {
            let text = "A request object cannot be required to be signed and be signed with none.";
            self.notes.add(Field::RequireSignedRequestObject, text);
        }
        signing
    }

    fn default_max_age(&mut self) -> Option<u64> {
        let text = self.draft.default_max_age.trim();
        if text.is_empty() {
            return None;
        }
        let seconds = text.parse::<u32>().ok();
        if seconds.is_none() {
            let text = format!("Use whole seconds from 0 to {}.", u32::MAX);
            self.notes.add(Field::DefaultMaxAge, text);
        }
        seconds.map(u64::from)
    }
}
