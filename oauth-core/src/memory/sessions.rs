//! Browser sessions that end, and the clients that are told of it.

use super::State;
use crate::model::{ClientId, LogoutNotice, NewAuthorization, Participant, Timestamp};
use uuid::Uuid;

impl State {
    /// Lets the client of an OpenID Connect authorization take part in its session, and for longer if it does already.
    pub(super) fn join_session(&mut self, new: &NewAuthorization) {
        let (Some(sid), Some(_)) = (&new.sid, &new.openid) else { return };
        let key = (sid.clone(), new.client.clone());
        let known = self.participants.get(&key).map(|(_, until)| *until);
        let until = known.map_or(new.participates_until, |k| k.max(new.participates_until));
        self.participants.insert(key, (new.user.clone(), until));
    }

    pub(super) fn end_session(&mut self, sid: &str, at: Timestamp) -> Vec<Participant> {
        for held in self.authorizations.values_mut() {
            let is_online = !held.given.scope.contains("offline_access");
            if held.sid.as_deref() == Some(sid) && held.openid.is_some() && is_online {
                held.given.revoked_at.get_or_insert(at);
            }
        }
        let mut clients: Vec<ClientId> =
            self.participants.keys().filter(|(s, _)| s == sid).map(|(_, c)| c.clone()).collect();
        clients.sort();
        let mut ended = Vec::with_capacity(clients.len());
        for client in clients {
            let key = (sid.to_owned(), client);
            if let Some((user, _)) = self.participants.remove(&key) {
                let (sid, client) = key;
                ended.push(Participant { client, user, sid });
            }
        }
        for participant in &ended {
            let notice = LogoutNotice::new(participant.clone(), at);
            self.notices.entry(notice.id).or_insert((notice, at));
        }
        ended
    }

    pub(super) fn take_due(
        &mut self,
        now: Timestamp,
        lease: Timestamp,
        limit: u64,
    ) -> Vec<LogoutNotice> {
        let mut due: Vec<_> = self.notices.values_mut().filter(|(_, due)| *due <= now).collect();
        due.sort_by_key(|(notice, due)| (*due, notice.id));
        due.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        due.into_iter()
            .map(|(notice, due)| {
                *due = lease;
                notice.clone()
            })
            .collect()
    }

    pub(super) fn settle(&mut self, id: Uuid, retry_at: Option<Timestamp>) {
        let Some(retry_at) = retry_at else {
            self.notices.remove(&id);
            return;
        };
        if let Some((notice, due)) = self.notices.get_mut(&id) {
            notice.attempts += 1;
            *due = retry_at;
        }
    }
}
