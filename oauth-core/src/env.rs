//! The bag every step is given: ports, keys and policy. Nothing global exists beside it.

use crate::{
    client_keys::ClientKeys,
    config::{Paths, Policy},
    error::PortError,
    jose::Sealer,
    keys::{KeyRing, Snapshot},
    model::{AuthorizationId, Issuer, PlainToken, Resource, Timestamp},
    ports::{Audit, Claims, ClientStore, Clock, Fetch, GrantStore, Passwords, Random, Users},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::sync::Arc;
use uuid::Builder;

/// Ports and policy of one provider.
pub struct Env {
    /// Who issues.
    pub issuer: Issuer,
    /// Where the endpoints are, below the issuer.
    pub paths: Paths,
    /// Registered clients.
    pub clients: Arc<dyn ClientStore>,
    /// What is issued.
    pub grants: Arc<dyn GrantStore>,
    /// People.
    pub users: Arc<dyn Users>,
    /// Further claims.
    pub claims: Arc<dyn Claims>,
    /// Hand-chosen secrets.
    pub passwords: Arc<dyn Passwords>,
    /// Who hears of decisions.
    pub audit: Arc<dyn Audit>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// The way out, to documents and endpoints of clients.
    pub fetch: Arc<dyn Fetch>,
    /// Public keys of clients.
    pub client_keys: ClientKeys,
    /// Seals client secrets, and makes pairwise subjects.
    pub sealer: Arc<Sealer>,
    /// Signing keys.
    pub keys: KeyRing,
    /// Protected resources tokens can be asked for by name.
    pub resources: Vec<Resource>,
    /// What the operator decided.
    pub policy: Policy,
}

impl Env {
    /// A secret of 256 random bits.
    pub fn secret(&self) -> PlainToken {
        let mut bytes = [0; 32];
        self.random.fill(&mut bytes);
        PlainToken::from_bytes(bytes)
    }

    /// A token id of 128 random bits, the `jti` of [RFC 7519 4.1.7](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.7).
    pub fn jti(&self) -> String {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// A new authorization id: a UUID of version 7, so that new rows stay together in the index.
    pub fn authorization_id(&self, now: Timestamp) -> AuthorizationId {
        let mut bytes = [0; 10];
        self.random.fill(&mut bytes);
        let millis = now.unix().unsigned_abs().saturating_mul(1000);
        AuthorizationId(Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
    }

    /// The signing keys as of now.
    pub async fn key_snapshot(&self, now: Timestamp) -> Result<Arc<Snapshot>, PortError> {
        self.keys.current(now).await
    }
}
