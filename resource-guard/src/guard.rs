//! The guard, the layers it hands out, and the decision about one request.

mod uses;

use crate::{
    asked::Asked,
    audit,
    builder::GuardBuilder,
    passage::Passage,
    policy::{AnyToken, Need, Nmos, Nobody, Policy, Scopes},
    principal::Principal,
    problem::ConfigProblem,
    refusal::{Realm, Refusal, Voice},
    token::Places,
    verify::Verifier,
};
use http::request::Parts;
use oauth_core::ports::{Clock, SystemClock};
use serde_json::Value;
use std::{fmt, sync::Arc};
use tokio::task::AbortHandle;

/// Protects endpoints with access tokens. Cheap to clone; every layer made from it shares its keys and caches.
#[derive(Clone)]
pub struct Guard(Arc<Core>);

/// Whether the guard guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Switch {
    On,
    Off,
}

pub(crate) struct Core {
    pub(crate) verifier: Arc<dyn Verifier>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) places: Places,
    pub(crate) realm: Realm,
    pub(crate) switch: Switch,
    /// Keeps keys fresh; ends with the last clone of the guard.
    pub(crate) keeper: Option<Keeper>,
}

/// A task that ends when this is dropped.
pub(crate) struct Keeper(pub(crate) AbortHandle);

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Guard {
    /// A guard for tokens of this issuer: JWTs, verified with the keys found through its metadata.
    pub fn for_issuer(issuer: impl Into<String>) -> GuardBuilder {
        GuardBuilder::for_issuer(issuer.into())
    }

    /// A guard that asks an introspection endpoint
    /// ([RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)) about every token.
    pub fn introspecting(
        endpoint: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> GuardBuilder {
        GuardBuilder::default().introspection(endpoint, client_id, client_secret)
    }

    /// A guard of the NMOS server of this host name, as AMWA IS-10 asks: RS512 alone, `aud` as host names with
    /// wildcards, and as many authorization servers as there are. Name them with
    /// [`trust_issuer`](GuardBuilder::trust_issuer), let tokens introduce them
    /// ([`trust_issuers_on`](GuardBuilder::trust_issuers_on)), or have them found in the network (`discover`, with the
    /// feature `dns-sd`). The name is configuration, never the `Host` header.
    pub fn nmos_node(host: impl Into<String>) -> GuardBuilder {
        GuardBuilder::nmos_node(host.into())
    }

    /// A guard around a verifier of the embedder's own.
    pub fn new(verifier: impl Verifier + 'static) -> Self {
        Self::of(Core {
            verifier: Arc::new(verifier),
            clock: Arc::new(SystemClock),
            places: Places::default(),
            realm: Realm::default(),
            switch: Switch::On,
            keeper: None,
        })
    }

    pub(crate) fn of(core: Core) -> Self {
        if core.switch == Switch::Off {
            tracing::warn!(
                "THE RESOURCE GUARD IS SWITCHED OFF (condition = false): EVERY REQUEST PASSES WITHOUT A TOKEN"
            );
        }
        Self(Arc::new(core))
    }

    /// A layer that wants a good token, whatever it allows.
    pub fn any_token(&self) -> GuardLayer {
        self.with(AnyToken)
    }

    /// A layer that wants every scope of this space separated list. With a list that cannot be read nobody passes.
    pub fn needs(&self, scopes: &str) -> GuardLayer {
        self.with_scopes(Scopes::all(scopes))
    }

    /// A layer that wants every one of these scopes. With one that cannot be read, or none, nobody passes.
    pub fn needs_all<'s>(&self, scopes: impl IntoIterator<Item = &'s str>) -> GuardLayer {
        let scopes: Vec<&str> = scopes.into_iter().collect();
        let readable = scopes.iter().all(|s| !s.trim().is_empty());
        self.with_scopes(if readable {
            Scopes::all(&scopes.join(" "))
        } else {
            Err(ConfigProblem::Scope)
        })
    }

    /// A layer that wants at least one of these scopes. With one that cannot be read, or none, nobody passes.
    pub fn needs_any<'s>(&self, scopes: impl IntoIterator<Item = &'s str>) -> GuardLayer {
        self.with_scopes(Scopes::any(scopes))
    }

    /// A layer that grants by `x-nmos-*` claims × method × path, as AMWA IS-10 asks of resource servers.
    pub fn nmos(&self) -> GuardLayer {
        self.with(Nmos)
    }

    /// A layer with a policy such as [`Methods`](crate::Methods), or one of the embedder's own.
    pub fn with(&self, policy: impl Policy + 'static) -> GuardLayer {
        let voice = Voice { style: policy.style(), realm: self.0.realm.clone() };
        GuardLayer(Arc::new(Post {
            core: self.0.clone(),
            policy: Arc::new(policy),
            strictness: Strictness::TokenNeeded,
            voice: Arc::new(voice),
        }))
    }

    fn with_scopes(&self, scopes: Result<Scopes, ConfigProblem>) -> GuardLayer {
        match scopes {
            Ok(scopes) => self.with(scopes),
            Err(problem) => {
                tracing::error!(error = %problem, "a guarded route refuses everybody");
                self.with(Nobody)
            }
        }
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("switch", &self.0.switch).finish_non_exhaustive()
    }
}

