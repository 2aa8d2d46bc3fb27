//! Tokens for an embedder's own front ends: what follows a form of its own is what follows for everybody.

use crate::support::{Setup, USER, World};
use oauth_core::{
    error::ErrorCode,
    model::{Client, ClientId},
    ports::Clock as _,
    provider::{FirstParty, FirstPartyTokens, Refreshing},
    testing::fixtures::{scope, session_login},
};
use std::time::Duration;

const OWN: &str = "own";

/// A client of the embedder's own: no grant type, no redirect URI, nothing that a request could use.
fn shut(client: &mut Client) {
    client.grant_types.clear();
    client.response_types.clear();
    client.redirect_uris.clear();
}

async fn world() -> World {
    Setup::new().client(OWN, shut).start().await
}

fn wanted(world: &World, user: &str) -> FirstParty {
    FirstParty {
        client: ClientId::new(OWN),
        login: world.login(user),
        scope: scope("a"),
        access_token_ttl: None,
        refresh_until: Some(world.provider.refresh_until()),
    }
}

async fn issued(world: &World) -> FirstPartyTokens {
    world.provider.issue_first_party(wanted(world, USER)).await.unwrap()
}

async fn refused(world: &World, wanted: FirstParty, code: ErrorCode) {
    let refusal = world.provider.issue_first_party(wanted).await.unwrap_err();
    assert_eq!(refusal.code(), code, "{refusal}");
}

async fn refresh(
    world: &World,
    token: &str,
    terms: Refreshing,
) -> Result<oauth_core::issue::TokenResponse, ErrorCode> {
    let id = ClientId::new(OWN);
    world.provider.refresh_first_party(&id, token, terms).await.map_err(|e| e.code())
}

#[tokio::test]
async fn s2_09_a_checked_credential_gets_what_everybody_gets() {
    let world = world().await;
    let tokens = issued(&world).await;
    let described = world.introspect(&tokens.response.access_token).await;
    assert_eq!(
        (&described["sub"], &described["client_id"], &described["scope"], &described["aud"]),
        (&USER.into(), &OWN.into(), &"a".into(), &crate::support::ISSUER.into())
    );
    assert_eq!(tokens.response.expires_in, 600);
    let id = tokens.authorization;
    world.provider.env().grants.revoke(id, world.clock.now()).await.unwrap();
    assert!(!world.is_active(&tokens.response.access_token).await);
    let old = tokens.response.refresh_token.unwrap();
    let answer = refresh(&world, &old, Refreshing::default()).await;
    assert_eq!(answer.unwrap_err(), ErrorCode::InvalidGrant);
}

#[tokio::test]
async fn s2_09_a_browser_session_that_ends_is_known_to_the_tokens() {
    let world = world().await;
    let login = session_login(USER, "s1");
    let tokens = FirstParty { login, ..wanted(&world, USER) };
    let tokens = world.provider.issue_first_party(tokens).await.unwrap();
    let hash = oauth_core::model::HashedToken::of(&tokens.response.access_token);
    let row = world.provider.env().grants.token(&hash).await.unwrap().unwrap();
    assert_eq!(row.login.unwrap().sid.as_deref(), Some("s1"));
}

#[tokio::test]
async fn s2_09_refresh_tokens_rotate_and_a_replay_ends_everything() {
    let world = world().await;
    let first = issued(&world).await.response.refresh_token.unwrap();
    let second = refresh(&world, &first, Refreshing::default()).await.unwrap();
    let again = refresh(&world, &first, Refreshing::default()).await.unwrap();
    assert_eq!(again.refresh_token, second.refresh_token, "an answer that was lost");
    world.after(31);
    assert!(world.is_active(&second.access_token).await);
    let replayed = refresh(&world, &first, Refreshing::default()).await;
    assert_eq!(replayed.unwrap_err(), ErrorCode::InvalidGrant);
    assert!(!world.is_active(&second.access_token).await);
    let second = second.refresh_token.unwrap();
    let late = refresh(&world, &second, Refreshing::default()).await;
    assert_eq!(late.unwrap_err(), ErrorCode::InvalidGrant);
}

#[tokio::test]
async fn s2_09_lives_can_be_shorter() {
    let world = world().await;
    let until = world.clock.now().plus(Duration::from_mins(3));
    let ttl = Some(Duration::from_mins(1));
    let short =
        FirstParty { access_token_ttl: ttl, refresh_until: Some(until), ..wanted(&world, USER) };
    let tokens = world.provider.issue_first_party(short).await.unwrap().response;
    assert_eq!(tokens.expires_in, 60);
    let terms = Refreshing { access_token_ttl: ttl, until: Some(until) };
    world.after(120);
    let next = refresh(&world, &tokens.refresh_token.unwrap(), terms).await.unwrap();
    assert_eq!(next.expires_in, 60);
    world.after(60);
    let over = refresh(&world, &next.refresh_token.unwrap(), terms).await;
    assert_eq!(over.unwrap_err(), ErrorCode::InvalidGrant);
    let none = FirstParty { refresh_until: None, ..wanted(&world, USER) };
    let none = world.provider.issue_first_party(none).await.unwrap();
    assert_eq!(none.response.refresh_token, None);
}

#[tokio::test]
async fn s2_09_nothing_is_issued_beyond_what_the_client_and_the_user_may() {
    let world = Setup::new()
        .client(OWN, shut)
        .client("open", |c| {
            shut(c);
            c.auth = oauth_core::model::ClientAuth::Public;
        })
        .start()
        .await;
    let at = |id: &str| FirstParty { client: ClientId::new(id), ..wanted(&world, USER) };
    refused(&world, at("nobody"), ErrorCode::UnauthorizedClient).await;
    refused(&world, at("open"), ErrorCode::UnauthorizedClient).await;
    let more = FirstParty { scope: scope("a z"), ..wanted(&world, USER) };
    refused(&world, more, ErrorCode::InvalidScope).await;
    refused(&world, wanted(&world, "stranger"), ErrorCode::InvalidGrant).await;
    assert!(world.provider.issue_first_party(wanted(&world, USER)).await.is_ok());
}

#[tokio::test]
async fn s2_09_no_request_is_the_own_clients() {
    let world = world().await;
    let tokens = issued(&world).await.response;
    let refresh_token = tokens.refresh_token.unwrap();
    for (grant, error) in [
        ("client_credentials", "unauthorized_client"),
        ("refresh_token", "unauthorized_client"),
        ("authorization_code", "unauthorized_client"),
        ("password", "unsupported_grant_type"),
    ] {
        let ask = world.token(OWN, grant).set("refresh_token", &refresh_token);
        let ask = ask.set("username", "ada").set("password", "x").set("code", "x");
        ask.refuses(error).await;
    }
    // Nor is its refresh token another client's.
    let theirs = world.refresh("web", &refresh_token);
    theirs.refuses("invalid_grant").await;
    let theirs = world.tokens("web").await.refresh_token.unwrap();
    let ours = refresh(&world, &theirs, Refreshing::default()).await;
    assert_eq!(ours.unwrap_err(), ErrorCode::InvalidGrant);
    let access = refresh(&world, &tokens.access_token, Refreshing::default()).await;
    assert_eq!(access.unwrap_err(), ErrorCode::InvalidGrant);
    assert_eq!(
        refresh(&world, "", Refreshing::default()).await.unwrap_err(),
        ErrorCode::InvalidRequest
    );
}
