//! Which advertisements are worth following, before any are counted: a crowd of others hides nobody.

use super::{
    DnsSd, Way,
    advert::{Advert, Found, Unusable},
};
use crate::{keys::Issuers, name::HostName};

/// More than anybody wants to read of what was passed over.
const MOST_TOLD: usize = 16;

/// Lets usable advertisements through and says why others are not.
pub(super) struct Sieve<'a> {
    issuers: &'a Issuers,
    development: bool,
    /// Whether addresses come from name servers that the operator chose.
    chosen: bool,
    passed_over: usize,
}

impl<'a> Sieve<'a> {
    pub(super) fn new(how: &DnsSd, way: Way, issuers: &'a Issuers) -> Self {
        let chosen = way == Way::Unicast && !how.name_servers.is_empty();
        Self { issuers, development: how.development, chosen, passed_over: 0 }
    }

    /// Whether there may be servers at this host and port. What else is said of others need not be asked.
    pub(super) fn welcomes(&mut self, host: &str, port: u16) -> bool {
        let why = match HostName::parse(host).filter(|_| port != 0) {
            None => Unusable::Target,
            Some(host) if !self.issuers.welcomes(&host, port) => Unusable::Site,
            Some(_) => return true,
        };
        self.pass_over(host, why);
        false
    }

    /// The advertisement of an instance, if it may be followed.
    pub(super) fn advert(&mut self, found: &Found) -> Option<Advert> {
        let read = Advert::read(found, self.issuers.asking().plain).and_then(|advert| {
            let welcome = self.issuers.welcomes(&advert.host, advert.port);
            if welcome { Ok(advert) } else { Err(Unusable::Site) }
        });
        match read {
            Ok(mut advert) => {
                if !self.locates(&advert.host) {
                    advert.addresses.clear();
                }
                Some(advert).filter(|advert| self.development || !advert.is_development())
            }
            Err(why) => {
                self.pass_over(&found.host, why);
                None
            }
        }
    }

    /// Whether what was said of where a host is counts. Multicast DNS has a say below `.local` alone
    /// ([RFC 6762 3](https://www.rfc-editor.org/rfc/rfc6762#section-3)); the resolver of this machine knows the other
    /// names, unless the operator chose name servers of which it knows nothing.
    fn locates(&self, host: &HostName) -> bool {
        self.chosen || host.as_str().rsplit('.').next() == Some("local")
    }

    /// Whether it leads to a server of the facility.
    pub(super) fn knows(&self, advert: &Advert) -> bool {
        self.issuers.at(&advert.metadata()).is_some()
    }

    /// Says why an advertisement is not followed, of a host or of an instance.
    pub(super) fn pass_over(&mut self, what: &str, why: Unusable) {
        self.passed_over += 1;
        match self.passed_over {
            0..=MOST_TOLD => tracing::warn!(what, %why, "an advertisement is passed over"),
            many if many == MOST_TOLD + 1 => {
                tracing::warn!("more advertisements are passed over without a word");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{
        Site, Trust,
        testing::{ManualClock, asking},
    };

    fn found(host: &str, priority: u32) -> Found {
        Found {
            host: host.to_owned(),
            port: 443,
            addresses: Vec::new(),
            txt: ["api_proto=https", "api_ver=v1.0", &format!("pri={priority}")]
                .map(str::to_owned)
                .to_vec(),
        }
    }

    #[test]
    fn r9_what_is_let_through() {
        let sites = vec![Site::parse("*.facility.example").unwrap()];
        let trust = Trust { sites, discovery: true, ..Trust::default() };
        let issuers = Issuers::new(trust, asking(&ManualClock::default()));
        let mut live = Sieve::new(&DnsSd::new(), Way::Unicast, &issuers);
        let all = DnsSd::new().development();
        let mut every = Sieve::new(&all, Way::Unicast, &issuers);
        for (host, priority, alive, known) in [
            ("as1.facility.example", 99, true, true),
            ("as1.facility.example", 100, false, true),
            ("as1.elsewhere.example", 0, false, false),
            ("a b", 0, false, false),
        ] {
            let found = found(host, priority);
            assert_eq!(live.advert(&found).is_some(), alive, "{host} {priority}");
            assert_eq!(every.advert(&found).is_some(), known, "{host} {priority}");
            assert_eq!(live.welcomes(host, 443), known, "{host}");
            assert!(!live.welcomes(host, 0), "{host}");
        }
    }

    #[test]
    fn r9_whose_word_counts_for_where_a_host_is() {
        let trust = Trust { discovery: true, ..Trust::default() };
        let issuers = Issuers::new(trust, asking(&ManualClock::default()));
        let usual = DnsSd::new();
        let chosen = DnsSd::new().name_server(([192, 0, 2, 53], 53).into());
        for (how, way, host, counts) in [
            (&usual, Way::Multicast, "as1.local", true),
            (&usual, Way::Multicast, "AS1.Local.", true),
            (&usual, Way::Multicast, "as1.corp.example", false),
            (&usual, Way::Multicast, "as1.local.example", false),
            (&usual, Way::Multicast, "as1.notlocal", false),
            (&usual, Way::Unicast, "as1.corp.example", false),
            (&usual, Way::Unicast, "as1.local", true),
            (&chosen, Way::Unicast, "as1.corp.example", true),
            (&chosen, Way::Multicast, "as1.corp.example", false),
        ] {
            let addresses = vec![[192, 0, 2, 1].into()];
            let found = Found { addresses: addresses.clone(), ..found(host, 0) };
            let advert = Sieve::new(how, way, &issuers).advert(&found).unwrap();
            let expected = if counts { addresses } else { Vec::new() };
            assert_eq!(advert.addresses, expected, "{way:?} {host}");
        }
    }
}
