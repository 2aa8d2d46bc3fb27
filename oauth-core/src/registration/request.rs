//! What a program sends to register a client ([RFC 7591 2](https://www.rfc-editor.org/rfc/rfc7591#section-2)),
//! as a draft.

use super::{
    ClientDraft, Objection, Rules,
    field::{Field, Notes},
    text::LONGEST_NAME,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use url::Url;

/// What a client is called that says nothing of itself.
const NAMELESS: &str = "Unnamed client";
/// Members that may have a language tag
/// ([OpenID Connect Registration 2.1](https://openid.net/specs/openid-connect-registration-1_0.html#LanguagesAndScripts)).
const TRANSLATED: [(&str, Field); 5] = [
    ("client_name", Field::Name),
    ("client_uri", Field::Uri),
    ("logo_uri", Field::LogoUri),
    ("policy_uri", Field::PolicyUri),
    ("tos_uri", Field::TosUri),
];

/// The draft, or the members that are of the wrong type. Unknown members mean nothing, and `null` means that nothing
/// was sent ([RFC 7592 2.2](https://www.rfc-editor.org/rfc/rfc7592#section-2.2)).
pub(crate) fn draft(
    map: &Map<String, Value>,
    rules: &Rules,
) -> Result<ClientDraft, Vec<Objection>> {
    let mut reader = Reader { map, notes: Notes::default() };
    let mut draft = reader.draft();
    if draft.name.is_empty() {
        draft.name = name_of(&draft);
    }
    if !reader.has(Field::Scope) {
        draft.scope = rules.default_scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    }
    reader.notes.unless(draft)
}

impl ClientDraft {
    /// The draft with what these members say beyond plain OAuth, by their names in the standards; or the members that
    /// are of the wrong type. Unknown members mean nothing.
    pub fn with_metadata(self, members: &Map<String, Value>) -> Result<Self, Vec<Objection>> {
        let mut reader = Reader { map: members, notes: Notes::default() };
        let more = reader.draft();
        reader.notes.unless(Self {
            name: self.name,
            uri: self.uri,
            scope: self.scope,
            redirect_uris: self.redirect_uris,
            grant_types: self.grant_types,
            response_types: self.response_types,
            auth_method: self.auth_method,
            access_token_format: self.access_token_format,
            access_token_ttl: self.access_token_ttl,
            ..more
        })
    }
}

struct Reader<'a> {
    map: &'a Map<String, Value>,
    notes: Notes,
}

