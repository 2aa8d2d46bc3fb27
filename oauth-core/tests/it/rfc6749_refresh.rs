//! RFC 6749 6 and RFC 9700 4.14: refresh tokens rotate, and a replay ends the family.

use crate::support::{Setup, USER, World};
use oauth_core::{issue::TokenResponse, model::TokenFormat};
use std::time::Duration;

const DAY: u64 = 86_400;

fn refresh_token(response: &TokenResponse) -> &str {
    response.refresh_token.as_deref().unwrap()
}

#[tokio::test]
async fn s6_a_refresh_token_gives_new_tokens() {
    let world = World::new().await;
    for client in ["web", "post", "spa"] {
        let first = world.tokens(client).await;
        world.after(1);
        let second = world.refresh(client, refresh_token(&first)).issues().await;
        assert_ne!(first.access_token, second.access_token);
        assert_ne!(first.refresh_token, second.refresh_token);
        assert_eq!(second.scope, "a b");
        assert_eq!(second.expires_in, 600);
        assert_eq!(refresh_token(&second).len(), 43);
        let token = world.introspect(&second.access_token).await;
        assert_eq!((&token["sub"], &token["client_id"]), (&USER.into(), &client.into()));
        // The access token of before lives on until it expires.
        assert!(world.is_active(&first.access_token).await);
    }
}

#[tokio::test]
async fn s6_one_thing_wrong() {
    let world = World::new().await;
    let first = world.tokens("web").await;
    let token = refresh_token(&first);
    let ask = || world.refresh("web", token);
    for (name, value, error) in [
        ("refresh_token", "", "invalid_request"),
        ("refresh_token", "unknown", "invalid_grant"),
        ("refresh_token", &format!("{token} "), "invalid_grant"),
        ("refresh_token", &token.to_lowercase(), "invalid_grant"),
        ("scope", "a b c", "invalid_scope"),
        ("scope", "a \"", "invalid_scope"),
        ("resource", "https://api.example", "invalid_target"),
    ] {
        ask().set(name, value).refuses(error).await;
    }
    ask().anonymous().refuses("invalid_client").await;
    ask().issues().await;
}

#[tokio::test]
async fn s6_it_is_bound_to_its_client() {
    let world = World::new().await;
    let first = world.tokens("web").await;
    for stranger in ["other", "post", "spa"] {
        world.refresh(stranger, refresh_token(&first)).refuses("invalid_grant").await;
    }
    let second = world.refresh("web", refresh_token(&first)).issues().await;
    // A stranger with a used-up token cannot end the family either.
    world.after(31);
    world.refresh("other", refresh_token(&first)).refuses("invalid_grant").await;
    assert!(world.is_active(&second.access_token).await);
    world.refresh("web", refresh_token(&second)).issues().await;
}

/// The answer was lost: the same one is given again, a little older.
#[tokio::test]
async fn rfc9700_s4_14_within_the_window_the_answer_is_the_same() {
    let world = World::new().await;
    for client in ["web", "spa"] {
        let first = world.tokens(client).await;
        let lost = world.refresh(client, refresh_token(&first)).issues().await;
        let at_once = world.refresh(client, refresh_token(&first)).issues().await;
        assert!(at_once == lost);
        for waited in [10, 20] {
            world.after(waited);
            let again = world.refresh(client, refresh_token(&first)).issues().await;
            assert_eq!(again.access_token, lost.access_token);
            assert_eq!(again.refresh_token, lost.refresh_token);
            assert_eq!(again.scope, lost.scope);
            assert_eq!(again.token_type, lost.token_type);
            assert!(again.expires_in < lost.expires_in);
        }
        assert!(world.is_active(&lost.access_token).await);
        world.refresh(client, refresh_token(&lost)).issues().await;
    }
}

