//! The settings of a guard that does what AMWA IS-10 asks of resource servers.

use super::{GuardBuilder, KeyChoice, RootsMeant};
use crate::{
    fetch::{Http, PlainHttp},
    keys::{Asking, Epoch, Issuers, Site, Trust},
    name::HostName,
    problem::ConfigProblem,
    verify::{AudienceForm, ClientRule},
};
use oauth_core::model::{Issuer, SigningAlgorithm};
use std::{sync::Arc, time::Duration};

/// Whom a guard of several issuers trusts, as written.
#[derive(Clone, Debug, Default)]
pub(super) struct Trusted {
    issuers: Vec<String>,
    hosts: Vec<String>,
    #[cfg(feature = "dns-sd")]
    pub(super) discovery: Option<crate::discovery::DnsSd>,
}

impl Trusted {
    #[cfg(feature = "dns-sd")]
    pub(super) const fn discovers(&self) -> bool {
        self.discovery.is_some()
    }

    #[cfg(not(feature = "dns-sd"))]
    #[expect(clippy::unused_self, reason = "the other half of this looks at it")]
    pub(super) const fn discovers(&self) -> bool {
        false
    }
}

impl GuardBuilder {
    /// A guard of the NMOS server of this name: RS512 alone, `typ` `JWT` or `at+jwt`, a client named in every token,
    /// `aud` compared as host names with wildcards, keys refreshed hourly with up to a minute of jitter.
    pub(crate) fn nmos_node(host: String) -> Self {
        let mut builder = Self {
            host: Some(host),
            client: ClientRule::Named,
            keys: KeyChoice::Issuers,
            algorithms: vec![SigningAlgorithm::RS512],
            ..Self::default()
        };
        builder.times.jitter = Some(Duration::from_mins(1));
        builder.also_typ("JWT")
    }

    /// Trusts tokens of this issuer too. Those that are trusted by name, and those found in the network, host each
    /// other's keys: while one does not answer, its tokens are verified with what the others publish.
    pub fn trust_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.trusted.issuers.push(issuer.into());
        self
    }

    /// Lets tokens introduce their issuers, on hosts of this name or below this wildcard (`*.auth.example.com`), on the
    /// usual port of https or on the one that is named (`*.auth.example.com:8443`). Such an issuer is asked for its
    /// metadata, which must name it exactly, and its keys; until they are here the answer is 503.
    ///
    /// Also the hosts on which servers that the network advertises are believed: on any port, unless one is named.
    pub fn trust_issuers_on(mut self, host: impl Into<String>) -> Self {
        self.trusted.hosts.push(host.into());
        self
    }

    /// Looks for authorization servers in the network and trusts them. What the network says is not protected, so
    /// either hosts must be named with [`trust_issuers_on`](Self::trust_issuers_on), or the only certificate
    /// authorities be the facility's own ([`only_root_certificates`](Self::only_root_certificates)).
    #[cfg(feature = "dns-sd")]
    pub fn discover(mut self, how: crate::discovery::DnsSd) -> Self {
        self.trusted.discovery = Some(how);
        self
    }

    #[cfg(feature = "dns-sd")]
    pub(super) fn search(&self) -> Option<crate::discovery::Search> {
        let how = self.trusted.discovery.clone()?;
        Some(crate::discovery::Search::new(how, self.random.clone()))
    }

    pub(super) fn audience_form(&self) -> Result<AudienceForm, ConfigProblem> {
        match &self.host {
            None => Ok(AudienceForm::Exact),
            Some(host) => {
                HostName::parse(host).map(AudienceForm::Host).ok_or(ConfigProblem::Audience)
            }
        }
    }

    /// The one issuer of a guard whose keys are given.
    pub(super) fn only_issuer(&self) -> Option<&str> {
        let given = !matches!(self.keys, KeyChoice::Issuers);
        match (&self.issuer, self.trusted.issuers.as_slice()) {
            (Some(issuer), _) => Some(issuer),
            (None, [one]) if given => Some(one),
            _ => None,
        }
    }

    /// Whether a certificate of the system's authorities may be needed to reach an issuer.
    pub(super) fn meets_tls(&self) -> bool {
        matches!(self.keys, KeyChoice::Issuers)
            && (!self.trusted.hosts.is_empty()
                || self.trusted.discovers()
                || self.trusted.issuers.iter().any(|issuer| !issuer.starts_with("http:")))
    }

    /// The issuers of a guard that may trust several.
    pub(super) fn issuers_of(&self, http: &Http) -> Result<Option<Arc<Issuers>>, ConfigProblem> {
        if !matches!(self.keys, KeyChoice::Issuers) {
            return Ok(None);
        }
        let Trusted { issuers, hosts, .. } = &self.trusted;
        let discovery = self.trusted.discovers();
        if issuers.is_empty() && hosts.is_empty() && !discovery {
            return Err(ConfigProblem::IssuerMissing);
        }
        let facility_alone = self.roots_meant == RootsMeant::GivenAlone && !self.roots.is_empty();
        if discovery && hosts.is_empty() && !facility_alone {
            return Err(ConfigProblem::Discovery(
                "whoever can advertise a server would be believed: name the hosts of the servers, or trust the \
                 certificate authorities of the facility alone",
            ));
        }
        let parse = match self.plain {
            PlainHttp::LoopbackOnly => Issuer::parse,
            PlainHttp::Anywhere => Issuer::danger_parse_insecure,
        };
        let issuers: Vec<Issuer> = issuers
            .iter()
            .map(|issuer| parse(issuer))
            .collect::<Result<_, _>>()
            .map_err(ConfigProblem::Issuer)?;
        let sites: Vec<Site> = hosts
            .iter()
            .map(|host| Site::parse(host).ok_or_else(|| ConfigProblem::Host(host.clone())))
            .collect::<Result<_, _>>()?;
        let asking = Asking {
            http: http.clone(),
            plain: self.plain,
            times: self.key_times()?,
            clock: self.clock.clone(),
            random: self.random.clone(),
            epoch: Epoch::default(),
        };
        Ok(Some(Issuers::new(Trust { issuers, sites, discovery }, asking)))
    }
}
