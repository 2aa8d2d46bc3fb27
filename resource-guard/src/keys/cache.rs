//! The key set in memory: refreshed hourly, fetched anew for unknown keys, kept while nobody answers.

use super::{Epoch, KeyEndpoint, KeySource, Keys, KeysUnavailable, endpoint::Walk};
use crate::{
    fetch::FetchProblem,
    flight::{Flight, fly},
};
use async_trait::async_trait;
use oauth_core::{
    jose::KeySet,
    model::Timestamp,
    ports::{Clock, Random},
};
use serde_json::Value;
use std::{
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak},
    time::Duration,
};

/// The longest pause between attempts while the authorization server does not answer.
const LONGEST_PAUSE: u64 = 60;

/// More keys than any honest server withdraws while a guard runs.
const MOST_WITHDRAWN: usize = 2_000;

/// When keys are fetched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyTimes {
    /// A key set older than this is refreshed.
    pub(crate) refresh: Duration,
    /// By how much earlier at most, by chance, so that many guards do not ask in step. Without, a tenth.
    pub(crate) jitter: Option<Duration>,
    /// Unknown keys lead to at most one fetch in this time.
    pub(crate) cool_down: Duration,
}

/// The keys of one authorization server.
pub(crate) struct KeyCache {
    endpoint: KeyEndpoint,
    times: KeyTimes,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    epoch: Epoch,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    keys: Option<Arc<Keys>>,
    /// Those it had and has no more.
    withdrawn: KeySet,
    /// The document the keys were read from.
    document: Value,
    generation: u64,
    /// The fetch under way.
    flight: Option<Flight<Arc<Landing>>>,
    /// When the last attempt began.
    attempted_at: Timestamp,
    /// When the keys in hand were fetched.
    fetched_at: Timestamp,
    /// When the next fetch is due: a refresh, or another attempt after failures.
    next_at: Timestamp,
    /// Attempts that failed since the last that did not.
    failures: u32,
    /// Whether the last of them met nobody.
    silent: bool,
}

/// What is known of a server whose keys may never have been fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Its keys are here.
    Known,
    /// They are being fetched.
    Asking,
    /// It was not asked yet, or long enough ago to ask again.
    Unasked,
    /// It gave no keys a moment ago, and is left alone for a while.
    Refuted(KeysUnavailable),
}

/// What was looked for: it is known, or a fetch under way is to be waited for.
pub(crate) enum Sought<T> {
    Known(Result<T, KeysUnavailable>),
    After(Flight<Arc<Landing>>),
}

/// How an attempt ended.
pub(crate) type Landing = Result<(), FetchProblem>;

impl State {
    /// Whether a fetch is due.
    fn due(&self, now: Timestamp) -> bool {
        now >= self.next_at || self.set_back(now)
    }

    /// Whether the clock was set back, so that times noted before mean nothing.
    fn set_back(&self, now: Timestamp) -> bool {
        lies_ahead(self.attempted_at, now)
    }

    /// Whether nobody looked after the keys in hand for so long that they are not used without looking: a refresh was
    /// due a whole interval ago, and none was tried.
    fn forsaken(&self, now: Timestamp, refresh: Duration) -> bool {
        let old = now >= self.fetched_at.plus(refresh.saturating_mul(2))
            || lies_ahead(self.fetched_at, now);
        old && self.failures == 0
    }

    fn ready(&self, now: Timestamp) -> Result<Arc<Keys>, KeysUnavailable> {
        self.keys.clone().ok_or_else(|| self.unavailable(now))
    }

    /// The keys, if they are not those known.
    fn newer(&self, known: &Keys) -> Option<Arc<Keys>> {
        self.keys.clone().filter(|keys| keys.generation() != known.generation())
    }

    /// Takes a fetched document into use.
    fn take(&mut self, document: Value, now: Timestamp) -> Landing {
        self.fetched_at = now;
        if self.keys.is_some() && self.document == document {
            return Ok(());
        }
        let set = KeySet::from_jwks(&document);
        if let Some(old) = self.keys.as_ref().map(|keys| keys.set().clone()) {
            let before = std::mem::take(&mut self.withdrawn);
            let before = if before.len() < MOST_WITHDRAWN { before } else { KeySet::default() };
            self.withdrawn = old.joined(before).without(&set);
        }
        if set.is_empty() {
            // The server has withdrawn every key we could use; going on with old ones would override it.
            self.keys = None;
            return Err(FetchProblem::NoUsableKey);
        }
        self.generation += 1;
        self.keys = Some(Arc::new(Keys::new(set, self.generation)));
        self.document = document;
        Ok(())
    }

    fn unavailable(&self, now: Timestamp) -> KeysUnavailable {
        let wait = self.next_at.seconds_since(now).clamp(1, LONGEST_PAUSE.cast_signed());
        KeysUnavailable { retry_after: Duration::from_secs(wait.unsigned_abs()) }
    }
}

