//! Who is calling, proven.

use crate::{
    path::NormalPath,
    rights::{Access, Rights},
    token_use::TokenUse,
    verify::Verified,
};
use oauth_core::model::{Scope, Timestamp};
use serde_json::{Map, Value};
use std::{fmt, sync::Arc};

/// Proof that the guard let this request through, and for whom. Only the guard can make one.
#[derive(Clone)]
pub struct Principal(Arc<Verified>);

impl Principal {
    pub(crate) const fn new(verified: Arc<Verified>) -> Self {
        Self(verified)
    }

    /// Whom the token speaks for: a user, or the client itself
    /// ([RFC 9068 2.2](https://www.rfc-editor.org/rfc/rfc9068#section-2.2)).
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// The client that uses the token: `client_id`, or `azp`.
    pub fn client_id(&self) -> Option<&str> {
        self.0.client_id.as_deref()
    }

    /// Whose client that is: the issuer's, to which alone its id means something
    /// ([RFC 6749 2.2](https://www.rfc-editor.org/rfc/rfc6749#section-2.2)). Nobody's in particular where it is known
    /// to all servers of a facility.
    pub(crate) fn client_issuer(&self) -> Option<&str> {
        self.issuer().filter(|_| !self.0.shares_clients)
    }

    /// What the token allows.
    pub fn scope(&self) -> &Scope {
        &self.0.scope
    }

    /// Who issued the token; an introspection answer need not say.
    pub fn issuer(&self) -> Option<&str> {
        self.0.issuer.as_deref()
    }

    /// When the token dies; an introspection answer need not say.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.0.expires_at
    }

    /// What the token may be used as.
    pub fn token_use(&self) -> TokenUse {
        self.0.token_use
    }

    /// Whether the token is of a guest: of nobody in particular, by the word `guest` in its scope.
    pub fn is_guest(&self) -> bool {
        self.0.scope.contains("guest")
    }

    /// One claim.
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.0.claims.get(name)
    }

    /// All claims, as the token or the introspection answer states them.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.0.claims
    }

    /// Whether `x-nmos-<api>` lets this caller read a path, given as it stands after the version:
    /// `single/senders/…`.
    pub fn may_read(&self, api: &str, path: &str) -> bool {
        self.may(Access::Read, api, path)
    }

    /// Whether `x-nmos-<api>` lets this caller change a path, given as it stands after the version. Being allowed to
    /// write does not mean being allowed to read.
    pub fn may_write(&self, api: &str, path: &str) -> bool {
        self.may(Access::Write, api, path)
    }

    fn may(&self, access: Access, api: &str, path: &str) -> bool {
        let rooted = format!("/{}", path.trim_start_matches('/'));
        NormalPath::parse(&rooted).is_ok_and(|path| {
            path.readings().all(|(path, slash)| {
                let below = path.strip_prefix('/').unwrap_or(path);
                self.rights().allow(access, api, below, slash)
            })
        })
    }

    /// Whether the token says anything about an API.
    pub(crate) fn mentions(&self, api: &str) -> bool {
        self.rights().mention(api)
    }

    pub(crate) fn rights(&self) -> &Rights {
        &self.0.rights
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("subject", &self.subject())
            .field("client_id", &self.client_id())
            .field("scope", self.scope())
            .finish_non_exhaustive()
    }
}