impl Reader<'_> {
    fn draft(&mut self) -> ClientDraft {
        ClientDraft {
            name: self.text(Field::Name),
            uri: self.text(Field::Uri),
            scope: self.text(Field::Scope),
            redirect_uris: self.list(Field::RedirectUris),
            grant_types: self.list(Field::GrantTypes),
            response_types: self.list(Field::ResponseTypes),
            auth_method: self.text(Field::AuthMethod),
            // How tokens look and how long they live is between the operator and the resources.
            access_token_format: String::new(),
            access_token_ttl: String::new(),
            application_type: self.text(Field::ApplicationType),
            contacts: self.list(Field::Contacts),
            jwks: self.key_set(),
            jwks_uri: self.text(Field::JwksUri),
            sector_identifier_uri: self.text(Field::SectorIdentifierUri),
            subject_type: self.text(Field::SubjectType),
            id_token_signed_response_alg: self.text(Field::IdTokenSigning),
            id_token_encrypted_response_alg: self.text(Field::IdTokenEncryption),
            id_token_encrypted_response_enc: self.text(Field::IdTokenContentEncryption),
            userinfo_signed_response_alg: self.text(Field::UserinfoSigning),
            userinfo_encrypted_response_alg: self.text(Field::UserinfoEncryption),
            userinfo_encrypted_response_enc: self.text(Field::UserinfoContentEncryption),
            request_object_signing_alg: self.text(Field::RequestObjectSigning),
            token_endpoint_auth_signing_alg: self.text(Field::AuthSigning),
            default_max_age: self.number(Field::DefaultMaxAge),
            require_auth_time: self.flag(Field::RequireAuthTime),
            default_acr_values: self.list(Field::DefaultAcrValues),
            initiate_login_uri: self.text(Field::InitiateLoginUri),
            request_uris: self.list(Field::RequestUris),
            require_signed_request_object: self.flag(Field::RequireSignedRequestObject),
            post_logout_redirect_uris: self.list(Field::PostLogoutRedirectUris),
            frontchannel_logout_uri: self.text(Field::FrontchannelLogoutUri),
            frontchannel_logout_session_required: self
                .flag(Field::FrontchannelLogoutSessionRequired),
            backchannel_logout_uri: self.text(Field::BackchannelLogoutUri),
            backchannel_logout_session_required: self.flag(Field::BackchannelLogoutSessionRequired),
            software_id: self.text(Field::SoftwareId),
            software_version: self.text(Field::SoftwareVersion),
            software_statement: self.text(Field::SoftwareStatement),
            texts: self.texts(),
        }
    }

    fn has(&self, field: Field) -> bool {
        self.get(field).is_some()
    }

    fn get(&self, field: Field) -> Option<&Value> {
        self.map.get(field.as_str()).filter(|value| !value.is_null())
    }

    /// What the reading makes of the value; nothing where there is no value, or one of another type.
    fn read<T: Default>(
        &mut self,
        field: Field,
        what: &str,
        reading: impl FnOnce(&Value) -> Option<T>,
    ) -> T {
        let Some(value) = self.get(field) else { return T::default() };
        reading(value).unwrap_or_else(|| {
            self.notes.add(field, format!("This is not {what}."));
            T::default()
        })
    }

    fn text(&mut self, field: Field) -> String {
        self.read(field, "a text", |value| value.as_str().map(str::to_owned))
    }

    fn list(&mut self, field: Field) -> Vec<String> {
        let text = |value: &Value| value.as_str().filter(|t| !t.is_empty()).map(str::to_owned);
        self.read(field, "an array of texts", |value| value.as_array()?.iter().map(text).collect())
    }

    fn flag(&mut self, field: Field) -> bool {
        self.read(field, "true or false", Value::as_bool)
    }

    fn number(&mut self, field: Field) -> String {
        self.read(field, "a whole number", |value| value.as_u64().map(|n| n.to_string()))
    }

    fn key_set(&mut self) -> Option<Value> {
        self.read(Field::Jwks, "a JWK set", |value| value.is_object().then(|| Some(value.clone())))
    }

    fn texts(&mut self) -> BTreeMap<String, String> {
        let mut texts = BTreeMap::new();
        for (full_name, value) in self.map {
            let (name, is_tagged) = match full_name.split_once('#') {
                Some((name, _)) => (name, true),
                None => (full_name.as_str(), false),
            };
            let known =
                TRANSLATED.iter().find(|(known, _)| *known == name).map(|(_, field)| *field);
            let Some(field) = known else { continue };
            if value.is_null() || !is_tagged && matches!(field, Field::Name | Field::Uri) {
                continue;
            }
            match value.as_str() {
                Some(text) => drop(texts.insert(full_name.clone(), text.to_owned())),
                None => self.notes.add(field, "This is not a text."),
            }
        }
        texts
    }
}

/// The name of a client that gave none, from what people would know it by: where it lives.
fn name_of(draft: &ClientDraft) -> String {
    let place = |uri: &String| {
        let url = Url::parse(uri).ok()?;
        let host = url.host_str().map(str::to_owned);
        host.or_else(|| Some(url.scheme().to_owned()).filter(|scheme| scheme.contains('.')))
    };
    let known = std::iter::once(&draft.uri).chain(&draft.redirect_uris).find_map(place);
    known.map_or_else(|| NAMELESS.to_owned(), |name| name.chars().take(LONGEST_NAME).collect())
}
