//! Whose request it is: the address of the client, seen through trusted proxies and nobody else.

use crate::config::{ProxyHeader, Server};
use http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The address of the client of a request, as a request extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// The unit that attempts are counted by: the address, or the /64 that one IPv6 customer has for itself.
    pub fn network(self) -> String {
        match self.0 {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => {
                let [a, b, c, d, ..] = ip.segments();
                format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        }
    }
}

impl std::fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Which proxies are believed, and where they say it.
#[derive(Clone, Debug)]
pub struct Proxies {
    trusted: Vec<IpNet>,
    header: ProxyHeader,
}

impl Proxies {
    /// As configured.
    pub fn new(server: &Server) -> Self {
        Self { trusted: server.trusted_proxies.clone(), header: server.proxy_header }
    }

    /// The client behind `peer`: the peer itself, or, when that is a trusted proxy, the last hop before the trusted ones.
    pub fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> ClientAddress {
        let mut client = peer.ip().to_canonical();
        if self.trusted.is_empty() || !self.trusts(client) {
            return ClientAddress(client);
        }
        for hop in self.hops(headers).into_iter().rev() {
            // What cannot be read was not written by a proxy we trust: whoever came last is the client.
            let Some(ip) = hop else { break };
            client = ip;
            if !self.trusts(ip) {
                break;
            }
        }
        ClientAddress(client)
    }

    fn trusts(&self, ip: IpAddr) -> bool {
        self.trusted.iter().any(|net| net.contains(&ip))
    }

    /// The hops in the order in which the request passed them; `None` for what is no address.
    fn hops(&self, headers: &HeaderMap) -> Vec<Option<IpAddr>> {
        const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
        let (name, read): (_, fn(&str) -> Option<IpAddr>) = match self.header {
            ProxyHeader::XForwardedFor => (X_FORWARDED_FOR, node),
            ProxyHeader::Forwarded => (header::FORWARDED, forwarded_for),
        };
        let lines = headers.get_all(name).into_iter().map(|v| v.to_str().unwrap_or("?"));
        lines.flat_map(|line| line.split(',')).map(|hop| read(hop.trim())).collect()
    }
}

/// The `for` parameter of one element ([RFC 7239 4](https://www.rfc-editor.org/rfc/rfc7239#section-4)).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        name.eq_ignore_ascii_case("for").then(|| node(value.trim_matches('"')))?
    })
}

/// An address, perhaps in brackets, perhaps with a port.
fn node(text: &str) -> Option<IpAddr> {
    let ip = text
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|a| a.ip()))
        .or_else(|_| text.trim_start_matches('[').trim_end_matches(']').parse())
        .ok()?;
    Some(ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(header: ProxyHeader, peer: &str, lines: &[&str]) -> String {
        let server = Server {
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
            proxy_header: header,
            ..Server::default()
        };
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header.as_str(), line.parse().unwrap());
        }
        let peer = SocketAddr::new(peer.parse().unwrap(), 1);
        Proxies::new(&server).client(peer, &headers).to_string()
    }

    #[test]
    fn the_right_most_untrusted_hop_is_the_client() {
        let x = |peer, lines: &[&str]| client(ProxyHeader::XForwardedFor, peer, lines);
        assert_eq!(x("192.0.2.9", &["1.1.1.1"]), "192.0.2.9", "a stranger is not believed");
        assert_eq!(x("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(
            x("10.0.0.1", &["1.1.1.1, 2.2.2.2"]),
            "2.2.2.2",
            "what stands further left may be invented"
        );
        assert_eq!(x("10.0.0.1", &["1.1.1.1", "2.2.2.2, 10.0.0.7"]), "2.2.2.2");
        assert_eq!(x("::ffff:10.0.0.1", &["::ffff:2.2.2.2"]), "2.2.2.2");
        assert_eq!(x("10.0.0.1", &["1.1.1.1, unknown, 10.0.0.7"]), "10.0.0.7");
        assert_eq!(x("10.0.0.1", &["10.0.0.2, 10.0.0.3"]), "10.0.0.2");
        assert_eq!(x("fd00::1", &["[2001:db8::5]:443"]), "2001:db8::5");
        assert_eq!(x("10.0.0.1", &["2.2.2.2:1234"]), "2.2.2.2");
        assert_eq!(x("10.0.0.1", &["2.2.2.2\u{e9}"]), "10.0.0.1");
    }

    #[test]
    fn rfc7239_forwarded() {
        let f = |lines: &[&str]| client(ProxyHeader::Forwarded, "10.0.0.1", lines);
        assert_eq!(
            f(&["for=1.1.1.1, For=\"[2001:db8::5]:4711\";proto=https;by=10.0.0.1"]),
            "2001:db8::5"
        );
        assert_eq!(f(&["for=2.2.2.2;by=10.0.0.1, for=10.0.0.3"]), "2.2.2.2");
        assert_eq!(f(&["for=_hidden"]), "10.0.0.1");
        assert_eq!(f(&["proto=https"]), "10.0.0.1");
    }

    #[test]
    fn attempts_are_counted_by_address_or_by_64_bit_network() {
        let network = |ip: &str| ClientAddress(ip.parse().unwrap()).network();
        assert_eq!(network("192.0.2.1"), "192.0.2.1");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::"));
    }
}