impl KeyCache {
    pub(crate) fn new(
        endpoint: KeyEndpoint,
        times: KeyTimes,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        epoch: Epoch,
    ) -> Arc<Self> {
        // Nothing was ever attempted, so everything is due.
        let start = Timestamp::from_unix(i64::MIN);
        let state =
            State { attempted_at: start, fetched_at: start, next_at: start, ..State::default() };
        Arc::new(Self { endpoint, times, clock, random, epoch, state: RwLock::new(state) })
    }

    /// Fetches now and waits for the outcome.
    pub(crate) async fn first(self: &Arc<Self>) -> Option<Arc<Landing>> {
        let flight = {
            let mut state = self.write();
            state
                .flight
                .clone()
                .unwrap_or_else(|| self.launch(&mut state, Walk::Whole, self.clock.now()))
        };
        flight.await
    }

    /// Keeps the keys fresh until nobody else holds the cache.
    pub(crate) async fn tend(cache: Weak<Self>) {
        loop {
            let Some(due) = cache.upgrade().map(|cache| {
                let wait = cache.read().next_at.seconds_since(cache.clock.now());
                Duration::from_secs(wait.clamp(1, 60).unsigned_abs())
            }) else {
                return;
            };
            tokio::time::sleep(due).await;
            let Some(cache) = cache.upgrade() else { return };
            cache.refresh(cache.clock.now());
        }
    }

    /// The keys in hand, however old. Fetches nothing.
    pub(crate) fn in_hand(&self) -> Option<Arc<Keys>> {
        self.read().keys.clone()
    }

    /// The keys that were there and are no more.
    pub(crate) fn withdrawn(&self) -> KeySet {
        self.read().withdrawn.clone()
    }

    /// When the next fetch is due.
    pub(crate) fn due_at(&self) -> Timestamp {
        self.read().next_at
    }

    /// When the server last said which keys it has; before all times if it never did.
    pub(crate) fn fetched_at(&self) -> Timestamp {
        self.read().fetched_at
    }

    /// How things stand with a server whose keys may never have been fetched.
    pub(crate) fn standing(&self, now: Timestamp) -> Standing {
        let state = self.read();
        match (&state.keys, &state.flight) {
            (Some(_), _) => Standing::Known,
            (None, Some(_)) => Standing::Asking,
            (None, None) if state.due(now) => Standing::Unasked,
            (None, None) => Standing::Refuted(state.unavailable(now)),
        }
    }

    /// Takes the place of a server that gave no keys. Where nobody answered, nobody may answer again, under whatever
    /// name: the pauses go on growing.
    pub(crate) fn succeed(&self, before: &Self) {
        let silence = {
            let before = before.read();
            if before.silent { before.failures } else { 0 }
        };
        self.write().failures = silence;
    }

    /// In how many seconds the next fetch is due.
    pub(crate) fn due_in(&self) -> i64 {
        self.read().next_at.seconds_since(self.clock.now())
    }

    /// Starts a fetch if one is due and none is under way; the one under way, if any.
    pub(crate) fn refresh(self: &Arc<Self>, now: Timestamp) -> Option<Flight<Arc<Landing>>> {
        let mut state = self.write();
        match state.flight.clone() {
            Some(flight) => Some(flight),
            None if state.due(now) => Some(self.launch(&mut state, Walk::Whole, now)),
            None => None,
        }
    }

    /// The keys to verify with. A refresh that is due is started; it is waited for where there are no keys, or nobody
    /// looked after them.
    pub(crate) fn seek(self: &Arc<Self>, now: Timestamp) -> Sought<Arc<Keys>> {
        {
            let state = self.read();
            if let Some(keys) = &state.keys
                && !state.due(now)
            {
                return Sought::Known(Ok(keys.clone()));
            }
        }
        let flight = self.refresh(now);
        let state = self.read();
        let wait = state.keys.is_none() || state.forsaken(now, self.times.refresh);
        match flight.filter(|_| wait) {
            Some(flight) => Sought::After(flight),
            None => Sought::Known(state.ready(now)),
        }
    }

    /// Newer keys than those known. Where there are none, the server is asked, but not too often.
    pub(crate) fn seek_newer(
        self: &Arc<Self>,
        known: &Keys,
        now: Timestamp,
    ) -> Sought<Option<Arc<Keys>>> {
        let mut state = self.write();
        if let Some(keys) = state.newer(known) {
            return Sought::Known(Ok(Some(keys)));
        }
        let rested = state.set_back(now) || now >= state.attempted_at.plus(self.times.cool_down);
        Sought::After(match state.flight.clone() {
            Some(flight) => flight,
            None if state.failures > 0 && !state.due(now) => {
                return Sought::Known(Err(state.unavailable(now)));
            }
            None if state.failures > 0 => self.launch(&mut state, Walk::Whole, now),
            None if rested => self.launch(&mut state, Walk::KeysOnly, now),
            None => return Sought::Known(Ok(None)),
        })
    }

