//! Floor 6: the provider, put together from ports and policy.

mod builder;
mod cache;
mod first_party;
mod registration;
mod sessions;

use crate::{
    authorize::{self, Decision, Interaction, Next, Refused, Visitor},
    config::{Paths, Screens},
    endpoints::{self, UserInfo},
    env::Env,
    error::{OAuthError, PortError},
    grants::Grants,
    issue::TokenResponse,
    model::{Epoch, Login, PlainToken},
    params::{Incoming, Params},
    ports::{Event, HostedKeys, Sessions},
};
use http::HeaderMap;
use serde_json::{Map, Value};
use std::sync::Arc;

use registration::Registration;

pub use builder::{Builder, Incomplete};
pub use first_party::{FirstParty, FirstPartyTokens, Refreshing};

/// An OAuth 2.0 provider. Cheap to clone; every clone is the same provider.
#[derive(Clone)]
pub struct Provider(Arc<Inner>);

struct Inner {
    env: Env,
    grants: Grants,
    sessions: Arc<dyn Sessions>,
    screens: Screens,
    scopes: Vec<String>,
    registration: Option<Registration>,
    hosted: Option<Arc<dyn HostedKeys>>,
    metadata: Value,
}

/// Rows a single sweep may delete of each kind; sweeps follow one another until nothing is left to delete.
const SWEEP_BATCH: u64 = 500;

impl Provider {
    /// The token endpoint ([RFC 6749 3.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.2)).
    pub async fn token(&self, req: &Incoming) -> Result<TokenResponse, OAuthError> {
        self.heard("token", endpoints::token(&self.0.env, &self.0.grants, req).await)
    }

    /// The revocation endpoint ([RFC 7009](https://www.rfc-editor.org/rfc/rfc7009)).
    pub async fn revoke(&self, req: &Incoming) -> Result<(), OAuthError> {
        self.heard("revoke", endpoints::revoke(&self.0.env, req).await)
    }

    /// The introspection endpoint ([RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)).
    pub async fn introspect(&self, req: &Incoming) -> Result<Map<String, Value>, OAuthError> {
        self.heard("introspect", endpoints::introspect(&self.0.env, req).await)
    }

    /// The userinfo endpoint ([OpenID Connect Core 5.3](https://openid.net/specs/openid-connect-core-1_0.html#UserInfo)).
    pub async fn userinfo(&self, req: &Incoming) -> Result<UserInfo, OAuthError> {
        self.heard("userinfo", endpoints::userinfo(&self.0.env, req).await)
    }

    /// What a live access token of this provider says, for resources in the same process that ask about every
    /// request; nothing when it is expired, revoked, unknown, or no access token. The resource checks `aud` and scope.
    pub async fn access_token(
        &self,
        presented: &str,
    ) -> Result<Option<Map<String, Value>>, OAuthError> {
        endpoints::access_token(&self.0.env, presented).await
    }

    /// The authorization endpoint ([RFC 6749 3.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1)).
    pub async fn authorize(&self, params: &Params, visitor: Visitor) -> Result<Next, Refused> {
        authorize::authorize(&self.0.env, &self.0.grants, params, visitor).await
    }

    /// What a login or consent page shows; `invalid_request` when the interaction is over or of another browser.
    pub async fn interaction(&self, id: &str, browser: &str) -> Result<Interaction, OAuthError> {
        let now = self.0.env.clock.now();
        authorize::interaction_of(&self.0.env, &PlainToken::from_wire(id), browser, now).await
    }

    /// Whether somebody with this sign-in may go on with [`Decision::Selected`] instead of signing in again.
    pub fn suffices(&self, interaction: &Interaction, login: &Login) -> bool {
        authorize::suffices(&self.0.env, interaction, login)
    }

    /// Goes on with an interaction after a person has acted on the embedder's page. `since` is the
    /// [epoch](Self::epoch), read in the same request before the session was looked up or the password tried: whoever is
    /// signed out of everything while the answer is made gets `access_denied` then.
    pub async fn resume(
        &self,
        id: &str,
        browser: &str,
        decision: Decision,
        since: Epoch,
    ) -> Result<Next, Refused> {
        let interaction = PlainToken::from_wire(id);
        authorize::resume(&self.0.env, &interaction, browser, decision, since).await
    }

    /// How far the revocations of users have got. To be read at the beginning of a request that may let a client act,
    /// before what that rests on.
    pub async fn epoch(&self) -> Result<Epoch, PortError> {
        self.0.env.grants.epoch().await
    }

    /// The metadata document ([RFC 8414 2](https://www.rfc-editor.org/rfc/rfc8414#section-2)).
    pub fn metadata(&self) -> &Value {
        &self.0.metadata
    }

    /// The JWK set ([RFC 7517 5](https://www.rfc-editor.org/rfc/rfc7517#section-5)): the own keys, then those of other
    /// servers that are hosted here. A hosted key that bears the `kid` of an own one is left out.
    pub async fn jwks(&self) -> Result<String, PortError> {
        let own = self.0.env.key_snapshot(self.0.env.clock.now()).await?;
        let hosted = self.0.hosted.as_ref().map(|hosted| hosted.keys());
        match hosted.filter(|hosted| !hosted.is_empty()) {
            None => Ok(own.jwks().to_owned()),
            Some(hosted) => Ok(with_hosted(own.jwks_value(), &hosted).to_string()),
        }
    }

    /// Who is signed in, by the embedder's sessions.
    pub async fn login(&self, headers: &HeaderMap) -> Result<Option<Login>, PortError> {
        self.0.sessions.login(headers).await
    }

    /// Makes and rotates keys as the timetable says, and deletes expired rows; returns how many.
    ///
    /// Call it at start and every minute or so. Nothing in this crate runs by itself.
    pub async fn maintain(&self) -> Result<u64, PortError> {
        let env = &self.0.env;
        let now = env.clock.now();
        env.keys.maintain(now).await?;
        let mut gone = 0;
        loop {
            let batch = env.grants.sweep(now, SWEEP_BATCH).await?;
            gone += batch;
            if batch < SWEEP_BATCH {
                return Ok(gone);
            }
        }
    }

    /// Ports and policy.
    pub fn env(&self) -> &Env {
        &self.0.env
    }

    /// The registry of grants.
    pub fn grants(&self) -> &Grants {
        &self.0.grants
    }

    /// Where the endpoints are.
    pub fn paths(&self) -> &Paths {
        &self.0.env.paths
    }

    /// Where the pages are.
    pub fn screens(&self) -> &Screens {
        &self.0.screens
    }

    /// The advertised scopes.
    pub fn scopes(&self) -> &[String] {
        &self.0.scopes
    }

    fn heard<T>(
        &self,
        endpoint: &'static str,
        outcome: Result<T, OAuthError>,
    ) -> Result<T, OAuthError> {
        if let Err(e) = &outcome {
            self.0.env.audit.record(&Event::Refused { endpoint, error: e.code() });
        }
        outcome
    }
}

fn with_hosted(mut set: Value, hosted: &[Value]) -> Value {
    if let Some(keys) = set.get_mut("keys").and_then(Value::as_array_mut) {
        for key in hosted {
            let kid = key.get("kid");
            if kid.is_some() && keys.iter().all(|known| known.get("kid") != kid) {
                keys.push(key.clone());
            }
        }
    }
    set
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("issuer", &self.0.env.issuer).finish_non_exhaustive()
    }
}
