//! RFC 8252: native apps.

use crate::support::{Setup, USER, World};

#[tokio::test]
async fn s7_3_a_loopback_address_takes_any_port() {
    let world = World::new().await;
    for uri in ["http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", "http://127.0.0.1:1/cb"] {
        let request = world.request("native").set("redirect_uri", uri);
        let answer = request.answer().await;
        assert_eq!(answer.to, uri);
        let ask = || world.redeem("native", answer.get("code").unwrap());
        ask().set("redirect_uri", "http://127.0.0.1:9/cb").refuses("invalid_grant").await;
        ask().set("redirect_uri", uri).issues().await;
    }
}

#[tokio::test]
async fn s7_3_but_nothing_else_of_it() {
    let world = World::new().await;
    for uri in [
        "http://127.0.0.1:51004/other",
        "http://127.0.0.1:51004/cb/",
        "http://127.0.0.1:51004/cb?x",
        "http://127.0.0.1:51004/cb#x",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:+80/cb",
        "http://127.0.0.1:80@evil.example/cb",
        "http://127.0.0.1:80\\@evil.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.1/cb",
        "http://2130706433/cb",
        "http://127.0.0.2/cb",
        "http://localhost/cb",
        "http://[::1]/cb",
        "https://127.0.0.1/cb",
        "HTTP://127.0.0.1/cb",
        "http://127.0.0.1:８０/cb",
    ] {
        let request = world.request("native").set("redirect_uri", uri);
        request.shows("invalid_request").await;
    }
}

#[tokio::test]
async fn s7_1_private_use_schemes() {
    let world = World::new().await;
    let request = || world.request("native");
    let answer = request().set("redirect_uri", "com.example.app:/cb").answer().await;
    assert_eq!(answer.to, "com.example.app:/cb");
    for uri in
        ["com.example.app:/", "com.example.app:/CB", "com.example.other:/cb", "COM.example.app:/cb"]
    {
        request().set("redirect_uri", uri).shows("invalid_request").await;
    }
}

/// Anybody can claim a private-use scheme or a loopback port, so nobody gets a code there unasked.
#[tokio::test]
async fn s8_6_consent_is_asked_for_every_time() {
    let world = World::new().await;
    for uri in ["http://127.0.0.1/cb", "com.example.app:/cb"] {
        let request = || world.request("native").set("redirect_uri", uri).signed_in(USER);
        request().code().await;
        request().send().await.reply.interaction("/consent");
        request().set("prompt", "none").refuses("consent_required").await;
    }
}

#[tokio::test]
async fn s8_6_https_and_confidential_clients_are_remembered() {
    let world = World::new().await;
    for client in ["spa", "web"] {
        world.request(client).code().await;
        let again = world.request(client).signed_in(USER).send().await;
        assert!(again.reply.answer().get("code").is_some());
    }
}

/// A native client has no secret it could have kept.
#[tokio::test]
async fn s8_5_a_secret_is_no_proof() {
    let world = World::new().await;
    let code = world.request("native").code().await;
    let ask = || world.redeem("native", &code).set("redirect_uri", "http://127.0.0.1/cb");
    ask().set("client_secret", "x").refuses("invalid_client").await;
    ask().issues().await;
}

#[tokio::test]
async fn s7_3_the_port_of_a_name_is_part_of_it() {
    let world = Setup::new()
        .client("native", |c| {
            let uri = "http://localhost:8080/cb".to_owned();
            c.redirect_uris = vec![uri.try_into().unwrap()];
        })
        .start()
        .await;
    let request = |uri: &str| world.request("native").set("redirect_uri", uri);
    request("http://localhost:8080/cb").code().await;
    request("http://localhost:8081/cb").shows("invalid_request").await;
    request("http://127.0.0.1:8080/cb").shows("invalid_request").await;
}
