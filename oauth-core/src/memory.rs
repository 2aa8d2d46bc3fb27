//! Floor 7: the reference implementation of the stores, in memory. What the store laws mean, in the fewest words.

mod commit;
mod keys;
mod sessions;
mod sweep;
mod users;

use crate::{
    error::PortError,
    model::{
        AccessRight, AuthCode, Authorization, AuthorizationId, Client, ClientId, Committed,
        Consent, Epoch, HashedToken, Issuance, LogoutNotice, OpenidContext, Participant,
        PendingAuthorization, StoredKey, Timestamp, Token, User, UserId,
    },
    ports::{ClientStore, GrantStore},
};
use async_trait::async_trait;
use serde_json::{Map, Value};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use uuid::Uuid;

/// Everything in one process and gone with it: for tests, examples, and clients read from a file.
///
/// Clones share their content. One lock stands for the transaction of a database.
#[derive(Clone, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    clients: HashMap<ClientId, Arc<Client>>,
    people: HashMap<String, Person>,
    rights: Vec<AccessRight>,
    authorizations: HashMap<AuthorizationId, HeldAuthorization>,
    codes: HashMap<HashedToken, AuthCode>,
    tokens: HashMap<HashedToken, HeldToken>,
    pending: HashMap<HashedToken, PendingAuthorization>,
    consents: HashMap<(UserId, ClientId), Consent>,
    epoch: Epoch,
    /// In which epoch something of a user was last revoked, and once a sweep has seen it, until when that is known.
    cutoffs: HashMap<UserId, (Epoch, Option<Timestamp>)>,
    seen: HashMap<(String, String), Timestamp>,
    keys: HashMap<String, StoredKey>,
    profiles: HashMap<UserId, Map<String, Value>>,
    /// By session and client: who is signed in, and until when the client is told.
    participants: HashMap<(String, ClientId), (UserId, Timestamp)>,
    /// With the time they are due.
    notices: HashMap<Uuid, (LogoutNotice, Timestamp)>,
}

/// An authorization and what its codes and tokens inherit.
struct HeldAuthorization {
    given: Authorization,
    openid: Option<OpenidContext>,
    acr: Option<String>,
    sid: Option<String>,
}

/// A user and the hash of a password. Fit for tests only: passwords people choose need a slow hash.
struct Person {
    user: User,
    password: HashedToken,
}

struct HeldToken {
    token: Token,
    rotation: Option<Rotation>,
}

/// What replaced a refresh token.
struct Rotation {
    successor: HashedToken,
    response: Vec<u8>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a client, replacing one with the same id.
    pub fn with_client(self, client: Client) -> Self {
        self.lock().clients.insert(client.id.clone(), Arc::new(client));
        self
    }

    /// Adds a user who signs in with this password, replacing one with the same name.
    ///
    /// The password is kept as a fast hash: this is for tests and demonstrations.
    pub fn with_user(self, user: User, password: &str) -> Self {
        let person = Person { password: HashedToken::of(password), user };
        self.lock().people.insert(person.user.username.to_lowercase(), person);
        self
    }

    /// Adds a right, replacing the user's right on the same API.
    pub fn with_right(self, right: AccessRight) -> Self {
        {
            let rights = &mut self.lock().rights;
            rights.retain(|r| r.user != right.user || r.api != right.api);
            rights.push(right);
        }
        self
    }

