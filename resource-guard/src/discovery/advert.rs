//! What an advertisement says, and in which order advertisements are tried.

use crate::{fetch::PlainHttp, name::HostName};
use std::net::IpAddr;

/// The first priority of servers in development.
const DEVELOPMENT: u32 = 100;
/// Longer than the path of any issuer.
const LONGEST_SELECTOR: usize = 200;

/// An instance of the service as DNS describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) addresses: Vec<IpAddr>,
    /// The strings of its TXT record, as `key=value`.
    pub(super) txt: Vec<String>,
}

/// An advertisement that can be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Advert {
    pub(super) host: HostName,
    pub(super) port: u16,
    pub(super) addresses: Vec<IpAddr>,
    scheme: &'static str,
    selector: String,
    priority: u32,
}

/// Why an advertisement is passed over. The text is for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error("it has no SRV record")]
    Service,
    #[error("the target is not a host name, or the port is 0")]
    Target,
    #[error("api_proto is not https")]
    Protocol,
    #[error("api_ver names no version 1")]
    Version,
    #[error("the host and the port are not allowed")]
    Site,
    #[error("api_selector is not a path without outer slashes")]
    Selector,
    #[error("pri is not a number")]
    Priority,
}

impl Advert {
    /// Reads an instance: `api_proto`, `api_ver` and `pri` must be there, `api_selector` may be.
    pub(super) fn read(found: &Found, plain: PlainHttp) -> Result<Self, Unusable> {
        let host = HostName::parse(&found.host).filter(|_| found.port != 0);
        let scheme = match found.text("api_proto").unwrap_or_default() {
            "https" => "https",
            "http" if plain == PlainHttp::Anywhere => "http",
            _ => return Err(Unusable::Protocol),
        };
        let versions = found.text("api_ver").unwrap_or_default();
        if !versions.split(',').any(|version| version.trim().starts_with("v1.")) {
            return Err(Unusable::Version);
        }
        let selector = found.text("api_selector").unwrap_or_default();
        if !selector.is_empty() && !is_selector(selector) {
            return Err(Unusable::Selector);
        }
        let digits = |text: &&str| text.bytes().all(|b| b.is_ascii_digit());
        let priority = found.text("pri").filter(digits).and_then(|text| text.parse().ok());
        Ok(Self {
            host: host.ok_or(Unusable::Target)?,
            port: found.port,
            addresses: found.addresses.clone(),
            scheme,
            selector: selector.to_owned(),
            priority: priority.ok_or(Unusable::Priority)?,
        })
    }

    /// Whether it is a server in development.
    pub(super) const fn is_development(&self) -> bool {
        self.priority >= DEVELOPMENT
    }

    /// Where its metadata is ([RFC 8414 3.1](https://www.rfc-editor.org/rfc/rfc8414#section-3.1)). Versions are no
    /// part of it.
    pub(super) fn metadata(&self) -> String {
        let host = match self.host.as_str() {
            ip if ip.contains(':') => format!("[{ip}]"),
            name => name.to_owned(),
        };
        let slash = if self.selector.is_empty() { "" } else { "/" };
        format!(
            "{}://{host}:{}/.well-known/oauth-authorization-server{slash}{}",
            self.scheme, self.port, self.selector
        )
    }
}

impl Found {
    /// The value of a key; of one that is repeated the first, keys in any case
    /// ([RFC 6763 6.4](https://www.rfc-editor.org/rfc/rfc6763#section-6.4)).
    fn text(&self, key: &str) -> Option<&str> {
        let mut pairs = self.txt.iter().filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
    }
}

fn is_selector(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let segment = |s: &str| !s.is_empty() && s != "." && s != ".." && s.bytes().all(plain);
    text.len() <= LONGEST_SELECTOR && text.split('/').all(segment)
}

