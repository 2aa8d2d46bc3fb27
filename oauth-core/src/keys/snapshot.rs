//! The keys as of one load, and the questions asked of them.

use crate::{
    jose::{KeySet, Signer},
    model::{SigningAlgorithm, StoredKey, Timestamp},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

pub(super) struct Entry {
    pub(super) stored: StoredKey,
    pub(super) signer: Arc<Signer>,
}

/// For how long after another one took over a key is still of use.
#[derive(Clone, Copy, Default)]
pub(super) struct Keep {
    /// To verify what it signed: it is published.
    pub(super) published: Duration,
    /// To read id tokens that come back as hints: it is stored, and nothing else.
    pub(super) known: Duration,
}

/// The key ring at one moment.
#[derive(Default)]
pub struct Snapshot {
    pub(super) entries: Vec<Entry>,
    published: Vec<usize>,
    verification: KeySet,
    hints: KeySet,
    jwks: String,
    keep: Keep,
}

impl Snapshot {
    pub(super) fn new(mut entries: Vec<Entry>, now: Timestamp, keep: Keep) -> Self {
        entries.sort_by_key(|e| (e.stored.alg, e.stored.sequence));
        let within = |keep: Duration| -> Vec<usize> {
            let is_of_use = |e: &Entry| is_of_use(&entries, &e.stored, now, keep);
            entries.iter().enumerate().filter(|(_, e)| is_of_use(e)).map(|(i, _)| i).collect()
        };
        let set = |which: &[usize]| {
            let keys = which.iter().filter_map(|&i| entries.get(i)).map(|e| e.signer.public_jwk());
            json!({ "keys": keys.collect::<Vec<_>>() })
        };
        let published = within(keep.published);
        let jwks = set(&published);
        Self {
            published,
            verification: KeySet::from_jwks(&jwks),
            hints: KeySet::from_jwks(&set(&within(keep.known))),
            jwks: jwks.to_string(),
            keep,
            entries,
        }
    }

    /// The key that signs with this algorithm now: the youngest whose time has come; where that was retired,
    /// the next one in waiting, which is published already.
    pub fn signer(&self, alg: SigningAlgorithm, now: Timestamp) -> Option<&Signer> {
        let usable = || self.entries.iter().filter(|e| e.stored.alg == alg && self.serves(e, now));
        usable()
            .filter(|e| e.stored.sign_from <= now)
            .max_by_key(|e| e.stored.sequence)
            .or_else(|| usable().min_by_key(|e| e.stored.sequence))
            .map(|e| &*e.signer)
    }

    /// The algorithms some key signs with now.
    pub fn algorithms(&self, now: Timestamp) -> impl Iterator<Item = SigningAlgorithm> {
        SigningAlgorithm::ALL.into_iter().filter(move |&alg| self.signer(alg, now).is_some())
    }

    /// The JWK set to publish ([RFC 7517 5](https://www.rfc-editor.org/rfc/rfc7517#section-5)).
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// The JWK set as a value.
    pub fn jwks_value(&self) -> Value {
        serde_json::from_str(&self.jwks).unwrap_or_default()
    }

    /// The published keys, for verifying our own tokens.
    pub const fn verification(&self) -> &KeySet {
        &self.verification
    }

    /// The keys for reading our own id tokens when they come back: also those that are not published any more, as long as
    /// a session may last in which one of theirs was issued. They vouch for nothing that opens anything.
    pub(crate) const fn hints(&self) -> &KeySet {
        &self.hints
    }

    /// PEM certificates of the published keys.
    pub fn certificates(&self) -> impl Iterator<Item = &str> {
        self.published
            .iter()
            .filter_map(|&i| self.entries.get(i))
            .map(|e| e.stored.certificate.as_str())
    }

    /// All stored keys, for listing.
    pub fn stored(&self) -> impl Iterator<Item = &StoredKey> {
        self.entries.iter().map(|e| &e.stored)
    }

    /// When a younger key of the same algorithm took over from this one, or will.
    pub fn replaced_at(&self, key: &StoredKey) -> Option<Timestamp> {
        replaced_at(&self.entries, key)
    }

    /// Ids of keys that nothing can need any more.
    pub(super) fn disposable(&self, now: Timestamp) -> Vec<String> {
        let known = self.keep.known;
        let is_gone = |key: &StoredKey| {
            is_over(&self.entries, key, now, known)
                || key.retired_at.is_some_and(|at| at.plus(known) <= now)
        };
        let gone = self.stored().filter(|key| is_gone(key));
        gone.map(|key| key.kid.clone()).collect()
    }

    /// The youngest key of an algorithm that signs or will, and the highest sequence number ever given.
    pub(super) fn newest(
        &self,
        alg: SigningAlgorithm,
        now: Timestamp,
    ) -> (Option<&StoredKey>, i64) {
        let of_alg = || self.entries.iter().filter(|e| e.stored.alg == alg).map(|e| &e.stored);
        let is_over = |key: &StoredKey| is_over(&self.entries, key, now, self.keep.published);
        let newest = of_alg().filter(|k| k.retired_at.is_none() && !is_over(k));
        (newest.max_by_key(|k| k.sequence), of_alg().map(|k| k.sequence).max().unwrap_or(0))
    }

    /// Whether the key is published, so that it may sign.
    fn serves(&self, entry: &Entry, now: Timestamp) -> bool {
        is_of_use(&self.entries, &entry.stored, now, self.keep.published)
    }
}

fn is_usable(key: &StoredKey, now: Timestamp) -> bool {
    key.publish_at <= now && key.retired_at.is_none_or(|at| at > now)
}

fn is_of_use(all: &[Entry], key: &StoredKey, now: Timestamp, keep: Duration) -> bool {
    is_usable(key, now) && !is_over(all, key, now, keep)
}

/// Whether another key has been in its place for so long, whatever became of that one since: a key that is out of use
/// does not come back when its successor is withdrawn.
fn is_over(all: &[Entry], key: &StoredKey, now: Timestamp, keep: Duration) -> bool {
    let until = |k: &StoredKey| k.retired_at.map_or(now, |at| at.min(now));
    successors(all, key).any(|k| k.sign_from.plus(keep) <= until(k))
}

/// When a younger key of the same algorithm takes over.
fn replaced_at(all: &[Entry], key: &StoredKey) -> Option<Timestamp> {
    successors(all, key).filter(|k| k.retired_at.is_none()).map(|k| k.sign_from).min()
}

/// The younger keys of the same algorithm.
fn successors<'a>(all: &'a [Entry], key: &'a StoredKey) -> impl Iterator<Item = &'a StoredKey> {
    let is_younger = move |k: &&StoredKey| k.alg == key.alg && k.sequence > key.sequence;
    all.iter().map(|e| &e.stored).filter(is_younger)
}
