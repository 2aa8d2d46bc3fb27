//! Looking for servers, again and again.

use super::{
    DnsSd, Way,
    advert::{Advert, ranked},
    multicast,
    sieve::Sieve,
    unicast,
};
use crate::{
    fetch::{FetchProblem, Http},
    keys::{Asking, Issuers, issuer_at},
};
use futures_util::future::join_all;
use oauth_core::{model::Issuer, ports::Random};
use std::{
    sync::{Arc, Weak},
    time::Duration,
};

/// The longest pause between searches that find nothing.
const LONGEST_PAUSE: u64 = 60;
/// Up to this much earlier than planned, so that many guards do not ask in step.
const JITTER: u64 = 60;
/// More servers than a facility has.
const MOST: usize = 16;

/// A search for authorization servers that never ends.
pub(crate) struct Search {
    how: DnsSd,
    random: Arc<dyn Random>,
    /// Searches in a row that found nothing.
    failures: u32,
}

impl Search {
    pub(crate) fn new(how: DnsSd, random: Arc<dyn Random>) -> Self {
        Self { how, random, failures: 0 }
    }

    /// Looks once. What was found before stays where nothing is found now.
    pub(crate) async fn look(&mut self, issuers: &Issuers) {
        let ways = [(Way::Unicast, self.how.unicast), (Way::Multicast, self.how.multicast)];
        for (way, _) in ways.iter().filter(|(_, on)| *on) {
            let adverts = self.ask(*way, issuers).await;
            if self.take(adverts, issuers).await {
                return;
            }
        }
        self.failures = self.failures.saturating_add(1);
        tracing::warn!(
            attempts = self.failures,
            "no authorization server was found in the network; those known before stay in use"
        );
    }

    /// Looks whenever it is time, until nobody else holds the issuers.
    pub(crate) async fn keep_looking(mut self, issuers: Weak<Issuers>) {
        loop {
            let Some(lost) = issuers.upgrade().map(|issuers| !issuers.has_keys()) else { return };
            tokio::time::sleep(self.pause(lost)).await;
            let Some(issuers) = issuers.upgrade() else { return };
            self.look(&issuers).await;
            issuers.refresh();
        }
    }

    /// Long while all is well; otherwise it doubles with every failure, and is between half and the whole of that.
    fn pause(&self, lost: bool) -> Duration {
        if self.failures == 0 && !lost {
            let jitter = Duration::from_secs(self.dice(JITTER)).min(self.how.every / 10);
            return self.how.every.saturating_sub(jitter).max(Duration::from_secs(1));
        }
        let doubled = 1_u64.checked_shl(self.failures.max(1)).unwrap_or(LONGEST_PAUSE);
        let whole = doubled.min(LONGEST_PAUSE);
        Duration::from_secs((whole / 2 + self.dice(whole - whole / 2)).max(1))
    }

    async fn ask(&self, way: Way, issuers: &Issuers) -> Vec<Advert> {
        let mut sieve = Sieve::new(&self.how, way, issuers);
        let adverts = match way {
            Way::Unicast => unicast::find(&self.how, &mut sieve).await.map_err(|e| e.to_string()),
            Way::Multicast => multicast::find(&mut sieve).await.map_err(|e| e.to_string()),
        };
        adverts.unwrap_or_else(|error| {
            tracing::warn!(?way, error, "looking for authorization servers failed");
            Vec::new()
        })
    }

    /// Takes the servers that advertisements lead to, the preferred ones first; whether there are any.
    async fn take(&mut self, adverts: Vec<Advert>, issuers: &Issuers) -> bool {
        let chosen = self.chosen(adverts, issuers);
        let answers = join_all(chosen.iter().map(|advert| follow(advert, issuers))).await;
        let mut good: Vec<Issuer> = Vec::new();
        for (advert, answer) in chosen.iter().zip(answers) {
            match answer {
                Ok(issuer) if !good.contains(&issuer) => good.push(issuer),
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(host = advert.host.as_str(), %error, "an advertised server is not believed");
                }
            }
        }
        if good.is_empty() {
            return false;
        }
        tracing::info!(servers = good.len(), "found authorization servers");
        self.failures = 0;
        issuers.found(good);
        true
    }

    /// The advertisements that are followed: those of servers that are known, and as many others as a facility may
    /// have, the preferred ones.
    fn chosen(&self, adverts: Vec<Advert>, issuers: &Issuers) -> Vec<Advert> {
        let mut chosen = ranked(adverts, |most| self.dice(most));
        let mut room = MOST;
        chosen.retain(|advert| {
            if issuers.at(&advert.metadata()).is_some() {
                return true;
            }
            let fits = room > 0;
            room = room.saturating_sub(1);
            fits
        });
        chosen
    }

    /// A number from 0 to `most`.
    fn dice(&self, most: u64) -> u64 {
        let mut bytes = [0; 8];
        self.random.fill(&mut bytes);
        u64::from_ne_bytes(bytes) % most.saturating_add(1)
    }
}

/// The issuer that an advertised server names in its metadata.
///
/// Where it is said to be is believed once it has answered there: until then everybody else looks for the host where it
/// was.
async fn follow(advert: &Advert, issuers: &Issuers) -> Result<Issuer, FetchProblem> {
    let Asking { http, .. } = issuers.asking();
    let host = advert.host.as_str();
    let noted = http.names().noted(host);
    let news = !advert.addresses.is_empty() && noted.as_ref() != Some(&advert.addresses);
    if !news || noted.is_some() {
        match ask(http, advert, issuers).await {
            Err(FetchProblem::Network(_)) if news => {}
            answer => return answer,
        }
    }
    let issuer = ask(&http.finding(host, &advert.addresses)?, advert, issuers).await?;
    http.names().note(host, &advert.addresses);
    Ok(issuer)
}

async fn ask(http: &Http, advert: &Advert, issuers: &Issuers) -> Result<Issuer, FetchProblem> {
    issuer_at(http, &advert.metadata(), |text| issuers.asking().issuer(text)).await
}

#[cfg(test)]
mod tests;
