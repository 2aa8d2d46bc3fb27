//! Domain names as AMWA IS-10 compares them: wildcards as in DNS, case as in DNS, an address only with itself.

use std::net::IpAddr;

/// The name of a host, or its address: lower case, without a final dot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct HostName(String);

impl HostName {
    /// Reads a fully resolved domain name or an IP address.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if let Some(ip) = address(text) {
            return Some(Self(ip.to_string()));
        }
        is_domain(text).then(|| Self(text.to_ascii_lowercase()))
    }

    #[cfg(feature = "dns-sd")]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn is_address(&self) -> bool {
        address(&self.0).is_some()
    }
}

/// A host name, or a wildcard such as `*.example.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HostPattern {
    One(HostName),
    /// Every name below this one, however deep.
    Below(HostName),
}

impl HostPattern {
    /// Reads a pattern. The star is a whole label and the first one
    /// ([RFC 4592 2.1.1](https://www.rfc-editor.org/rfc/rfc4592#section-2.1.1)), and something follows it: a star alone
    /// would mean the whole internet. The example of IS-10, `node-*.example.com`, is none: its text says that wildcards
    /// are as in RFC 4592, where that is the name of one host.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("*.") {
            Some(parent) => {
                HostName::parse(parent).filter(|name| !name.is_address()).map(Self::Below)
            }
            None => HostName::parse(text).map(Self::One),
        }
    }

    /// Whether it stands for this host. A wildcard covers names any number of labels below its own
    /// ([RFC 4592 3.3.1](https://www.rfc-editor.org/rfc/rfc4592#section-3.3.1)), never its own, never an address.
    pub(crate) fn covers(&self, host: &HostName) -> bool {
        match self {
            Self::One(name) => name == host,
            Self::Below(parent) => {
                !host.is_address()
                    && host
                        .0
                        .strip_suffix(&parent.0)
                        .and_then(|labels| labels.strip_suffix('.'))
                        .is_some_and(|labels| !labels.is_empty())
            }
        }
    }
}

/// Whether a value of `aud` means this host: a domain name, or a web address of nothing but a domain name; either may
/// be a wildcard (AMWA IS-10, access token claims).
pub(crate) fn audience_means(value: &str, host: &HostName) -> bool {
    let name = ["https://", "http://"]
        .iter()
        .find_map(|scheme| {
            let start = value.get(..scheme.len())?;
            start.eq_ignore_ascii_case(scheme).then(|| value.get(scheme.len()..))?
        })
        .unwrap_or(value);
    HostPattern::parse(name).is_some_and(|pattern| pattern.covers(host))
}

/// An IPv4 address, or an IPv6 address with or without brackets.
fn address(text: &str) -> Option<IpAddr> {
    text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text).parse().ok()
}

fn is_domain(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(plain);
    // The last label of a name is never a number; of something that is nearly an address it is.
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= 253 && text.split('.').all(label) && !last.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn means(value: &str, host: &str) -> bool {
        audience_means(value, &HostName::parse(host).unwrap())
    }

    #[test]
    fn r4_domain_and_uri_form() {
        for value in [
            "node1.example",
            "NODE1.Example",
            "node1.example.",
            "https://node1.example",
            "http://node1.example",
            "HTTPS://node1.example",
            "*.example",
            "https://*.example",
        ] {
            assert!(means(value, "node1.example"), "{value}");
        }
        for value in [
            "",
            "*",
            "https://*",
            "*.",
            "node2.example",
            "xnode1.example",
            "node1.example.com",
            "node1.example:443",
            "https://node1.example:443",
            "https://node1.example/",
            "https://node1.example/x-nmos",
            "https://node1.example?x",
            "https://node1.example#x",
            "https://u@node1.example",
            "ftp://node1.example",
            "https:node1.example",
            "//node1.example",
            "*.node1.example",
            "*node1.example",
            "node*.example",
            "node1.*",
            "*.*.example",
            "**.example",
            " node1.example",
            "node1.example..",
            ".example",
        ] {
            assert!(!means(value, "node1.example"), "{value}");
        }
    }

    #[test]
    fn r4_wildcards_as_in_dns() {
        assert!(means("*.example.com", "a.example.com"));
        assert!(means("*.example.com", "a.b.example.com"), "any number of labels");
        assert!(!means("*.example.com", "example.com"), "not the name itself");
        assert!(!means("*.example.com", "badexample.com"));
        assert!(!means("a.*.example.com", "a.b.example.com"), "only the first label");
        // The example of IS-10, which its own text does not allow.
        for host in ["node-1.example.com", "node-.example.com", "node-1.a.example.com"] {
            assert!(!means("https://node-*.example.com", host), "a whole label: {host}");
        }
    }

    #[test]
    fn r4_addresses_mean_themselves_alone() {
        assert!(means("192.0.2.1", "192.0.2.1"));
        assert!(means("https://[2001:db8::1]", "2001:DB8:0::1"));
        assert!(!means("*.0.2.1", "192.0.2.1"));
        assert!(!means("192.0.2.2", "192.0.2.1"));
        for nearly in ["1.2.3", "1.2.3.4.5", "999.1.1.1"] {
            assert_eq!(HostName::parse(nearly), None, "{nearly}");
        }
    }

    /// Compares label by label from the right; written independently of the matcher.
    fn oracle(pattern: &str, host: &str) -> bool {
        let wanted: Vec<&str> = pattern.rsplit('.').collect();
        let labels: Vec<&str> = host.rsplit('.').collect();
        let star = wanted.last() == Some(&"*");
        let named = if star { &wanted[..wanted.len() - 1] } else { &wanted[..] };
        let long_enough =
            if star { labels.len() > named.len() } else { labels.len() == named.len() };
        long_enough && named.iter().zip(&labels).all(|(a, b)| a.eq_ignore_ascii_case(b))
    }

    proptest! {
        #[test]
        fn r4_agrees_with_the_oracle(
            star in prop::bool::ANY,
            pattern in "[aB](\\.[ab]){0,3}",
            host in "[ab](\\.[ab]){0,4}",
        ) {
            let pattern = if star { format!("*.{pattern}") } else { pattern };
            prop_assert_eq!(means(&pattern, &host), oracle(&pattern, &host));
        }
    }
}
