//! AMWA IS-10 and BCP-003-02: what the profiles of NMOS add to the server.

pub mod dns_sd;
pub mod hosted;
pub mod legacy;

use crate::{access_rights, config::Config};
use async_trait::async_trait;
use oauth_core::{
    config::{Audience, Policy, RefreshTokens},
    error::PortError,
    model::{AccessRight, Client, Issuer, Login, Scope, UserId},
    ports::Claims,
    seaorm::SeaStore,
};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, time::Duration};

/// The shortest life of an access token.
const SHORTEST_LIFE: Duration = Duration::from_secs(30);

/// The policy of a profile of NMOS.
pub fn apply(config: &Config, policy: &mut Policy) {
    policy.access_token_min_ttl = SHORTEST_LIFE;
    policy.access_token_format_is_fixed = true;
    policy.audience = audience(config);
    policy.refresh_tokens = RefreshTokens::Always;
    let mut scope: Vec<String> = client_rights(config).into_iter().map(|right| right.api).collect();
    if config.administration_api() {
        scope.push(crate::admin_api::SCOPE.to_owned());
    }
    policy.client_credentials_scope = Scope::parse(&scope.join(" ")).or(Some(Scope::default()));
}

/// Whom access tokens are for: always a list, by API or for all of them.
fn audience(config: &Config) -> Audience {
    let mut otherwise = config.nmos.audience.clone();
    if otherwise.is_empty() {
        otherwise = neighbours(&config.issuer());
    }
    let own =
        |audience: Vec<String>| if audience.is_empty() { otherwise.clone() } else { audience };
    let by_scope: BTreeMap<_, _> =
        config.known_apis().into_iter().map(|api| (api.name, own(api.audience))).collect();
    Audience { by_scope, otherwise, is_always_a_list: true }
}

/// The devices that are meant where nobody said more and nothing is at stake: those of the server's own domain, and of
/// the local network. There is no name for everybody: guards take `*` alone for nobody.
fn neighbours(issuer: &Issuer) -> Vec<String> {
    let mut names = vec!["*.local".to_owned(), "localhost".to_owned()];
    let url = url::Url::parse(issuer.as_str()).ok();
    let domain = url.as_ref().and_then(url::Url::domain).unwrap_or_default();
    if let Some((_, parent)) = domain.split_once('.')
        && parent.contains('.')
    {
        names.push(format!("*.{parent}"));
    }
    names
}

/// Whether a text may stand in the audience of a token: a domain name whose first label may be `*`, alone or as a URI
/// without port, path and query. A star alone means nobody to a guard, and so it does here.
pub fn is_audience(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = host.unwrap_or(text);
    let host = host.strip_prefix("*.").unwrap_or(host);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    host.len() <= 253 && host.trim_end_matches('.').split('.').all(is_label)
}

/// What clients may do for themselves; nothing where it cannot be read, which [`problems`] reports.
pub fn client_rights(config: &Config) -> Vec<AccessRight> {
    // They are nobody's: the client's own.
    access_rights::parse(&UserId::new(""), &config.nmos.client_rights).unwrap_or_default()
}

/// What is wrong with the settings, each with its key.
pub fn problems(config: &Config) -> Vec<(String, String)> {
    let mut problems = Vec::new();
    let apis = config.known_apis();
    let audiences = std::iter::once(("nmos".to_owned(), &config.nmos.audience))
        .chain(config.apis.iter().enumerate().map(|(i, api)| (format!("api[{i}]"), &api.audience)));
    for (section, audience) in audiences {
        if let Some(text) = audience.iter().find(|text| !is_audience(text)) {
            problems.push((
                format!("{section}.audience"),
                format!("{text:?} is no domain name such as *.studio.example.org"),
            ));
        }
    }
    // In another profile nobody gets them.
    let used = if config.profile().is_nmos() { &*config.nmos.client_rights } else { &[] };
    let is_known = |name: &str| apis.iter().any(|api| api.name == name);
    let nothing = used.iter().map(String::as_str).find(|text| text.ends_with(":none"));
    if let Some(text) = nothing.or_else(|| access_rights::problem(used, is_known)) {
        problems.push((
            "nmos.client_rights".to_owned(),
            format!("{text:?} is not a known API with :read or :write, and a path pattern perhaps"),
        ));
    }
    problems.extend(hosted::problems(config));
    problems.extend(dns_sd::problems(config));
    problems
}

/// The `x-nmos-*` claims of clients that act for themselves; those of users come from their rights.
///
/// A client that somebody made on the pages has them only if that is an administrator: whoever signs up could otherwise
/// give itself what the operator gives to devices.
pub struct ClientClaims<C> {
    rights: Vec<AccessRight>,
    store: SeaStore,
    others: C,
}

impl<C> ClientClaims<C> {
    /// As the configuration says, beside what others claim; in other profiles, these alone.
    pub fn new(config: &Config, store: SeaStore, others: C) -> Self {
        let rights = if config.profile().is_nmos() { client_rights(config) } else { Vec::new() };
        Self { rights, store, others }
    }

    async fn is_trusted(&self, client: &Client) -> Result<bool, PortError> {
        let Some(owner) = &client.owner else { return Ok(true) };
        let account = self.store.account(owner).await?;
        Ok(account.is_some_and(|account| account.is_admin && !account.disabled))
    }
}

#[async_trait]
impl<C: Claims> Claims for ClientClaims<C> {
    async fn claims(
        &self,
        user: Option<&UserId>,
        client: &Client,
        scope: &Scope,
    ) -> Result<Map<String, Value>, PortError> {
        let mut claims = self.others.claims(user, client, scope).await?;
        if user.is_none() && !self.rights.is_empty() && self.is_trusted(client).await? {
            let granted = self.rights.iter().filter(|right| scope.contains(&right.api));
            claims.extend(granted.filter_map(AccessRight::claim));
        }
        Ok(claims)
    }

    fn login_claims(&self, login: &Login, client: &Client) -> Map<String, Value> {
        self.others.login_claims(login, client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audiences_are_domain_names_with_wildcards() {
        for good in [
            "*.studio.example.org",
            "node1.studio.example.org",
            "https://*.example.org",
            "http://node.local",
            "node.example.org.",
        ] {
            assert!(is_audience(good), "{good}");
        }
        for bad in [
            "",
            "*",
            "*.",
            "a.*.example.org",
            "https://*",
            "https://",
            "https://a.example.org:8080",
            "https://a.example.org/x-nmos",
            "a.example.org?x",
            "a..example.org",
            "a b",
            "no*de.example.org",
            "ftp://a.example.org",
        ] {
            assert!(!is_audience(bad), "{bad}");
        }
    }
}
