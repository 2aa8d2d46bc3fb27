//! Policy: what an operator may decide, each with a default and the reason for it.

use crate::model::{SigningAlgorithm, TokenFormat};
use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Decisions that hold for the whole provider.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The form of access tokens where neither resource nor client decides.
    /// JWT with ES256: resource servers verify offline, and signing is cheap.
    pub access_token_format: TokenFormat,
    /// The life of access tokens where neither resource nor client decides. Ten minutes, because a JWT
    /// cannot be called back from resource servers that verify offline.
    pub access_token_ttl: Duration,
    /// The longest life any access token gets. Retired keys stay published this long.
    pub access_token_max_ttl: Duration,
    /// The life of an authorization code. A minute is ample for a redirect (RFC 6749 4.1.2 allows ten).
    pub code_ttl: Duration,
    /// How long a person may take to sign in and consent.
    pub interaction_ttl: Duration,
    /// The life of an unused refresh token. Every rotation starts it again, for confidential clients.
    pub refresh_token_ttl: Duration,
    /// The life of a family of refresh tokens, counted from the authorization, whatever the rotations.
    pub refresh_token_max_age: Duration,
    /// For how long the same successor is given again when the answer to a rotation was lost. Zero turns it off.
    pub refresh_retry_window: Duration,
    /// Who must use PKCE. Everybody (RFC 9700 2.1.1).
    pub pkce: PkcePolicy,
    /// Whether the `plain` method of PKCE is taken. Only some profiles of broadcast devices ask for it.
    pub danger_plain_pkce: bool,
    /// The algorithms keys are kept for. ES256 for access tokens, RS256 for clients that know nothing else.
    pub algorithms: Vec<SigningAlgorithm>,
    /// How long a key signs before its successor does.
    pub key_lifetime: Duration,
    /// How long a key is published before it signs, so that every cache of the key set knows it by then.
    pub key_publish_lead: Duration,
    /// For how long a client registration may be remembered without asking the store again.
    pub client_cache_ttl: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            access_token_format: TokenFormat::Jwt(SigningAlgorithm::ES256),
            access_token_ttl: Duration::from_secs(10 * MINUTE),
            access_token_max_ttl: Duration::from_secs(DAY),
            code_ttl: Duration::from_secs(MINUTE),
            interaction_ttl: Duration::from_secs(10 * MINUTE),
            refresh_token_ttl: Duration::from_secs(30 * DAY),
            refresh_token_max_age: Duration::from_secs(90 * DAY),
            refresh_retry_window: Duration::from_secs(30),
            pkce: PkcePolicy::Everybody,
            danger_plain_pkce: false,
            algorithms: vec![SigningAlgorithm::ES256, SigningAlgorithm::RS256],
            key_lifetime: Duration::from_secs(90 * DAY),
            key_publish_lead: Duration::from_secs(DAY),
            client_cache_ttl: Duration::from_secs(5),
        }
    }
}

/// Who must send a `code_challenge` ([RFC 9700 2.1.1](https://www.rfc-editor.org/rfc/rfc9700#section-2.1.1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PkcePolicy {
    /// Every client.
    Everybody,
    /// Clients without a secret; the others may.
    PublicClients,
}