/// Advertisements in the order in which they are preferred: by priority, equals in an order that `dice` decides.
/// `dice(n)` is a number from 0 to `n`.
pub(super) fn ranked(adverts: Vec<Advert>, mut dice: impl FnMut(u64) -> u64) -> Vec<Advert> {
    let mut drawn: Vec<(u32, u64, Advert)> =
        adverts.into_iter().map(|advert| (advert.priority, dice(u64::MAX - 1), advert)).collect();
    drawn.sort_by_key(|(priority, drawn, _)| (*priority, *drawn));
    let mut ranked: Vec<Advert> = Vec::new();
    for (_, _, advert) in drawn {
        // One server may be advertised under several names; but who says that it is elsewhere does not speak for it.
        let same = |there: &Advert| {
            there.metadata() == advert.metadata() && there.addresses == advert.addresses
        };
        if !ranked.iter().any(same) {
            ranked.push(advert);
        }
    }
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn found(txt: &[&str]) -> Found {
        Found {
            host: "Auth1.Example.com.".into(),
            port: 8443,
            addresses: Vec::new(),
            txt: txt.iter().map(|s| (*s).to_owned()).collect(),
        }
    }

    fn read(txt: &[&str]) -> Result<Advert, Unusable> {
        Advert::read(&found(txt), PlainHttp::LoopbackOnly)
    }

    const USUAL: [&str; 3] = ["api_proto=https", "api_ver=v1.0", "pri=10"];

    #[test]
    fn r9_the_selector_leads_to_the_metadata() {
        let plain = "https://auth1.example.com:8443/.well-known/oauth-authorization-server";
        assert_eq!(read(&USUAL).unwrap().metadata(), plain);
        for (selector, path) in [
            ("api_selector", ""),
            ("api_selector=", ""),
            ("api_selector=x-nmos/auth/v1.0", "/x-nmos/auth/v1.0"),
            ("API_SELECTOR=tenant", "/tenant"),
        ] {
            let advert = read(&[&USUAL[..], &[selector]].concat()).unwrap();
            assert_eq!(advert.metadata(), format!("{plain}{path}"));
        }
        for bad in ["/x", "x/", "x//y", "../x", "x/./y", "x?y", "x#y", "x y", "x%2fy", "é", "@evil"]
        {
            let txt = format!("api_selector={bad}");
            assert_eq!(read(&[&USUAL[..], &[&txt]].concat()), Err(Unusable::Selector), "{bad}");
        }
    }

    #[test]
    fn r9_what_must_be_there_must_be_there() {
        for (txt, problem) in [
            (vec![], Unusable::Protocol),
            (vec!["api_proto=http", "api_ver=v1.0", "pri=0"], Unusable::Protocol),
            (vec!["api_proto=HTTPS", "api_ver=v1.0", "pri=0"], Unusable::Protocol),
            (vec!["api_proto=ftp", "api_ver=v1.0", "pri=0"], Unusable::Protocol),
            (vec!["api_proto=https", "pri=0"], Unusable::Version),
            (vec!["api_proto=https", "api_ver=v2.0,v10.0", "pri=0"], Unusable::Version),
            (vec!["api_proto=https", "api_ver=v1.0"], Unusable::Priority),
            (vec!["api_proto=https", "api_ver=v1.0", "pri=-1"], Unusable::Priority),
            (vec!["api_proto=https", "api_ver=v1.0", "pri=+1"], Unusable::Priority),
            (vec!["api_proto=https", "api_ver=v1.0", "pri="], Unusable::Priority),
            (vec!["api_proto=https", "api_ver=v1.0", "pri=99999999999"], Unusable::Priority),
        ] {
            assert_eq!(read(&txt), Err(problem), "{txt:?}");
        }
        assert!(read(&["pri=0", "api_ver=v1.0,v1.1,v2.0", "api_proto=https"]).is_ok());
        assert!(read(&[&USUAL[..], &["api_proto=http"]].concat()).is_ok(), "the first counts");
        let mut other = found(&USUAL);
        other.port = 0;
        assert_eq!(Advert::read(&other, PlainHttp::LoopbackOnly), Err(Unusable::Target));
        other = found(&USUAL);
        other.host = "a b".into();
        assert_eq!(Advert::read(&other, PlainHttp::LoopbackOnly), Err(Unusable::Target));
        let plain = found(&["api_proto=http", "api_ver=v1.0", "pri=0"]);
        let plain = Advert::read(&plain, PlainHttp::Anywhere).unwrap();
        assert!(plain.metadata().starts_with("http://"));
    }

    fn advert(host: &str, priority: u32) -> Advert {
        let txt = format!("pri={priority}");
        let found =
            Found { host: host.into(), ..found(&["api_proto=https", "api_ver=v1.0", &txt]) };
        Advert::read(&found, PlainHttp::LoopbackOnly).unwrap()
    }

    fn hosts(adverts: &[Advert]) -> Vec<&str> {
        adverts.iter().map(|advert| advert.host.as_str()).collect()
    }

    #[test]
    fn r9_the_lowest_priority_first() {
        let adverts = vec![
            advert("c", 99),
            advert("d", 100),
            advert("a", 0),
            advert("b", 7),
            advert("e", 300),
        ];
        let development: Vec<_> = adverts.iter().map(Advert::is_development).collect();
        assert_eq!(development, [false, true, false, false, true]);
        assert_eq!(hosts(&ranked(adverts, |_| 0)), ["a", "b", "c", "d", "e"]);
        let mut several = vec![advert("a", 5), advert("a", 3)];
        assert_eq!(ranked(several.clone(), |_| 0).len(), 1);
        several.push(Advert { addresses: vec![[192, 0, 2, 1].into()], ..advert("a", 0) });
        assert_eq!(ranked(several, |_| 0).len(), 2);
    }

    #[test]
    fn r9_equals_come_in_any_order() {
        let adverts: Vec<_> = ["a", "b", "c"].iter().map(|host| advert(host, 5)).collect();
        let mut orders = HashSet::new();
        for seed in 0..64_u64 {
            let mut state = seed;
            let dice = |_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                state >> 33
            };
            let ranked = ranked(adverts.clone(), dice);
            orders.insert(hosts(&ranked).join(""));
        }
        assert_eq!(orders.len(), 6, "{orders:?}");
    }
}
