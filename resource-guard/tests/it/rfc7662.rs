//! Introspection: what the authorization server says counts, for moments.

use crate::support::{
    AUDIENCE, Behaviour, INTROSPECT, JWKS, KEY, ManualClock, PATIENCE, Peer, SOON, START, admits,
    app, claims, claims_but, get, refuses, sign,
};
use axum::Router;
use http::{StatusCode, header};
use resource_guard::GuardBuilder;
use serde_json::{Value, json};
use std::time::Duration;

async fn guarded() -> (Peer, Router, ManualClock) {
    guarded_with(|builder| builder).await
}

async fn guarded_with(
    settings: impl FnOnce(GuardBuilder) -> GuardBuilder,
) -> (Peer, Router, ManualClock) {
    let peer = Peer::start().await;
    let (builder, clock) = peer.introspecting();
    let app = app(settings(builder).build().unwrap().any_token());
    (peer, app, clock)
}

fn active(changes: &Value) -> Value {
    let mut answer = claims_but("https://as.example", changes);
    answer["active"] = json!(true);
    if answer.get("token_type").is_none() {
        answer["token_type"] = json!("Bearer");
    }
    answer
}

/// What a server says of a token of its own.
fn own(peer: &Peer) -> Value {
    let mut answer = claims(peer.issuer());
    answer["active"] = json!(true);
    answer["token_type"] = json!("Bearer");
    answer
}

#[tokio::test]
async fn s2_1_the_guard_authenticates_and_asks_about_an_access_token() {
    let (peer, app, _) = guarded().await;
    peer.says("opaque+/1~", active(&json!({})));
    admits(&app, "opaque+/1~").await;
    assert_eq!(peer.forms(), ["token=opaque%2B%2F1%7E&token_type_hint=access_token"]);
}

#[tokio::test]
async fn s2_2_inactive_is_refused() {
    let (peer, app, _) = guarded().await;
    refuses(&app, "unknown", 401, "invalid_token").await;
    for (token, answer) in [
        ("no", json!({"active": false, "sub": "alice", "aud": AUDIENCE})),
        (
            "text",
            json!({"active": "true", "token_type": "Bearer", "sub": "alice", "aud": AUDIENCE}),
        ),
        ("number", json!({"active": 1, "token_type": "Bearer", "sub": "alice", "aud": AUDIENCE})),
        ("null", json!({"active": null, "token_type": "Bearer", "sub": "alice", "aud": AUDIENCE})),
        ("absent", json!({"token_type": "Bearer", "sub": "alice", "aud": AUDIENCE})),
    ] {
        peer.says(token, answer);
        refuses(&app, token, 401, "invalid_token").await;
    }
}

#[tokio::test]
async fn s2_2_what_the_answer_says_is_checked() {
    let (peer, app, _) = guarded().await;
    for (token, changes) in [
        ("expired", json!({"exp": START})),
        ("early", json!({"nbf": START + 1})),
        ("future", json!({"iat": START + 1})),
        ("elsewhere", json!({"aud": "https://other.example"})),
        ("nowhere", json!({"aud": null})),
        ("refresh", json!({"token_type": "refresh_token"})),
        ("dpop", json!({"token_type": "DPoP"})),
        ("bound", json!({"cnf": {"x5t#S256": "x"}})),
        ("nobody", json!({"sub": null, "client_id": null})),
        ("odd", json!({"exp": "tomorrow"})),
    ] {
        peer.says(token, active(&changes));
        refuses(&app, token, 401, "invalid_token").await;
    }
    for (token, changes) in [
        ("plain", json!({})),
        ("typed", json!({"token_type": "bearer"})),
        ("lasting", json!({"exp": null, "iat": null})),
        ("issuerless", json!({"iss": null})),
        ("list", json!({"aud": ["x", AUDIENCE]})),
    ] {
        peer.says(token, active(&changes));
        admits(&app, token).await;
    }
}

#[tokio::test]
async fn s2_2_an_answer_without_a_type_may_be_about_a_refresh_token() {
    let mut untyped = active(&json!({}));
    untyped.as_object_mut().unwrap().remove("token_type");
    let (peer, app, _) = guarded().await;
    peer.says("t", untyped.clone());
    refuses(&app, "t", 401, "invalid_token").await;
    let (peer, app, _) = guarded_with(GuardBuilder::danger_introspection_without_type).await;
    peer.says("t", untyped);
    admits(&app, "t").await;
    peer.says("r", active(&json!({"token_type": "refresh_token"})));
    refuses(&app, "r", 401, "invalid_token").await;
}

#[tokio::test]
async fn a_client_acting_for_itself_is_the_subject() {
    let (peer, app, _) = guarded().await;
    peer.says("own", active(&json!({"sub": null})));
    let answer = get(&app, "/", "own").await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "app"));
}

#[tokio::test]
async fn s4_a_missing_audience_is_accepted_only_where_configured() {
    let (peer, app, _) = guarded_with(GuardBuilder::danger_introspection_without_audience).await;
    peer.says("nowhere", active(&json!({"aud": null})));
    admits(&app, "nowhere").await;
    peer.says("elsewhere", active(&json!({"aud": "https://other.example"})));
    refuses(&app, "elsewhere", 401, "invalid_token").await;
}

#[tokio::test]
async fn answers_are_used_for_moments_only() {
    let (peer, app, clock) = guarded().await;
    peer.says("t", active(&json!({})));
    for _ in 0..10 {
        admits(&app, "t").await;
    }
    assert_eq!(peer.count(INTROSPECT), 1);
    peer.says("t", json!({"active": false}));
    clock.advance(4);
    admits(&app, "t").await;
    clock.advance(1);
    refuses(&app, "t", 401, "invalid_token").await;
    assert_eq!(peer.count(INTROSPECT), 2, "a revoked token is refused after the answer's life");
    peer.says("t", active(&json!({})));
    refuses(&app, "t", 401, "invalid_token").await;
    assert_eq!(peer.count(INTROSPECT), 2, "a refusal is remembered as well");
    clock.advance(5);
    admits(&app, "t").await;
}

