//! Signing in through other providers: this server as a client of theirs.
//!
//! A person is sent away with a state that is bound to the browser and good for one return, and comes back with a code.
//! Who that is, the provider says behind the browser's back, and every word of it is checked
//! ([OpenID Connect Core 3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation)). Identities
//! are known by issuer and subject, never by a mail address. Tokens of the provider never reach the browser.

mod attempt;
mod exchange;
mod id_token;
mod identity;
mod metadata;
mod notice;
mod person;
mod refusal;

pub use attempt::{Attempt, Departure, Errand};
pub use exchange::Tokens;
pub use identity::{Confirmation, Linked, Unlinked};
pub use notice::Notice;
pub use person::Person;
pub use refusal::{Blame, Refusal};

use crate::config::{Config, TrustEmail, UpstreamEntry};
use metadata::Documents;
use oauth_core::{
    jose::Sealer,
    model::{Issuer, Timestamp},
    ports::{Clock, Fetch, Random},
    seaorm::SeaStore,
};
use std::sync::Arc;

/// How an identity was proven that another provider vouches for, among the methods of a sign-in: *federated*.
pub const AMR: &str = "fed";

/// The providers of one server. Cheap to clone.
#[derive(Clone)]
pub struct Social(Arc<Parts>);

struct Parts {
    upstreams: Vec<Upstream>,
    issuer: Issuer,
    https: bool,
    store: SeaStore,
    sealer: Sealer,
    fetch: Arc<dyn Fetch>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// A provider, and what is remembered of it.
pub struct Upstream {
    /// Its settings.
    pub settings: UpstreamEntry,
    documents: Documents,
}

impl Upstream {
    /// Whether an address that it has verified lets people into the account with that address.
    pub fn trusts_email(&self) -> bool {
        self.settings.trust_email == TrustEmail::Verified
    }
}

impl Social {
    /// The providers of this configuration.
    pub fn new(
        store: SeaStore,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
        fetch: Arc<dyn Fetch>,
        sealing_key: &[u8; 32],
        config: &Config,
    ) -> Self {
        let upstream = |settings: &UpstreamEntry| Upstream {
            settings: settings.clone(),
            documents: Documents::default(),
        };
        Self(Arc::new(Parts {
            upstreams: config.upstreams.iter().map(upstream).collect(),
            https: config.issuer().is_https(),
            issuer: config.issuer(),
            store,
            sealer: Sealer::derived(sealing_key, b"upstream providers"),
            fetch,
            clock,
            random,
        }))
    }

    /// Every provider, in the order of the configuration.
    pub fn upstreams(&self) -> &[Upstream] {
        &self.0.upstreams
    }

    /// The provider with this id.
    pub fn upstream(&self, id: &str) -> Option<&Upstream> {
        self.0.upstreams.iter().find(|u| u.settings.id == id)
    }

    /// Where a provider sends people back to. Each has an address of its own, so that none can pass for another
    /// ([RFC 9700 4.4.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.4.2)).
    fn redirect_uri(&self, upstream: &Upstream) -> String {
        self.0.issuer.join(&format!("/login/from/{}", upstream.settings.id))
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}
