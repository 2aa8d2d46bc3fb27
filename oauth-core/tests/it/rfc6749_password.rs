//! RFC 6749 4.3: the password grant, off unless provider and client say otherwise.

use crate::support::{Ask, PASSWORD, Setup, USER, USERNAME, World};
use async_trait::async_trait;
use oauth_core::{
    config::RefreshTokens,
    error::PortError,
    grants::Password,
    model::{User, UserId},
    ports::{SignIn, Users},
};

fn ask<'w>(world: &'w World, client: &str) -> Ask<'w> {
    world
        .token(client, "password")
        .set("username", USERNAME)
        .set("password", PASSWORD)
        .set("scope", "a")
}

async fn with_password() -> World {
    Setup::new().builder(|b| b.grant(Password)).start().await
}

#[tokio::test]
async fn rfc9700_s2_4_off_by_default() {
    let world = World::new().await;
    ask(&world, "web").refuses("unsupported_grant_type").await;
    assert!(with_password().await.provider.grants().warnings().count() > 0);
}

#[tokio::test]
async fn s4_3_the_client_must_be_registered_for_it() {
    let world = Setup::new()
        .builder(|b| b.grant(Password))
        .client("not", |c| {
            c.grant_types.remove("password");
        })
        .start()
        .await;
    ask(&world, "not").refuses("unauthorized_client").await;
    ask(&world, "rs").refuses("unauthorized_client").await;
    ask(&world, "web").issues().await;
}

#[tokio::test]
async fn s4_3_3_a_password_gives_tokens() {
    let world = with_password().await;
    for client in ["web", "post", "spa"] {
        let response = ask(&world, client).issues().await;
        assert_eq!(response.scope, "a");
        let token = world.introspect(&response.access_token).await;
        assert_eq!(token["sub"], USER);
        assert_eq!(token["username"], USERNAME);
        assert_eq!(token["amr"], serde_json::json!(["pwd"]));
        let refresh = response.refresh_token.unwrap();
        world.refresh(client, &refresh).issues().await;
    }
}

#[tokio::test]
async fn s4_3_2_one_thing_wrong() {
    let world = with_password().await;
    for (name, value, error) in [
        ("username", "", "invalid_request"),
        ("password", "", "invalid_request"),
        ("username", "nobody", "invalid_grant"),
        ("password", "Correct horse", "invalid_grant"),
        ("password", "correct horse ", "invalid_grant"),
        ("scope", "a d", "invalid_scope"),
        ("resource", "https://unknown.example", "invalid_target"),
    ] {
        ask(&world, "web").set(name, value).refuses(error).await;
    }
    ask(&world, "web").anonymous().refuses("invalid_client").await;
    assert_eq!(world.store.writes(), Setup::new().start().await.store.writes());
}

/// Who does not exist is answered like who mistyped.
#[tokio::test]
async fn s4_3_2_names_cannot_be_found_out() {
    let world = with_password().await;
    let wrong = ask(&world, "web").set("password", "x").send().await;
    let unknown = ask(&world, "web").set("username", "x").send().await;
    assert_eq!((wrong.body, wrong.headers), (unknown.body, unknown.headers));
}

#[tokio::test]
async fn without_the_refresh_grant_there_is_no_refresh_token() {
    let world = Setup::new()
        .builder(|b| b.grant(Password))
        .client("web", |c| {
            c.grant_types.remove("refresh_token");
        })
        .start()
        .await;
    assert_eq!(ask(&world, "web").issues().await.refresh_token, None);
}

/// Who is registered for the password grant and no other, under this policy.
async fn with_nothing_but_passwords(refresh_tokens: RefreshTokens) -> World {
    Setup::new()
        .builder(|b| b.grant(Password))
        .policy(|p| p.refresh_tokens = refresh_tokens)
        .client("web", |c| c.grant_types = ["password".to_owned()].into())
        .client("rs", |c| c.grant_types = ["client_credentials".to_owned()].into())
        .start()
        .await
}

/// AMWA IS-10: a refresh token always comes with what a user was asked for, and is of use.
#[tokio::test]
async fn where_everybody_gets_refresh_tokens_a_password_brings_one_that_refreshes() {
    let world = with_nothing_but_passwords(RefreshTokens::Always).await;
    let refresh = ask(&world, "web").issues().await.refresh_token.unwrap();
    let next = world.refresh("web", &refresh).issues().await;
    world.refresh("web", &next.refresh_token.unwrap()).issues().await;
    // Whoever acts for no user refreshes nothing.
    world.refresh("rs", &refresh).refuses("unauthorized_client").await;

    let world = with_nothing_but_passwords(RefreshTokens::Registered).await;
    assert_eq!(ask(&world, "web").issues().await.refresh_token, None);
    world.refresh("web", "made-up").refuses("unauthorized_client").await;
}

/// Each sign-in is an authorization of its own.
#[tokio::test]
async fn revoking_one_leaves_the_other() {
    let world = with_password().await;
    let one = ask(&world, "web").issues().await;
    let two = ask(&world, "web").issues().await;
    world.revoke("web", &one.refresh_token.unwrap()).succeeds().await;
    assert!(!world.is_active(&one.access_token).await);
    assert!(world.is_active(&two.access_token).await);
}

struct Throttled;

#[async_trait]
impl Users for Throttled {
    async fn user(&self, _: &UserId) -> Result<Option<User>, PortError> {
        Ok(None)
    }
    async fn sign_in(&self, _: &str, _: &str) -> Result<SignIn, PortError> {
        Ok(SignIn::Throttled(17))
    }
}

#[tokio::test]
async fn s10_7_guessing_is_slowed_down() {
    let world = Setup::new().builder(|b| b.grant(Password).users(Throttled)).start().await;
    ask(&world, "web").refuses("temporarily_unavailable").await;
}