#[tokio::test]
async fn an_answer_never_outlives_the_token() {
    let (peer, app, clock) = guarded_with(|b| b.keep_introspection(Duration::from_mins(10))).await;
    peer.says("t", active(&json!({"exp": START + 3})));
    admits(&app, "t").await;
    clock.advance(2);
    admits(&app, "t").await;
    assert_eq!(peer.count(INTROSPECT), 1);
    clock.advance(1);
    refuses(&app, "t", 401, "invalid_token").await;
    assert_eq!(peer.count(INTROSPECT), 2, "the server would still say active");
}

#[tokio::test]
async fn zero_asks_every_time() {
    let (peer, app, _) = guarded_with(|b| b.keep_introspection(Duration::ZERO)).await;
    peer.says("t", active(&json!({})));
    for asked in 1..=3 {
        admits(&app, "t").await;
        assert_eq!(peer.count(INTROSPECT), asked);
    }
    peer.says("t", json!({"active": false}));
    refuses(&app, "t", 401, "invalid_token").await;
}

#[tokio::test]
async fn a_server_that_cannot_be_asked_opens_nothing() {
    for failure in [
        Behaviour::Fails(StatusCode::INTERNAL_SERVER_ERROR),
        Behaviour::Fails(StatusCode::UNAUTHORIZED),
        Behaviour::Garbage("active: true".to_owned()),
        Behaviour::Garbage("true".to_owned()),
        Behaviour::Garbage(format!("{{\"active\":true,\"x\":\"{}\"}}", "x".repeat(70_000))),
        Behaviour::Redirects("https://elsewhere.example/".to_owned()),
        Behaviour::Hangs,
    ] {
        let time = if matches!(failure, Behaviour::Hangs) { SOON } else { PATIENCE };
        let (peer, app, _) = guarded_with(|b| b.timeout(time)).await;
        peer.says("t", active(&json!({})));
        peer.set(INTROSPECT, failure);
        let answer = get(&app, "/", "t").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
        assert!(answer.headers.contains_key(header::RETRY_AFTER));
        refuses(&app, "t", 503, "temporarily_unavailable").await;
        assert_eq!(peer.count(INTROSPECT), 2, "not knowing is not remembered");
    }
}

#[tokio::test]
async fn wrong_credentials_open_nothing() {
    let peer = Peer::start().await;
    peer.says("t", active(&json!({})));
    let guard = resource_guard::Guard::introspecting(peer.url(INTROSPECT), "guard:1", "wrong")
        .audience(AUDIENCE)
        .build()
        .unwrap();
    refuses(&app(guard.any_token()), "t", 503, "temporarily_unavailable").await;
}

async fn both(always: bool) -> (Peer, Router, ManualClock) {
    let peer = Peer::start().await;
    let (builder, clock) = peer.discovering();
    let mut builder = builder.introspection(peer.url(INTROSPECT), "guard:1", "s%crét");
    if always {
        builder = builder.introspect_always();
    }
    (peer, app(builder.build().unwrap().any_token()), clock)
}

#[tokio::test]
async fn with_keys_only_opaque_tokens_are_introspected() {
    let (peer, app, _) = both(false).await;
    let answer = own(&peer);
    peer.says("opaque", answer.clone());
    peer.says("a.b.c", answer);
    admits(&app, &sign(&KEY, &claims(peer.issuer()))).await;
    assert_eq!(peer.count(INTROSPECT), 0);
    admits(&app, "opaque").await;
    admits(&app, "a.b.c").await;
    assert_eq!(peer.count(INTROSPECT), 2);
    let bad = sign(&KEY, &claims_but(peer.issuer(), &json!({"exp": START})));
    peer.says(
        &bad,
        json!({"active": true, "token_type": "Bearer", "sub": "alice", "aud": AUDIENCE}),
    );
    refuses(&app, &bad, 401, "invalid_token").await;
    assert_eq!(peer.count(INTROSPECT), 2, "a bad JWT gets no second chance");
}

#[tokio::test]
async fn an_answer_from_another_issuer_is_refused() {
    let (peer, app, _) = both(false).await;
    peer.says("opaque", active(&json!({})));
    refuses(&app, "opaque", 401, "invalid_token").await;
}

#[tokio::test]
async fn always_refuses_revoked_jwts() {
    let (peer, app, clock) = both(true).await;
    let token = sign(&KEY, &claims(peer.issuer()));
    let answer = own(&peer);
    peer.says(&token, answer);
    admits(&app, &token).await;
    admits(&app, &token).await;
    assert_eq!(peer.count(INTROSPECT), 1);
    peer.says(&token, json!({"active": false}));
    clock.advance(5);
    refuses(&app, &token, 401, "invalid_token").await;
    peer.set(INTROSPECT, Behaviour::Fails(StatusCode::BAD_GATEWAY));
    clock.advance(5);
    refuses(&app, &token, 503, "temporarily_unavailable").await;
}

#[tokio::test]
async fn without_keys_a_jwt_can_still_be_introspected() {
    let (peer, app, _) = both(false).await;
    peer.set(JWKS, Behaviour::Fails(StatusCode::BAD_GATEWAY));
    let token = sign(&KEY, &claims(peer.issuer()));
    refuses(&app, &token, 401, "invalid_token").await;
    let other = sign(&KEY, &claims_but(peer.issuer(), &json!({"jti": "t-2"})));
    let answer = own(&peer);
    peer.says(&other, answer);
    admits(&app, &other).await;
}
