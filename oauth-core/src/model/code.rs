//! Authorization codes.

use super::{
    AuthorizationId, ClientId, HashedToken, Login, OpenidContext, ResourceUri, Scope, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The PKCE challenge of [RFC 7636 4.2](https://www.rfc-editor.org/rfc/rfc7636#section-4.2).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeChallenge {
    /// The verifier itself; only where the policy allows it.
    Plain(String),
    /// The base64url SHA-256 of the verifier.
    S256(String),
}

impl fmt::Debug for CodeChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain(..)",
            Self::S256(_) => "S256(..)",
        })
    }
}

/// A stored authorization code ([RFC 6749 4.1.2](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthCode {
    /// The authorization it belongs to.
    pub authorization: AuthorizationId,
    /// The client it was issued to.
    pub client: ClientId,
    /// The sign-in behind it.
    pub login: Login,
    /// The `redirect_uri` parameter of the authorization request, when there was one.
    pub redirect_uri: Option<String>,
    /// What was granted.
    pub scope: Scope,
    /// The resources asked for.
    pub resources: Vec<ResourceUri>,
    /// The PKCE challenge, when there was one.
    pub challenge: Option<CodeChallenge>,
    /// What makes its authorization an OpenID Connect one, if it is one.
    pub openid: Option<OpenidContext>,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// When it was exchanged, if it was.
    pub consumed_at: Option<Timestamp>,
    /// When its authorization was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

/// A code about to be written; its client and user are those of the authorization written beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCode {
    /// Its hash.
    pub hash: HashedToken,
    /// The client it is issued to.
    pub client: ClientId,
    /// The sign-in behind it.
    pub login: Login,
    /// The `redirect_uri` parameter, when there was one.
    pub redirect_uri: Option<String>,
    /// What is granted.
    pub scope: Scope,
    /// The resources asked for.
    pub resources: Vec<ResourceUri>,
    /// The PKCE challenge, when there was one.
    pub challenge: Option<CodeChallenge>,
    /// When it stops working.
    pub expires_at: Timestamp,
}
