//! Registrations belong to the client that registered their node (AMWA BCP-003-02, Registration API).

use super::{MemoryOwners, Owners, OwnersUnavailable};
use crate::{
    asked::Asked,
    audit,
    policy::{Need, Nmos, Policy, Verdict},
    principal::Principal,
    refusal::{Refusal, Style},
};
use http::Method;
use serde_json::{Value, json};
use std::{fmt, sync::Arc, time::Duration};

/// Longer than any id or kind of a resource.
const LONGEST: usize = 100;

/// Decides who may register, keep alive and remove what. Cheap to clone.
#[derive(Clone)]
pub struct Registry(Arc<dyn Owners>);

impl Default for Registry {
    fn default() -> Self {
        Self::new(MemoryOwners::default())
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registry(..)")
    }
}

/// Whether a registration was the first of its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub enum Registered {
    /// It is the caller's from now on. If the registry refuses it after all, it calls [`Registry::removed`].
    New,
    /// It was the caller's already.
    Again,
}

impl Registry {
    /// With owners kept elsewhere than in memory.
    pub fn new(owners: impl Owners + 'static) -> Self {
        Self(Arc::new(owners))
    }

    /// Whether the caller may register this: the body of `POST …/resource`, `{"type", "data"}`. A node becomes the
    /// client's that registers it first. Whatever hangs below a node is its client's to register. A client is the same
    /// one to all servers of a facility, which share their clients (AMWA IS-10, client registration); under an issuer
    /// that a token introduced it is another one, whatever it is called.
    ///
    /// # Errors
    /// 403 `insufficient_scope` for other clients, 400 for a body that does not say what it registers, 503 while the
    /// owners cannot be read.
    pub async fn register(&self, who: &Principal, body: &Value) -> Result<Registered, Refusal> {
        let outcome = self.decide(who, body).await;
        audit::later(who, "register", &outcome);
        outcome
    }

    async fn decide(&self, who: &Principal, body: &Value) -> Result<Registered, Refusal> {
        let client = client(who)?;
        let text = |value: Option<&Value>| word(value?.as_str()?);
        let data = |field| body.get("data")?.get(field);
        let (Some(kind), Some(id)) = (text(body.get("type")), text(data("id"))) else {
            return Err(Refusal::invalid_request("the registration names no type or id"));
        };
        let parent = match kind.as_str() {
            "node" => None,
            "device" => Some(("node", "node_id")),
            // In v1.0 of IS-04 a flow names its source alone.
            "flow" if data("device_id").is_none() => Some(("source", "source_id")),
            "source" | "flow" | "sender" | "receiver" => Some(("device", "device_id")),
            _ => return Err(Refusal::invalid_request("the registration is of an unknown type")),
        };
        if let Some((above, field)) = parent {
            let above_id = text(data(field))
                .ok_or(Refusal::invalid_request("the registration names no parent"))?;
            match self.0.owner(&key(above, &above_id)).await.map_err(unavailable)? {
                None => return Err(Refusal::invalid_request("the parent is not registered")),
                Some(owner) => owned(&owner, &client)?,
            }
        }
        let (owner, new) = self.0.claim(&key(&kind, &id), &client).await.map_err(unavailable)?;
        owned(&owner, &client)?;
        Ok(if new { Registered::New } else { Registered::Again })
    }

    /// Whether the caller may keep alive or remove a resource that is registered. `kind` is as in the path or in the
    /// body, `nodes` or `node`. What nobody owns is nobody's to protect: the registry says 404.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub async fn change(&self, who: &Principal, kind: &str, id: &str) -> Result<(), Refusal> {
        let client = client(who)?;
        match self.0.owner(&key(kind, id)).await.map_err(unavailable)? {
            Some(owner) => owned(&owner, &client),
            None => Ok(()),
        }
    }

    /// Forgets who owns a resource that was removed or has expired.
    ///
    /// # Errors
    /// While the owners cannot be written.
    pub async fn removed(&self, kind: &str, id: &str) -> Result<(), OwnersUnavailable> {
        self.0.release(&key(kind, id)).await
    }
}

/// The policy of a Registration API: the paths of IS-10, and `…/resource/<kind>/<id>` and `…/health/nodes/<id>` for
/// their owner alone. Bodies are for [`Registry::register`].
#[derive(Clone, Debug)]
pub struct Registrations(pub Registry);

impl Registrations {
    async fn owned(&self, asked: &Asked<'_>, principal: &Principal) -> Result<(), Refusal> {
        let path = asked.path().map_err(Refusal::unsafe_path)?;
        for (path, _) in path.readings() {
            let below: Vec<&str> = path.split('/').skip(4).collect();
            if let ["resource" | "health", kind, id] = below.as_slice() {
                self.0.change(principal, kind, id).await?;
            }
        }
        Ok(())
    }
}

impl Policy for Registrations {
    fn need(&self, asked: &Asked<'_>) -> Result<Need, Refusal> {
        Nmos.need(asked)
    }

    fn allow<'a>(&'a self, asked: &'a Asked<'a>, principal: &'a Principal) -> Verdict<'a> {
        match Nmos.allow(asked, principal) {
            Verdict::Now(Ok(())) if !matches!(*asked.method(), Method::GET | Method::HEAD) => {
                Verdict::later(self.owned(asked, principal))
            }
            decided => decided,
        }
    }

    fn style(&self) -> Style {
        Style::Nmos
    }
}

/// The client that uses the token, as an owner: its issuer and its id.
fn client(who: &Principal) -> Result<String, Refusal> {
    let id = who.client_id().ok_or(Refusal::insufficient_scope(None))?;
    Ok(json!([who.client_issuer(), id]).to_string())
}

fn owned(owner: &str, client: &str) -> Result<(), Refusal> {
    if owner == client { Ok(()) } else { Err(Refusal::insufficient_scope(None)) }
}

/// A short word that stays one when it becomes part of a key.
fn word(text: &str) -> Option<String> {
    let plain = !text.is_empty() && text.len() <= LONGEST && !text.contains('/');
    plain.then(|| text.to_owned())
}

/// Under which a resource's owner is kept: `nodes` and `node` are one kind, and the case of an id means nothing.
fn key(kind: &str, id: &str) -> String {
    format!("{}/{}", kind.trim_end_matches('s'), id.to_ascii_lowercase())
}

fn unavailable(_: OwnersUnavailable) -> Refusal {
    Refusal::unavailable(Duration::from_secs(1))
}
