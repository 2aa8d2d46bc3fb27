//! Asking name servers.

use super::{
    DnsSd, Heard, SERVICE,
    advert::{Found, Unusable},
    sieve::Sieve,
};
use futures_util::future::join_all;
use hickory_resolver::{
    Resolver, TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig},
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::rr::{Name, RData, RecordType},
};
use std::time::Duration;
use tokio::time::Instant;

/// More instances than a facility has. Nobody is asked about those beyond.
const MOST_INSTANCES: usize = 1_024;
/// More usable advertisements than are remembered. Fewer are followed.
const MOST: usize = 64;
/// So many are asked about at once.
const AT_ONCE: usize = 16;
/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long all of them together may take, and the last ones a little more.
const LONGEST: Duration = Duration::from_secs(20);

/// Every usable advertisement of the domain. None is no error: then nothing is advertised.
pub(super) async fn find(how: &DnsSd, sieve: &mut Sieve<'_>) -> Result<Heard, NetError> {
    let (resolver, domain) = resolver(how)?;
    let mut heard = Heard { adverts: Vec::new(), complete: true };
    let Some(domain) = domain else { return Ok(heard) };
    let service = Name::from_str_relaxed(format!("{SERVICE}.{domain}."))?;
    let mut instances = Vec::new();
    for data in ask(&resolver, &service, RecordType::PTR).await? {
        if let RData::PTR(name) = data {
            instances.push(name.0);
        }
    }
    let deadline = Instant::now() + LONGEST;
    let mut asked = 0;
    for some in instances.chunks(AT_ONCE) {
        if asked >= MOST_INSTANCES || Instant::now() >= deadline {
            break;
        }
        hear(&resolver, some, sieve, &mut heard).await;
        asked += some.len();
    }
    if asked < instances.len() {
        heard.complete = false;
        let advertised = instances.len();
        tracing::warn!(asked, advertised, "not every advertised server was asked about");
    }
    Ok(heard)
}

/// Asks where instances are, and of those that are where servers may be what else is said. So a crowd of others hides
/// nobody.
async fn hear(
    resolver: &TokioResolver,
    instances: &[Name],
    sieve: &mut Sieve<'_>,
    heard: &mut Heard,
) {
    let located = join_all(instances.iter().map(|instance| locate(resolver, instance))).await;
    let mut welcome = Vec::new();
    for (instance, located) in instances.iter().zip(located) {
        match located {
            Ok(Some((host, port))) if sieve.welcomes(&host.to_ascii(), port) => {
                welcome.push((instance, host, port));
            }
            Ok(Some(_)) => {}
            Ok(None) => sieve.pass_over(&instance.to_string(), Unusable::Service),
            Err(error) => unanswered(heard, instance, &error),
        }
    }
    let described = welcome.iter().map(|(name, host, port)| describe(resolver, name, host, *port));
    let described = join_all(described).await;
    for ((instance, ..), described) in welcome.iter().zip(described) {
        match described {
            Ok(found) => {
                // Who is known always has room.
                let room = heard.adverts.len() < MOST;
                let advert = sieve.advert(&found);
                heard.adverts.extend(advert.filter(|advert| room || sieve.knows(advert)));
            }
            Err(error) => unanswered(heard, instance, &error),
        }
    }
}

/// A question went without an answer. The first one says what is the matter.
fn unanswered(heard: &mut Heard, instance: &Name, error: &NetError) {
    if heard.complete {
        tracing::warn!(%instance, %error, "an advertised server is not described");
    }
    heard.complete = false;
}

fn resolver(how: &DnsSd) -> Result<(TokioResolver, Option<String>), NetError> {
    let mut builder = if how.name_servers.is_empty() {
        Resolver::builder_tokio()?
    } else {
        let servers = how.name_servers.iter().map(|address| {
            let mut connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
            for connection in &mut connections {
                connection.port = address.port();
            }
            NameServerConfig::new(address.ip(), true, connections.to_vec())
        });
        let config = ResolverConfig::from_name_servers(servers.collect());
        Resolver::builder_with_config(config, TokioRuntimeProvider::default())
    };
    let options = builder.options_mut();
    options.timeout = PATIENCE;
    options.attempts = 2;
    // What is looked for again must be looked for, not remembered.
    options.cache_size = 0;
    let resolver = builder.build()?;
    let domain = how.domain.clone().or_else(|| resolver_domain(how));
    Ok((resolver, domain.map(|domain| domain.trim_matches('.').to_owned())))
}

/// The domain of this machine, or the first one it searches.
fn resolver_domain(how: &DnsSd) -> Option<String> {
    if !how.name_servers.is_empty() {
        return None;
    }
    let (config, _) = hickory_resolver::system_conf::read_system_conf().ok()?;
    let domain = config.domain().or_else(|| config.search().first())?.to_string();
    Some(domain).filter(|domain| !domain.trim_matches('.').is_empty())
}

/// Where an instance is. Its name is any text, and no host name
/// ([RFC 6763 4.1.1](https://www.rfc-editor.org/rfc/rfc6763#section-4.1.1)): it is asked for as it came.
async fn locate(
    resolver: &TokioResolver,
    instance: &Name,
) -> Result<Option<(Name, u16)>, NetError> {
    // Of several targets the first by priority; the weights among equals are for load, of which there is none.
    let mut targets = Vec::new();
    for data in ask(resolver, instance, RecordType::SRV).await? {
        if let RData::SRV(srv) = data {
            targets.push((srv.priority, srv.port, srv.target));
        }
    }
    Ok(targets.into_iter().min().map(|(_, port, host)| (host, port)))
}

/// What is said of an instance on this host and port.
async fn describe(
    resolver: &TokioResolver,
    instance: &Name,
    host: &Name,
    port: u16,
) -> Result<Found, NetError> {
    let mut found = Found { host: host.to_ascii(), port, ..Found::default() };
    for data in ask(resolver, instance, RecordType::TXT).await? {
        if let RData::TXT(txt) = data {
            let strings =
                txt.txt_data.iter().map(|text| String::from_utf8_lossy(text).into_owned());
            found.txt.extend(strings);
        }
    }
    // Who is advertised is known by now, and the resolver of this machine may know where that is.
    for kind in [RecordType::A, RecordType::AAAA] {
        for data in ask(resolver, host, kind).await.unwrap_or_default() {
            match data {
                RData::A(ip) => found.addresses.push(ip.0.into()),
                RData::AAAA(ip) => found.addresses.push(ip.0.into()),
                _ => {}
            }
        }
    }
    found.addresses.sort_unstable();
    Ok(found)
}

async fn ask(
    resolver: &TokioResolver,
    name: &Name,
    kind: RecordType,
) -> Result<Vec<RData>, NetError> {
    match resolver.lookup(name.clone(), kind).await {
        Ok(lookup) => Ok(lookup.answers().iter().map(|record| record.data.clone()).collect()),
        Err(error) if error.is_no_records_found() => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
