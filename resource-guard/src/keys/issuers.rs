//! The keys of several authorization servers: those the operator names or the network advertises, and those that
//! tokens introduce themselves, where the operator lets them (AMWA IS-10, resource servers, public keys).

#[cfg(feature = "dns-sd")]
use super::endpoint::metadata_is_at;
use super::{
    CachedKeys, Epoch, KeyCache, KeyEndpoint, KeySource, KeyTimes, Keys, KeysUnavailable, Site,
    Standing, cache::Sought,
};
#[cfg(feature = "dns-sd")]
use crate::name::HostName;
use crate::{
    fetch::{Http, PlainHttp},
    verify::Rejection,
};
use futures_util::future::join_all;
use oauth_core::{
    jose::KeySet,
    model::{Issuer, Timestamp},
    ports::{Clock, Random},
};
use std::{
    sync::{Arc, Mutex, PoisonError, RwLock, Weak},
    time::Duration,
};
use url::{Origin, Url};

/// More servers than tokens may introduce: each costs a fetch.
const MOST_GUESTS: usize = 32;
/// Longer than any issuer.
const LONGEST_ISSUER: usize = 512;
/// What somebody is told whose server is being asked.
const SOON: Duration = Duration::from_secs(1);

/// How a server came to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Footing {
    /// The operator named it, or the network advertises it.
    Facility,
    /// A token introduced it.
    Guest,
}

/// An authorization server and its keys.
pub(crate) struct Server {
    issuer: Issuer,
    footing: Footing,
    cache: Arc<KeyCache>,
    keys: CachedKeys,
}

impl Server {
    pub(crate) const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Whether a token introduced it: then it vouches for itself alone, and its clients are its own.
    pub(crate) fn is_guest(&self) -> bool {
        self.footing == Footing::Guest
    }

    /// Its keys, which are fetched when they must be. Nobody waits for a server that a token chose.
    pub(crate) async fn keys(&self, now: Timestamp) -> Result<Arc<Keys>, KeysUnavailable> {
        if self.is_guest() {
            return at_once(self.cache.seek(now));
        }
        self.keys.keys(now).await
    }

    /// Its keys after those known did not fit. Nobody waits for a server that a token chose.
    pub(crate) async fn keys_after(
        &self,
        known: &Keys,
        now: Timestamp,
    ) -> Result<Option<Arc<Keys>>, KeysUnavailable> {
        if self.is_guest() {
            return at_once(self.cache.seek_newer(known, now));
        }
        self.keys.keys_after(known, now).await
    }

    /// Its keys as they are here.
    pub(crate) fn in_hand(&self) -> Option<Arc<Keys>> {
        self.cache.in_hand()
    }

    /// When its keys are fetched again.
    pub(crate) fn due_at(&self) -> Timestamp {
        self.cache.due_at()
    }

    /// The keys it had while this guard knew it, and has no more.
    pub(crate) fn withdrawn(&self) -> KeySet {
        self.cache.withdrawn()
    }

    /// Whether what it publishes of another one's keys counts: it said so no earlier than the other one spoke itself.
    pub(crate) fn may_speak_for(&self, other: &Self) -> bool {
        self.cache.fetched_at() >= other.cache.fetched_at()
    }
}

/// Whom the operator trusts.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    /// These issuers.
    pub(crate) issuers: Vec<Issuer>,
    /// Issuers at these sites, whichever a token names.
    pub(crate) sites: Vec<Site>,
    /// Whether servers are looked for in the network.
    pub(crate) discovery: bool,
}

/// How servers are asked.
pub(crate) struct Asking {
    pub(crate) http: Http,
    pub(crate) plain: PlainHttp,
    pub(crate) times: KeyTimes,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    /// Counts the changes of anybody's keys, and of who is trusted.
    pub(crate) epoch: Epoch,
}

/// Every server whose tokens may count.
pub(crate) struct Issuers {
    asking: Asking,
    sites: Arc<[Site]>,
    discovery: bool,
    /// Those the operator named.
    #[cfg(feature = "dns-sd")]
    named: Vec<Arc<Server>>,
    /// Those, and the ones found in the network, the preferred ones first. They host each other's keys.
    facility: RwLock<Arc<[Arc<Server>]>>,
    /// Those that tokens introduced. Each vouches for itself alone.
    guests: Mutex<Vec<Arc<Server>>>,
}

impl Issuers {
    pub(crate) fn new(trust: Trust, asking: Asking) -> Arc<Self> {
        let named: Vec<_> = trust.issuers.into_iter().map(|issuer| asking.member(issuer)).collect();
        Arc::new(Self {
            facility: RwLock::new(named.as_slice().into()),
            sites: trust.sites.into(),
            discovery: trust.discovery,
            asking,
            #[cfg(feature = "dns-sd")]
            named,
            guests: Mutex::default(),
        })
    }