/// Asking for more or less the second time changes nothing about the answer that was lost.
#[tokio::test]
async fn rfc9700_s4_14_a_retry_cannot_ask_for_something_else() {
    let world = World::new().await;
    let first = world.tokens("web").await;
    let ask = || world.refresh("web", refresh_token(&first));
    let lost = ask().set("scope", "a").issues().await;
    let again = ask().set("scope", "b").issues().await;
    assert_eq!((again.access_token, again.scope.as_str()), (lost.access_token, "a"));
    ask().set("scope", "c").refuses("invalid_scope").await;
}

#[tokio::test]
async fn rfc9700_s4_14_after_the_window_it_is_a_replay() {
    let world = World::new().await;
    for client in ["web", "spa"] {
        let first = world.tokens(client).await;
        let second = world.refresh(client, refresh_token(&first)).issues().await;
        world.after(31);
        world.refresh(client, refresh_token(&first)).refuses("invalid_grant").await;
        for dead in [&first.access_token, &second.access_token] {
            assert!(!world.is_active(dead).await);
        }
        for dead in [&first, &second] {
            world.refresh(client, refresh_token(dead)).refuses("invalid_grant").await;
        }
    }
}

/// Thief and owner both come within the window: whoever comes second with the old one, once the successor was used,
/// gives the theft away.
#[tokio::test]
async fn rfc9700_s4_14_a_used_successor_makes_it_a_replay() {
    let world = World::new().await;
    let first = world.tokens("web").await;
    let second = world.refresh("web", refresh_token(&first)).issues().await;
    let third = world.refresh("web", refresh_token(&second)).issues().await;
    world.refresh("web", refresh_token(&first)).refuses("invalid_grant").await;
    for dead in [&first, &second, &third] {
        assert!(!world.is_active(&dead.access_token).await);
        world.refresh("web", refresh_token(dead)).refuses("invalid_grant").await;
    }
}

#[tokio::test]
async fn rfc9700_s4_14_a_window_of_zero_forgives_nothing() {
    let world = Setup::new().policy(|p| p.refresh_retry_window = Duration::ZERO).start().await;
    let first = world.tokens("web").await;
    let second = world.refresh("web", refresh_token(&first)).issues().await;
    world.refresh("web", refresh_token(&first)).refuses("invalid_grant").await;
    assert!(!world.is_active(&second.access_token).await);
}

/// Nor does a clock that goes backwards.
#[tokio::test]
async fn rfc9700_s4_14_a_window_of_zero_and_a_clock_set_back() {
    let world = Setup::new().policy(|p| p.refresh_retry_window = Duration::ZERO).start().await;
    world.after(1000);
    let first = world.tokens("web").await;
    world.refresh("web", refresh_token(&first)).issues().await;
    let now = world.provider.env().clock.now();
    world.clock.set(now.minus(Duration::from_secs(100)));
    world.refresh("web", refresh_token(&first)).refuses("invalid_grant").await;
}

#[tokio::test]
async fn s6_narrowing_the_scope_does_not_narrow_for_ever() {
    let world = World::new().await;
    let first = world.tokens("web").await;
    let second = world.refresh("web", refresh_token(&first)).set("scope", "a").issues().await;
    assert_eq!(second.scope, "a");
    assert_eq!(world.introspect(&second.access_token).await["scope"], "a");
    let third = world.refresh("web", refresh_token(&second)).issues().await;
    assert_eq!(third.scope, "a b");
}

/// A code exchanged for less keeps what was granted for later.
#[tokio::test]
async fn s6_a_narrow_exchange_does_not_narrow_the_refresh_token() {
    let world = World::new().await;
    let code = world.request("web").code().await;
    let first = world.redeem("web", &code).set("scope", "b").issues().await;
    assert_eq!(first.scope, "b");
    let second = world.refresh("web", refresh_token(&first)).issues().await;
    assert_eq!(second.scope, "a b");
}

#[tokio::test]
async fn rfc9700_s4_14_a_public_clients_rotation_prolongs_nothing() {
    let world = World::new().await;
    let mut last = world.tokens("spa").await;
    for _ in 0..2 {
        world.after(10 * DAY);
        last = world.refresh("spa", refresh_token(&last)).issues().await;
    }
    world.after(10 * DAY - 1);
    last = world.refresh("spa", refresh_token(&last)).issues().await;
    world.after(1);
    world.refresh("spa", refresh_token(&last)).refuses("invalid_grant").await;
}

