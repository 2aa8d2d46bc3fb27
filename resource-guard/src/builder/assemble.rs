//! From settings to a guard, or to the reason why there is none.

use super::{GuardBuilder, KeyChoice, RootsMeant, When};
use crate::{
    cookie::is_name,
    csrf::X_API_KEY,
    fetch::{Endpoint, FetchProblem, Http, PlainHttp, Reach, endpoint},
    guard::{Core, Guard, Keeper, Switch},
    introspect::{Asking, Introspection, basic},
    keys::{CachedKeys, Epoch, FixedKeys, Issuers, KeyCache, KeyEndpoint, KeySource, KeyTimes},
    problem::ConfigProblem,
    refusal::Realm,
    revocations::Listed,
    token::Places,
    verify::{
        AudienceForm, AudienceRule, Both, IssuersVerifier, JwtVerifier, Rules, Unlisted, Verifier,
    },
};
use http::{HeaderName, header};
use oauth_core::model::Issuer;
use std::{sync::Arc, time::Duration};

/// What a started guard keeps fresh.
enum Kept {
    Nothing,
    OneIssuer(Arc<KeyCache>),
    Issuers(Arc<Issuers>),
}

/// More leeway than clocks need; a larger one is a mistake.
const MOST_LEEWAY: Duration = Duration::from_mins(5);
/// With less between fetches, tokens and requests would lead to as many as there are of them.
const LEAST_PAUSE: Duration = Duration::from_secs(1);

impl GuardBuilder {
    /// Builds the guard without starting anything: keys are fetched when a request needs them. Requests must run on
    /// a tokio runtime.
    pub fn build(self) -> Result<Guard, ConfigProblem> {
        if self.trusted.discovers() && self.switch == Switch::On {
            return Err(ConfigProblem::Discovery(
                "servers are looked for all the time, so the guard must be started",
            ));
        }
        let (core, _) = self.assemble()?;
        Ok(Guard::of(core))
    }

    /// Builds the guard, fetches the keys, and keeps them fresh until the last clone of the guard is gone.
    ///
    /// An authorization server that does not answer yet is no error: requests are refused with 503 until it does. One
    /// that names another issuer is, unless several are trusted: the others' tokens are good nevertheless.
    pub async fn start(self) -> Result<Guard, ConfigProblem> {
        #[cfg(feature = "dns-sd")]
        let search = self.search();
        let (mut core, kept) = self.assemble()?;
        if core.switch == Switch::Off {
            return Ok(Guard::of(core));
        }
        let task = match kept {
            Kept::Nothing => return Ok(Guard::of(core)),
            Kept::OneIssuer(cache) => {
                if let Some(landing) = cache.first().await
                    && let Err(problem @ FetchProblem::OtherIssuer { .. }) = &*landing
                {
                    return Err(ConfigProblem::OtherIssuer(problem.to_string()));
                }
                tokio::spawn(KeyCache::tend(Arc::downgrade(&cache)))
            }
            Kept::Issuers(issuers) => {
                let weak = Arc::downgrade(&issuers);
                #[cfg(feature = "dns-sd")]
                let searching = match search {
                    Some(mut search) => {
                        search.look(&issuers).await;
                        Some(search)
                    }
                    None => None,
                };
                issuers.first().await;
                tokio::spawn(async move {
                    #[cfg(feature = "dns-sd")]
                    if let Some(search) = searching {
                        tokio::join!(search.keep_looking(weak.clone()), Issuers::tend(weak));
                        return;
                    }
                    Issuers::tend(weak).await;
                })
            }
        };
        core.keeper = Some(Keeper(task.abort_handle()));
        Ok(Guard::of(core))
    }

