//! A configuration that cannot be read makes no guard.

use crate::support::{AUDIENCE, ISSUER, KEY, jwks};
use resource_guard::{
    ConfigProblem, Guard, GuardBuilder, KeySet, KeySource, Keys, KeysUnavailable, Timestamp,
};
use serde_json::json;
use std::{sync::Arc, time::Duration};

fn base() -> GuardBuilder {
    Guard::for_issuer(ISSUER).keys(KeySet::from_jwks(&jwks([&*KEY]))).audience(AUDIENCE)
}

fn problem(builder: GuardBuilder) -> ConfigProblem {
    builder.build().unwrap_err()
}

macro_rules! refuses {
    ($builder:expr, $problem:pat) => {
        let problem = problem($builder);
        assert!(matches!(problem, $problem), "{problem:?}");
        assert!(!problem.to_string().is_empty());
    };
}

#[test]
fn the_usual_configuration_is_one() {
    assert!(base().build().is_ok());
    assert!(Guard::for_issuer(ISSUER).audience(AUDIENCE).build().is_ok());
    let introspecting = Guard::introspecting("https://as.example/i", "c", "s");
    assert!(introspecting.audience(AUDIENCE).build().is_ok());
    assert!(Guard::for_issuer(ISSUER).danger_any_audience().build().is_ok());
}

#[test]
fn issuers() {
    for bad in
        ["", "as", "http://as.example", "https://as.example?x", "https://as.example#x", "ftp://x"]
    {
        refuses!(Guard::for_issuer(bad).audience(AUDIENCE), ConfigProblem::Issuer(_));
    }
    let plain = Guard::for_issuer("http://as.example").audience(AUDIENCE);
    assert!(plain.danger_plain_http().build().is_ok());
    assert!(Guard::for_issuer("http://127.0.0.1:4999").audience(AUDIENCE).build().is_ok());
    let keys = KeySet::from_jwks(&jwks([&*KEY]));
    let nobody =
        Guard::introspecting("https://as.example/i", "c", "s").audience(AUDIENCE).keys(keys);
    refuses!(nobody, ConfigProblem::IssuerMissing);
}

#[test]
fn audiences() {
    refuses!(Guard::for_issuer(ISSUER), ConfigProblem::Audience);
    refuses!(base().audience(""), ConfigProblem::Audience);
    refuses!(Guard::introspecting("https://as.example/i", "c", "s"), ConfigProblem::Audience);
    let without = Guard::introspecting("https://as.example/i", "c", "s");
    refuses!(without.danger_introspection_without_audience(), ConfigProblem::Audience);
}

#[test]
fn addresses() {
    for bad in
        ["", "/jwks", "http://keys.example/", "https://u:p@keys.example/", "file:///etc/passwd"]
    {
        refuses!(base().jwks_uri(bad), ConfigProblem::Address { what: "key set", .. });
        let asking = base().introspection(bad, "c", "s");
        refuses!(asking, ConfigProblem::Address { what: "introspection endpoint", .. });
    }
}

#[test]
fn everything_else() {
    let empty = KeySet::from_jwks(&json!({"keys": []}));
    refuses!(base().keys(empty), ConfigProblem::Keys);
    refuses!(base().algorithms([]), ConfigProblem::Algorithms);
    refuses!(base().leeway(Duration::from_secs(301)), ConfigProblem::Time(_));
    refuses!(base().timeout(Duration::ZERO), ConfigProblem::Time(_));
    for realm in ["", "a\"b", "a\\b", "é", "a\nb"] {
        refuses!(base().realm(realm), ConfigProblem::Realm);
    }
    for name in ["", "x api", "authorization", "Authorization", "x:y"] {
        refuses!(base().api_key_header(name), ConfigProblem::ApiKeyHeader);
    }
    for pem in ["", "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n"] {
        refuses!(base().root_certificates(pem), ConfigProblem::RootCertificate);
    }
    refuses!(base().introspection("https://as.example/i", "", "s"), ConfigProblem::Credentials);
    refuses!(base().introspection("https://as.example/i", "c", ""), ConfigProblem::Credentials);
    refuses!(base().introspect_always(), ConfigProblem::Verifier);
}

#[test]
fn times_between_fetches() {
    let one = || Guard::for_issuer(ISSUER).audience(AUDIENCE);
    let several = || Guard::nmos_node("node1.example").trust_issuer(ISSUER);
    let open = || Guard::nmos_node("node1.example").trust_issuers_on("as.example");
    let builders: [fn() -> GuardBuilder; 3] = [one, several, open];
    for builder in builders {
        for little in [Duration::ZERO, Duration::from_millis(500), Duration::from_millis(999)] {
            refuses!(builder().key_cool_down(little), ConfigProblem::Time(_));
            refuses!(builder().refresh_keys_every(little), ConfigProblem::Time(_));
        }
        let second = Duration::from_secs(1);
        assert!(builder().key_cool_down(second).refresh_keys_every(second).build().is_ok());
    }
}

#[test]
fn secrets_are_not_printed() {
    let builder = base().introspection("https://as.example/i", "client", "hush-hush");
    assert!(!format!("{builder:?}").contains("hush"));
    let guard = builder.build().unwrap();
    assert!(!format!("{guard:?} {:?}", guard.nmos()).contains("hush"));
}

/// Keys an embedder holds itself.
struct Own(Arc<Keys>);

#[resource_guard::async_trait]
impl KeySource for Own {
    async fn keys(&self, _: Timestamp) -> Result<Arc<Keys>, KeysUnavailable> {
        Ok(self.0.clone())
    }

    async fn keys_after(
        &self,
        _: &Keys,
        _: Timestamp,
    ) -> Result<Option<Arc<Keys>>, KeysUnavailable> {
        Ok(None)
    }
}

#[tokio::test]
async fn embedders_bring_their_own_keys() {
    let keys = Arc::new(Keys::new(KeySet::from_jwks(&jwks([&*KEY])), 1));
    let clock = crate::support::ManualClock::new();
    let guard = Guard::for_issuer(ISSUER).audience(AUDIENCE).key_source(Own(keys));
    let guard = guard.clock(Arc::new(clock)).build().unwrap();
    let token = crate::support::sign(&KEY, &crate::support::claims(ISSUER));
    crate::support::admits(&crate::support::app(guard.any_token()), &token).await;
}
