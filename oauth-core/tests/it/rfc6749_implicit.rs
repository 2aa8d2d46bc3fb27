//! RFC 6749 4.2: the implicit grant, off unless provider and client say otherwise.

use crate::support::{CALLBACK, ISSUER, Setup, USER, World};
use oauth_core::{grants::Implicit, model::TokenFormat};

async fn with_implicit() -> World {
    Setup::new().builder(|b| b.grant(Implicit)).start().await
}

#[tokio::test]
async fn rfc9700_s2_1_2_off_by_default() {
    let world = World::new().await;
    let answer = world
        .request("web")
        .set("response_type", "token")
        .refuses("unsupported_response_type")
        .await;
    // The client asked for a token, so it looks into the fragment.
    assert!(answer.in_fragment);
    assert!(with_implicit().await.provider.grants().warnings().count() > 0);
    assert_eq!(world.provider.grants().warnings().count(), 0);
}

#[tokio::test]
async fn s4_2_the_client_must_be_registered_for_it() {
    for change in ["grant", "type"] {
        let world = Setup::new()
            .builder(|b| b.grant(Implicit))
            .client("web", |c| {
                if change == "grant" {
                    c.grant_types.remove("implicit");
                } else {
                    c.response_types.remove("token");
                }
            })
            .start()
            .await;
        let request = world.request("web").set("response_type", "token");
        request.refuses("unauthorized_client").await;
        world.request("web").code().await;
    }
}

#[tokio::test]
async fn s4_2_2_the_token_comes_in_the_fragment() {
    let world = with_implicit().await;
    for client in ["web", "spa"] {
        let request = world.request(client).without_pkce().set("response_type", "token");
        let answer = request.answer().await;
        assert!(answer.in_fragment);
        assert_eq!(answer.to, CALLBACK);
        let names: Vec<_> = answer.fields.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(names, ["access_token", "expires_in", "iss", "scope", "state", "token_type"]);
        assert_eq!(answer.get("token_type"), Some("Bearer"));
        assert_eq!(answer.get("expires_in"), Some("600"));
        assert_eq!(answer.get("scope"), Some("a b"));
        let token = world.introspect(answer.get("access_token").unwrap()).await;
        assert_eq!((&token["sub"], &token["client_id"]), (&USER.into(), &client.into()));
    }
}

#[tokio::test]
async fn s4_2_2_1_errors_come_in_the_fragment_too() {
    let world = with_implicit().await;
    let request = || world.request("web").set("response_type", "token");
    for (name, value, code) in [
        ("scope", "unknown", "invalid_scope"),
        ("prompt", "none", "login_required"),
        ("response_mode", "query", "invalid_request"),
        ("resource", "https://unknown.example", "invalid_target"),
    ] {
        let answer = request().set(name, value).refuses(code).await;
        assert!(answer.in_fragment, "{name}");
        assert_eq!(answer.get("state"), Some("st"));
        assert_eq!(answer.get("iss"), Some(ISSUER));
    }
    request().set("redirect_uri", "https://evil.example").shows("invalid_request").await;
    request().set("response_mode", "fragment").answer().await;
}

/// A word twice is a response type nobody knows.
#[tokio::test]
async fn s3_1_1_a_word_counts_once() {
    let world = with_implicit().await;
    for kind in ["token token", "code code", "code  token", "code token token", "Token", "token x"]
    {
        let request = world.request("web").set("response_type", kind);
        let answer = request.refuses("unsupported_response_type").await;
        assert_eq!(answer.in_fragment, kind.split(' ').any(|word| word == "token"), "{kind}");
    }
}

#[tokio::test]
async fn s4_2_there_is_no_token_request() {
    let world = with_implicit().await;
    world.token("web", "implicit").refuses("unsupported_grant_type").await;
}

#[tokio::test]
async fn an_opaque_token_works_too_and_no_refresh_token_is_made() {
    let world = Setup::new()
        .builder(|b| b.grant(Implicit))
        .client("web", |c| c.access_token_format = Some(TokenFormat::Opaque))
        .start()
        .await;
    let request = world.request("web").set("response_type", "token");
    let answer = request.answer().await;
    assert_eq!(answer.get("access_token").map(str::len), Some(43));
    assert_eq!(answer.get("refresh_token"), None);
    assert!(world.is_active(answer.get("access_token").unwrap()).await);
    world.after(600);
    assert!(!world.is_active(answer.get("access_token").unwrap()).await);
}

#[tokio::test]
async fn a_user_who_is_gone_gets_no_token() {
    let world = with_implicit().await;
    let step = world.request("web").set("response_type", "token").send().await;
    let step = step.sign_in(USER).await;
    world.store.forget(USER);
    let answer = step.approve().await.reply.answer();
    assert_eq!(answer.get("error"), Some("access_denied"));
}