    fn assemble(self) -> Result<(Core, Kept), ConfigProblem> {
        let realm = self.realm_or_default()?;
        let places = self.places()?;
        let rules = Arc::new(self.rules()?);
        let http = self.http()?;
        let introspection = self.introspection_of(&rules, &http)?;
        let listed = self.revocations.clone().map(|list| Listed {
            list,
            while_silent: self.while_silent,
            timeout: self.timeout,
        });
        let remember = self.remember;
        let always = self.asking == When::Always;
        let (jwt, kept): (Option<Arc<dyn Verifier>>, Kept) =
            if let Some(issuers) = self.issuers_of(&http)? {
                let verifier = IssuersVerifier::new(rules, issuers.clone(), remember);
                (Some(Arc::new(verifier)), Kept::Issuers(issuers))
            } else {
                let (keys, cache) = self.key_source_of(&rules, &http)?;
                let jwt = keys.map(|keys| JwtVerifier::new(rules, keys, remember));
                (jwt.map(|jwt| Arc::new(jwt) as _), cache.map_or(Kept::Nothing, Kept::OneIssuer))
            };
        let verifier: Arc<dyn Verifier> = match (jwt, introspection) {
            (Some(jwt), Some(introspection)) => Arc::new(Both { jwt, introspection, always }),
            (None, Some(introspection)) => Arc::new(introspection),
            (Some(jwt), None) if !always => jwt,
            _ => return Err(ConfigProblem::Verifier),
        };
        let verifier = match listed {
            Some(listed) => Arc::new(Unlisted { verifier, listed }),
            None => verifier,
        };
        let core =
            Core { verifier, clock: self.clock, places, realm, switch: self.switch, keeper: None };
        Ok((core, kept))
    }

    fn realm_or_default(&self) -> Result<Realm, ConfigProblem> {
        match (&self.realm, self.audiences.first().or(self.host.as_ref())) {
            (Some(realm), _) => Realm::parse(realm).ok_or(ConfigProblem::Realm),
            (None, Some(audience)) => Ok(Realm::parse(audience).unwrap_or_default()),
            (None, None) => Ok(Realm::default()),
        }
    }

    fn places(&self) -> Result<Places, ConfigProblem> {
        let name = |text: &String| {
            HeaderName::try_from(text.as_str())
                .ok()
                .filter(|name| *name != header::AUTHORIZATION)
                .ok_or(ConfigProblem::ApiKeyHeader)
        };
        let mut api_key = self.api_key.as_ref().map(name).transpose()?;
        if let Some(cookie) = &self.cookie {
            let prefixed = ["__Host-", "__Secure-"].iter().any(|p| cookie.name.starts_with(p));
            if !prefixed || !is_name(&cookie.name) {
                return Err(ConfigProblem::Cookie);
            }
            // The header that may carry the value of a cookie session may carry a token instead.
            api_key = api_key.or(Some(X_API_KEY));
        }
        Ok(Places { api_key, cookie: self.cookie.clone() })
    }

    fn rules(&self) -> Result<Rules, ConfigProblem> {
        if self.leeway > MOST_LEEWAY {
            return Err(ConfigProblem::Time("more than 300 seconds of leeway is a mistake"));
        }
        if self.algorithms.is_empty() {
            return Err(ConfigProblem::Algorithms);
        }
        let form = self.audience_form()?;
        let by_name = form != AudienceForm::Exact;
        let named =
            (by_name || !self.audiences.is_empty()) && self.audiences.iter().all(|a| !a.is_empty());
        if !named && (self.audience != AudienceRule::Anyone || !self.audiences.is_empty()) {
            return Err(ConfigProblem::Audience);
        }
        let parse = match self.plain {
            PlainHttp::LoopbackOnly => Issuer::parse,
            PlainHttp::Anywhere => Issuer::danger_parse_insecure,
        };
        let issuer = self.only_issuer().map(parse).transpose().map_err(ConfigProblem::Issuer)?;
        Ok(Rules {
            issuer,
            audiences: self.audiences.clone(),
            audience: self.audience,
            form,
            client: self.client,
            algorithms: self.algorithms.clone(),
            types: self.types.clone(),
            untyped: self.untyped,
            untyped_answers: self.untyped_answers,
            leeway: self.leeway,
        })
    }

