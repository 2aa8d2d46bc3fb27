//! RFC 8707: resource indicators.

use crate::support::{ISSUER, Setup, World};
use oauth_core::{
    model::{Resource, SigningAlgorithm, TokenFormat},
    testing::fixtures::{resource, scope},
};
use serde_json::json;
use std::time::Duration;

const ONE: &str = "https://one.example/api";
const TWO: &str = "https://two.example/api?v=2";
const OPAQUE: &str = "urn:example:opaque";

fn known(uri: &str, scopes: &str) -> Resource {
    Resource {
        uri: resource(uri),
        access_token_format: None,
        access_token_ttl: None,
        scope: scope(scopes),
    }
}

async fn world() -> World {
    Setup::new()
        .builder(|b| {
            let opaque = Resource {
                access_token_format: Some(TokenFormat::Opaque),
                access_token_ttl: Some(Duration::from_secs(5)),
                ..known(OPAQUE, "")
            };
            b.resource(known(ONE, "a")).resource(known(TWO, "b")).resource(opaque)
        })
        .start()
        .await
}

#[tokio::test]
async fn s2_the_audience_is_what_was_asked() {
    let world = world().await;
    let ask = || world.token("web", "client_credentials");
    let plain = ask().issues().await;
    assert_eq!(world.introspect(&plain.access_token).await["aud"], ISSUER);
    let one = ask().set("resource", ONE).issues().await;
    assert_eq!(world.introspect(&one.access_token).await["aud"], ONE);
    let both = ask().set("resource", TWO).also("resource", ONE).issues().await;
    let token = world.introspect(&both.access_token).await;
    assert_eq!(token["aud"], json!([ONE, TWO]));
    let twice = ask().set("resource", ONE).also("resource", ONE).issues().await;
    assert_eq!(world.introspect(&twice.access_token).await["aud"], ONE);
}

#[tokio::test]
async fn s2_unknown_and_malformed_ones_are_refused() {
    let world = world().await;
    for bad in [
        "https://unknown.example",
        "https://one.example/api/",
        "https://ONE.example/api",
        "https://one.example/api#x",
        "https://u@one.example/api",
        "one",
        "https://one.example/*",
        ISSUER,
    ] {
        let ask = || world.token("web", "client_credentials").set("resource", bad);
        ask().refuses("invalid_target").await;
        ask().also("resource", ONE).refuses("invalid_target").await;
        let request = world.request("web").set("resource", bad);
        request.clone().refuses("invalid_target").await;
        request.also("resource", ONE).refuses("invalid_target").await;
    }
}

#[tokio::test]
async fn s2_the_resource_decides_form_and_life() {
    let world = world().await;
    let ask = || world.token("web", "client_credentials");
    let opaque = ask().set("resource", OPAQUE).issues().await;
    assert_eq!((opaque.access_token.len(), opaque.expires_in), (43, 5));
    assert_eq!(world.introspect(&opaque.access_token).await["aud"], OPAQUE);
    world.after(5);
    assert!(!world.is_active(&opaque.access_token).await);
    let jwt = ask().set("resource", ONE).issues().await;
    assert_eq!(jwt.expires_in, 600);
    // One token cannot have two forms.
    ask().set("resource", OPAQUE).also("resource", ONE).refuses("invalid_target").await;
}

