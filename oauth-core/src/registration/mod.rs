//! Registering clients: what a page, a command line, a configuration or a program says of a client becomes a
//! [`Client`], or a list of what is wrong.
//!
//! The one set of rules, whoever registers ([RFC 7591 2](https://www.rfc-editor.org/rfc/rfc7591#section-2),
//! [OpenID Connect Registration 2](https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata)):
//! a [`ClientDraft`] and [`Rules`] make a [`CheckedClient`], and only that makes a client.

mod check;
mod checked;
mod describe;
mod field;
mod json;
mod request;
mod rules;
mod sector;
mod statement;
mod text;

pub use check::has_private_key;
pub use checked::{CheckedClient, Registered, rotate_secret};
pub use describe::describe;
pub use field::{Field, Objection};
pub use rules::Rules;
pub use text::{is_deceptive, is_web_address};

pub(crate) use field::refusal;
pub(crate) use json::object;
pub(crate) use request::draft;
pub(crate) use statement::superseded;

use crate::model::{
    ApplicationType, Client, ClientMetadata, RequestObjectSigning, SigningAlgorithm, SubjectType,
    TokenFormat,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// What somebody wants to register, as typed. Texts that are empty say nothing, and what says nothing has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the standards have that many of them")]
pub struct ClientDraft {
    /// `client_name`.
    pub name: String,
    /// `client_uri`.
    pub uri: String,
    /// `scope`: names with spaces between them.
    pub scope: String,
    /// `redirect_uris`; empty ones are left out.
    pub redirect_uris: Vec<String>,
    /// `grant_types`; those of the response types where there is none at all, or authorization code.
    pub grant_types: Vec<String>,
    /// `response_types`; the plainest of each grant type where there is none at all.
    pub response_types: Vec<String>,
    /// `token_endpoint_auth_method`; `client_secret_basic` where it is empty.
    pub auth_method: String,
    /// `opaque`, or the algorithm of JWTs; empty follows the policy.
    pub access_token_format: String,
    /// Seconds; empty follows the policy.
    pub access_token_ttl: String,
    /// `application_type`; where it is empty, `native` for a client that has no redirect URI but those of apps, else
    /// `web`.
    pub application_type: String,
    /// `contacts`.
    pub contacts: Vec<String>,
    /// `logo_uri`, `policy_uri` and `tos_uri`, and any of them and `client_name` and `client_uri` with a language tag
    /// (`logo_uri#de`), by their full name.
    pub texts: BTreeMap<String, String>,
    /// `jwks`.
    pub jwks: Option<Value>,
    /// `jwks_uri`.
    pub jwks_uri: String,
    /// `sector_identifier_uri`.
    pub sector_identifier_uri: String,
    /// `subject_type`; `public` where it is empty.
    pub subject_type: String,
    /// `id_token_signed_response_alg`.
    pub id_token_signed_response_alg: String,
    /// `id_token_encrypted_response_alg`.
    pub id_token_encrypted_response_alg: String,
    /// `id_token_encrypted_response_enc`; `A128CBC-HS256` where it is empty and the `alg` is not.
    pub id_token_encrypted_response_enc: String,
    /// `userinfo_signed_response_alg`.
    pub userinfo_signed_response_alg: String,
    /// `userinfo_encrypted_response_alg`.
    pub userinfo_encrypted_response_alg: String,
    /// `userinfo_encrypted_response_enc`; `A128CBC-HS256` where it is empty and the `alg` is not.
    pub userinfo_encrypted_response_enc: String,
    /// `request_object_signing_alg`.
    pub request_object_signing_alg: String,
    /// `token_endpoint_auth_signing_alg`; of no meaning to a client that does not authenticate by assertions.
    pub token_endpoint_auth_signing_alg: String,
    /// `default_max_age`: seconds.
    pub default_max_age: String,
    /// `require_auth_time`.
    pub require_auth_time: bool,
    /// `default_acr_values`.
    pub default_acr_values: Vec<String>,
    /// `initiate_login_uri`.
    pub initiate_login_uri: String,
    /// `request_uris`; empty ones are left out.
    pub request_uris: Vec<String>,
    /// `require_signed_request_object`.
    pub require_signed_request_object: bool,
    /// `post_logout_redirect_uris`; empty ones are left out.
    pub post_logout_redirect_uris: Vec<String>,
    /// `frontchannel_logout_uri`.
    pub frontchannel_logout_uri: String,
    /// `frontchannel_logout_session_required`.
    pub frontchannel_logout_session_required: bool,
    /// `backchannel_logout_uri`.
    pub backchannel_logout_uri: String,
    /// `backchannel_logout_session_required`.
    pub backchannel_logout_session_required: bool,
    /// `software_id`.
    pub software_id: String,
    /// `software_version`.
    pub software_version: String,
    /// `software_statement`, as it was presented; who verifies it puts what it says into the other fields.
    pub software_statement: String,
}

/// The draft that, checked, gives the same client again: to be shown and changed.
impl From<&Client> for ClientDraft {
    fn from(client: &Client) -> Self {
        let redirect_uris: Vec<_> = client.redirect_uris.iter().map(ToString::to_string).collect();
        let kind = client.metadata.application_type;
        Self {
            // Where it is what follows from the redirect URIs, it goes on doing so.
            application_type: match (kind, check::looks_native(&redirect_uris)) {
                (ApplicationType::Web, false) | (ApplicationType::Native, true) => String::new(),
                (ApplicationType::Web, true) => check::WEB.to_owned(),
                (ApplicationType::Native, false) => check::NATIVE.to_owned(),
            },
            name: client.name.clone(),
            uri: client.uri.clone().unwrap_or_default(),
            scope: client.scope.to_string(),
            redirect_uris,
            grant_types: client.grant_types.iter().cloned().collect(),
            response_types: client.response_types.iter().cloned().collect(),
            auth_method: client.auth.method().to_owned(),
            access_token_format: match client.access_token_format {
                None => String::new(),
                Some(TokenFormat::Opaque) => check::OPAQUE.to_owned(),
                Some(TokenFormat::Jwt(algorithm)) => algorithm.as_str().to_owned(),
            },
            access_token_ttl: client
                .access_token_ttl
                .map_or_else(String::new, |ttl| ttl.as_secs().to_string()),
            ..Self::of(&client.metadata)
        }
    }
}

impl ClientDraft {
    /// What the metadata says, but for the application type.
    fn of(m: &ClientMetadata) -> Self {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let alg = |alg: Option<SigningAlgorithm>| alg.map_or("", SigningAlgorithm::as_str).into();
        let (id_token, userinfo) = (m.id_token_encrypted_response, m.userinfo_encrypted_response);
        Self {
            contacts: m.contacts.clone(),
            texts: m.texts.clone(),
            jwks: m.jwks.clone(),
            jwks_uri: text(&m.jwks_uri),
            sector_identifier_uri: text(&m.sector_identifier_uri),
            subject_type: match m.subject_type {
                SubjectType::Public => String::new(),
                SubjectType::Pairwise => check::PAIRWISE.to_owned(),
            },
            id_token_signed_response_alg: alg(m.id_token_signed_response_alg),
            id_token_encrypted_response_alg: id_token.map_or("", |e| e.alg.as_str()).into(),
            id_token_encrypted_response_enc: id_token.map_or("", |e| e.enc.as_str()).into(),
            userinfo_signed_response_alg: alg(m.userinfo_signed_response_alg),
            userinfo_encrypted_response_alg: userinfo.map_or("", |e| e.alg.as_str()).into(),
            userinfo_encrypted_response_enc: userinfo.map_or("", |e| e.enc.as_str()).into(),
            request_object_signing_alg: m
                .request_object_signing_alg
                .map_or("", RequestObjectSigning::as_str)
                .into(),
            token_endpoint_auth_signing_alg: text(&m.token_endpoint_auth_signing_alg),
            default_max_age: m.default_max_age.map_or_else(String::new, |age| age.to_string()),
            require_auth_time: m.require_auth_time,
            default_acr_values: m.default_acr_values.clone(),
            initiate_login_uri: text(&m.initiate_login_uri),
            request_uris: m.request_uris.clone(),
            require_signed_request_object: m.require_signed_request_object,
            post_logout_redirect_uris: m.post_logout_redirect_uris.clone(),
            frontchannel_logout_uri: text(&m.frontchannel_logout_uri),
            frontchannel_logout_session_required: m.frontchannel_logout_session_required,
            backchannel_logout_uri: text(&m.backchannel_logout_uri),
            backchannel_logout_session_required: m.backchannel_logout_session_required,
            software_id: text(&m.software_id),
            software_version: text(&m.software_version),
            software_statement: text(&m.software_statement),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests;
