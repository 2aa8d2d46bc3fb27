//! Announcing the server by DNS-SD: by multicast while it serves, and as records for a DNS server (AMWA IS-10,
//! Discovery).

use crate::config::Config;
use oauth_core::model::Issuer;
use std::fmt::Write as _;
use url::{Host, Url};

/// The type of the service.
pub const SERVICE: &str = "_nmos-auth._tcp";

/// What the TXT record says, in its order.
pub fn text_record(config: &Config) -> Vec<(&'static str, String)> {
    let issuer = config.issuer();
    let settings = &config.dns_sd;
    let mut record = vec![
        ("api_proto", if issuer.is_https() { "https" } else { "http" }.to_owned()),
        ("api_ver", settings.api_versions.join(",")),
        ("pri", settings.priority.to_string()),
    ];
    // What stands behind the well-known path is the path of the issuer, without the outer slashes.
    let selector = issuer.path().trim_matches('/').to_owned();
    if !selector.is_empty() {
        record.push(("api_selector", selector));
    }
    record
}

/// Under which name and port the server is found.
fn place(issuer: &Issuer) -> (Option<String>, u16) {
    let url = Url::parse(issuer.as_str()).ok();
    let port = url.as_ref().and_then(Url::port_or_known_default).unwrap_or(443);
    let name = url.as_ref().and_then(Url::host).and_then(|host| match host {
        Host::Domain(name) => Some(name.trim_end_matches('.').to_owned()),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    });
    (name, port)
}

/// The name that multicast DNS can lead to: the one in the certificate and in the issuer, or devices would not believe
/// it. `None` where the server has another one, or is known by an address only.
#[cfg(feature = "dns-sd")]
fn local_host(config: &Config) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(plain);
    place(&config.issuer()).0.filter(|name| {
        let below = name.to_ascii_lowercase();
        below.strip_suffix(".local").is_some_and(|labels| labels.split('.').all(is_label))
    })
}

/// The records for the zone file of a DNS server, which finds the server for devices that do not use multicast.
pub fn zone(config: &Config) -> String {
    let (name, port) = place(&config.issuer());
    let host = name.map_or_else(|| "auth".to_owned(), |name| format!("{name}."));
    let instance = format!("{}.{SERVICE}", label(&config.dns_sd.name));
    let text: Vec<_> =
        text_record(config).iter().map(|(key, value)| format!("\"{key}={value}\"")).collect();
    let mut out = String::from("; Add to the zone that devices search.\n");
    let mut line = |owner: &str, kind: &str, data: &str| {
        let _ = writeln!(out, "{owner:<32} IN {kind:<4} {data}");
    };
    line("b._dns-sd._udp", "PTR", "@");
    line("lb._dns-sd._udp", "PTR", "@");
    line("_services._dns-sd._udp", "PTR", SERVICE);
    line(SERVICE, "PTR", &instance);
    line(&instance, "SRV", &format!("0 0 {port} {host}"));
    line(&instance, "TXT", &text.join(" "));
    if host.ends_with('.') {
        let _ = writeln!(out, "; {host} needs an A or AAAA record, in its own zone.");
    } else {
        out.push_str("; The server is known by an address only: give the name \"auth\" an A record, and set server.public_url.\n");
    }
    out
}

/// A name as one label of a zone file: what means something there is escaped.
fn label(name: &str) -> String {
    let mut label = String::new();
    for c in name.chars() {
        if c == ' ' {
            label.push_str("\\032");
        } else {
            if matches!(c, '.' | '\\' | '"' | ';' | '(' | ')' | '@' | '$') {
                label.push('\\');
            }
            label.push(c);
        }
    }
    label
}

/// What is wrong with the settings, each with its key.
pub(super) fn problems(config: &Config) -> Vec<(String, String)> {
    let settings = &config.dns_sd;
    let mut problems = Vec::new();
    let mut note = |broken: bool, key: &str, what: &str| {
        if broken {
            problems.push((format!("dns_sd.{key}"), what.to_owned()));
        }
    };
    let name = &settings.name;
    let fits = (1..=63).contains(&name.len()) && !name.chars().any(char::is_control);
    note(!fits, "name", "must have 1 to 63 bytes, none of them a control character");
    let versions: Vec<_> = settings.api_versions.iter().map(|text| version(text)).collect();
    note(
        versions.is_empty() || versions.contains(&None) || !versions.is_sorted(),
        "api_versions",
        "must be versions such as v1.0, in ascending order",
    );
    note(
        settings.enabled && !cfg!(feature = "dns-sd"),
        "enabled",
        "this program was built without the feature dns-sd",
    );
    problems
}

fn version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.strip_prefix('v')?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(feature = "dns-sd")]
pub use multicast::Announcement;

#[cfg(feature = "dns-sd")]
mod multicast {
    use super::{SERVICE, local_host, place, text_record};
    use crate::config::Config;
    use anyhow::Context as _;
    use mdns_sd::{IfKind, ServiceDaemon, ServiceInfo};
    use std::{
        net::{IpAddr, SocketAddr},
        time::Duration,
    };

    /// How long the last packet may take.
    const GOODBYE: Duration = Duration::from_secs(2);

    /// An announcement that stands until it is withdrawn.
    pub struct Announcement {
        daemon: ServiceDaemon,
        name: String,
    }

