//! Finding the key set through the issuer's metadata.

use crate::support::{
    AUDIENCE, Behaviour, JWKS, KEY, OAUTH, OPENID, Peer, admits, app, claims, refuses, sign,
};
use axum::Router;
use http::StatusCode;
use resource_guard::{ConfigProblem, Guard};
use serde_json::json;

fn lazy(peer: &Peer) -> Router {
    app(peer.discovering().0.build().unwrap().any_token())
}

fn token(peer: &Peer) -> String {
    sign(&KEY, &claims(peer.issuer()))
}

#[tokio::test]
async fn s3_metadata_leads_to_the_keys() {
    let peer = Peer::start().await;
    let app = lazy(&peer);
    admits(&app, &token(&peer)).await;
    assert_eq!((peer.count(OAUTH), peer.count(OPENID), peer.count(JWKS)), (1, 0, 1));
}

#[tokio::test]
async fn openid_discovery_is_the_fallback() {
    for first in [
        Behaviour::Fails(StatusCode::NOT_FOUND),
        Behaviour::Fails(StatusCode::INTERNAL_SERVER_ERROR),
        Behaviour::Garbage("<html>the page of a web app</html>".to_owned()),
    ] {
        let peer = Peer::start().await;
        peer.set(OAUTH, first);
        peer.set(OPENID, Behaviour::Serves(peer.metadata()));
        admits(&lazy(&peer), &token(&peer)).await;
        assert_eq!(peer.count(OPENID), 1);
    }
}

#[tokio::test]
async fn s3_3_the_issuer_must_be_exact() {
    let peer = Peer::start().await;
    for lie in [
        format!("{}/", peer.issuer()),
        "https://evil.example".to_owned(),
        peer.issuer().to_uppercase(),
        String::new(),
    ] {
        peer.set(OAUTH, Behaviour::Serves(json!({"issuer": lie, "jwks_uri": peer.url(JWKS)})));
        // A fallback would hide the lie.
        peer.set(OPENID, Behaviour::Serves(peer.metadata()));
        refuses(&lazy(&peer), &token(&peer), 503, "temporarily_unavailable").await;
        let problem = peer.discovering().0.start().await.unwrap_err();
        assert!(matches!(problem, ConfigProblem::OtherIssuer(_)), "{problem}");
        assert!(problem.to_string().contains("must be the same text"));
    }
    assert_eq!((peer.count(OPENID), peer.count(JWKS)), (0, 0));
}

#[tokio::test]
async fn a_document_without_what_is_needed_is_no_metadata() {
    let peer = Peer::start().await;
    for document in [
        json!({}),
        json!({"issuer": peer.issuer()}),
        json!({"issuer": peer.issuer(), "jwks_uri": 7}),
        json!({"issuer": peer.issuer(), "jwks_uri": "/jwks"}),
        json!({"issuer": peer.issuer(), "jwks_uri": "http://keys.example/jwks"}),
        json!({"issuer": peer.issuer(), "jwks_uri": "file:///etc/passwd"}),
        json!({"issuer": [peer.issuer()], "jwks_uri": peer.url(JWKS)}),
    ] {
        peer.set(OAUTH, Behaviour::Serves(document));
        refuses(&lazy(&peer), &token(&peer), 503, "temporarily_unavailable").await;
    }
    assert_eq!(peer.count(JWKS), 0);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (peer, elsewhere) = (Peer::start().await, Peer::start().await);
    peer.set(OAUTH, Behaviour::Redirects(elsewhere.url(OAUTH)));
    peer.set(OPENID, Behaviour::Redirects(elsewhere.url(OAUTH)));
    refuses(&lazy(&peer), &token(&peer), 503, "temporarily_unavailable").await;
    peer.set(OAUTH, Behaviour::Serves(peer.metadata()));
    peer.set(JWKS, Behaviour::Redirects(elsewhere.url(JWKS)));
    refuses(&lazy(&peer), &token(&peer), 503, "temporarily_unavailable").await;
    assert_eq!((elsewhere.count(OAUTH), elsewhere.count(JWKS)), (0, 0));
}

#[tokio::test]
async fn an_endless_document_is_cut_off() {
    let peer = Peer::start().await;
    peer.set(OAUTH, Behaviour::Garbage(format!("{{\"x\":\"{}\"}}", "x".repeat(300 * 1024))));
    refuses(&lazy(&peer), &token(&peer), 503, "temporarily_unavailable").await;
    assert_eq!(peer.count(OPENID), 0);
}

#[tokio::test]
async fn start_fetches_before_the_first_request() {
    let peer = Peer::start().await;
    let guard = peer.discovering().0.start().await.unwrap();
    assert_eq!(peer.count(JWKS), 1);
    admits(&app(guard.any_token()), &token(&peer)).await;
    assert_eq!(peer.count(JWKS), 1);
}

#[tokio::test]
async fn start_does_not_need_the_server_to_be_up() {
    let peer = Peer::start().await;
    peer.set(OAUTH, Behaviour::Fails(StatusCode::BAD_GATEWAY));
    let (builder, clock) = peer.discovering();
    let app = app(builder.start().await.unwrap().any_token());
    refuses(&app, &token(&peer), 503, "temporarily_unavailable").await;
    peer.set(OAUTH, Behaviour::Serves(peer.metadata()));
    clock.advance(10);
    admits(&app, &token(&peer)).await;
}

#[tokio::test]
async fn a_named_key_set_needs_no_discovery() {
    let peer = Peer::start().await;
    let guard = Guard::for_issuer("https://as.example").jwks_uri(peer.url(JWKS)).audience(AUDIENCE);
    let clock = crate::support::ManualClock::new();
    let guard = guard.clock(std::sync::Arc::new(clock)).build().unwrap();
    admits(&app(guard.any_token()), &sign(&KEY, &claims("https://as.example"))).await;
    assert_eq!((peer.count(OAUTH), peer.count(JWKS)), (0, 1));
}
