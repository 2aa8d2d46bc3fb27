//! Tokens that were found good, so that the next request with the same one is quick.

use super::Verified;
use oauth_core::model::Timestamp;
use quick_cache::sync::Cache;
use std::sync::Arc;

/// A token is looked at anew when the clock was set back by more seconds than this.
const MOST_BACK: i64 = 60;

/// What is known of tokens that were found good. A token is known by the whole of its text: nothing shorter stands for
/// it, so that no other one can pass for it. There is none where no tokens are remembered.
pub(super) struct SeenTokens(Option<Cache<Box<[u8]>, Seen>>);

#[derive(Clone)]
struct Seen {
    verified: Arc<Verified>,
    keys: u64,
    since: Timestamp,
    until: Timestamp,
}

impl SeenTokens {
    /// Room for so many tokens.
    pub(super) fn new(most: usize) -> Self {
        Self((most > 0).then(|| Cache::new(most)))
    }

    /// What a token says that is known to be good at `now`, while the keys have this number.
    pub(super) fn recall(&self, token: &[u8], keys: u64, now: Timestamp) -> Option<Arc<Verified>> {
        let seen = self.0.as_ref()?.get(token)?;
        let holds =
            seen.keys == keys && now < seen.until && seen.since.seconds_since(now) <= MOST_BACK;
        holds.then_some(seen.verified)
    }

    /// Remembers a token that was verified while the keys had this number, from now until then.
    pub(super) fn insert(
        &self,
        token: &str,
        verified: &Arc<Verified>,
        keys: u64,
        (since, until): (Timestamp, Timestamp),
    ) {
        if let Some(seen) = &self.0 {
            seen.insert(
                token.as_bytes().into(),
                Seen { verified: verified.clone(), keys, since, until },
            );
        }
    }
}