    /// Sets the standard claims of a user, `sub` left out.
    pub fn with_profile(self, id: &UserId, mut profile: Map<String, Value>) -> Self {
        profile.remove("sub");
        self.lock().profiles.insert(id.clone(), profile);
        self
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No method leaves the state half changed: what can fail is checked before the first write.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn token(&self, hash: &HashedToken) -> Option<Token> {
        let mut token = self.tokens.get(hash)?.token.clone();
        let parent = token.authorization.and_then(|id| self.authorizations.get(&id));
        token.revoked_at = token.revoked_at.or(parent.and_then(|p| p.given.revoked_at));
        Some(token)
    }

    fn code(&self, hash: &HashedToken) -> Option<AuthCode> {
        let mut code = self.codes.get(hash)?.clone();
        code.revoked_at = self.authorizations.get(&code.authorization)?.given.revoked_at;
        Some(code)
    }

    fn revoke(&mut self, id: AuthorizationId, at: Timestamp) {
        if let Some(authorization) = self.authorizations.get_mut(&id) {
            authorization.given.revoked_at.get_or_insert(at);
        }
    }

    /// Removes a client with everything issued to it.
    fn remove_client(&mut self, id: &ClientId) -> bool {
        let known = self.clients.remove(id).is_some();
        self.remove_authorizations(|a| a.client == *id);
        self.tokens.retain(|_, t| t.token.client != *id);
        self.pending.retain(|_, p| p.client != *id);
        self.participants.retain(|(_, client), _| client != id);
        self.notices.retain(|_, (notice, _)| notice.participant.client != *id);
        self.consents.retain(|(_, client), _| client != id);
        known
    }

    /// Whether something below the authorization still works.
    fn has_live_child(&self, id: AuthorizationId, now: Timestamp) -> bool {
        self.tokens.values().any(|t| t.token.authorization == Some(id) && t.token.is_live(now))
            || self
                .codes
                .values()
                .any(|c| c.authorization == id && c.consumed_at.is_none() && c.expires_at > now)
    }

    /// Removes authorizations, and with them what hangs below.
    fn remove_authorizations(&mut self, which: impl Fn(&Authorization) -> bool) {
        self.authorizations.retain(|_, a| !which(&a.given));
        let kept = &self.authorizations;
        self.codes.retain(|_, c| kept.contains_key(&c.authorization));
        self.tokens.retain(|_, t| t.token.authorization.is_none_or(|a| kept.contains_key(&a)));
    }
}

#[async_trait]
impl ClientStore for MemoryStore {
    async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, PortError> {
        Ok(self.lock().clients.get(id).cloned())
    }

    async fn clients_of(&self, owner: &UserId) -> Result<Vec<Client>, PortError> {
        let mut clients: Vec<_> = self
            .lock()
            .clients
            .values()
            .filter(|c| c.owner.as_ref() == Some(owner))
            .map(|c| Client::clone(c))
            .collect();
        clients.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(clients)
    }

    async fn insert_client(&self, client: Client) -> Result<bool, PortError> {
        let mut state = self.lock();
        if state.clients.contains_key(&client.id) {
            return Ok(false);
        }
        state.clients.insert(client.id.clone(), Arc::new(client));
        Ok(true)
    }

    async fn replace_client(&self, client: Client) -> Result<bool, PortError> {
        let mut state = self.lock();
        let Some(old) = state.clients.get_mut(&client.id) else {
            return Ok(false);
        };
        let expires_at = old.expires_at.and(client.expires_at);
        *old = Arc::new(Client { expires_at, ..client });
        Ok(true)
    }

    async fn replace_unchanged_client(
        &self,
        client: Client,
        before: &Client,
    ) -> Result<bool, PortError> {
        let mut state = self.lock();
        let Some(old) = state.clients.get_mut(&client.id).filter(|old| old.is_as(before)) else {
            return Ok(false);
        };
        let expires_at = old.expires_at.and(client.expires_at);
        *old = Arc::new(Client { expires_at, ..client });
        Ok(true)
    }

    async fn remove_client(&self, id: &ClientId) -> Result<bool, PortError> {
        Ok(self.lock().remove_client(id))
    }

    async fn keep_client(&self, id: &ClientId) -> Result<bool, PortError> {
        let mut state = self.lock();
        let client = state.clients.get_mut(id);
        Ok(client.map(|client| Arc::make_mut(client).expires_at = None).is_some())
    }
}

#[async_trait]
impl GrantStore for MemoryStore {
    async fn code(&self, hash: &HashedToken) -> Result<Option<AuthCode>, PortError> {
        Ok(self.lock().code(hash))
    }

    async fn token(&self, hash: &HashedToken) -> Result<Option<Token>, PortError> {
        Ok(self.lock().token(hash))
    }

    async fn suspend(
        &self,
        interaction: HashedToken,
        pending: PendingAuthorization,
    ) -> Result<(), PortError> {
        self.lock().pending.insert(interaction, pending);
        Ok(())
    }

