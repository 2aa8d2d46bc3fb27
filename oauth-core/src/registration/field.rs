//! The names of what is registered, and what is wrong with one.

use crate::error::{ErrorCode, OAuthError};
use std::fmt;

macro_rules! fields {
    ($($variant:ident = $name:literal;)*) => {
        /// A field of a [`ClientDraft`](super::ClientDraft), by its name in
        /// [RFC 7591 2](https://www.rfc-editor.org/rfc/rfc7591#section-2) and
        /// [OpenID Connect Registration 2](https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Field {
            $(#[doc = concat!("`", $name, "`.")] $variant,)*
        }

        impl Field {
            /// Every field, in the order in which objections are made.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The words for a program that registers a client. They are literals, as all that peers are told of errors.
            const fn refusal(self) -> &'static str {
                match self { $(Self::$variant => concat!($name, " cannot be accepted"),)* }
            }
        }
    };
}

fields! {
    Name = "client_name";
    Uri = "client_uri";
    Scope = "scope";
    GrantTypes = "grant_types";
    RedirectUris = "redirect_uris";
    ResponseTypes = "response_types";
    AuthMethod = "token_endpoint_auth_method";
    AccessTokenFormat = "access_token_format";
    AccessTokenTtl = "access_token_ttl";
    ApplicationType = "application_type";
    Contacts = "contacts";
    LogoUri = "logo_uri";
    PolicyUri = "policy_uri";
    TosUri = "tos_uri";
    Jwks = "jwks";
    JwksUri = "jwks_uri";
    SectorIdentifierUri = "sector_identifier_uri";
    SubjectType = "subject_type";
    IdTokenSigning = "id_token_signed_response_alg";
    IdTokenEncryption = "id_token_encrypted_response_alg";
    IdTokenContentEncryption = "id_token_encrypted_response_enc";
    UserinfoSigning = "userinfo_signed_response_alg";
    UserinfoEncryption = "userinfo_encrypted_response_alg";
    UserinfoContentEncryption = "userinfo_encrypted_response_enc";
    RequestObjectSigning = "request_object_signing_alg";
    AuthSigning = "token_endpoint_auth_signing_alg";
    DefaultMaxAge = "default_max_age";
    RequireAuthTime = "require_auth_time";
    DefaultAcrValues = "default_acr_values";
    InitiateLoginUri = "initiate_login_uri";
    RequestUris = "request_uris";
    RequireSignedRequestObject = "require_signed_request_object";
    PostLogoutRedirectUris = "post_logout_redirect_uris";
    FrontchannelLogoutUri = "frontchannel_logout_uri";
    FrontchannelLogoutSessionRequired = "frontchannel_logout_session_required";
    BackchannelLogoutUri = "backchannel_logout_uri";
    BackchannelLogoutSessionRequired = "backchannel_logout_session_required";
    SoftwareId = "software_id";
    SoftwareVersion = "software_version";
    SoftwareStatement = "software_statement";
}

/// What is wrong with one field, in words for the person who typed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// Where.
    pub field: Field,
    /// What, as a sentence.
    pub text: String,
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field.as_str(), self.text)
    }
}

/// Objections in the making.
#[derive(Default)]
pub(super) struct Notes(pub(super) Vec<Objection>);

impl Notes {
    pub(super) fn add(&mut self, field: Field, text: impl Into<String>) {
        self.0.push(Objection { field, text: text.into() });
    }

    /// The value, if there is nothing to object to; else the objections in the order of the fields.
    pub(super) fn unless<T>(mut self, value: T) -> Result<T, Vec<Objection>> {
        if self.0.is_empty() {
            return Ok(value);
        }
        self.0.sort_by_key(|objection| objection.field);
        Err(self.0)
    }
}

/// The error for a program, about the first of the objections
/// ([RFC 7591 3.2.2](https://www.rfc-editor.org/rfc/rfc7591#section-3.2.2)).
///
/// The log is told of all the fields, and of none of the values, in which there may be a password.
pub(crate) fn refusal(objections: &[Objection]) -> OAuthError {
    let Some(first) = objections.first() else {
        return OAuthError::new(ErrorCode::InvalidClientMetadata, "the metadata is not acceptable");
    };
    let code = match first.field {
        Field::RedirectUris => ErrorCode::InvalidRedirectUri,
        Field::SoftwareStatement => ErrorCode::InvalidSoftwareStatement,
        _ => ErrorCode::InvalidClientMetadata,
    };
    let mut names: Vec<_> = objections.iter().map(|o| o.field.as_str()).collect();
    names.dedup();
    OAuthError::new(code, first.field.refusal()).because(names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_field_has_its_own_name_and_a_refusal_of_allowed_characters() {
        let names: BTreeSet<_> = Field::ALL.iter().map(|f| f.as_str()).collect();
        assert_eq!(names.len(), Field::ALL.len());
        for field in Field::ALL {
            let text = field.refusal();
            assert!(text.starts_with(field.as_str()));
            let allowed = |b: u8| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            assert!(text.bytes().all(allowed), "{text}");
        }
    }

    #[test]
    fn values_stay_out_of_the_error() {
        let text = "https://u:hunter2@c.example/".to_owned();
        let error = refusal(&[Objection { field: Field::RedirectUris, text }]);
        assert_eq!(error.code(), ErrorCode::InvalidRedirectUri);
        assert_eq!(error.causes(), "redirect_uris");
        assert!(!format!("{error:?} {error}").contains("hunter2"));
    }
}
