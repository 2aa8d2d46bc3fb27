//! Where issuers may be that nobody named.

use crate::name::{HostName, HostPattern};
use url::Url;

/// A host or a wildcard, and a port where the operator names one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    host: HostPattern,
    port: Option<u16>,
}

impl Site {
    /// Reads `as.example.com`, `*.example.com`, `as.example.com:8443`, `192.0.2.1:8443` or `[2001:db8::1]:8443`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(host) = HostPattern::parse(text) {
            return Some(Self { host, port: None });
        }
        let (host, port) = text.rsplit_once(':')?;
        let bracketed = host.starts_with('[');
        if (host.contains(':') && !bracketed) || !port.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let port = port.parse().ok().filter(|port| *port != 0)?;
        Some(Self { host: HostPattern::parse(host)?, port: Some(port) })
    }

    /// Whether a token may lead to this address, of an issuer or its keys: where no port is named, on that of the scheme
    /// alone. Whoever makes up tokens could otherwise have every port of a host asked.
    pub(crate) fn covers(&self, address: &Url) -> bool {
        let port = match self.port {
            Some(port) => address.port_or_known_default() == Some(port),
            None => address.port().is_none(),
        };
        let host = address.host_str().and_then(HostName::parse);
        port && host.is_some_and(|host| self.host.covers(&host))
    }

    /// Whether a server that the network advertises may be asked: where no port is named, on any. The advertisement
    /// says which, and there is one of it.
    #[cfg(feature = "dns-sd")]
    pub(crate) fn welcomes(&self, host: &HostName, port: u16) -> bool {
        self.host.covers(host) && self.port.is_none_or(|ours| ours == port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r13_on_the_usual_port_or_the_one_that_is_named() {
        for (site, good, bad) in [
            (
                "as.example",
                &["https://as.example", "https://as.example:443/x", "http://as.example"][..],
                &["https://as.example:8443", "https://as.example:80", "https://b.as.example"][..],
            ),
            (
                "*.Example:8443",
                &["https://as.example:8443", "https://a.b.example:8443/x"],
                &["https://as.example", "https://as.example:443", "https://example:8443"],
            ),
            ("as.example:443", &["https://as.example/x"], &["http://as.example"]),
            ("192.0.2.1:8443", &["https://192.0.2.1:8443"], &["https://192.0.2.1"]),
            ("2001:db8::1", &["https://[2001:db8::1]"], &["https://[2001:db8::1]:8443"]),
            ("[2001:db8::1]:8443", &["https://[2001:DB8::1]:8443"], &["https://[2001:db8::1]"]),
        ] {
            let site = Site::parse(site).unwrap();
            for issuer in good {
                assert!(site.covers(&Url::parse(issuer).unwrap()), "{site:?} {issuer}");
            }
            for issuer in bad {
                assert!(!site.covers(&Url::parse(issuer).unwrap()), "{site:?} {issuer}");
            }
        }
    }

    #[test]
    fn r13_what_is_no_site() {
        for bad in [
            "",
            "*",
            "*:443",
            ":443",
            "as.example:",
            "as.example:0",
            "as.example:+443",
            "as.example:65536",
            "as.example:https",
            "as.example:443:443",
            "https://as.example",
            "https://as.example:443",
            "as.example/x",
            "2001:db8:::443",
            "*.192.0.2.1:443",
        ] {
            assert_eq!(Site::parse(bad), None, "{bad}");
        }
    }

    #[cfg(feature = "dns-sd")]
    #[test]
    fn r9_an_advertisement_names_its_port_itself() {
        let host = HostName::parse("as.example").unwrap();
        assert!(Site::parse("*.example").unwrap().welcomes(&host, 8443));
        assert!(Site::parse("*.example:8443").unwrap().welcomes(&host, 8443));
        assert!(!Site::parse("*.example:443").unwrap().welcomes(&host, 8443));
        assert!(!Site::parse("other.example").unwrap().welcomes(&host, 443));
    }
}
