//! A configuration that no guard can be built from. The text is for the operator.

use oauth_core::model::UriProblem;

/// Why there is no guard.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigProblem {
    /// An address is not acceptable.
    #[error("the address of the {what} is not acceptable: {why}")]
    Address {
        /// Which address.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// No signature algorithm is allowed.
    #[error("the list of allowed signature algorithms is empty")]
    Algorithms,
    /// The name of the header for API keys is not one.
    #[error("the API key header needs a valid header name other than Authorization")]
    ApiKeyHeader,
    /// Without an audience, tokens for other servers would be accepted.
    #[error("the guard needs an audience: the name by which tokens mean this server")]
    Audience,
    /// The name of the cookie is not one, or is not protected by its prefix.
    #[error("the cookie of the token needs a valid name that begins with __Host- or __Secure-")]
    Cookie,
    /// The credentials for introspection are unusable.
    #[error("introspection needs a client id and a secret")]
    Credentials,
    /// Servers cannot be looked for in this way.
    #[error("{0}")]
    Discovery(&'static str),
    /// It is neither a host name nor a wildcard, with or without a port.
    #[error(
        "{0:?} is neither a host name nor a wildcard such as *.example.com, with or without a port"
    )]
    Host(String),
    /// The HTTP client could not be set up.
    #[error("the HTTP client could not be set up")]
    Http(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The issuer is not acceptable.
    #[error("the issuer is not acceptable")]
    Issuer(#[source] UriProblem),
    /// Keys are trusted for one issuer, and none is named.
    #[error("verifying JWTs needs an issuer")]
    IssuerMissing,
    /// The given key set has no usable key.
    #[error("the key set has no usable key")]
    Keys,
    /// A time is outside its range.
    #[error("{0}")]
    Time(&'static str),
    /// The metadata of the authorization server names another issuer.
    #[error("{0}")]
    OtherIssuer(String),
    /// The realm has characters that a challenge cannot carry.
    #[error("the realm must be printable ASCII without quotes and backslashes")]
    Realm,
    /// A list of roles is empty, or one of them is.
    #[error("a list of roles is empty, or one of them is")]
    Role,
    /// A certificate could not be read.
    #[error("a root certificate is not readable PEM")]
    RootCertificate,
    /// A list of scopes is empty or has characters outside the grammar.
    #[error("a scope list is empty or not of the grammar of RFC 6749")]
    Scope,
    /// There is nothing to verify tokens with.
    #[error("the guard needs keys or an introspection endpoint to verify tokens with")]
    Verifier,
}
