//! Fetching the key set: discovery first, unless the operator names the address.

use super::Site;
use crate::fetch::{Endpoint, FetchProblem, Http};
use oauth_core::model::Issuer;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

/// Metadata documents are a few kilobytes.
const MOST_METADATA: usize = 256 * 1024;
/// Room for two thousand RSA keys.
const MOST_KEYS: usize = 1024 * 1024;

/// How much of the way is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walk {
    /// Metadata again, then the key set: the key set may have moved.
    Whole,
    /// The key set where it was last.
    KeysOnly,
}

/// Where the key set is.
pub(crate) struct KeyEndpoint {
    http: Http,
    issuer: Issuer,
    named: Option<Endpoint>,
    /// Where it must be, unless it is where the issuer is. Without, it may be anywhere.
    sites: Option<Arc<[Site]>>,
    found: Mutex<Option<Endpoint>>,
}

impl KeyEndpoint {
    /// The key set of an issuer: found by discovery, or at `named`.
    pub(crate) const fn new(http: Http, issuer: Issuer, named: Option<Endpoint>) -> Self {
        Self { http, issuer, named, sites: None, found: Mutex::new(None) }
    }

    /// The key set where the issuer is, or on one of these sites, and nowhere else.
    pub(crate) fn within(self, sites: Arc<[Site]>) -> Self {
        Self { sites: Some(sites), ..self }
    }

    /// The key set document.
    pub(crate) async fn fetch(&self, walk: Walk) -> Result<Value, FetchProblem> {
        let endpoint = match (&self.named, walk) {
            (Some(endpoint), _) => endpoint.clone(),
            (None, Walk::KeysOnly) => match self.last_found() {
                Some(endpoint) => endpoint,
                None => self.discover().await?,
            },
            (None, Walk::Whole) => self.discover().await?,
        };
        let set = self.http.get(&endpoint, MOST_KEYS).await?;
        if set.get("keys").is_some_and(Value::is_array) {
            Ok(set)
        } else {
            Err(FetchProblem::NoKeySet)
        }
    }

    fn last_found(&self) -> Option<Endpoint> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks at the place of [RFC 8414 3](https://www.rfc-editor.org/rfc/rfc8414#section-3), and where nothing useful
    /// is found there, at that of
    /// [OpenID Connect Discovery 4](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig).
    async fn discover(&self) -> Result<Endpoint, FetchProblem> {
        let [oauth, openid] = well_known(&self.issuer)?;
        let oauth = self.http.endpoint(oauth.as_str())?;
        let metadata = match self.http.get(&oauth, MOST_METADATA).await {
            Err(FetchProblem::Status(_) | FetchProblem::NotJson) => {
                let openid = self.http.endpoint(&openid)?;
                self.http.get(&openid, MOST_METADATA).await?
            }
            other => other?,
        };
        let endpoint = self.read(&metadata)?;
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(endpoint.clone());
        Ok(endpoint)
    }

    /// The issuer must be named exactly ([RFC 8414 3.3](https://www.rfc-editor.org/rfc/rfc8414#section-3.3)), and an
    /// issuer on https cannot send us to a key set on plain http.
    fn read(&self, metadata: &Value) -> Result<Endpoint, FetchProblem> {
        let text = |name| metadata.get(name).and_then(Value::as_str);
        let named = text("issuer").unwrap_or_default();
        if named != self.issuer.as_str() {
            return Err(FetchProblem::OtherIssuer {
                asked: self.issuer.to_string(),
                named: named.chars().take(200).collect(),
            });
        }
        let endpoint = self.http.endpoint(text("jwks_uri").ok_or(FetchProblem::NoJwksUri)?)?;
        if self.issuer.is_https() && !endpoint.is_https() && !self.http.allows_plain() {
            return Err(FetchProblem::Address("an https issuer names a key set on plain http"));
        }
        if !self.reaches(endpoint.url()) {
            return Err(FetchProblem::Address(
                "the key set is neither where its issuer is nor on an allowed host",
            ));
        }
        Ok(endpoint)
    }

    /// Whether the key set may be there.
    fn reaches(&self, address: &Url) -> bool {
        let Some(sites) = &self.sites else { return true };
        let issuer = Url::parse(self.issuer.as_str());
        issuer.is_ok_and(|issuer| issuer.origin() == address.origin())
            || sites.iter().any(|site| site.covers(address))
    }
}

/// The issuer that the metadata at this address names: one whose metadata is there
/// ([RFC 8414 3.3](https://www.rfc-editor.org/rfc/rfc8414#section-3.3)).
#[cfg(feature = "dns-sd")]
pub(crate) async fn issuer_at(
    http: &Http,
    address: &str,
    parse: impl Fn(&str) -> Option<Issuer>,
) -> Result<Issuer, FetchProblem> {
    let document = http.get(&http.endpoint(address)?, MOST_METADATA).await?;
    let named = document.get("issuer").and_then(Value::as_str).unwrap_or_default();
    let same = |issuer: &Issuer| metadata_is_at(issuer, address);
    parse(named).filter(same).ok_or_else(|| FetchProblem::OtherIssuer {
        asked: address.to_owned(),
        named: named.chars().take(200).collect(),
    })
}

/// Whether this is where the metadata of an issuer is.
#[cfg(feature = "dns-sd")]
pub(crate) fn metadata_is_at(issuer: &Issuer, address: &str) -> bool {
    let own = well_known(issuer).ok().and_then(|[own, _]| Url::parse(&own).ok());
    own.is_some() && own == Url::parse(address).ok()
}

/// The two places where metadata may be.
fn well_known(issuer: &Issuer) -> Result<[String; 2], FetchProblem> {
    let mut oauth = Url::parse(issuer.as_str()).map_err(|_| FetchProblem::Address("not a URL"))?;
    oauth.set_path(&format!("/.well-known/oauth-authorization-server{}", issuer.path()));
    Ok([oauth.into(), issuer.join("/.well-known/openid-configuration")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc8414_s3_1_well_known_goes_between_host_and_path() {
        for (issuer, oauth, openid) in [
            (
                "https://as.example",
                "https://as.example/.well-known/oauth-authorization-server",
                "https://as.example/.well-known/openid-configuration",
            ),
            (
                "https://as.example:8443/x-nmos/auth/v1.0/",
                "https://as.example:8443/.well-known/oauth-authorization-server/x-nmos/auth/v1.0",
                "https://as.example:8443/x-nmos/auth/v1.0/.well-known/openid-configuration",
            ),
        ] {
            let found = well_known(&Issuer::parse(issuer).unwrap()).unwrap();
            assert_eq!(found, [oauth, openid], "{issuer}");
        }
    }
}
