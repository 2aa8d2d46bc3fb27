//! The parent row of everything issued by one consent.

use super::{AuthorizationId, ClientId, OpenidContext, Scope, Timestamp, UserId};
use std::time::Duration;

/// One act of authorization: user × client × scope. Revoke it and every code and token below it is dead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// Its identifier.
    pub id: AuthorizationId,
    /// The client it was given to.
    pub client: ClientId,
    /// The user who gave it.
    pub user: UserId,
    /// What was granted.
    pub scope: Scope,
    /// When it was given.
    pub created_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

/// An authorization about to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAuthorization {
    /// Its identifier, made by the caller.
    pub id: AuthorizationId,
    /// The client it is given to.
    pub client: ClientId,
    /// The user who gives it.
    pub user: UserId,
    /// What is granted.
    pub scope: Scope,
    /// What makes it an OpenID Connect authorization, if it is one.
    pub openid: Option<OpenidContext>,
    /// The `acr` of the sign-in behind it.
    pub acr: Option<String>,
    /// The browser session it was given in. With an [`OpenidContext`], its client takes part in that session.
    pub sid: Option<String>,
    /// For how long its client is told of the end of that session.
    pub participates_until: Timestamp,
    /// The epoch that was read before what it rests on, a session or a password. It is not written if its user's
    /// authorizations were revoked after that, for whichever client. `None`: nobody asks, since whoever writes it looks
    /// again afterwards.
    pub since: Option<Epoch>,
}

/// How far the revocations of users have got: each begins a new epoch, which is a greater one.
///
/// Whoever reads it first, and then what an authorization is to rest on, can leave it to the commit to find out whether
/// that has been taken back meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub i64);

impl Epoch {
    /// For how long a store knows in which one a user's authorizations were revoked: longer than any request takes.
    pub const KEPT_FOR: Duration = Duration::from_hours(24);
}

/// A remembered yes: this user lets this client have this scope without being asked again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Who agreed.
    pub user: UserId,
    /// For which client.
    pub client: ClientId,
    /// To what: scope tokens, words `claim:name`, and for what was agreed to at resources, words made by
    /// [`word_at`](Self::word_at) as well.
    pub scope: Scope,
    /// When it was last given.
    pub at: Timestamp,
}

impl Consent {
    const AT: &str = "for:";

    /// The word for a word of a request at a resource: what was agreed to for one resource says nothing of another.
    pub fn word_at(resource: &str, word: &str) -> String {
        // No URI has this sign, so it can be read back in one way only.
        format!("{}{resource}>{word}", Self::AT)
    }

    /// The resource and the word of a word that is at a resource.
    pub fn split_word(word: &str) -> Option<(&str, &str)> {
        word.strip_prefix(Self::AT)?.split_once('>')
    }
}
