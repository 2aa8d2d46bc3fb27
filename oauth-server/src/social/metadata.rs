//! What a provider publishes: its endpoints and its keys, fetched when needed and remembered for a while.

use super::{Refusal, Social, Upstream};
use oauth_core::jose::KeySet;
use serde::Deserialize;
use std::{future::Future, sync::Arc};
use tokio::sync::Mutex;
use url::Url;

/// For how long metadata and keys are used, in seconds.
const FRESH: i64 = 3600;
/// How long it takes until something is fetched again that failed, or lacked a key, in seconds.
const AGAIN: i64 = 10;
/// For how long something is used that cannot be fetched again, in seconds.
const OLDEST: i64 = 24 * 3600;
/// The largest document, in bytes.
const LONGEST: usize = 256 * 1024;

/// Where a provider is spoken to.
#[derive(Clone, Debug)]
pub(super) struct Endpoints {
    pub(super) authorization: String,
    pub(super) token: String,
    pub(super) userinfo: Option<String>,
    jwks: Option<String>,
    /// Whether its answers name it ([RFC 9207 3](https://www.rfc-editor.org/rfc/rfc9207#section-3)).
    pub(super) names_itself: bool,
}

/// What is remembered of a provider.
#[derive(Default)]
pub(super) struct Documents {
    endpoints: Mutex<Slot<Endpoints>>,
    keys: Mutex<Slot<KeySet>>,
}

/// A document, and when it was read and asked for last.
struct Slot<T> {
    known: Option<(Arc<T>, i64)>,
    tried_at: Option<i64>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { known: None, tried_at: None }
    }
}

impl<T> Slot<T> {
    /// The document, not older than `fresh` seconds if it can be had. One at a time reads it, and a failure is not
    /// repeated at once: whoever makes many requests here makes few there.
    async fn get(
        &mut self,
        (now, fresh): (i64, i64),
        read: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<Arc<T>, Refusal> {
        let age = |at: i64| now.saturating_sub(at);
        let known = |oldest: i64| {
            let known = self.known.as_ref().filter(|(_, at)| (0..oldest).contains(&age(*at)));
            known.map(|(document, _)| Arc::clone(document))
        };
        if let Some(document) = known(fresh) {
            return Ok(document);
        }
        if self.tried_at.is_some_and(|at| (0..AGAIN).contains(&age(at))) {
            return known(OLDEST).ok_or(Refusal::Unreachable);
        }
        let fallback = known(OLDEST);
        match read.await {
            Ok(document) => {
                let document = Arc::new(document);
                self.known = Some((Arc::clone(&document), now));
                Ok(document)
            }
            Err(refusal) => {
                // Not before: somebody who goes away meanwhile keeps nobody else from asking.
                self.tried_at = Some(now);
                fallback.ok_or(refusal)
            }
        }
    }
}

/// The members of the metadata that matter here
/// ([OpenID Connect Discovery 3](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata)).
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: Option<String>,
    jwks_uri: String,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Social {
    /// Where a provider is spoken to.
    pub(super) async fn endpoints(&self, upstream: &Upstream) -> Result<Arc<Endpoints>, Refusal> {
        let settings = &upstream.settings;
        let Some(issuer) = &settings.issuer else {
            return Ok(Arc::new(Endpoints {
                authorization: settings.authorization_endpoint.clone().unwrap_or_default(),
                token: settings.token_endpoint.clone().unwrap_or_default(),
                userinfo: settings.userinfo_endpoint.clone(),
                jwks: None,
                names_itself: false,
            }));
        };
        let mut slot = upstream.documents.endpoints.lock().await;
        slot.get((self.now().unix(), FRESH), self.discover(issuer)).await
    }

    async fn discover(&self, issuer: &str) -> Result<Endpoints, Refusal> {
        let place = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let body = self.0.fetch.get(&place, LONGEST).await?;
        let read: Metadata = serde_json::from_slice(&body).map_err(|_| Refusal::Metadata)?;
        // Exactly: otherwise one provider could describe another (OpenID Connect Discovery 4.3).
        if read.issuer != issuer || Url::parse(&read.authorization_endpoint).is_err() {
            return Err(Refusal::Metadata);
        }
        let shown = Url::parse(&read.authorization_endpoint).map_err(|_| Refusal::Metadata)?;
        let plain = issuer.starts_with("http:");
        if shown.scheme() != "https" && !(plain && shown.scheme() == "http") {
            return Err(Refusal::Metadata);
        }
        Ok(Endpoints {
            authorization: read.authorization_endpoint,
            token: read.token_endpoint,
            userinfo: read.userinfo_endpoint,
            jwks: Some(read.jwks_uri),
            names_itself: read.authorization_response_iss_parameter_supported,
        })
    }

    /// The keys of a provider, newer ones than those that lacked a key if `again`.
    pub(super) async fn keys(
        &self,
        upstream: &Upstream,
        endpoints: &Endpoints,
        age: KeyAge,
    ) -> Result<Arc<KeySet>, Refusal> {
        let Some(place) = &endpoints.jwks else { return Err(Refusal::IdTokenKey) };
        let fresh = match age {
            KeyAge::Remembered => FRESH,
            KeyAge::Newer => AGAIN,
        };
        let mut slot = upstream.documents.keys.lock().await;
        slot.get((self.now().unix(), fresh), async {
            let body = self.0.fetch.get(place, LONGEST).await?;
            let set = serde_json::from_slice(&body).map_err(|_| Refusal::Metadata)?;
            Ok(KeySet::from_jwks(&set))
        })
        .await
    }
}

/// How old keys may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyAge {
    /// As old as anything that is remembered.
    Remembered,
    /// A key was missing: newer ones, if they were not fetched a moment ago.
    Newer,
}
