//! Public keys of clients, by value or by reference.

use crate::{
    jose::{Jwt, JwtProblem, KeySet, verify},
    model::{Client, ClientId, Timestamp, VerificationAlgorithm},
    ports::Fetch,
};
use quick_cache::{
    DefaultHashBuilder, OptionsBuilder, Weighter,
    sync::{Cache, DefaultLifecycle},
};
use serde_json::Value;
use std::{error::Error, sync::Arc};

/// More than any honest key set needs.
const LONGEST: usize = 64 * 1024;
/// For how long a fetched set is used, in seconds.
const FRESH: i64 = 600;
/// How long it takes until a set is fetched again because a key is not in it or because it could not be fetched, in
/// seconds: whoever sends made-up key ids causes no more than this.
const AGAIN: i64 = 10;
/// For how long a set is used that cannot be fetched again, in seconds: a client withdraws a key by publishing a set
/// without it, and nobody may prevent that for ever by keeping us from reading it.
const OLDEST: i64 = 3600;
/// Bytes of memory for the sets that are remembered.
const MEMORY: u64 = 64 * 1024 * 1024;
/// Bytes of memory that a byte of JSON may take when it is made to take as many as it can.
const SWELLING: usize = 16;

/// A client and the address of its set, so that a new address is never answered with what was at the old one.
type Place = (ClientId, String);

/// The key sets of clients ([OpenID Connect Registration 2](https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata),
/// `jwks` and `jwks_uri`).
pub struct ClientKeys {
    fetch: Arc<dyn Fetch>,
    fetched: Cache<Place, Fetched, Memory>,
    /// Whose turn it is to fetch. Nothing is ever put in: what counts is that one holds the place and others wait.
    turns: Cache<Place, ()>,
}

/// Whether an older answer will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// It will.
    Remembered,
    /// A key was missing from it: the client may have published a new one.
    Again,
}

/// What came of the last attempt to fetch a set.
#[derive(Clone)]
struct Fetched {
    set: Arc<Value>,
    /// When the set was read; nothing when it never was.
    read_at: Option<Timestamp>,
    tried_at: Timestamp,
    bytes: usize,
}

impl Fetched {
    fn will_do(&self, freshness: Freshness, now: Timestamp) -> bool {
        let failed = self.read_at != Some(self.tried_at);
        let wait = if failed || freshness == Freshness::Again { AGAIN } else { FRESH };
        (0..wait).contains(&now.seconds_since(self.tried_at))
    }

    /// What is known after an attempt that failed.
    fn after_failure(known: Option<Self>, now: Timestamp) -> Self {
        let usable = |known: &Self| known.read_at.is_some_and(|at| now.seconds_since(at) < OLDEST);
        match known.filter(usable) {
            Some(known) => Self { tried_at: now, ..known },
            None => Self { set: Arc::default(), read_at: None, tried_at: now, bytes: 0 },
        }
    }
}

/// Counts memory, so that many large sets take no more of it than many small ones.
#[derive(Clone)]
struct Memory;

impl Weighter<Place, Fetched> for Memory {
    fn weight(&self, place: &Place, fetched: &Fetched) -> u64 {
        let fixed = size_of::<Place>() + size_of::<Fetched>() + place.1.len();
        u64::try_from(fixed + fetched.bytes.saturating_mul(SWELLING)).unwrap_or(u64::MAX)
    }
}

impl ClientKeys {
    /// Keys fetched this way.
    #[expect(clippy::missing_panics_doc, reason = "the options that must be given are given")]
    pub fn new(fetch: Arc<dyn Fetch>) -> Self {
        // Few shards, however many processors there are: the largest set must fit into one of them.
        let options = OptionsBuilder::new()
            .shards(8)
            .estimated_items_capacity(1_000)
            .weight_capacity(MEMORY)
            .build()
            .expect("both capacities are given");
        let (hasher, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        let fetched = Cache::with_options(options, Memory, hasher, lifecycle);
        Self { fetch, fetched, turns: Cache::new(1_000) }
    }

    /// The JWK set of a client; an empty one when it has none, or when it cannot be fetched, which is logged.
    pub async fn of(&self, client: &Client, freshness: Freshness, now: Timestamp) -> Arc<Value> {
        if let Some(set) = &client.metadata.jwks {
            return Arc::new(set.clone());
        }
        let Some(uri) = &client.metadata.jwks_uri else {
            return Arc::default();
        };
        let place = (client.id.clone(), uri.clone());
        let remembered = || self.fetched.get(&place).filter(|f| f.will_do(freshness, now));
        if let Some(fetched) = remembered() {
            return fetched.set;
        }
        let _turn = self.turns.get_value_or_guard_async(&place).await;
        // Whoever had to wait finds what the one before has fetched. A caller that goes away while it fetches leaves
        // no trace, and the next one fetches: otherwise nobody's request could keep a client's keys from being read.
        if let Some(fetched) = remembered() {
            return fetched.set;
        }
        let fetched = self.attempt(&place, now).await;
        let set = Arc::clone(&fetched.set);
        self.fetched.insert(place, fetched);
        set
    }

    /// Verifies a JWT with the keys of the client, and once more with newer ones when none of them fits.
    pub async fn verify(
        &self,
        client: &Client,
        token: &str,
        allowed: &[VerificationAlgorithm],
        now: Timestamp,
    ) -> Result<Jwt, JwtProblem> {
        let known = self.of(client, Freshness::Remembered, now).await;
        let first = verify(token, &KeySet::from_jwks(&known), allowed);
        if first.as_ref().err() != Some(&JwtProblem::UnknownKey) || client.metadata.jwks.is_some() {
            return first;
        }
        let newer = self.of(client, Freshness::Again, now).await;
        if Arc::ptr_eq(&known, &newer) {
            return first;
        }
        verify(token, &KeySet::from_jwks(&newer), allowed)
    }

    async fn attempt(&self, place: &Place, now: Timestamp) -> Fetched {
        let (id, uri) = place;
        match self.read(uri).await {
            Ok((set, bytes)) => {
                Fetched { set: Arc::new(set), read_at: Some(now), tried_at: now, bytes }
            }
            Err(e) => {
                tracing::warn!(client.id = %id, error = %e, "the client's keys cannot be fetched");
                Fetched::after_failure(self.fetched.get(place), now)
            }
        }
    }

    async fn read(&self, uri: &str) -> Result<(Value, usize), Box<dyn Error + Send + Sync>> {
        let body = self.fetch.get(uri, LONGEST).await?;
        let set: Value = serde_json::from_slice(&body)?;
        if set.get("keys").is_some_and(Value::is_array) {
            Ok((set, body.len()))
        } else {
            Err("the document is not a key set".into())
        }
    }
}

impl std::fmt::Debug for ClientKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientKeys").finish_non_exhaustive()
    }
}
