//! What a grant decided, what one response writes, and what became of it.

use super::{
    AuthorizationId, Consent, HashedToken, Login, NewAuthorization, NewCode, NewToken,
    OpenidContext, PlainToken, ResourceUri, Scope, Timestamp,
};

/// What a grant decided may be issued. Nothing is written yet.
#[derive(Debug)]
pub struct Approval {
    /// The credential that was presented for it.
    pub credential: Credential,
    /// Whose child the tokens are.
    pub parent: Parent,
    /// The sign-in they act for; none when the client acts for itself.
    pub login: Option<Login>,
    /// What makes it an OpenID Connect authorization, so that an id token is due.
    pub openid: Option<OpenidContext>,
    /// What the access token allows.
    pub scope: Scope,
    /// What a refresh token allows: never less than the access token, so that narrowing once does not narrow for ever.
    pub refresh_scope: Scope,
    /// The resources the access token is for.
    pub resources: Vec<ResourceUri>,
    /// The resources the refresh token stands for.
    pub refresh_resources: Vec<ResourceUri>,
    /// When a refresh token is due, the time it dies at the latest.
    pub refresh_until: Option<Timestamp>,
}

/// The credential presented in exchange for tokens.
#[derive(Debug)]
pub enum Credential {
    /// One that may be used again: a client secret, a password.
    Reusable,
    /// An authorization code.
    Code(HashedToken),
    /// A refresh token.
    RefreshToken {
        /// The presented token, under which the response is sealed.
        token: PlainToken,
        /// Rotations at or after this time may be repeated.
        retry_since: Timestamp,
    },
}

/// The one-time credential a commit uses up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consume {
    /// None: the request was authenticated by something that may be used again.
    Nothing,
    /// An authorization code. A second use revokes the authorization.
    Code(HashedToken),
    /// A pending authorization. A second use is refused.
    Interaction(HashedToken),
    /// A refresh token. A second use revokes the authorization, unless it comes at or after `retry_since`
    /// and the successor is still unused: then the answer was lost and is given again.
    Refresh {
        /// The presented token.
        token: HashedToken,
        /// The response that replaces it, sealed under the presented token.
        response: Vec<u8>,
        /// The refresh token that replaces it.
        successor: HashedToken,
        /// Rotations at or after this time may be repeated.
        retry_since: Timestamp,
    },
}

/// The authorization that issued tokens belong to.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for each response, and it is moved a few times"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parent {
    /// None: a client's own token.
    None,
    /// One that exists and must still be live.
    Existing(AuthorizationId),
    /// One to be written now.
    New(NewAuthorization),
}

/// Everything one response writes: all or nothing, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuance {
    /// The credential to use up.
    pub consume: Consume,
    /// The authorization the rest belongs to.
    pub parent: Parent,
    /// A code to write.
    pub code: Option<NewCode>,
    /// Tokens to write.
    pub tokens: Vec<NewToken>,
    /// A consent to remember, merged with what was remembered before.
    pub consent: Option<Consent>,
    /// Now.
    pub at: Timestamp,
}

/// What became of an issuance.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Committed {
    /// Everything was written.
    Done,
    /// The credential had been used before. The authorization it belonged to, if any, is now revoked.
    Replayed,
    /// The refresh token was rotated a moment ago and the successor is unused: the sealed response of then.
    Repeated(Vec<u8>),
    /// The authorization is revoked or gone, or what a new one rests on was revoked meanwhile, or the credential is
    /// expired, revoked, unknown, or another authorization's. Nothing was written.
    Revoked,
}
