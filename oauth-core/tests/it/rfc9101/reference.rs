//! Request objects by reference: OpenID Connect Core 6.2.

use super::{By, REQUEST_URI, Stage, good, signed};

#[tokio::test]
async fn oidc_core_6_not_both_at_once() {
    let stage = Stage::new().await;
    let token = signed(&good());
    stage.published.put(REQUEST_URI, &token);
    let walk = stage.carrying(By::Value, &token).set("request_uri", REQUEST_URI);
    walk.clone().refuses("invalid_request").await;
    assert_eq!(stage.published.asked(REQUEST_URI), 0);
    walk.unset("request").answer().await;
}

#[tokio::test]
async fn oidc_core_6_2_only_a_registered_address() {
    let stage = Stage::new().await;
    let token = signed(&good());
    let ask = |uri: &str| stage.world.request("web").set("request_uri", uri);
    for uri in [
        "https://client.example/other.jwt",
        "https://client.example/request.jwt?x",
        "https://client.example/request.jwt/",
        "https://CLIENT.example/request.jwt",
        "http://client.example/request.jwt",
        "https://client.example/./request.jwt",
        " https://client.example/request.jwt",
        "urn:ietf:params:oauth:request_uri:x",
        "#old",
    ] {
        stage.published.put(uri, &token);
        ask(uri).refuses("invalid_request_uri").await;
        assert_eq!(stage.published.asked(uri), 0, "{uri}");
    }
    // The fragment is a hash of what is there, and changes with it.
    stage.published.put(REQUEST_URI, &token);
    for fragment in ["", "#", "#old", "#new"] {
        ask(&format!("{REQUEST_URI}{fragment}")).answer().await;
    }
    assert_eq!(stage.published.asked(REQUEST_URI), 4);
    // It is of its client alone.
    stage
        .world
        .request("other")
        .set("request_uri", REQUEST_URI)
        .refuses("invalid_request_uri")
        .await;
}

#[tokio::test]
async fn oidc_core_6_2_what_cannot_be_fetched() {
    let stage = Stage::new().await;
    let ask = || stage.world.request("web").set("request_uri", REQUEST_URI);
    ask().refuses("invalid_request_uri").await;
    stage.published.put(REQUEST_URI, "x".repeat(64 * 1024 + 1));
    ask().refuses("invalid_request_uri").await;
    stage.published.put_bytes(REQUEST_URI, b"\xff");
    ask().refuses("invalid_request_uri").await;
    for wrong in ["", "{}", "<html>"] {
        stage.published.put(REQUEST_URI, wrong);
        ask().refuses("invalid_request_object").await;
    }
    stage.published.put(REQUEST_URI, format!(" {}\r\n", signed(&good())));
    ask().answer().await;
}
