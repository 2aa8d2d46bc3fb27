//! What AMWA BCP-003-02 asks beyond paths: rights that depend on what a body or a web socket says, and registrations
//! that belong to a client.
//!
//! [`Guard::nmos`](crate::Guard::nmos) judges paths. Three APIs need more, and each has a policy for what the request
//! shows and a value for what only the handler knows:
//!
//! * Registration API: [`Registrations`], with [`Registry`] for the bodies.
//! * Query API: [`QuerySockets`], and [`NmosRights::may_create_subscription`].
//! * Events API: [`EventSockets`], and [`NmosRights::readable_sources`].
//!
//! Behind all of them OPTIONS reaches the handler without a token, as IS-10 wants it. What the handler says beside its
//! headers is left out of the answer; what it does is done, and so it must do nothing.

mod owners;
mod registry;
mod sockets;

pub use owners::{MemoryOwners, Owners, OwnersUnavailable};
pub use registry::{Registered, Registrations, Registry};
pub use sockets::{EventSockets, QuerySockets};

use crate::principal::Principal;

/// What a caller may do with one NMOS API. Paths are given as they stand after the version: `single/senders/…`.
#[derive(Clone, Copy, Debug)]
pub struct NmosRights<'p> {
    principal: &'p Principal,
    api: &'p str,
}

impl Principal {
    /// What the token allows of an NMOS API such as `connection`.
    pub const fn nmos<'p>(&'p self, api: &'p str) -> NmosRights<'p> {
        NmosRights { principal: self, api }
    }
}

impl<'p> NmosRights<'p> {
    /// Whether a path may be read.
    pub fn may_read(&self, path: &str) -> bool {
        self.principal.may_read(self.api, path)
    }

    /// Whether a path may be changed. That does not mean that it may be read.
    pub fn may_write(&self, path: &str) -> bool {
        self.principal.may_write(self.api, path)
    }

    /// The client that uses the token.
    pub fn client(&self) -> Option<&'p str> {
        self.principal.client_id()
    }

    /// Whether a subscription of a Query API with this `resource_path` may be created: it takes the right to write
    /// `subscriptions`, and nobody creates what they may not connect to.
    pub fn may_create_subscription(&self, resource_path: &str) -> bool {
        self.may_write("subscriptions") && self.may_connect_to_subscription(resource_path)
    }

    /// Whether a subscription of a Query API with this `resource_path` may be connected to: it takes the right to read
    /// what it is about, be it the list (`receivers`) or whatever is in it (`receivers/*`).
    pub fn may_connect_to_subscription(&self, resource_path: &str) -> bool {
        // With a slash at its end the path stands for both.
        let may_read_all = |path: &str| self.may_read(&format!("{path}/"));
        // An empty path is about everything, and only those may listen to it who may read everything there is.
        match resource_path.trim_matches('/') {
            "" => EVERYTHING.into_iter().all(may_read_all),
            path => may_read_all(path),
        }
    }

    /// Those of the sources of an Events API that may be listened to. A subscription command that names others asks
    /// for more than the token allows.
    pub fn readable_sources<'s>(&self, sources: impl IntoIterator<Item = &'s str>) -> Vec<&'s str> {
        // What is not one segment is not the id of a source.
        let plain = |id: &&str| !id.is_empty() && !id.contains(['/', '%', '\\']) && *id != "..";
        sources
            .into_iter()
            .filter(plain)
            .filter(|id| self.may_read(&format!("sources/{id}")))
            .collect()
    }
}

/// The kinds of resources of a Query API.
const EVERYTHING: [&str; 6] = ["nodes", "devices", "sources", "flows", "senders", "receivers"];
