//! The guard, the layers it hands out, and the decision about one request.

mod uses;

use crate::{
    asked::Asked,
    audit::{self, Caller},
    builder::GuardBuilder,
    cookie::CookieToken,
    passage::Passage,
    policy::{AnyToken, Need, Nmos, Nobody, Policy, Scopes, Verdict},
    principal::Principal,
    problem::ConfigProblem,
    refusal::{Realm, Refusal, Voice},
    token::{Found, Places},
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

    /// The decision about a request, recorded, where nobody has to be waited for: nearly always, since it takes waiting
    /// only for tokens that were not seen before and for policies that ask elsewhere.
    pub(crate) fn decide_at_once(&self, parts: &Parts) -> Option<Result<Passage, Refusal>> {
        if self.0.core.switch == Switch::Off {
            return Some(Ok(Passage::Unguarded));
        }
        let asked = Asked::of(parts, self.0.core.clock.now());
        let outcome = self.judge_at_once(&asked, parts)?;
        Some(recorded(&asked, outcome))
    }

    /// The decision about a request, recorded.
    pub(crate) async fn decide(&self, parts: &Parts) -> Result<Passage, Refusal> {
        let asked = Asked::of(parts, self.0.core.clock.now());
        let outcome = self.judge(&asked, parts).await;
        recorded(&asked, outcome)
    }

    fn judge_at_once(&self, asked: &Asked<'_>, parts: &Parts) -> Option<Outcome> {
        let (found, place) = match self.presented(asked, parts) {
            Ok(Presented::Token(found, place)) => (found, place),
            Ok(Presented::Nothing(passage)) => return Some(Ok(passage)),
            Err(no) => return Some(Err(no.into())),
        };
        let verified = self.0.core.verifier.recall(found.as_bytes(), asked.now())?;
        let principal = Principal::new(verified);
        let verdict = match self.proven(asked, &principal, place) {
            Verdict::Now(verdict) => verdict,
            Verdict::Later(_) => return None,
        };
        Some(admitted(principal, verdict))
    }

    async fn judge(&self, asked: &Asked<'_>, parts: &Parts) -> Outcome {
        let Post { core, voice, .. } = &*self.0;
        let (found, place) = match self.presented(asked, parts)? {
            Presented::Token(found, place) => (found, place),
            Presented::Nothing(passage) => return Ok(passage),
        };
        let verified = if let Some(verified) = core.verifier.recall(found.as_bytes(), asked.now()) {
            verified
        } else {
            let token = found.well_formed()?;
            let verified = core.verifier.verify(&token, asked.now()).await;
            verified.map_err(|why| No {
                refusal: Refusal::rejected(&why, voice.style),
                caller: Box::new(Caller::claimed(&token)),
            })?
        };
        let principal = Principal::new(verified);
        let verdict = self.proven(asked, &principal, place).wait().await;
        admitted(principal, verdict)
    }

    /// What the request shows, if it has to show anything.
    fn presented<'p>(
        &'p self,
        asked: &Asked<'_>,
        parts: &'p Parts,
    ) -> Result<Presented<'p>, Refusal> {
        let Post { core, policy, strictness, voice } = &*self.0;
        let anonymous = || Presented::Nothing(Passage::Anonymous(voice.clone()));
        let need = policy.need(asked)?;
        if need == Need::Nothing {
            return Ok(anonymous());
        }
        if let Some(found) = core.places.token(parts)? {
            return Ok(Presented::Token(found, None));
        }
        match core.places.ambient(&parts.headers)? {
            Some((found, place)) => {
                place.csrf.check_origin(asked.method(), asked.headers())?;
                Ok(Presented::Token(found, Some(place)))
            }
            None if need == Need::Token && *strictness == Strictness::TokenNeeded => {
                Err(Refusal::no_token())
            }
            None => Ok(anonymous()),
        }
    }

    /// Whether a caller with a good token may do this.
    fn proven<'a>(
        &'a self,
        asked: &'a Asked<'a>,
        principal: &'a Principal,
        place: Option<&CookieToken>,
    ) -> Verdict<'a> {
        if let Some(place) = place {
            let expected = principal.claim(place.csrf.claim_name()).and_then(Value::as_str);
            let expected = expected.unwrap_or_default();
            if let Err(no) = place.csrf.check(asked.method(), asked.headers(), expected) {
                return Verdict::Now(Err(no));
            }
        }
        if !self.0.policy.takes(principal.token_use()) {
            return Verdict::Now(Err(Refusal::other_use()));
        }
        self.0.policy.allow(asked, principal)
    }
}

/// What a request shows.
enum Presented<'p> {
    /// A token, and the cookie it came in, if it did.
    Token(Found<'p>, Option<&'p CookieToken>),
    /// Nothing, and that is enough.
    Nothing(Passage),
}

/// What is decided about a request, and about whom.
type Outcome = Result<Passage, No>;

/// A refusal, and who is refused.
struct No {
    refusal: Refusal,
    caller: Box<Caller>,
}

fn admitted(principal: Principal, verdict: Result<(), Refusal>) -> Outcome {
    match verdict {
        Ok(()) => Ok(Passage::Admitted(principal)),
        Err(refusal) => Err(No { refusal, caller: Box::new(Caller::Proven(principal)) }),
    }
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, caller: Box::new(Caller::Unknown) }
    }
}

fn recorded(asked: &Asked<'_>, outcome: Outcome) -> Result<Passage, Refusal> {
    match outcome {
        Ok(passage) => {
            audit::passed(asked, &passage);
            Ok(passage)
        }
        Err(No { refusal, caller }) => {
            audit::refused(asked, &caller, &refusal);
            Err(refusal)
        }
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
