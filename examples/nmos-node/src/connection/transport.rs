//! The parameters of an RTP transport: which there are, what they may be, and what `auto` becomes.

use crate::answer::NmosError;
use serde_json::{Map, Value, json};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A sender or a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sender,
    Receiver,
}

impl Kind {
    /// As it is in paths.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "senders" => Some(Self::Sender),
            "receivers" => Some(Self::Receiver),
            _ => None,
        }
    }
}

/// What a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// An address that packets from this node reach, of the same family as its own, or `auto`.
    Reachable,
    /// One of the addresses of this node, or `auto`.
    OwnAddress,
    /// An address, or nothing.
    AddressOrNone,
    /// A multicast address, or nothing.
    MulticastOrNone,
    /// A port, or `auto`.
    Port,
    /// Yes or no.
    Switch,
}

/// Constraints on addresses by their look. What they let through must be an address all the same.
const IPV4: &str = r"^(auto|[0-9]{1,3}(\.[0-9]{1,3}){3})$";
const IPV6: &str = "^(auto|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)$";

/// The parameters of one kind on one interface.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transport {
    kind: Kind,
    address: IpAddr,
    /// Which of its kind on this node, so that `auto` is not the same for all.
    number: usize,
}

impl Transport {
    pub(super) const fn new(kind: Kind, number: usize, address: IpAddr) -> Self {
        Self { kind, address, number }
    }

    const fn shapes(&self) -> &'static [(&'static str, Shape)] {
        match self.kind {
            Kind::Sender => &[
                ("source_ip", Shape::OwnAddress),
                ("destination_ip", Shape::Reachable),
                ("source_port", Shape::Port),
                ("destination_port", Shape::Port),
                ("rtp_enabled", Shape::Switch),
            ],
            Kind::Receiver => &[
                ("source_ip", Shape::AddressOrNone),
                ("multicast_ip", Shape::MulticastOrNone),
                ("interface_ip", Shape::OwnAddress),
                ("destination_port", Shape::Port),
                ("rtp_enabled", Shape::Switch),
            ],
        }
    }

    /// What is staged before anybody stages anything.
    pub(super) fn initial(&self) -> Map<String, Value> {
        let value = |shape| match shape {
            Shape::AddressOrNone | Shape::MulticastOrNone => Value::Null,
            Shape::Switch => json!(true),
            Shape::Reachable | Shape::OwnAddress | Shape::Port => json!("auto"),
        };
        self.shapes().iter().map(|(name, shape)| ((*name).to_owned(), value(*shape))).collect()
    }

    /// What is allowed beyond the kind of each value.
    pub(super) fn constraints(&self) -> Value {
        let constraint = |shape| match shape {
            Shape::OwnAddress => json!({"enum": [self.address.to_string(), "auto"]}),
            Shape::Reachable if self.address.is_ipv4() => json!({"pattern": IPV4}),
            Shape::Reachable => json!({"pattern": IPV6}),
            Shape::Port => json!({"minimum": 1024, "maximum": 65535}),
            _ => json!({}),
        };
        self.shapes()
            .iter()
            .map(|(name, shape)| ((*name).to_owned(), constraint(*shape)))
            .collect::<Map<_, _>>()
            .into()
    }

    /// Checks one leg of a change.
    pub(super) fn check(&self, leg: &Map<String, Value>) -> Result<(), NmosError> {
        for (name, value) in leg {
            let (_, shape) = self
                .shapes()
                .iter()
                .find(|(known, _)| known == name)
                .ok_or(NmosError::bad("a transport parameter is unknown"))?;
            if !self.fits(*shape, value) {
                return Err(NmosError::bad("a transport parameter has a value it cannot have"));
            }
        }
        Ok(())
    }

    fn fits(&self, shape: Shape, value: &Value) -> bool {
        let address = || value.as_str().and_then(|text| text.parse::<IpAddr>().ok());
        let auto = value == "auto";
        match shape {
            Shape::Reachable => {
                auto || address().is_some_and(|ip| ip.is_ipv4() == self.address.is_ipv4())
            }
            Shape::OwnAddress => auto || address() == Some(self.address),
            Shape::AddressOrNone => value.is_null() || address().is_some(),
            Shape::MulticastOrNone => {
                value.is_null() || address().is_some_and(|ip| ip.is_multicast())
            }
            Shape::Port => auto || value.as_u64().is_some_and(|p| (1024..=65535).contains(&p)),
            Shape::Switch => value.is_boolean(),
        }
    }

    /// The parameters with every `auto` decided.
    pub(super) fn resolved(&self, leg: &Map<String, Value>) -> Map<String, Value> {
        let decided = |name: &str| match name {
            "source_port" => json!(5004),
            "destination_port" => json!(5004 + 2 * self.number),
            "destination_ip" => json!(self.group().to_string()),
            _ => json!(self.address.to_string()),
        };
        leg.iter()
            .map(|(name, value)| {
                let value = if value == "auto" { decided(name) } else { value.clone() };
                (name.clone(), value)
            })
            .collect()
    }

    /// The group that a sender chooses for itself.
    fn group(&self) -> IpAddr {
        let last = u8::try_from(self.number % 250).unwrap_or_default() + 1;
        match self.address {
            IpAddr::V4(_) => Ipv4Addr::new(239, 255, 0, last).into(),
            IpAddr::V6(_) => Ipv6Addr::new(0xff15, 0, 0, 0, 0, 0, 0x8000, last.into()).into(),
        }
    }

    /// The parameters that a transport file decides: the group, the sender and the port. A file without a source filter
    /// means any sender, whatever the one before said.
    pub(super) fn read_sdp(sdp: &str) -> Result<Map<String, Value>, NmosError> {
        const BAD: NmosError =
            NmosError::bad("the transport file is not an SDP this node understands");
        let mut leg = Map::new();
        leg.insert("source_ip".to_owned(), Value::Null);
        leg.insert("rtp_enabled".to_owned(), json!(true));
        let mut lines = sdp.lines().map(str::trim_end);
        if lines.next() != Some("v=0") {
            return Err(BAD);
        }
        let mut media = 0;
        for line in lines {
            // RFC 4570 has a blank after the colon, the examples of IS-05 have none.
            let line = line.replacen("a=source-filter:", "a=source-filter: ", 1);
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                [kind, port, "RTP/AVP", ..] if kind.starts_with("m=") => {
                    media += 1;
                    let port = port.parse::<u16>().ok().filter(|port| *port >= 1024);
                    leg.insert("destination_port".to_owned(), json!(port.ok_or(BAD)?));
                }
                ["c=IN", "IP4" | "IP6", address] => {
                    let address = address.split('/').next().unwrap_or_default();
                    let address: IpAddr = address.parse().map_err(|_| BAD)?;
                    let group = address.is_multicast().then(|| address.to_string());
                    leg.insert("multicast_ip".to_owned(), json!(group));
                }
                ["a=source-filter:", "incl", "IN", _, _, source, ..] => {
                    let source: IpAddr = source.parse().map_err(|_| BAD)?;
                    leg.insert("source_ip".to_owned(), json!(source.to_string()));
                }
                _ => {}
            }
        }
        if media == 1 && leg.contains_key("multicast_ip") { Ok(leg) } else { Err(BAD) }
    }
}
