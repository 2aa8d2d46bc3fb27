//! Which addresses requests may go to.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

/// A network whose prefix is in the first four groups.
const fn v6(first: u16, second: u16, third: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, third, 0, 0, 0, 0, 0), length)
}

/// What is not a host on the Internet, after the
/// [registry of special-purpose IPv4 addresses](https://www.iana.org/assignments/iana-ipv4-special-registry).
const SPECIAL_V4: [Ipv4Net; 16] = [
    // "This network"; 0.0.0.0 is this very machine on many systems.
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    // Shared between a carrier and its customers.
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    // Link-local, where clouds keep the metadata of their machines.
    v4(169, 254, 0, 0, 16),
    v4(172, 16, 0, 0, 12),
    // IETF protocol assignments.
    v4(192, 0, 0, 0, 24),
    // Documentation, as are 198.51.100.0/24 and 203.0.113.0/24.
    v4(192, 0, 2, 0, 24),
    // Relays of 6to4, given up.
    v4(192, 88, 99, 0, 24),
    v4(192, 168, 0, 0, 16),
    // Benchmarks.
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    // Multicast.
    v4(224, 0, 0, 0, 4),
    // Reserved, and broadcast.
    v4(240, 0, 0, 0, 4),
    // In no registry: the inner service of one large cloud for its virtual machines.
    v4(168, 63, 129, 16, 32),
];

/// All that is assigned to hosts on the Internet. Everything else of IPv6 is refused: loopback, link-local,
/// site-local, unique-local, multicast, IPv4-compatible and whatever is defined next.
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 0, 3);

/// What of it is not a host, after the
/// [registry of special-purpose IPv6 addresses](https://www.iana.org/assignments/iana-ipv6-special-registry).
const SPECIAL_V6: [Ipv6Net; 4] = [
    // IETF protocol assignments: Teredo, benchmarks, overlays.
    v6(0x2001, 0, 0, 23),
    // Documentation, as is 3fff::/20.
    v6(0x2001, 0xdb8, 0, 32),
    // 6to4, which carries any IPv4 address and is given up.
    v6(0x2002, 0, 0, 16),
    v6(0x3fff, 0, 0, 20),
];

/// The well-known prefix of NAT64 ([RFC 6052 2.1](https://www.rfc-editor.org/rfc/rfc6052#section-2.1)); the rest
/// of the address is the one of IPv4.
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 96);

/// Which addresses a request may go to: the Internet, and what the operator says.
#[derive(Clone, Debug, Default)]
pub(super) struct Networks {
    pub(super) allowed: Vec<IpNet>,
    pub(super) refused: Vec<IpNet>,
}

/// How far a request may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// To the Internet and to the allowed networks.
    Internet,
    /// To the allowed networks only.
    Allowed,
}

/// An address is not one that requests may go to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refused(pub(super) &'static str);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Refused {}

impl Networks {
    /// Whether a request may go to an address. What the operator refuses comes first, then what the operator
    /// allows, then the tables.
    pub(super) fn check(&self, ip: IpAddr, reach: Reach) -> Result<(), Refused> {
        let ip = destination(ip);
        let is_in = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&ip));
        if is_in(&self.refused) {
            return Err(Refused("it is in a network that the operator refuses"));
        }
        if is_in(&self.allowed) {
            return Ok(());
        }
        match reach {
            Reach::Allowed => Err(Refused("plain http goes to allowed networks only")),
            Reach::Internet if is_public(ip) => Ok(()),
            Reach::Internet => Err(Refused("it is not a public address")),
        }
    }
}

/// The address that is reached in the end: of one that only wraps an IPv4 address, that one.
fn destination(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) if NAT64.contains(&ip) => {
            let [.., a, b, c, d] = ip.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        other => other,
    }
}

fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !SPECIAL_V4.iter().any(|network| network.contains(&ip)),
        IpAddr::V6(ip) => {
            GLOBAL_V6.contains(&ip) && !SPECIAL_V6.iter().any(|network| network.contains(&ip))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn goes_to(ip: impl Into<IpAddr>) -> bool {
        Networks::default().check(ip.into(), Reach::Internet).is_ok()
    }

    /// The same in the words of the standard library and in bits, without networks.
    fn oracle_v4(ip: Ipv4Addr) -> bool {
        let [a, b, c, d] = ip.octets();
        let named = ip.is_private()
            || ip.is_loopback()
            || ip.is_link_local()
            || ip.is_multicast()
            || ip.is_broadcast()
            || ip.is_documentation()
            || ip.is_unspecified();
        let shared = a == 100 && b & 0b1100_0000 == 64;
        let benchmark = a == 198 && b & 0b1111_1110 == 18;
        let assigned = (a, b, c) == (192, 0, 0) || (a, b, c) == (192, 88, 99);
        let cloud = (a, b, c, d) == (168, 63, 129, 16);
        !(named || shared || benchmark || assigned || cloud || a == 0 || a >= 240)
    }

    fn oracle_v6(ip: Ipv6Addr) -> bool {
        if let Some(inner) = ip.to_ipv4_mapped() {
            return oracle_v4(inner);
        }
        let groups = ip.segments();
        if groups[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
            let bits = u32::from(groups[6]) << 16 | u32::from(groups[7]);
            return oracle_v4(Ipv4Addr::from_bits(bits));
        }
        let (first, second) = (groups[0], groups[1]);
        let global = first & 0xe000 == 0x2000;
        let protocols = first == 0x2001 && second < 0x200;
        let documentation =
            first == 0x2001 && second == 0xdb8 || first == 0x3fff && second < 0x1000;
        global && !protocols && !documentation && first != 0x2002
    }

    /// Where networks begin and end.
    const EDGES: [&str; 14] = [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "203.0.113.0/24",
        "224.0.0.0/3",
    ];
    const EDGES_V6: [&str; 14] = [
        "::/128",
        "::1/128",
        "::/96",
        "::ffff:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2000::/3",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "fc00::/7",
        "fe80::/10",
    ];

    #[test]
    fn the_edges_of_networks_are_where_they_should_be() {
        for edge in EDGES {
            let network: Ipv4Net = edge.parse().unwrap();
            let (first, last) = (network.network().to_bits(), network.broadcast().to_bits());
            for bits in [first.wrapping_sub(1), first, last, last.wrapping_add(1)] {
                let ip = Ipv4Addr::from_bits(bits);
                assert_eq!(goes_to(ip), oracle_v4(ip), "{ip}");
            }
            assert!(!goes_to(network.network()) && !goes_to(network.broadcast()), "{edge}");
        }
        for edge in EDGES_V6 {
            let network: Ipv6Net = edge.parse().unwrap();
            let (first, last) = (network.network().to_bits(), network.broadcast().to_bits());
            for bits in [first.wrapping_sub(1), first, last, last.wrapping_add(1)] {
                let ip = Ipv6Addr::from_bits(bits);
                assert_eq!(goes_to(ip), oracle_v6(ip), "{ip}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_ipv4_address_is_judged_as_the_oracle_says(bits: u32) {
            let ip = Ipv4Addr::from_bits(bits);
            prop_assert_eq!(goes_to(ip), oracle_v4(ip), "{}", ip);
        }

        #[test]
        fn every_ipv6_address_is_judged_as_the_oracle_says(bits: u128, first in 0..12_usize) {
            // Half of all draws in the interesting prefixes.
            const PREFIXES: [(u128, u32); 6] = [
                (0xffff << 32, 96),
                (0x64_ff9b << 96, 96),
                (0x2001 << 112, 16),
                (0x2002 << 112, 16),
                (0x3fff << 112, 16),
                (0x2 << 124, 4),
            ];
            let bits = match PREFIXES.get(first) {
                Some((prefix, length)) => prefix | bits >> length,
                None => bits,
            };
            let ip = Ipv6Addr::from_bits(bits);
            prop_assert_eq!(goes_to(ip), oracle_v6(ip), "{}", ip);
        }

        #[test]
        fn an_address_in_disguise_is_judged_as_the_one_inside(bits: u32) {
            let ip = Ipv4Addr::from_bits(bits);
            let nat64 = Ipv6Addr::from_bits(0x64_ff9b << 96 | u128::from(bits));
            prop_assert_eq!(goes_to(ip.to_ipv6_mapped()), goes_to(ip));
            prop_assert_eq!(goes_to(nat64), goes_to(ip));
            // Of these nobody needs any: compatible, 6to4, Teredo.
            prop_assert!(!goes_to(Ipv6Addr::from_bits(u128::from(bits))));
            prop_assert!(!goes_to(Ipv6Addr::from_bits(0x2002 << 112 | u128::from(bits) << 80)));
            prop_assert!(!goes_to(Ipv6Addr::from_bits(0x2001 << 112 | u128::from(!bits))));
        }
    }

    #[test]
    fn the_operator_comes_before_the_tables_and_refusing_before_allowing() {
        let networks = Networks {
            allowed: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
            refused: vec!["10.9.0.0/16".parse().unwrap(), "93.184.0.0/16".parse().unwrap()],
        };
        for (ip, internet, plain) in [
            ("10.1.2.3", true, true),
            ("::ffff:10.1.2.3", true, true),
            ("64:ff9b::10.1.2.3", true, true),
            ("10.9.2.3", false, false),
            ("::ffff:10.9.2.3", false, false),
            ("fd00::1", true, true),
            ("fc00::1", false, false),
            ("192.168.0.1", false, false),
            ("93.184.1.1", false, false),
            ("64:ff9b::93.184.1.1", false, false),
            ("8.8.8.8", true, false),
            ("2a00::1", true, false),
        ] {
            let ip = ip.parse().unwrap();
            assert_eq!(networks.check(ip, Reach::Internet).is_ok(), internet, "{ip}");
            assert_eq!(networks.check(ip, Reach::Allowed).is_ok(), plain, "{ip}");
        }
    }
}