    /// What counts the changes of anybody's keys, and of who is trusted.
    pub(crate) const fn epoch(&self) -> &Epoch {
        &self.asking.epoch
    }

    /// The servers of the facility, the preferred ones first.
    pub(crate) fn facility(&self) -> Arc<[Arc<Server>]> {
        self.facility.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The server of an issuer whose tokens can be verified without asking anybody new.
    pub(crate) fn known(&self, issuer: &str) -> Option<Arc<Server>> {
        let named = |server: &&Arc<Server>| server.issuer.as_str() == issuer;
        self.facility().iter().find(named).cloned().or_else(|| {
            let guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
            guests.iter().find(named).filter(|guest| guest.in_hand().is_some()).cloned()
        })
    }

    /// The server that a token introduces: an issuer that was not heard of before is asked for its keys, if it is on a
    /// site that the operator allows. Nobody waits for that. One is asked at a time, and where no keys were to be had
    /// nobody is asked for a while, whatever else its issuers are called.
    pub(crate) fn meet(&self, issuer: &str, now: Timestamp) -> Result<Arc<Server>, Rejection> {
        let Some(issuer) = self.allowed(issuer) else {
            // While none is found, the one that the token names may be the one that will be.
            let searching = self.discovery && self.facility().is_empty();
            return Err(if searching { later() } else { Rejection::Issuer });
        };
        let mut guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
        let met = guests.iter().find(|guest| guest.issuer == issuer).cloned();
        match met.as_ref().map(|guest| guest.cache.standing(now)) {
            Some(Standing::Known) => return met.ok_or(Rejection::Issuer),
            Some(Standing::Asking) => return Err(later()),
            Some(Standing::Refuted(_)) => return Err(Rejection::Issuer),
            Some(Standing::Unasked) | None => {}
        }
        if guests.iter().any(|guest| guest.cache.standing(now) == Standing::Asking) {
            return Err(later());
        }
        let guest = match met {
            Some(guest) => guest,
            None => self.seat(&mut guests, issuer, now)?,
        };
        tracing::info!(issuer = %guest.issuer, "a token introduces an issuer; asking it for its keys");
        guest.cache.refresh(now);
        Err(later())
    }

    /// A seat among the guests: that of one on the same server who gave no keys, a new one, or where all are taken that
    /// of anybody who gave none. Where all have keys nobody comes in.
    fn seat(
        &self,
        guests: &mut Vec<Arc<Server>>,
        issuer: Issuer,
        now: Timestamp,
    ) -> Result<Arc<Server>, Rejection> {
        let origin = origin_of(&issuer);
        let guest = self.asking.guest(issuer, &self.sites);
        let full = guests.len() >= MOST_GUESTS;
        let before = guests
            .iter_mut()
            .filter(|guest| guest.in_hand().is_none())
            .min_by_key(|guest| (origin_of(&guest.issuer) != origin, guest.cache.due_in()));
        match before {
            Some(before) if full || origin_of(&before.issuer) == origin => {
                if let Standing::Refuted(rest) = before.cache.standing(now) {
                    return Err(rest.into());
                }
                guest.cache.succeed(&before.cache);
                *before = guest.clone();
            }
            None if full => return Err(Rejection::Issuer),
            _ => guests.push(guest.clone()),
        }
        Ok(guest)
    }

    /// An issuer at a site where tokens may introduce issuers.
    fn allowed(&self, issuer: &str) -> Option<Issuer> {
        if self.sites.is_empty() || issuer.len() > LONGEST_ISSUER {
            return None;
        }
        let issuer = self.asking.issuer(issuer)?;
        let address = Url::parse(issuer.as_str()).ok()?;
        self.sites.iter().any(|site| site.covers(&address)).then_some(issuer)
    }

    /// Fetches the keys of the facility's servers and waits for the outcome.
    pub(crate) async fn first(&self) {
        join_all(self.facility().iter().map(|server| server.cache.first())).await;
    }

    /// Keeps the keys of the facility's servers fresh until nobody else holds them.
    pub(crate) async fn tend(issuers: Weak<Self>) {
        loop {
            let Some(due) = issuers.upgrade().map(|issuers| {
                let facility = issuers.facility();
                let soonest = facility.iter().map(|server| server.cache.due_in()).min();
                Duration::from_secs(soonest.unwrap_or(1).clamp(1, 30).unsigned_abs())
            }) else {
                return;
            };
            tokio::time::sleep(due).await;
            let Some(issuers) = issuers.upgrade() else { return };
            let now = issuers.asking.clock.now();
            for server in issuers.facility().iter() {
                server.cache.refresh(now);
            }
        }
    }
}

#[cfg(feature = "dns-sd")]
impl Issuers {
    pub(crate) const fn asking(&self) -> &Asking {
        &self.asking
    }