/// What the guard demands of some routes: a [`tower::Layer`] for any service of HTTP requests.
#[derive(Clone)]
pub struct GuardLayer(Arc<Post>);

struct Post {
    core: Arc<Core>,
    policy: Arc<dyn Policy>,
    strictness: Strictness,
    voice: Arc<Voice>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strictness {
    TokenNeeded,
    TokenOptional,
}

impl GuardLayer {
    /// Lets requests without a token pass. A token that is there must still be good and allow this.
    pub fn optional(self) -> Self {
        Self(Arc::new(Post {
            core: self.0.core.clone(),
            policy: self.0.policy.clone(),
            strictness: Strictness::TokenOptional,
            voice: self.0.voice.clone(),
        }))
    }

    pub(crate) fn voice(&self) -> &Voice {
        &self.0.voice
    }

    /// Decides about a request and records the decision.
    pub(crate) async fn decide(&self, parts: &Parts) -> Result<Passage, Refusal> {
        if self.0.core.switch == Switch::Off {
            return Ok(Passage::Unguarded);
        }
        let asked = Asked::of(parts, self.0.core.clock.now());
        let mut principal = None;
        let outcome = self.judge(&asked, parts, &mut principal).await;
        audit::record(&asked, principal.as_ref(), &outcome);
        outcome
    }

    async fn judge(
        &self,
        asked: &Asked<'_>,
        parts: &Parts,
        caller: &mut Option<Principal>,
    ) -> Result<Passage, Refusal> {
        let Post { core, policy, strictness, voice } = &*self.0;
        let need = policy.need(asked)?;
        if need == Need::Nothing {
            return Ok(Passage::Anonymous(voice.clone()));
        }
        let (token, place) = match core.places.token(parts)? {
            Some(token) => (token, None),
            None => match core.places.ambient(&parts.headers)? {
                Some((token, place)) => (token, Some(place)),
                None if need == Need::Token && *strictness == Strictness::TokenNeeded => {
                    return Err(Refusal::no_token());
                }
                None => return Ok(Passage::Anonymous(voice.clone())),
            },
        };
        if let Some(place) = place {
            place.csrf.check_origin(asked.method(), asked.headers())?;
        }
        let verified = core.verifier.verify(&token, asked.now()).await;
        let verified = verified.map_err(|why| Refusal::rejected(&why, voice.style))?;
        let principal = caller.insert(Principal::new(verified));
        if let Some(place) = place {
            let expected = principal.claim(place.csrf.claim_name()).and_then(Value::as_str);
            let expected = expected.unwrap_or_default();
            place.csrf.check(asked.method(), asked.headers(), expected)?;
        }
        if !policy.takes(principal.token_use()) {
            return Err(Refusal::other_use());
        }
        policy.allow(asked, principal).await?;
        Ok(Passage::Admitted(principal.clone()))
    }
}

impl fmt::Debug for GuardLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardLayer")
            .field("strictness", &self.0.strictness)
            .field("voice", &self.0.voice)
            .finish_non_exhaustive()
    }
}