    /// Starts a fetch. It is counted from its beginning, so that nobody can start many by leaving early.
    fn launch(
        self: &Arc<Self>,
        state: &mut State,
        walk: Walk,
        now: Timestamp,
    ) -> Flight<Arc<Landing>> {
        state.attempted_at = now;
        let cache = self.clone();
        let flight = fly(async move {
            let _done = Done(&cache);
            let fetched = cache.endpoint.fetch(walk).await;
            Arc::new(cache.land(walk, fetched))
        });
        state.flight = Some(flight.clone());
        flight
    }

    fn land(&self, walk: Walk, fetched: Result<Value, FetchProblem>) -> Landing {
        let now = self.clock.now();
        let mut state = self.write();
        let before = state.keys.clone().map(|keys| keys.generation());
        let outcome = fetched.and_then(|document| state.take(document, now));
        if before != state.keys.as_ref().map(|keys| keys.generation()) {
            self.epoch.next();
        }
        match &outcome {
            Ok(()) => {
                state.failures = 0;
                let next_at = now.plus(self.times.refresh).minus(self.jitter());
                state.next_at = match walk {
                    Walk::Whole => next_at,
                    // The metadata was not read, so it stays due: unknown keys must not put it off for ever.
                    Walk::KeysOnly => state.next_at.min(next_at),
                };
                tracing::debug!(
                    keys = state.keys.as_ref().map(|k| k.set().len()),
                    "fetched the key set"
                );
            }
            Err(problem) => {
                state.failures = state.failures.saturating_add(1);
                state.silent = matches!(problem, FetchProblem::Network(_));
                state.next_at = now.plus(self.pause(state.failures));
                tracing::warn!(
                    error = %problem, attempts = state.failures, has_keys = state.keys.is_some(),
                    "the key set could not be fetched; keys in hand stay in use"
                );
            }
        }
        outcome
    }

    fn jitter(&self) -> Duration {
        // Never so much that the next refresh would be due at once.
        let most = self.times.jitter.unwrap_or(self.times.refresh / 10).min(self.times.refresh / 2);
        Duration::from_secs(self.dice(most.as_secs()))
    }

    /// Doubles with every failure; between half and the whole of that.
    fn pause(&self, failures: u32) -> Duration {
        let whole = 1_u64.checked_shl(failures).map_or(LONGEST_PAUSE, |s| s.min(LONGEST_PAUSE));
        let half = whole / 2;
        Duration::from_secs((half + self.dice(whole - half)).max(1))
    }

    /// A number from 0 to `most`.
    fn dice(&self, most: u64) -> u64 {
        let mut bytes = [0; 8];
        self.random.fill(&mut bytes);
        u64::from_ne_bytes(bytes) % most.saturating_add(1)
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a time noted before cannot be: beyond the small differences of requests that overtake one another.
const fn lies_ahead(noted: Timestamp, now: Timestamp) -> bool {
    noted.seconds_since(now) > 60
}

/// Makes room for the next fetch, even if this one panics.
struct Done<'a>(&'a KeyCache);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.write().flight = None;
    }
}

/// The cache as a source: fetches only when asked.
pub(crate) struct CachedKeys(pub(crate) Arc<KeyCache>);

#[async_trait]
impl KeySource for CachedKeys {
    fn generation(&self, now: Timestamp) -> Option<u64> {
        let state = self.0.read();
        let keys = state.keys.as_ref().filter(|_| !state.due(now))?;
        Some(keys.generation())
    }

    async fn keys(&self, now: Timestamp) -> Result<Arc<Keys>, KeysUnavailable> {
        match self.0.seek(now) {
            Sought::Known(keys) => keys,
            Sought::After(flight) => {
                flight.await;
                self.0.read().ready(now)
            }
        }
    }

    async fn keys_after(
        &self,
        known: &Keys,
        now: Timestamp,
    ) -> Result<Option<Arc<Keys>>, KeysUnavailable> {
        match self.0.seek_newer(known, now) {
            Sought::Known(newer) => newer,
            Sought::After(flight) => {
                flight.await;
                let state = self.0.read();
                match state.newer(known) {
                    None if state.failures > 0 => Err(state.unavailable(now)),
                    found => Ok(found),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::testing::{ManualClock, asking};
    use oauth_core::model::Issuer;
    use std::collections::BTreeSet;

    fn cache() -> Arc<KeyCache> {
        let asking = asking(&ManualClock::default());
        let issuer = Issuer::parse("https://as.example").unwrap();
        let endpoint = KeyEndpoint::new(asking.http, issuer, None);
        KeyCache::new(endpoint, asking.times, asking.clock, asking.random, asking.epoch)
    }

    #[test]
    fn r11_pauses_grow_and_are_random() {
        let cache = cache();
        for (failures, most) in [(1, 2), (2, 4), (3, 8), (5, 32), (6, 60), (40, 60), (u32::MAX, 60)]
        {
            let seen: BTreeSet<u64> = (0..200).map(|_| cache.pause(failures).as_secs()).collect();
            let (shortest, longest) = (*seen.first().unwrap(), *seen.last().unwrap());
            assert!(shortest >= most / 2 && longest <= most, "{failures}: {seen:?}");
            assert!(seen.len() as u64 > most / 4, "{failures}: {seen:?}");
        }
    }
}
