//! What a client says about itself beyond plain OAuth.

use super::{ContentEncryption, KeyManagementAlgorithm, SigningAlgorithm, VerificationAlgorithm};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Client metadata of [OpenID Connect Registration 2](https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata),
/// [RFC 7591 2](https://www.rfc-editor.org/rfc/rfc7591#section-2) and the logout specifications. Stored as one JSON
/// value; what is not there has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "the standards have that many of them")]
pub struct ClientMetadata {
    /// `application_type`.
    #[serde(skip_serializing_if = "is_default")]
    pub application_type: ApplicationType,
    /// `contacts`: addresses of people responsible for the client.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// `logo_uri`, `policy_uri` and `tos_uri`, and any of them and `client_name` and `client_uri` with a language tag
    /// (`logo_uri#de`), by their full name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub texts: BTreeMap<String, String>,
    /// `jwks`: the client's public keys by value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    /// `jwks_uri`: the client's public keys by reference. Never beside `jwks`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// `sector_identifier_uri`, fetched and checked at registration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<String>,
    /// `subject_type`.
    #[serde(skip_serializing_if = "is_default")]
    pub subject_type: SubjectType,
    /// `id_token_signed_response_alg`; none is the provider's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_signed_response_alg: Option<SigningAlgorithm>,
    /// `id_token_encrypted_response_alg` and `…_enc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response: Option<Encryption>,
    /// `userinfo_signed_response_alg`; none is plain JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<SigningAlgorithm>,
    /// `userinfo_encrypted_response_alg` and `…_enc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response: Option<Encryption>,
    /// `request_object_signing_alg`; none allows every one that signs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_object_signing_alg: Option<RequestObjectSigning>,
    /// `token_endpoint_auth_signing_alg`: of assertions; none allows all that fit the method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg: Option<String>,
    /// `default_max_age`, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u64>,
    /// `require_auth_time`.
    #[serde(skip_serializing_if = "is_default")]
    pub require_auth_time: bool,
    /// `default_acr_values`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub default_acr_values: Vec<String>,
    /// `initiate_login_uri`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<String>,
    /// `request_uris`: where request objects may be fetched from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub request_uris: Vec<String>,
    /// `require_signed_request_object` ([RFC 9101 10.5](https://www.rfc-editor.org/rfc/rfc9101#section-10.5)).
    #[serde(skip_serializing_if = "is_default")]
    pub require_signed_request_object: bool,
    /// `post_logout_redirect_uris`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<String>,
    /// `frontchannel_logout_uri`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<String>,
    /// `frontchannel_logout_session_required`.
    #[serde(skip_serializing_if = "is_default")]
    pub frontchannel_logout_session_required: bool,
    /// `backchannel_logout_uri`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// `backchannel_logout_session_required`.
    #[serde(skip_serializing_if = "is_default")]
    pub backchannel_logout_session_required: bool,
    /// `software_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    /// `software_version`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
    /// `software_statement`, as it was presented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_statement: Option<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The kind of program a client is; it decides which redirect URIs it may register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    /// On a web server, or in the browser.
    #[default]
    Web,
    /// On the user's machine.
    Native,
}

/// Which `sub` a client is told ([OpenID Connect Core 8](https://openid.net/specs/openid-connect-core-1_0.html#SubjectIDTypes)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// The same as every other client.
    #[default]
    Public,
    /// One that only the clients of its sector know.
    Pairwise,
}

/// How something is encrypted for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// `alg`: how the content key reaches the client.
    pub alg: KeyManagementAlgorithm,
    /// `enc`: how the content is encrypted.
    pub enc: ContentEncryption,
}

/// How a client secures its request objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum RequestObjectSigning {
    /// `none`: not at all.
    Unsecured,
    /// Signed with this algorithm.
    Signed(VerificationAlgorithm),
}

impl RequestObjectSigning {
    /// The value of `request_object_signing_alg`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unsecured => "none",
            Self::Signed(alg) => alg.as_str(),
        }
    }

    /// Reads the value of `request_object_signing_alg`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::Unsecured),
            alg => VerificationAlgorithm::parse(alg).map(Self::Signed),
        }
    }
}

impl TryFrom<String> for RequestObjectSigning {
    type Error = &'static str;
    fn try_from(name: String) -> Result<Self, &'static str> {
        Self::parse(&name).ok_or("unknown algorithm")
    }
}

impl From<RequestObjectSigning> for String {
    fn from(signing: RequestObjectSigning) -> Self {
        signing.as_str().to_owned()
    }
}
