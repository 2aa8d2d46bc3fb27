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
    /// Searches in a row that found nobody, or somebody who is known and does not answer.
    failures: u32,
}

/// Whom a search meets.
#[derive(Debug, Default)]
struct Met {
    /// The preferred ones first.
    good: Vec<Issuer>,
    /// Those among them who answered.
    answered: Vec<Issuer>,
}

impl Met {
    fn answers(&mut self, issuer: Issuer) {
        if !self.answered.contains(&issuer) {
            self.answered.push(issuer.clone());
        }
        self.stays(issuer);
    }

    /// It is known, is still advertised, and does not answer: it was believed before, and may be starting again.
    fn stays(&mut self, issuer: Issuer) {
        if !self.good.contains(&issuer) {
            self.good.push(issuer);
        }
    }
}

impl Search {
    pub(crate) fn new(how: DnsSd, random: Arc<dyn Random>) -> Self {
        Self { how, random, failures: 0 }
    }

    /// Looks once: by multicast if no server that name servers know answers. What was found before stays where nothing
    /// is found now.
    pub(crate) async fn look(&mut self, issuers: &Issuers) {
        let ways = [(Way::Unicast, self.how.unicast), (Way::Multicast, self.how.multicast)];
        let mut met = Met::default();
        for (way, _) in ways.iter().filter(|(_, on)| *on) {
            let adverts = self.ask(*way, issuers).await;
            self.visit(adverts, issuers, &mut met).await;
            if !met.answered.is_empty() {
                break;
            }
        }
        self.take(met, issuers);
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

    /// Meets the servers that advertisements lead to, the preferred ones first.
    async fn visit(&self, adverts: Vec<Advert>, issuers: &Issuers, met: &mut Met) {
        let chosen = self.chosen(adverts, issuers);
        let answers = join_all(chosen.iter().map(|advert| follow(advert, issuers))).await;
        for (advert, answer) in chosen.iter().zip(answers) {
            match answer {
                Ok(issuer) => met.answers(issuer),
                Err(error) => {
                    let known = issuers.at(&advert.metadata()).filter(|_| !error.is_another());
                    tracing::warn!(
                        host = advert.host.as_str(), %error, known = known.is_some(),
                        "an advertised server does not answer as it should"
                    );
                    if let Some(server) = known {
                        met.stays(server.issuer().clone());
                    }
                }
            }
        }
    }

    /// Takes the servers that were met for those of the facility, if there were any.
    fn take(&mut self, met: Met, issuers: &Issuers) {
        let (servers, answered) = (met.good.len(), met.answered.len());
        let complete = servers > 0 && answered == servers;
        self.failures = if complete { 0 } else { self.failures.saturating_add(1) };
        if servers == 0 {
            tracing::warn!(
                attempts = self.failures,
                "no authorization server was found in the network; those known before stay in use"
            );
            return;
        }
        tracing::info!(servers, answered, "found authorization servers");
        issuers.found(met.good);
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
