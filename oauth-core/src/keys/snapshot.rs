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

/// The key ring at one moment.
#[derive(Default)]
pub struct Snapshot {
    pub(super) entries: Vec<Entry>,
    published: Vec<usize>,
    verification: KeySet,
    jwks: String,
}

impl Snapshot {
    pub(super) fn new(mut entries: Vec<Entry>, now: Timestamp, keep: Duration) -> Self {
        entries.sort_by_key(|e| (e.stored.alg, e.stored.sequence));
        let published: Vec<usize> = entries
            .iter()
            .enumerate()
            .filter(|(_, e)| is_published(&entries, &e.stored, now, keep))
            .map(|(i, _)| i)
            .collect();
        let keys: Vec<_> = published
            .iter()
            .filter_map(|&i| entries.get(i))
            .map(|e| e.signer.public_jwk())
            .collect();
        let jwks = json!({ "keys": keys });
        Self { published, verification: KeySet::from_jwks(&jwks), jwks: jwks.to_string(), entries }
    }

    /// The key that signs with this algorithm now: the youngest whose time has come; where that was retired,
    /// the next one in waiting, which is published already.
    pub fn signer(&self, alg: SigningAlgorithm, now: Timestamp) -> Option<&Signer> {
        let usable =
            || self.entries.iter().filter(|e| e.stored.alg == alg && is_usable(&e.stored, now));
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

    /// Ids of keys that no live token can need any more.
    pub(super) fn disposable(&self, now: Timestamp, keep: Duration) -> Vec<String> {
        self.entries
            .iter()
            .filter(|e| {
                replaced_at(&self.entries, &e.stored).is_some_and(|at| at.plus(keep) <= now)
                    || e.stored.retired_at.is_some_and(|at| at.plus(keep) <= now)
            })
            .map(|e| e.stored.kid.clone())
            .collect()
    }

    /// The youngest key of an algorithm that is not retired, and the highest sequence number ever given.
    pub(super) fn newest(&self, alg: SigningAlgorithm) -> (Option<&StoredKey>, i64) {
        let of_alg = || self.entries.iter().map(|e| &e.stored).filter(|k| k.alg == alg);
        let newest = of_alg().filter(|k| k.retired_at.is_none()).max_by_key(|k| k.sequence);
        (newest, of_alg().map(|k| k.sequence).max().unwrap_or(0))
    }
}

fn is_usable(key: &StoredKey, now: Timestamp) -> bool {
    key.publish_at <= now && key.retired_at.is_none_or(|at| at > now)
}

fn is_published(all: &[Entry], key: &StoredKey, now: Timestamp, keep: Duration) -> bool {
    is_usable(key, now) && replaced_at(all, key).is_none_or(|at| at.plus(keep) > now)
}

/// When a younger key of the same algorithm takes over.
fn replaced_at(all: &[Entry], key: &StoredKey) -> Option<Timestamp> {
    all.iter()
        .map(|e| &e.stored)
        .filter(|k| k.alg == key.alg && k.sequence > key.sequence && k.retired_at.is_none())
        .map(|k| k.sign_from)
        .min()
}