    async fn pending(
        &self,
        interaction: &HashedToken,
    ) -> Result<Option<PendingAuthorization>, PortError> {
        Ok(self.lock().pending.get(interaction).cloned())
    }

    async fn commit(&self, issuance: Issuance) -> Result<Committed, PortError> {
        self.lock().commit(issuance)
    }

    async fn revoke(&self, id: AuthorizationId, at: Timestamp) -> Result<(), PortError> {
        self.lock().revoke(id, at);
        Ok(())
    }

    async fn revoke_token(&self, hash: &HashedToken, at: Timestamp) -> Result<(), PortError> {
        if let Some(held) = self.lock().tokens.get_mut(hash) {
            held.token.revoked_at.get_or_insert(at);
        }
        Ok(())
    }

    async fn epoch(&self) -> Result<Epoch, PortError> {
        Ok(self.lock().epoch)
    }

    async fn revoke_user(
        &self,
        user: &UserId,
        client: Option<&ClientId>,
        at: Timestamp,
    ) -> Result<(), PortError> {
        let mut state = self.lock();
        state.epoch.0 += 1;
        let epoch = state.epoch;
        state.cutoffs.insert(user.clone(), (epoch, None));
        for authorization in state.authorizations.values_mut().map(|a| &mut a.given) {
            if authorization.user == *user && client.is_none_or(|c| authorization.client == *c) {
                authorization.revoked_at.get_or_insert(at);
            }
        }
        state.consents.retain(|(u, c), _| u != user || client.is_some_and(|client| c != client));
        Ok(())
    }

    async fn authorizations(
        &self,
        user: &UserId,
        now: Timestamp,
    ) -> Result<Vec<Authorization>, PortError> {
        let state = self.lock();
        let mut found: Vec<_> = state
            .authorizations
            .values()
            .map(|a| &a.given)
            .filter(|a| a.user == *user && a.revoked_at.is_none())
            .filter(|a| state.has_live_child(a.id, now))
            .cloned()
            .collect();
        found.sort_by_key(|a| std::cmp::Reverse((a.created_at, a.id)));
        Ok(found)
    }

    async fn consent(
        &self,
        user: &UserId,
        client: &ClientId,
    ) -> Result<Option<Consent>, PortError> {
        Ok(self.lock().consents.get(&(user.clone(), client.clone())).cloned())
    }

    async fn consents(&self, user: &UserId) -> Result<Vec<Consent>, PortError> {
        let mut found: Vec<_> =
            self.lock().consents.values().filter(|c| c.user == *user).cloned().collect();
        found.sort_by(|a, b| a.client.cmp(&b.client));
        Ok(found)
    }

    async fn see(
        &self,
        kind: &str,
        key: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, PortError> {
        let marks = &mut self.lock().seen;
        let mark = (kind.to_owned(), key.to_owned());
        if marks.get(&mark).is_some_and(|&old| old > now) {
            return Ok(false);
        }
        marks.insert(mark, until);
        Ok(true)
    }

    async fn seen(&self, kind: &str, key: &str, now: Timestamp) -> Result<bool, PortError> {
        let mark = (kind.to_owned(), key.to_owned());
        Ok(self.lock().seen.get(&mark).is_some_and(|&until| until > now))
    }

    async fn end_session(&self, sid: &str, at: Timestamp) -> Result<Vec<Participant>, PortError> {
        Ok(self.lock().end_session(sid, at))
    }

    async fn due_logouts(
        &self,
        now: Timestamp,
        lease: Timestamp,
        limit: u64,
    ) -> Result<Vec<LogoutNotice>, PortError> {
        Ok(self.lock().take_due(now, lease, limit))
    }

    async fn settle_logout(&self, id: Uuid, retry_at: Option<Timestamp>) -> Result<(), PortError> {
        self.lock().settle(id, retry_at);
        Ok(())
    }

    async fn sweep(&self, now: Timestamp, limit: u64) -> Result<u64, PortError> {
        Ok(self.lock().sweep(now, limit))
    }
}
