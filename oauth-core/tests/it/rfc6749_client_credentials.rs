//! RFC 6749 4.4: a client's own tokens.

use crate::support::{Setup, World};
use oauth_core::model::TokenFormat;

#[tokio::test]
async fn s4_4_3_a_client_gets_a_token_and_no_refresh_token() {
    let world = World::new().await;
    for client in ["web", "post"] {
        let response = world.token(client, "client_credentials").issues().await;
        assert_eq!(response.refresh_token, None);
        assert_eq!(response.scope, "a b c");
        let token = world.introspect(&response.access_token).await;
        assert_eq!((&token["sub"], &token["client_id"]), (&client.into(), &client.into()));
        assert_eq!(token.get("username"), None);
        assert_eq!(token.get("auth_time"), None);
    }
}

#[tokio::test]
async fn s4_4_one_thing_wrong() {
    let world = World::new().await;
    let ask = || world.token("web", "client_credentials");
    ask().set("scope", "d").refuses("invalid_scope").await;
    ask().set("scope", "a\\").refuses("invalid_scope").await;
    ask().set("resource", "https://x.example").refuses("invalid_target").await;
    ask().set("resource", "x").refuses("invalid_target").await;
    ask().anonymous().refuses("invalid_client").await;
    ask().set("grant_type", "client_credential").refuses("unsupported_grant_type").await;
    world.token("rs", "client_credentials").refuses("unauthorized_client").await;
    // A public client is registered for the grant, and has no credentials.
    world.token("spa", "client_credentials").refuses("unauthorized_client").await;
}

/// Issuing a JWT to a client writes nothing, and yet it can be introspected and revoked.
#[tokio::test]
async fn a_jwt_costs_no_write() {
    let world = World::new().await;
    let before = world.store.writes();
    let one = world.token("web", "client_credentials").issues().await;
    let two = world.token("web", "client_credentials").issues().await;
    assert_eq!(one.access_token.matches('.').count(), 2);
    assert!(world.is_active(&one.access_token).await);
    assert_eq!(world.store.writes(), before);
    world.revoke("web", &one.access_token).succeeds().await;
    assert!(!world.is_active(&one.access_token).await);
    assert!(world.is_active(&two.access_token).await);
    world.revoke("web", &one.access_token).succeeds().await;
    world.revoke("other", &two.access_token).refuses("invalid_grant").await;
    assert!(world.is_active(&two.access_token).await);
}

#[tokio::test]
async fn an_opaque_token_is_one_write() {
    let world = Setup::new()
        .client("web", |c| c.access_token_format = Some(TokenFormat::Opaque))
        .start()
        .await;
    let before = world.store.writes();
    let response = world.token("web", "client_credentials").issues().await;
    assert_eq!(world.store.writes(), before + 1);
    assert_eq!(response.access_token.len(), 43);
    assert!(world.is_active(&response.access_token).await);
    world.revoke("web", &response.access_token).succeeds().await;
    assert!(!world.is_active(&response.access_token).await);
}

/// A revoked JWT stays revoked until it has expired, whatever is swept meanwhile.
#[tokio::test]
async fn a_revoked_jwt_stays_revoked() {
    let world = World::new().await;
    let token = world.token("web", "client_credentials").issues().await;
    world.revoke("web", &token.access_token).succeeds().await;
    for _ in 0..12 {
        world.after(60);
        world.provider.maintain().await.unwrap();
        assert!(!world.is_active(&token.access_token).await);
    }
}

#[tokio::test]
async fn a_client_that_is_gone_has_no_tokens() {
    for format in [None, Some(TokenFormat::Opaque)] {
        let world = Setup::new().client("web", |c| c.access_token_format = format).start().await;
        let token = world.token("web", "client_credentials").issues().await;
        let id = oauth_core::model::ClientId::new("web");
        assert!(world.is_active(&token.access_token).await);
        world.provider.env().clients.remove_client(&id).await.unwrap();
        assert!(!world.is_active(&token.access_token).await);
        world.token("web", "client_credentials").refuses("invalid_client").await;
    }
}
