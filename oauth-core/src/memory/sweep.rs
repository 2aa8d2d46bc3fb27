//! Forgetting what nobody can need any more.

use super::State;
use crate::model::Timestamp;
use std::{collections::HashMap, hash::Hash};

impl State {
    /// Deletes at most `limit` of each kind. Used codes and rotated refresh tokens stay until they
    /// expire, since until then a replay of them must be recognised.
    pub(super) fn sweep(&mut self, now: Timestamp, limit: u64) -> u64 {
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut gone = remove(&mut self.codes, most, |c| c.expires_at <= now)
            + remove(&mut self.tokens, most, |t| t.token.expires_at <= now)
            + remove(&mut self.pending, most, |p| p.expires_at <= now)
            + remove(&mut self.seen, most, |until| *until <= now);
        let (codes, tokens) = (&self.codes, &self.tokens);
        gone += remove(&mut self.authorizations, most, |a| {
            !codes.values().any(|c| c.authorization == a.id)
                && !tokens.values().any(|t| t.token.authorization == Some(a.id))
        });
        gone
    }
}

fn remove<K, V>(map: &mut HashMap<K, V>, most: usize, dead: impl Fn(&V) -> bool) -> u64
where
    K: Clone + Eq + Hash,
{
    let keys: Vec<K> =
        map.iter().filter(|(_, v)| dead(v)).map(|(k, _)| k.clone()).take(most).collect();
    for key in &keys {
        map.remove(key);
    }
    keys.len() as u64
}
