//! RFC 6749 4.1.3: a code is exchanged once, by its client, with what the request had.

use crate::support::{CALLBACK, Setup, USER, VERIFIER, World};
use oauth_core::model::RedirectUri;

#[tokio::test]
async fn s4_1_4_a_code_gives_tokens() {
    let world = World::new().await;
    for client in ["web", "post", "spa"] {
        let response = world.tokens(client).await;
        assert_eq!(response.scope, "a b");
        assert_eq!(response.expires_in, 600);
        assert!(response.refresh_token.is_some());
        let token = world.introspect(&response.access_token).await;
        assert_eq!(token["sub"], USER);
        assert_eq!(token["client_id"], client);
    }
}

#[tokio::test]
async fn s4_1_3_one_thing_wrong() {
    let world = World::new().await;
    let code = world.request("web").code().await;
    let ask = || world.redeem("web", &code);
    for (name, value, error) in [
        ("code", "", "invalid_request"),
        ("code", "unknown", "invalid_grant"),
        ("code", &format!("{code}x"), "invalid_grant"),
        ("code", &code.to_uppercase(), "invalid_grant"),
        ("redirect_uri", "", "invalid_grant"),
        ("redirect_uri", "https://client.example/other", "invalid_grant"),
        ("redirect_uri", "https://client.example/cb/", "invalid_grant"),
        ("redirect_uri", "https://CLIENT.example/cb", "invalid_grant"),
        ("code_verifier", "", "invalid_grant"),
        ("code_verifier", &"x".repeat(43), "invalid_grant"),
        ("scope", "a b c", "invalid_scope"),
        ("resource", "https://api.example", "invalid_target"),
        ("grant_type", "", "invalid_request"),
        ("grant_type", "Authorization_Code", "unsupported_grant_type"),
        ("grant_type", "refresh_token", "invalid_request"),
    ] {
        ask().set(name, value).refuses(error).await;
    }
    // None of them used the code up.
    ask().issues().await;
}

#[tokio::test]
async fn s4_1_3_the_code_is_for_one_client() {
    let world = World::new().await;
    let code = world.request("web").code().await;
    for stranger in ["other", "post", "spa"] {
        world.redeem(stranger, &code).refuses("invalid_grant").await;
    }
    // The strangers burnt nothing, and revoked nothing.
    let tokens = world.redeem("web", &code).issues().await;
    world.redeem("other", &code).refuses("invalid_grant").await;
    world.redeem("spa", &code).refuses("invalid_grant").await;
    assert!(world.is_active(&tokens.access_token).await);
}

#[tokio::test]
async fn s4_1_2_a_code_lives_a_minute() {
    let world = World::new().await;
    let code = world.request("web").code().await;
    world.after(59);
    world.redeem("web", &code).issues().await;
    let code = world.request("web").code().await;
    world.after(60);
    world.redeem("web", &code).refuses("invalid_grant").await;
}

#[tokio::test]
async fn s4_1_2_a_replay_revokes_everything_issued() {
    let world = World::new().await;
    let code = world.request("web").code().await;
    let first = world.redeem("web", &code).issues().await;
    let refresh = first.refresh_token.unwrap();
    let second = world.refresh("web", &refresh).issues().await;
    assert!(world.is_active(&second.access_token).await);
    world.redeem("web", &code).refuses("invalid_grant").await;
    for dead in [&first.access_token, &second.access_token] {
        assert!(!world.is_active(dead).await);
    }
    let refresh = second.refresh_token.unwrap();
    world.refresh("web", &refresh).refuses("invalid_grant").await;
}

#[tokio::test]
async fn s4_1_2_a_replay_after_the_code_expired_still_revokes() {
    let world = World::new().await;
    let code = world.request("web").code().await;
    let tokens = world.redeem("web", &code).issues().await;
    world.after(120);
    world.redeem("web", &code).refuses("invalid_grant").await;
    assert!(!world.is_active(&tokens.access_token).await);
}

/// A thief of a used code who cannot prove PKCE does not even get to revoke.
#[tokio::test]
async fn s4_1_2_a_replay_without_the_verifier_revokes_nothing() {
    let world = World::new().await;
    let code = world.request("spa").code().await;
    let tokens = world.redeem("spa", &code).issues().await;
    world.redeem("spa", &code).set("code_verifier", &"x".repeat(43)).refuses("invalid_grant").await;
    assert!(world.is_active(&tokens.access_token).await);
}

/// A replay of one code leaves other authorizations of the same user and client alone.
#[tokio::test]
async fn s4_1_2_a_replay_revokes_nothing_else() {
    let world = World::new().await;
    let bystander = world.tokens("web").await;
    let code = world.request("web").code().await;
    world.redeem("web", &code).issues().await;
    world.redeem("web", &code).refuses("invalid_grant").await;
    assert!(world.is_active(&bystander.access_token).await);
}

#[tokio::test]
async fn s4_1_3_redirect_uri_left_out_both_times() {
    let world = World::new().await;
    let code = world.request("web").unset("redirect_uri").code().await;
    world.redeem("web", &code).refuses("invalid_grant").await;
    world.redeem("web", &code).unset("redirect_uri").issues().await;
    let code = world.request("web").code().await;
    world.redeem("web", &code).unset("redirect_uri").refuses("invalid_grant").await;
}

/// Code injection by a second redirect URI of the same client.
#[tokio::test]
async fn s10_6_redirect_uri_must_be_that_of_the_request() {
    let second = "https://client.example/2";
    let world = Setup::new()
        .client("two", |c| {
            c.redirect_uris.push(RedirectUri::parse(second).unwrap());
        })
        .start()
        .await;
    let code = world.request("two").set("redirect_uri", second).code().await;
    let ask = || world.redeem("two", &code);
    ask().set("redirect_uri", CALLBACK).refuses("invalid_grant").await;
    ask().set("redirect_uri", second).issues().await;
}

#[tokio::test]
async fn s4_1_3_the_grant_must_be_registered() {
    let world = Setup::new()
        .client("web", |c| {
            c.grant_types.remove("refresh_token");
        })
        .start()
        .await;
    let code = world.request("web").code().await;
    let response = world.redeem("web", &code).issues().await;
    assert_eq!(response.refresh_token, None);
    world.redeem("rs", &code).refuses("unauthorized_client").await;
}

#[tokio::test]
async fn a_user_who_is_gone_gets_no_tokens() {
    let world = World::new().await;
    let code = world.request("web").code().await;
    world.store.forget(USER);
    world.redeem("web", &code).refuses("invalid_grant").await;
}

/// A code is no refresh token, a refresh token no code, and neither an access token.
#[tokio::test]
async fn nothing_is_mistaken_for_something_else() {
    let world = World::new().await;
    let code = world.request("web").code().await;
    world.refresh("web", &code).refuses("invalid_grant").await;
    assert!(!world.is_active(&code).await);
    let tokens = world.redeem("web", &code).issues().await;
    let refresh = tokens.refresh_token.unwrap();
    world.redeem("web", &refresh).refuses("invalid_grant").await;
    world.redeem("web", &tokens.access_token).refuses("invalid_grant").await;
    world.refresh("web", &tokens.access_token).refuses("invalid_grant").await;
    assert!(!world.is_active(&refresh).await);
    assert!(!world.is_active(VERIFIER).await);
}