    impl Announcement {
        /// Announces the server that listens here; nothing where that is switched off, or where the server has a name
        /// that multicast DNS does not know.
        pub fn of(config: &Config, address: SocketAddr) -> anyhow::Result<Option<Self>> {
            let settings = &config.dns_sd;
            if !settings.enabled {
                return Ok(None);
            }
            let Some(host) = local_host(config) else {
                tracing::info!(
                    "not announced by multicast DNS, which knows names below .local alone: \
                     put what `oauth-server dns-sd zone` prints into the DNS"
                );
                return Ok(None);
            };
            let info = service(config, &host, address)?;
            let daemon = ServiceDaemon::new().context("multicast DNS cannot be used")?;
            if !settings.interfaces.is_empty() {
                let named = |text: &String| {
                    text.parse().map_or_else(|_| IfKind::Name(text.clone()), IfKind::Addr)
                };
                daemon.disable_interface(IfKind::All)?;
                daemon
                    .enable_interface(settings.interfaces.iter().map(named).collect::<Vec<_>>())?;
            }
            let name = info.get_fullname().to_owned();
            daemon.register(info).context("the server cannot be announced (dns_sd)")?;
            tracing::info!(service = name, "announced by multicast DNS");
            Ok(Some(Self { daemon, name }))
        }

        /// Says goodbye, so that nobody looks for the server until the records expire.
        pub async fn withdraw(self) {
            if let Ok(gone) = self.daemon.unregister(&self.name) {
                let _ = tokio::time::timeout(GOODBYE, gone.recv_async()).await;
            }
            if let Ok(gone) = self.daemon.shutdown() {
                let _ = tokio::time::timeout(GOODBYE, gone.recv_async()).await;
            }
        }
    }

    fn service(config: &Config, host: &str, address: SocketAddr) -> anyhow::Result<ServiceInfo> {
        let (_, port) = place(&config.issuer());
        let text = text_record(config);
        let ip: &[IpAddr] = if address.ip().is_unspecified() { &[] } else { &[address.ip()] };
        let info = ServiceInfo::new(
            &format!("{SERVICE}.local."),
            &config.dns_sd.name,
            &format!("{host}."),
            ip,
            port,
            text.as_slice(),
        )
        .context("the server cannot be announced (dns_sd)")?;
        Ok(if ip.is_empty() { info.enable_addr_auto() } else { info })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> Config {
        let mut config = Config::default();
        config.server.public_url = Issuer::danger_parse_insecure(url).ok();
        config.dns_sd.priority = 10;
        config
    }

    #[test]
    fn the_text_record_says_what_is10_wants_and_nothing_else() {
        let record = text_record(&config("https://auth.example.org:8443/x-nmos/auth/v1.0"));
        let record: Vec<_> = record.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let expected = [
            ("api_proto", "https"),
            ("api_ver", "v1.0"),
            ("pri", "10"),
            ("api_selector", "x-nmos/auth/v1.0"),
        ];
        assert_eq!(record, expected);
        let plain = text_record(&config("http://127.0.0.1:4999"));
        assert_eq!(plain[0].1, "http");
        assert_eq!(plain.len(), 3, "no path, no selector");
    }

    #[test]
    fn the_zone_leads_to_the_host_of_the_issuer() {
        let zone = zone(&config("https://auth.example.org/x-nmos/auth/v1.0"));
        let lines: Vec<Vec<&str>> =
            zone.lines().map(|line| line.split_whitespace().collect()).collect();
        let has = |words: &str| lines.contains(&words.split(' ').collect());
        assert!(has("_nmos-auth._tcp IN PTR oauth-server._nmos-auth._tcp"), "{zone}");
        assert!(has("oauth-server._nmos-auth._tcp IN SRV 0 0 443 auth.example.org."), "{zone}");
        assert!(zone.contains("\"api_proto=https\" \"api_ver=v1.0\" \"pri=10\" \"api_selector="));
        assert_eq!(label("a b.c"), "a\\032b\\.c");
    }

    #[cfg(feature = "dns-sd")]
    #[tokio::test]
    async fn only_names_of_multicast_dns_are_announced() {
        let host = |url| local_host(&config(url));
        assert_eq!(host("https://auth.local:8443/x").as_deref(), Some("auth.local"));
        assert_eq!(host("https://Studio-1.auth.local").as_deref(), Some("studio-1.auth.local"));
        for nowhere in [
            "http://127.0.0.1:4999",
            "https://192.0.2.1",
            "https://[2001:db8::1]:8443",
            "https://local",
            "https://auth.local.example.org",
            "https://auth..local",
            "https://auth!.local",
        ] {
            assert_eq!(host(nowhere), None, "{nowhere}");
        }
        assert_eq!(local_host(&Config::default()), None, "it is known by an address");
        // The name of the service is that of no host.
        let mut named = config("https://auth.local");
        named.dns_sd.name = "Auth server".into();
        assert_eq!(local_host(&named).as_deref(), Some("auth.local"));
        let mut elsewhere = config("https://auth.studio.example.org/x-nmos/auth/v1.0");
        elsewhere.dns_sd.enabled = true;
        let none = Announcement::of(&elsewhere, ([127, 0, 0, 1], 4999).into());
        assert!(none.is_ok_and(|announced| announced.is_none()), "the server serves all the same");
    }

    #[test]
    fn settings_that_devices_could_not_read_are_problems() {
        let mut config = config("https://auth.example.org");
        assert_eq!(problems(&config), []);
        config.dns_sd.api_versions = vec!["v1.1".into(), "v1.0".into()];
        config.dns_sd.name = String::new();
        let keys: Vec<_> = problems(&config).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["dns_sd.name", "dns_sd.api_versions"]);
        config.dns_sd.api_versions = vec!["1.0".into()];
        assert_eq!(problems(&config).len(), 2);
    }
}