#[tokio::test]
async fn a_confidential_clients_rotation_prolongs_up_to_the_age_of_the_family() {
    let world = World::new().await;
    let mut last = world.tokens("web").await;
    for _ in 0..3 {
        world.after(29 * DAY);
        last = world.refresh("web", refresh_token(&last)).issues().await;
    }
    world.after(3 * DAY - 1);
    last = world.refresh("web", refresh_token(&last)).issues().await;
    world.after(1);
    world.refresh("web", refresh_token(&last)).refuses("invalid_grant").await;
}

#[tokio::test]
async fn an_unused_refresh_token_dies() {
    let world = World::new().await;
    let first = world.tokens("web").await;
    world.after(30 * DAY - 1);
    let second = world.refresh("web", refresh_token(&first)).issues().await;
    world.after(30 * DAY);
    world.refresh("web", refresh_token(&second)).refuses("invalid_grant").await;
}

#[tokio::test]
async fn a_replay_is_known_even_after_a_sweep() {
    let world = World::new().await;
    let first = world.tokens("web").await;
    let second = world.refresh("web", refresh_token(&first)).issues().await;
    world.after(20 * DAY);
    world.provider.maintain().await.unwrap();
    let third = world.refresh("web", refresh_token(&second)).issues().await;
    world.provider.maintain().await.unwrap();
    world.refresh("web", refresh_token(&first)).refuses("invalid_grant").await;
    world.refresh("web", refresh_token(&third)).refuses("invalid_grant").await;
}

#[tokio::test]
async fn the_grant_must_be_registered() {
    let world = World::new().await;
    let first = world.tokens("web").await;
    let mut client = world.provider.env().clients.client(&"web".into_id()).await.unwrap().unwrap();
    let changed = std::sync::Arc::make_mut(&mut client);
    changed.grant_types.remove("refresh_token");
    world.provider.env().clients.replace_client(changed.clone()).await.unwrap();
    world.refresh("web", refresh_token(&first)).refuses("unauthorized_client").await;
}

/// What a client may be granted at most holds for refreshing too.
#[tokio::test]
async fn a_scope_taken_from_the_client_is_gone_at_the_next_refresh() {
    let world = World::new().await;
    let first = world.tokens("web").await;
    let code = world.request("web").code().await;
    let mut client = world.provider.env().clients.client(&"web".into_id()).await.unwrap().unwrap();
    let changed = std::sync::Arc::make_mut(&mut client);
    changed.scope = oauth_core::testing::fixtures::scope("a c");
    world.provider.env().clients.replace_client(changed.clone()).await.unwrap();
    let second = world.refresh("web", refresh_token(&first)).issues().await;
    assert_eq!(second.scope, "a");
    world.refresh("web", refresh_token(&second)).set("scope", "b").refuses("invalid_scope").await;
    assert_eq!(world.redeem("web", &code).issues().await.scope, "a");
}

#[tokio::test]
async fn a_user_who_is_gone_refreshes_nothing() {
    let world = World::new().await;
    let first = world.tokens("web").await;
    world.store.forget(USER);
    world.refresh("web", refresh_token(&first)).refuses("invalid_grant").await;
}

#[tokio::test]
async fn opaque_access_tokens_are_repeated_too() {
    let world = Setup::new().policy(|p| p.access_token_format = TokenFormat::Opaque).start().await;
    let first = world.tokens("web").await;
    let lost = world.refresh("web", refresh_token(&first)).issues().await;
    let again = world.refresh("web", refresh_token(&first)).issues().await;
    assert!(lost == again);
    assert!(world.is_active(&again.access_token).await);
}

trait IntoId {
    fn into_id(self) -> oauth_core::model::ClientId;
}

impl IntoId for &str {
    fn into_id(self) -> oauth_core::model::ClientId {
        oauth_core::model::ClientId::new(self)
    }
}
