//! RFC 7009: revocation.

use crate::support::{Ask, Setup, World};
use oauth_core::model::TokenFormat;

#[tokio::test]
async fn s2_1_a_refresh_token_takes_its_access_tokens_with_it() {
    for format in [None, Some(TokenFormat::Opaque)] {
        let world = Setup::new().client("web", |c| c.access_token_format = format).start().await;
        let first = world.tokens("web").await;
        let second = world.refresh("web", first.refresh_token.as_deref().unwrap()).issues().await;
        let bystander = world.tokens("web").await;
        let token = second.refresh_token.unwrap();
        world.revoke("web", &token).succeeds().await;
        assert!(!world.is_active(&first.access_token).await);
        assert!(!world.is_active(&second.access_token).await);
        world.refresh("web", &token).refuses("invalid_grant").await;
        assert!(world.is_active(&bystander.access_token).await);
    }
}

/// The one that was rotated away is as good a handle as its successor.
#[tokio::test]
async fn s2_1_a_rotated_refresh_token_revokes_too() {
    let world = World::new().await;
    let first = world.tokens("spa").await;
    let old = first.refresh_token.unwrap();
    let second = world.refresh("spa", &old).issues().await;
    world.revoke("spa", &old).succeeds().await;
    assert!(!world.is_active(&second.access_token).await);
    let token = second.refresh_token.unwrap();
    world.refresh("spa", &token).refuses("invalid_grant").await;
    // And no retry within the window brings the answer back.
    world.refresh("spa", &old).refuses("invalid_grant").await;
}

#[tokio::test]
async fn s2_1_an_access_token_dies_alone() {
    for format in [None, Some(TokenFormat::Opaque)] {
        let world = Setup::new().client("web", |c| c.access_token_format = format).start().await;
        let tokens = world.tokens("web").await;
        world.revoke("web", &tokens.access_token).succeeds().await;
        assert!(!world.is_active(&tokens.access_token).await);
        world.refresh("web", tokens.refresh_token.as_deref().unwrap()).issues().await;
    }
}

#[tokio::test]
async fn s2_2_unknown_tokens_are_no_error() {
    let world = World::new().await;
    let code = world.request("web").code().await;
    for token in ["unknown", "a.b.c", "..", &code, "é", &"x".repeat(60_000)] {
        world.revoke("web", token).succeeds().await;
    }
    // A code is not a token: it is still good.
    world.redeem("web", &code).issues().await;
}

#[tokio::test]
async fn s2_1_only_by_the_client_it_was_issued_to() {
    let world = World::new().await;
    let tokens = world.tokens("web").await;
    let refresh = tokens.refresh_token.clone().unwrap();
    for token in [&tokens.access_token, &refresh] {
        for stranger in ["other", "post", "spa", "rs"] {
            world.revoke(stranger, token).refuses("invalid_grant").await;
        }
    }
    assert!(world.is_active(&tokens.access_token).await);
    world.refresh("web", &refresh).issues().await;
}

#[tokio::test]
async fn s2_1_the_client_authenticates() {
    let world = World::new().await;
    let tokens = world.tokens("web").await;
    let ask = || world.revoke("web", &tokens.access_token);
    ask().anonymous().refuses("invalid_client").await;
    ask().anonymous().set("client_id", "web").refuses("invalid_client").await;
    ask().anonymous().basic("web", "wrong").refuses("invalid_client").await;
    ask().unset("token").refuses("invalid_request").await;
    assert!(world.is_active(&tokens.access_token).await);
    ask().succeeds().await;
}

#[tokio::test]
async fn s2_1_the_hint_is_only_a_hint() {
    let world = World::new().await;
    for hint in ["refresh_token", "access_token", "nonsense"] {
        let tokens = world.tokens("web").await;
        world.revoke("web", &tokens.access_token).set("token_type_hint", hint).succeeds().await;
        assert!(!world.is_active(&tokens.access_token).await);
    }
}

#[tokio::test]
async fn s2_1_revoking_twice_or_too_late_is_no_error() {
    let world = World::new().await;
    let tokens = world.tokens("web").await;
    for _ in 0..2 {
        world.revoke("web", &tokens.access_token).succeeds().await;
    }
    world.after(100_000);
    world.revoke("web", &tokens.access_token).succeeds().await;
    let ask: Ask<'_> = world.revoke("web", tokens.refresh_token.as_deref().unwrap());
    ask.succeeds().await;
}
