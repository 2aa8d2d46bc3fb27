//! Looking for servers, again and again.

use super::{
    DnsSd, Heard, Way,
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
    /// Of whom the network told last.
    known: Vec<Told>,
    /// Searches in a row that found nobody, or not everybody who is known, or could not ask for all.
    failures: u32,
}

/// A server of which one way of asking tells.
#[derive(Clone, Debug)]
struct Told {
    issuer: Issuer,
    way: Way,
    /// How often in a row it was not among what this way told since.
    missing: u32,
}

/// Whom a search meets.
#[derive(Debug, Default)]
struct Met {
    /// The preferred ones first. Who is told of in both ways is there twice.
    told: Vec<Told>,
    /// Those among them who answered.
    answered: Vec<Issuer>,
    /// Those who were known, and say that they are somebody else.
    others: Vec<Issuer>,
    /// Which ways were asked, and whether they told everything.
    asked: Vec<(Way, bool)>,
}

impl Met {
    fn answers(&mut self, issuer: Issuer, way: Way) {
        if !self.answered.contains(&issuer) {
            self.answered.push(issuer.clone());
        }
        self.stays(Told { issuer, way, missing: 0 });
    }

    /// It is known, and believed to be still there: it was believed before, and may be starting again.
    fn stays(&mut self, server: Told) {
        let same = |told: &Told| told.issuer == server.issuer && told.way == server.way;
        if !self.told.iter().any(same) {
            self.told.push(server);
        }
    }

    /// The servers, each once.
    fn servers(&self) -> Vec<Issuer> {
        let mut servers = Vec::new();
        for Told { issuer, .. } in &self.told {
            if !servers.contains(issuer) {
                servers.push(issuer.clone());
            }
        }
        servers
    }
}

impl Search {
    pub(crate) fn new(how: DnsSd, random: Arc<dyn Random>) -> Self {
        Self { how, random, known: Vec::new(), failures: 0 }
    }

    /// Looks once: by multicast if no server that name servers know answers. What was found before stays where nothing
    /// is found now.
    pub(crate) async fn look(&mut self, issuers: &Issuers) {
        let ways = [(Way::Unicast, self.how.unicast), (Way::Multicast, self.how.multicast)];
        let mut met = Met::default();
        for (way, _) in ways.iter().filter(|(_, on)| *on) {
            let heard = self.ask(*way, issuers).await;
            self.visit(*way, heard, issuers, &mut met).await;
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

    async fn ask(&self, way: Way, issuers: &Issuers) -> Heard {
        let mut sieve = Sieve::new(&self.how, way, issuers);
        let heard = match way {
            Way::Unicast => unicast::find(&self.how, &mut sieve).await.map_err(|e| e.to_string()),
            Way::Multicast => multicast::find(&mut sieve).await.map_err(|e| e.to_string()),
        };
        heard.unwrap_or_else(|error| {
            tracing::warn!(?way, error, "looking for authorization servers failed");
            Heard::default()
        })
    }

    /// Meets the servers that advertisements lead to, the preferred ones first.
    async fn visit(&self, way: Way, heard: Heard, issuers: &Issuers, met: &mut Met) {
        met.asked.push((way, heard.complete));
        let chosen = self.chosen(heard.adverts, issuers);
        let answers = join_all(chosen.iter().map(|advert| follow(advert, issuers))).await;
        for (advert, answer) in chosen.iter().zip(answers) {
            match answer {
                Ok(issuer) => met.answers(issuer, way),
                Err(error) => {
                    let known = issuers.at(&advert.metadata());
                    tracing::warn!(
                        host = advert.host.as_str(), %error, known = known.is_some(),
                        "an advertised server does not answer as it should"
                    );
                    match known.map(|server| server.issuer().clone()) {
                        None => {}
                        Some(issuer) if error.is_another() => met.others.push(issuer),
                        Some(issuer) => met.stays(Told { issuer, way, missing: 0 }),
                    }
                }
            }
        }
    }

    /// Lets those stay of whom nobody can say that they are advertised no more: a way did not tell everything; or it is
    /// multicast, where answers get lost, and they are missing for the first time.
    fn keep(&self, met: &mut Met) {
        for (way, complete) in met.asked.clone() {
            for before in self.known.iter().filter(|told| told.way == way) {
                let missing = before.missing + u32::from(complete);
                let enough = match way {
                    Way::Unicast => 1,
                    Way::Multicast => 2,
                };
                if missing < enough && !met.others.contains(&before.issuer) {
                    met.stays(Told { missing, ..before.clone() });
                }
            }
        }
    }

    /// Takes the servers that were met for those of the facility, if there were any.
    fn take(&mut self, mut met: Met, issuers: &Issuers) {
        let certain = met.asked.iter().all(|(_, complete)| *complete);
        let answered = met.answered.len();
        if !met.told.is_empty() {
            self.keep(&mut met);
        }
        let found = met.servers();
        let well = certain && answered > 0 && answered == found.len();
        self.failures = if well { 0 } else { self.failures.saturating_add(1) };
        if found.is_empty() {
            tracing::warn!(
                attempts = self.failures,
                "no authorization server was found in the network; those known before stay in use"
            );
            return;
        }
        tracing::info!(servers = found.len(), answered, "found authorization servers");
        self.known = met.told;
        issuers.found(found);
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