    /// Whether a host that the network advertises may be asked: it is allowed, or nothing is said of hosts.
    pub(crate) fn welcomes(&self, host: &HostName, port: u16) -> bool {
        self.sites.is_empty() || self.sites.iter().any(|site| site.welcomes(host, port))
    }

    /// The server of the facility whose metadata is at this address.
    pub(crate) fn at(&self, metadata: &str) -> Option<Arc<Server>> {
        let there = |server: &&Arc<Server>| metadata_is_at(&server.issuer, metadata);
        self.facility().iter().find(there).cloned()
    }

    /// Whether the keys of any server of the facility are here.
    pub(crate) fn has_keys(&self) -> bool {
        self.facility().iter().any(|server| server.in_hand().is_some())
    }

    /// Fetches the keys that are due, and waits for nobody.
    pub(crate) fn refresh(&self) {
        let now = self.asking.clock.now();
        for server in self.facility().iter() {
            server.cache.refresh(now);
        }
    }

    /// Takes the servers that the network advertises into the facility, and those advertised before and no more out of
    /// it. The keys of those that stay are kept.
    pub(crate) fn found(&self, issuers: Vec<Issuer>) {
        let mut facility = self.facility.write().unwrap_or_else(PoisonError::into_inner);
        let mut next: Vec<Arc<Server>> = Vec::new();
        for issuer in issuers {
            let known = facility.iter().find(|server| server.issuer == issuer).cloned();
            next.push(known.unwrap_or_else(|| self.asking.member(issuer)));
        }
        for server in &self.named {
            if !next.iter().any(|there| there.issuer == server.issuer) {
                next.push(server.clone());
            }
        }
        let same = |(one, other): (&Arc<Server>, &Arc<Server>)| Arc::ptr_eq(one, other);
        if facility.len() != next.len() || !facility.iter().zip(&next).all(same) {
            *facility = next.into();
            self.asking.epoch.next();
        }
        drop(facility);
        self.forget_names();
    }

    /// Forgets where hosts are that no server is on any more.
    fn forget_names(&self) {
        let host_of = |server: &Arc<Server>| {
            HostName::parse(Url::parse(server.issuer.as_str()).ok()?.host_str()?)
        };
        let guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let hosts: Vec<_> = self.facility().iter().chain(&guests).filter_map(host_of).collect();
        self.asking.http.names().keep(|host| hosts.iter().any(|used| used.as_str() == host));
    }
}

impl Asking {
    pub(crate) fn issuer(&self, text: &str) -> Option<Issuer> {
        match self.plain {
            PlainHttp::LoopbackOnly => Issuer::parse(text),
            PlainHttp::Anywhere => Issuer::danger_parse_insecure(text),
        }
        .ok()
    }

    fn endpoint(&self, issuer: &Issuer) -> KeyEndpoint {
        KeyEndpoint::new(self.http.clone(), issuer.clone(), None)
    }

    /// A server of the facility.
    fn member(&self, issuer: Issuer) -> Arc<Server> {
        self.server(self.endpoint(&issuer), issuer, Footing::Facility)
    }

    /// A server that a token introduced, which leads nowhere else than a token may.
    fn guest(&self, issuer: Issuer, sites: &Arc<[Site]>) -> Arc<Server> {
        let endpoint = self.endpoint(&issuer).within(sites.clone());
        self.server(endpoint, issuer, Footing::Guest)
    }

    fn server(&self, endpoint: KeyEndpoint, issuer: Issuer, footing: Footing) -> Arc<Server> {
        let (clock, random) = (self.clock.clone(), self.random.clone());
        let cache = KeyCache::new(endpoint, self.times, clock, random, self.epoch.clone());
        let keys = CachedKeys(cache.clone());
        Arc::new(Server { issuer, footing, cache, keys })
    }
}

/// What is known without waiting.
fn at_once<T>(sought: Sought<T>) -> Result<T, KeysUnavailable> {
    match sought {
        Sought::Known(known) => known,
        Sought::After(_) => Err(KeysUnavailable { retry_after: SOON }),
    }
}

const fn later() -> Rejection {
    Rejection::Unavailable { retry_after: SOON }
}

/// The server behind an issuer: its scheme, host and port.
fn origin_of(issuer: &Issuer) -> Option<Origin> {
    Url::parse(issuer.as_str()).ok().map(|address| address.origin())
}

#[cfg(test)]
mod tests;
