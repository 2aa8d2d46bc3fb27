//! Asking everybody on the link ([RFC 6762](https://www.rfc-editor.org/rfc/rfc6762)).

use super::{
    SERVICE,
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
pub(super) async fn find(sieve: &mut Sieve<'_>) -> Result<Vec<Advert>, mdns_sd::Error> {
    let daemon = ServiceDaemon::new()?;
    let events = daemon.browse(&format!("{SERVICE}.local."))?;
    let deadline = Instant::now() + PATIENCE;
    let mut usable: BTreeMap<String, Advert> = BTreeMap::new();
    while let Ok(Ok(event)) = timeout_at(deadline, events.recv_async()).await {
        match event {
            ServiceEvent::ServiceResolved(service) => {
                let name = service.fullname.clone();
                match sieve.advert(&described(&service)) {
                    Some(advert)
                        if usable.len() < MOST
                            || usable.contains_key(&name)
                            || sieve.knows(&advert) =>
                    {
                        usable.insert(name, advert);
                    }
                    Some(_) => {}
                    None => {
                        usable.remove(&name);
                    }
                }
            }
            ServiceEvent::ServiceRemoved(_, name) => {
                usable.remove(&name);
            }
            _ => {}
        }
    }
    daemon.shutdown().ok();
    Ok(usable.into_values().collect())
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
