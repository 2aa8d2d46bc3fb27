//! Forgetting what nobody can need any more.

use super::State;
use crate::model::{ClientId, Epoch, LogoutNotice, Timestamp};
use std::{collections::HashMap, hash::Hash};

impl State {
    /// Deletes at most `limit` of each kind. Used codes and rotated refresh tokens stay until they
    /// expire, since until then a replay of them must be recognised.
    pub(super) fn sweep(&mut self, now: Timestamp, limit: u64) -> u64 {
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut gone = self.sweep_clients(now, most);
        gone += remove(&mut self.codes, most, |c| c.expires_at <= now)
            + remove(&mut self.tokens, most, |t| t.token.expires_at <= now)
            + remove(&mut self.pending, most, |p| p.expires_at <= now)
            + remove(&mut self.seen, most, |until| *until <= now)
            + remove(&mut self.participants, most, |(_, until)| *until <= now);
        for (_, until) in self.cutoffs.values_mut() {
            until.get_or_insert(now.plus(Epoch::KEPT_FOR));
        }
        gone += remove(&mut self.cutoffs, most, |(_, until)| until.is_some_and(|end| end <= now));
        let old = now.minus(LogoutNotice::KEPT_FOR);
        gone += remove(&mut self.notices, most, |(notice, _)| notice.created_at <= old);
        let (codes, tokens) = (&self.codes, &self.tokens);
        gone += remove(&mut self.authorizations, most, |a| {
            let id = a.given.id;
            !codes.values().any(|c| c.authorization == id)
                && !tokens.values().any(|t| t.token.authorization == Some(id))
        });
        gone
    }

    /// Removes clients that registered themselves and were never used.
    fn sweep_clients(&mut self, now: Timestamp, most: usize) -> u64 {
        let expired = self.clients.values().filter(|c| c.expires_at.is_some_and(|end| end <= now));
        let expired: Vec<ClientId> = expired.map(|c| c.id.clone()).take(most).collect();
        for id in &expired {
            self.remove_client(id);
        }
        expired.len() as u64
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
