//! Asking name servers.

use super::{DnsSd, Heard, SERVICE, advert::Found, sieve::Sieve};
use futures_util::future::join_all;
use hickory_resolver::{
    Resolver, TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig},
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::rr::{Name, RData, RecordType},
};
use std::time::Duration;

/// More instances than anybody wants described. Fewer are followed.
const MOST: usize = 64;
/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(2);

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
    instances.truncate(MOST);
    let described = join_all(instances.iter().map(|name| describe(&resolver, name))).await;
    for (instance, described) in instances.iter().zip(described) {
        match described {
            Ok(Some(found)) => heard.adverts.extend(sieve.advert(&found)),
            Ok(None) => tracing::warn!(%instance, "an advertised server has no SRV record"),
            Err(error) => {
                heard.complete = false;
                tracing::warn!(%instance, %error, "an advertised server is not described");
            }
        }
    }
    Ok(heard)
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

/// What is said of an instance. Its name is any text, and no host name
/// ([RFC 6763 4.1.1](https://www.rfc-editor.org/rfc/rfc6763#section-4.1.1)): it is asked for as it came.
async fn describe(resolver: &TokioResolver, instance: &Name) -> Result<Option<Found>, NetError> {
    let mut found = Found::default();
    // Of several targets the first by priority; the weights among equals are for load, of which there is none.
    let mut targets = Vec::new();
    for data in ask(resolver, instance, RecordType::SRV).await? {
        if let RData::SRV(srv) = data {
            targets.push((srv.priority, srv.port, srv.target));
        }
    }
    let Some((_, port, host)) = targets.into_iter().min() else { return Ok(None) };
    (found.host, found.port) = (host.to_ascii(), port);
    for data in ask(resolver, instance, RecordType::TXT).await? {
        if let RData::TXT(txt) = data {
            let strings =
                txt.txt_data.iter().map(|text| String::from_utf8_lossy(text).into_owned());
            found.txt.extend(strings);
        }
    }
    // Who is advertised is known by now, and the resolver of this machine may know where that is.
    for kind in [RecordType::A, RecordType::AAAA] {
        for data in ask(resolver, &host, kind).await.unwrap_or_default() {
            match data {
                RData::A(ip) => found.addresses.push(ip.0.into()),
                RData::AAAA(ip) => found.addresses.push(ip.0.into()),
                _ => {}
            }
        }
    }
    found.addresses.sort_unstable();
    Ok(Some(found))
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
