//! Asking everybody on the link ([RFC 6762](https://www.rfc-editor.org/rfc/rfc6762)).

use super::{
    Heard, SERVICE,
    advert::{Advert, Found},
    sieve::Sieve,
};
use mdns_sd::{ResolvedService, ScopedIp, ServiceDaemon, ServiceEvent, TxtProperty};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// How long answers are waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// More usable advertisements than are remembered. Fewer are followed.
const MOST: usize = 256;

/// Every usable advertisement that comes in time.
pub(super) async fn find(sieve: &mut Sieve<'_>) -> Result<Heard, mdns_sd::Error> {
    let daemon = ServiceDaemon::new()?;
    let events = daemon.browse(&format!("{SERVICE}.local."))?;
    let deadline = Instant::now() + PATIENCE;
    let mut usable = BTreeMap::new();
    while let Ok(Ok(event)) = timeout_at(deadline, events.recv_async()).await {
        match event {
            ServiceEvent::ServiceResolved(service) => {
                let advert = sieve.advert(&described(&service));
                hear(&mut usable, service.fullname.clone(), advert, sieve);
            }
            ServiceEvent::ServiceRemoved(_, name) => {
                usable.remove(&name);
            }
            _ => {}
        }
    }
    // Who stops asking before the time is over has not heard everybody.
    let complete = Instant::now() >= deadline;
    daemon.shutdown().ok();
    Ok(Heard { adverts: usable.into_values().collect(), complete })
}

/// Remembers what an instance says now. Who is known always has room.
fn hear(
    usable: &mut BTreeMap<String, Advert>,
    name: String,
    advert: Option<Advert>,
    sieve: &Sieve<'_>,
) {
    usable.remove(&name);
    if let Some(advert) = advert.filter(|advert| usable.len() < MOST || sieve.knows(advert)) {
        usable.insert(name, advert);
    }
}

fn described(service: &ResolvedService) -> Found {
    let text = |property: &TxtProperty| format!("{}={}", property.key(), property.val_str());
    // In an order that is the same next time.
    let addresses: BTreeSet<_> = service.addresses.iter().map(ScopedIp::to_ip_addr).collect();
    Found {
        host: service.host.clone(),
        port: service.port,
        addresses: addresses.into_iter().collect(),
        txt: service.txt_properties.iter().map(text).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        discovery::{DnsSd, Way},
        keys::{
            Issuers, Site, Trust,
            testing::{ManualClock, asking},
        },
    };
    use oauth_core::model::Issuer;

    #[test]
    fn r9_a_crowd_takes_nobodys_place() {
        let trust = Trust {
            issuers: vec![Issuer::parse("https://as.example:8443").unwrap()],
            sites: vec![Site::parse("as.example").unwrap()],
            discovery: true,
        };
        let issuers = Issuers::new(trust, asking(&ManualClock::default()));
        let mut sieve = Sieve::new(&DnsSd::new(), Way::Multicast, &issuers);
        let mut usable = BTreeMap::new();
        let mut says = |name: &str, host: &str, port: usize| {
            let found = Found {
                host: host.to_owned(),
                port: u16::try_from(port).unwrap(),
                addresses: Vec::new(),
                txt: ["api_proto=https", "api_ver=v1.0", "pri=0"].map(str::to_owned).to_vec(),
            };
            let advert = sieve.advert(&found);
            hear(&mut usable, name.to_owned(), advert, &sieve);
            usable.len()
        };
        for n in 1..=2 * MOST {
            assert_eq!(says(&format!("evil {n}"), "evil.example", n), 0);
        }
        assert_eq!(says("real", "as.example", 443), 1);
        for n in 1..=2 * MOST {
            assert!(says(&format!("crowd {n}"), "as.example", n) <= MOST);
        }
        assert_eq!(says("known", "as.example", 8443), MOST + 1);
        assert_eq!(says("real", "evil.example", 443), MOST, "it is elsewhere now");
    }
}
