//! Which advertisements are worth following, before any are counted: a crowd of others hides nobody.

use super::{
    DnsSd,
    advert::{Advert, Found, Unusable},
};
use crate::keys::Issuers;

/// More than anybody wants to read of what was passed over.
const MOST_TOLD: usize = 16;

/// Lets usable advertisements through and says why others are not.
pub(super) struct Sieve<'a> {
    issuers: &'a Issuers,
    development: bool,
    passed_over: usize,
}

impl<'a> Sieve<'a> {
    pub(super) const fn new(how: &DnsSd, issuers: &'a Issuers) -> Self {
        Self { issuers, development: how.development, passed_over: 0 }
    }

    /// The advertisement of an instance, if it may be followed.
    pub(super) fn advert(&mut self, found: &Found) -> Option<Advert> {
        let read = Advert::read(found, self.issuers.asking().plain).and_then(|advert| {
            let welcome = self.issuers.welcomes(&advert.host, advert.port);
            if welcome { Ok(advert) } else { Err(Unusable::Site) }
        });
        match read {
            Ok(advert) => {
                Some(advert).filter(|advert| self.development || !advert.is_development())
            }
            Err(why) => {
                self.pass_over(&found.host, why);
                None
            }
        }
    }

    /// Whether it leads to a server of the facility.
    pub(super) fn knows(&self, advert: &Advert) -> bool {
        self.issuers.at(&advert.metadata()).is_some()
    }

    fn pass_over(&mut self, host: &str, why: Unusable) {
        self.passed_over += 1;
        match self.passed_over {
            0..=MOST_TOLD => tracing::warn!(host, %why, "an advertisement is passed over"),
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
        let mut live = Sieve::new(&DnsSd::new(), &issuers);
        let all = DnsSd::new().development();
        let mut every = Sieve::new(&all, &issuers);
        for (host, priority, alive, known) in [
            ("as1.facility.example", 99, true, true),
            ("as1.facility.example", 100, false, true),
            ("as1.elsewhere.example", 0, false, false),
            ("a b", 0, false, false),
        ] {
            let found = found(host, priority);
            assert_eq!(live.advert(&found).is_some(), alive, "{host} {priority}");
            assert_eq!(every.advert(&found).is_some(), known, "{host} {priority}");
        }
    }
}