/// The shortest life of several, and never more than the policy's most. A resource that says nothing stands for the life
/// that the client or the policy gives.
#[tokio::test]
async fn the_shortest_life_wins() {
    const SILENT: &str = "urn:example:silent";
    let world = Setup::new()
        .client("web", |c| c.access_token_ttl = Some(Duration::from_secs(7)))
        .builder(|b| {
            let with = |uri, ttl| Resource {
                access_token_ttl: Some(Duration::from_secs(ttl)),
                ..known(uri, "")
            };
            b.resource(with(ONE, 100))
                .resource(with(TWO, 50))
                .resource(with(OPAQUE, u64::MAX))
                .resource(known(SILENT, ""))
        })
        .start()
        .await;
    let ask = || world.token("web", "client_credentials");
    assert_eq!(ask().issues().await.expires_in, 7);
    assert_eq!(ask().set("resource", ONE).issues().await.expires_in, 100);
    let both = ask().set("resource", ONE).also("resource", TWO);
    assert_eq!(both.issues().await.expires_in, 50);
    assert_eq!(ask().set("resource", OPAQUE).issues().await.expires_in, 86_400);
    let life = async |client: &str, resource: &str| {
        let ask = world.token(client, "client_credentials").set("resource", SILENT);
        ask.also("resource", resource).issues().await.expires_in
    };
    assert_eq!(life("web", ONE).await, 7);
    assert_eq!(life("other", ONE).await, 100);
    assert_eq!(life("other", OPAQUE).await, 600);
}

#[tokio::test]
async fn s2_2_a_token_is_for_what_was_authorized_or_less() {
    let world = world().await;
    let request = || world.request("web").set("resource", ONE).also("resource", TWO);
    let code = request().code().await;
    let ask = || world.redeem("web", &code);
    ask().set("resource", OPAQUE).refuses("invalid_target").await;
    let first = ask().set("resource", ONE).issues().await;
    let token = world.introspect(&first.access_token).await;
    // A resource gets only the scopes it knows.
    assert_eq!((&token["aud"], &token["scope"]), (&json!(ONE), &json!("a")));
    assert_eq!(first.scope, "a");
    let refresh = first.refresh_token.unwrap();
    world.refresh("web", &refresh).set("resource", OPAQUE).refuses("invalid_target").await;
    let second = world.refresh("web", &refresh).set("resource", TWO).issues().await;
    let token = world.introspect(&second.access_token).await;
    assert_eq!((&token["aud"], &token["scope"]), (&json!(TWO), &json!("b")));
    let refresh = second.refresh_token.unwrap();
    let third = world.refresh("web", &refresh).issues().await;
    let token = world.introspect(&third.access_token).await;
    assert_eq!(token["aud"], json!([ONE, TWO]));
    assert_eq!(token["scope"], "a b");
}

#[tokio::test]
async fn s2_2_nothing_is_added_at_the_token_endpoint() {
    let world = world().await;
    let code = world.request("web").code().await;
    world.redeem("web", &code).set("resource", ONE).refuses("invalid_target").await;
    world.redeem("web", &code).issues().await;
}

#[tokio::test]
async fn a_scope_the_resource_does_not_know_is_left_out() {
    let world = world().await;
    let ask = |scope: &str| {
        let ask = world.token("web", "client_credentials").set("resource", ONE);
        ask.set("scope", scope)
    };
    assert_eq!(ask("a b").issues().await.scope, "a");
    ask("b").refuses("invalid_scope").await;
}

/// The client's form where the resource has none, the policy's where neither has one.
#[tokio::test]
async fn who_decides_the_form() {
    let world = Setup::new()
        .policy(|p| p.access_token_format = TokenFormat::Jwt(SigningAlgorithm::ES256))
        .client("web", |c| c.access_token_format = Some(TokenFormat::Opaque))
        .builder(|b| {
            b.resource(known(ONE, "")).resource(Resource {
                access_token_format: Some(TokenFormat::Jwt(SigningAlgorithm::ES256)),
                ..known(TWO, "")
            })
        })
        .start()
        .await;
    let is_opaque = async |client: &str, uri: Option<&str>| {
        let ask = world.token(client, "client_credentials");
        let ask = uri.map_or(ask.clone(), |uri| ask.set("resource", uri));
        ask.issues().await.access_token.len() == 43
    };
    assert!(!is_opaque("other", None).await);
    assert!(is_opaque("web", None).await);
    assert!(is_opaque("web", Some(ONE)).await);
    assert!(!is_opaque("web", Some(TWO)).await);
}