    fn http(&self) -> Result<Http, ConfigProblem> {
        if self.timeout.is_zero() {
            return Err(ConfigProblem::Time("a time-out of zero leaves no time to answer"));
        }
        let mut roots = Vec::new();
        for pem in &self.roots {
            let found = reqwest::Certificate::from_pem_bundle(pem)
                .ok()
                .filter(|found| !found.is_empty())
                .ok_or(ConfigProblem::RootCertificate)?;
            roots.extend(found);
        }
        let jwks_uri = if let KeyChoice::At(uri) = &self.keys { Some(uri) } else { None };
        let asked = self.introspection.as_ref().map(|[endpoint, ..]| endpoint);
        let fetched = matches!(self.keys, KeyChoice::Discover | KeyChoice::At(_));
        let issuer = self.issuer.as_ref().filter(|_| fetched);
        let remote = [issuer, jwks_uri, asked].iter().flatten().any(|a| !a.starts_with("http:"));
        Http::new(&Reach {
            timeout: self.timeout,
            roots,
            plain: self.plain,
            environment_proxy: self.environment_proxy,
            tls: (remote || self.meets_tls()) && self.roots_meant == RootsMeant::SystemToo,
        })
        .map_err(|e| ConfigProblem::Http(Box::new(e)))
    }

    #[expect(clippy::type_complexity, reason = "the source, and the cache behind it if it fetches")]
    fn key_source_of(
        &self,
        rules: &Rules,
        http: &Http,
    ) -> Result<(Option<Arc<dyn KeySource>>, Option<Arc<KeyCache>>), ConfigProblem> {
        if matches!(self.keys, KeyChoice::None) {
            return Ok((None, None));
        }
        let issuer = rules.issuer.clone().ok_or(ConfigProblem::IssuerMissing)?;
        let named = match &self.keys {
            KeyChoice::Fixed(set) if set.is_empty() => return Err(ConfigProblem::Keys),
            KeyChoice::Fixed(set) => {
                return Ok((Some(Arc::new(FixedKeys::new(set.clone()))), None));
            }
            KeyChoice::From(source) => return Ok((Some(source.clone()), None)),
            KeyChoice::At(uri) => Some(self.address("key set", uri)?),
            KeyChoice::Discover | KeyChoice::Issuers | KeyChoice::None => None,
        };
        let times = self.key_times()?;
        let endpoint = KeyEndpoint::new(http.clone(), issuer, named);
        let (clock, random) = (self.clock.clone(), self.random.clone());
        let cache = KeyCache::new(endpoint, times, clock, random, Epoch::default());
        Ok((Some(Arc::new(CachedKeys(cache.clone()))), Some(cache)))
    }

    /// When keys are fetched. Times are compared in whole seconds, so less than one would be none.
    pub(super) fn key_times(&self) -> Result<KeyTimes, ConfigProblem> {
        if self.times.refresh.min(self.times.cool_down) < LEAST_PAUSE {
            return Err(ConfigProblem::Time(
                "key refresh and cool-down must be at least one second",
            ));
        }
        Ok(self.times)
    }

    fn introspection_of(
        &self,
        rules: &Arc<Rules>,
        http: &Http,
    ) -> Result<Option<Introspection>, ConfigProblem> {
        let Some([endpoint, id, secret]) = &self.introspection else {
            return Ok(None);
        };
        let given = !id.is_empty() && !secret.is_empty();
        let authorization = basic(id, secret).filter(|_| given);
        Ok(Some(Introspection::new(Asking {
            http: http.clone(),
            endpoint: self.address("introspection endpoint", endpoint)?,
            authorization: authorization.ok_or(ConfigProblem::Credentials)?,
            rules: rules.clone(),
            clock: self.clock.clone(),
            timeout: self.timeout,
            keep: self.keep_answers,
        })))
    }

    fn address(&self, what: &'static str, text: &str) -> Result<Endpoint, ConfigProblem> {
        endpoint(text, self.plain)
            .map_err(|why| ConfigProblem::Address { what, why: why.to_string() })
    }
}
