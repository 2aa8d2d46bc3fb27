//! Stored tokens, and the resources they are for.

use super::{
    AuthorizationId, ClientId, HashedToken, Login, OpenidContext, ResourceUri, Scope, Timestamp,
    TokenFormat, UserId,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a stored token may be used as. A refresh token is never an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TokenKind {
    /// Presented to resource servers.
    Access,
    /// Presented to the token endpoint.
    Refresh,
}

/// A stored token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it may be used as.
    pub kind: TokenKind,
    /// The authorization it belongs to; none for tokens a client got for itself.
    pub authorization: Option<AuthorizationId>,
    /// The client it was issued to.
    pub client: ClientId,
    /// The sign-in behind it; none for tokens a client got for itself.
    pub login: Option<Login>,
    /// What it allows.
    pub scope: Scope,
    /// The resources it is for.
    pub resources: Vec<ResourceUri>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// When a refresh token was rotated, if it was.
    pub consumed_at: Option<Timestamp>,
    /// When it or its authorization was revoked, if either was.
    pub revoked_at: Option<Timestamp>,
    /// What makes its authorization an OpenID Connect one, if it is one.
    pub openid: Option<OpenidContext>,
    /// When the authorization was given; equals `issued_at` where there is none.
    pub authorized_at: Timestamp,
}

impl Token {
    /// The user it acts for, if any.
    pub fn user(&self) -> Option<&UserId> {
        self.login.as_ref().map(|l| &l.user)
    }

    /// Whether the token works at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at > now && self.consumed_at.is_none() && self.revoked_at.is_none()
    }
}

/// A token about to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// Its hash.
    pub hash: HashedToken,
    /// What it may be used as.
    pub kind: TokenKind,
    /// The client it is issued to.
    pub client: ClientId,
    /// The sign-in behind it, if any.
    pub login: Option<Login>,
    /// What it allows.
    pub scope: Scope,
    /// The resources it is for.
    pub resources: Vec<ResourceUri>,
    /// When it is issued.
    pub issued_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// A protected resource this server issues tokens for ([RFC 8707](https://www.rfc-editor.org/rfc/rfc8707)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its identifier, the value of `resource` in requests and of `aud` in tokens.
    pub uri: ResourceUri,
    /// Form of the access tokens it receives; `None` follows the client, then the policy.
    pub access_token_format: Option<TokenFormat>,
    /// Life of the access tokens it receives; `None` follows the client, then the policy.
    pub access_token_ttl: Option<Duration>,
    /// The scopes it understands; empty means all.
    pub scope: Scope,
}
