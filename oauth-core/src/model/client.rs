//! Clients and what they may do.

use super::{
    ClientId, ClientMetadata, HashedToken, RedirectUri, Scope, SigningAlgorithm, Timestamp, UserId,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, time::Duration};

/// A registered client ([RFC 6749 2](https://www.rfc-editor.org/rfc/rfc6749#section-2),
/// [RFC 7591 2](https://www.rfc-editor.org/rfc/rfc7591#section-2)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The `client_id`.
    pub id: ClientId,
    /// The name people read on the consent page.
    pub name: String,
    /// The client's home page.
    pub uri: Option<String>,
    /// The user who made it; nobody for clients made by the operator.
    pub owner: Option<UserId>,
    /// How it proves who it is.
    pub auth: ClientAuth,
    /// Where answers may go; never a pattern.
    pub redirect_uris: Vec<RedirectUri>,
    /// Names of the grant types it may use.
    pub grant_types: BTreeSet<String>,
    /// Values of `response_type` it may use.
    pub response_types: BTreeSet<String>,
    /// The most it may ever be granted.
    pub scope: Scope,
    /// Form of its access tokens, where the resource does not decide; `None` follows the policy.
    pub access_token_format: Option<TokenFormat>,
    /// Life of its access tokens; `None` follows the policy.
    pub access_token_ttl: Option<Duration>,
    /// Whether users go unasked for consent: first-party clients may. A public client that is not at an https address
    /// could be anybody's program, and has it only where somebody signs in for the request.
    pub skip_consent: bool,
    /// What it says about itself beyond plain OAuth.
    pub metadata: ClientMetadata,
    /// The hash of the token it manages its registration with
    /// ([RFC 7592 3](https://www.rfc-editor.org/rfc/rfc7592#section-3)).
    pub registration_token: Option<HashedToken>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it is removed unless it was used before: for clients that registered themselves.
    pub expires_at: Option<Timestamp>,
}

impl Client {
    /// Whether both are the same registration, whenever they expire.
    pub fn is_as(&self, other: &Self) -> bool {
        *self == Self { expires_at: self.expires_at, ..other.clone() }
    }

    /// Whether the client is registered for the grant type.
    pub fn may_use(&self, grant_type: &str) -> bool {
        self.grant_types.contains(grant_type)
    }

    /// Whether the client has no credentials ([RFC 6749 2.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.1)).
    pub const fn is_public(&self) -> bool {
        matches!(self.auth, ClientAuth::Public)
    }
}

/// How a client authenticates; each variant carries the data it needs, so that none can be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAuth {
    /// `none`: a public client.
    Public,
    /// `client_secret_basic` or `client_secret_post`.
    Secret(SecretMethod, SecretHash),
    /// `client_secret_jwt`: an assertion with a MAC by the secret
    /// ([OpenID Connect Core 9](https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication)).
    SecretJwt(SealedSecret),
    /// `private_key_jwt`: an assertion signed with one of the keys in the client's metadata
    /// ([RFC 7523 2.2](https://www.rfc-editor.org/rfc/rfc7523#section-2.2)).
    PrivateKeyJwt,
}

impl ClientAuth {
    /// The `token_endpoint_auth_method` of [RFC 7591 2](https://www.rfc-editor.org/rfc/rfc7591#section-2).
    pub const fn method(&self) -> &'static str {
        match self {
            Self::Public => "none",
            Self::Secret(SecretMethod::Basic, _) => "client_secret_basic",
            Self::Secret(SecretMethod::Post, _) => "client_secret_post",
            Self::SecretJwt(_) => "client_secret_jwt",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }
}

/// Where the secret travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretMethod {
    /// In the `Authorization` header.
    Basic,
    /// In the form body.
    Post,
}

/// A client secret at rest.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretHash {
    /// A PHC string of a secret somebody chose by hand.
    Argon2(String),
    /// A secret of 256 random bits, for which a plain hash is enough and fast.
    Sha256(HashedToken),
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(..)")
    }
}

/// A client secret that must be known to check a MAC: sealed with the provider's sealing key, the client's id as
/// associated data.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret(pub Vec<u8>);

impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedSecret(..)")
    }
}

/// The form of an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenFormat {
    /// A JWT by [RFC 9068](https://www.rfc-editor.org/rfc/rfc9068), signed with this algorithm.
    Jwt(SigningAlgorithm),
    /// 256 random bits; whoever receives it asks the introspection endpoint.
    Opaque,
}
