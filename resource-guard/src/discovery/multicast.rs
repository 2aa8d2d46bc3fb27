//! Asking everybody on the link ([RFC 6762](https://www.rfc-editor.org/rfc/rfc6762)).

use super::{SERVICE, advert::Found};
use mdns_sd::{ServiceDaemon, ServiceEvent};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::{Instant, timeout_at};

/// How long answers are waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// More instances than a facility has servers.
const MOST: usize = 16;

/// Every instance that answers in time.
pub(super) async fn find() -> Result<Vec<Found>, mdns_sd::Error> {
    let daemon = ServiceDaemon::new()?;
    let events = daemon.browse(&format!("{SERVICE}.local."))?;
    let deadline = Instant::now() + PATIENCE;
    let mut found = BTreeMap::new();
    while let Ok(Ok(event)) = timeout_at(deadline, events.recv_async()).await {
        match event {
            ServiceEvent::ServiceResolved(service) if found.len() < MOST => {
                let txt = service
                    .txt_properties
                    .iter()
                    .map(|property| format!("{}={}", property.key(), property.val_str()))
                    .collect();
                let described = Found {
                    host: service.host.clone(),
                    port: service.port,
                    addresses: service
                        .addresses
                        .iter()
                        .map(mdns_sd::ScopedIp::to_ip_addr)
                        .collect(),
                    txt,
                };
                found.insert(service.fullname.clone(), described);
            }
            ServiceEvent::ServiceRemoved(_, name) => {
                found.remove(&name);
            }
            _ => {}
        }
    }
    daemon.shutdown().ok();
    Ok(found.into_values().collect())
}
