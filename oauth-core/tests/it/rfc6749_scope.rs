//! RFC 6749 3.3: what is asked, what is granted, what is said.

use crate::support::{Setup, World};
use oauth_core::{model::Scope, testing::fixtures::scope};

#[tokio::test]
async fn s3_3_without_a_scope_all_that_is_registered_is_meant() {
    let world = World::new().await;
    let response = world.token("web", "client_credentials").issues().await;
    assert_eq!(response.scope, "a b c");
    let code = world.request("web").unset("scope").code().await;
    let response = world.redeem("web", &code).issues().await;
    assert_eq!(response.scope, "a b c");
}

#[tokio::test]
async fn s3_3_order_and_repetition_mean_nothing() {
    let world = World::new().await;
    for text in ["b a", "a b", "a b a", "  a   b "] {
        let ask = world.token("web", "client_credentials").set("scope", text);
        assert_eq!(ask.issues().await.scope, "a b", "{text:?}");
    }
}

#[tokio::test]
async fn s3_3_outside_the_grammar_or_the_registration() {
    let world = World::new().await;
    let ask = || world.token("web", "client_credentials");
    for bad in [
        "a\"", "a\\b", "é", "a\tb", "a\nb", "a\u{7f}", "a,b", "A", "a.b", "ａ", "d", "a d", "*",
        "openid",
    ] {
        ask().set("scope", bad).refuses("invalid_scope").await;
        world.request("web").set("scope", bad).refuses("invalid_scope").await;
    }
    ask().set("scope", &"a ".repeat(5000)).issues().await;
}

#[tokio::test]
async fn a_client_without_scopes_gets_tokens_without() {
    let world = Setup::new().client("web", |c| c.scope = Scope::default()).start().await;
    let response = world.token("web", "client_credentials").issues().await;
    assert_eq!(response.scope, "");
    let token = world.introspect(&response.access_token).await;
    assert_eq!(token.get("scope"), None);
    world.token("web", "client_credentials").set("scope", "a").refuses("invalid_scope").await;
}

#[tokio::test]
async fn a_code_gives_no_more_than_was_granted() {
    let world = World::new().await;
    let code = world.request("web").set("scope", "a").code().await;
    let ask = || world.redeem("web", &code);
    ask().set("scope", "b").refuses("invalid_scope").await;
    ask().set("scope", "a b").refuses("invalid_scope").await;
    assert_eq!(ask().set("scope", "a").issues().await.scope, "a");
}

#[test]
fn scopes_are_sets() {
    assert_eq!(scope("b a").to_string(), "a b");
    assert!(scope("a").is_within(&scope("a b")));
    assert_eq!(scope("a b").narrow(&scope("a b c")), None);
}
