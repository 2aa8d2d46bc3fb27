//! Bearer tokens in requests and challenges in answers.

use crate::support::{
    AUDIENCE, ISSUER, KEY, Peer, app, call, claims, claims_but, get, get_bare, offline,
    offline_guard, send, sign,
};
use axum::body::Body;
use http::{Request, StatusCode, header};
use serde_json::json;

fn good() -> String {
    sign(&KEY, &claims(ISSUER))
}

#[tokio::test]
async fn s3_no_token_is_401_without_error_code() {
    let app = app(offline_guard().any_token());
    let answer = get_bare(&app, "/").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.challenge(), "Bearer realm=\"api\"");
    assert_eq!(answer.body, "{}");
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
}

#[tokio::test]
async fn s3_1_invalid_token_is_401() {
    let app = app(offline_guard().any_token());
    for bad in ["garbage", "a.b.c", "e30.e30.e30", "...", &format!("{}x", good())] {
        let answer = get(&app, "/", bad).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{bad}");
        assert_eq!(
            answer.challenge(),
            "Bearer realm=\"api\", error=\"invalid_token\", error_description=\"the access token is not valid\"",
            "{bad}"
        );
        assert_eq!(answer.error().as_deref(), Some("invalid_token"), "{bad}");
        assert!(!answer.body.contains(bad), "the answer must not repeat what was sent");
    }
}

#[tokio::test]
async fn s3_1_expired_token_says_so() {
    let (builder, clock) = offline();
    let app = app(builder.build().unwrap().any_token());
    let token = good();
    clock.advance(60);
    let answer = get(&app, "/", &token).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.challenge().contains("error_description=\"the access token has expired\""));
}

#[tokio::test]
async fn s3_1_insufficient_scope_is_403_and_names_the_scope() {
    let app = app(offline_guard().needs("write admin"));
    let answer = get(&app, "/", &good()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.error().as_deref(), Some("insufficient_scope"));
    assert!(answer.challenge().ends_with("scope=\"admin write\""), "{}", answer.challenge());
    assert!(answer.challenge().contains("error=\"insufficient_scope\""));
}

#[tokio::test]
async fn s3_1_two_tokens_are_400() {
    let app = app(offline_guard().any_token());
    let bearer = format!("Bearer {}", good());
    let request = Request::get("/")
        .header(header::AUTHORIZATION, &bearer)
        .header(header::AUTHORIZATION, &bearer);
    let answer = send(&app, request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.error().as_deref(), Some("invalid_request"));
    assert!(answer.challenge().contains("error=\"invalid_request\""));

    let path = format!("/?access_token={}", good());
    assert_eq!(get(&app, &path, &good()).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn s2_1_scheme_in_any_case_and_no_other_scheme() {
    let app = app(offline_guard().any_token());
    for (scheme, status) in [
        ("Bearer", 200),
        ("bearer", 200),
        ("BEARER", 200),
        ("Basic", 401),
        ("DPoP", 401),
        ("Token", 401),
    ] {
        let request =
            Request::get("/").header(header::AUTHORIZATION, format!("{scheme} {}", good()));
        let answer = send(&app, request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{scheme}");
    }
}

#[tokio::test]
async fn s2_1_header_that_is_not_text_is_400() {
    let app = app(offline_guard().any_token());
    let request = Request::get("/").header(header::AUTHORIZATION, &b"Bearer \xff"[..]);
    let answer = send(&app, request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn s2_3_query_only_opens_websockets() {
    let app = app(offline_guard().any_token());
    let path = format!("/?access_token={}", good());
    assert_eq!(get_bare(&app, &path).await.status, StatusCode::UNAUTHORIZED);
    let upgrade = |method: &str| {
        Request::builder()
            .method(method)
            .uri(&path)
            .header(header::UPGRADE, "websocket")
            .header(header::CONNECTION, "Upgrade")
            .body(Body::empty())
            .unwrap()
    };
    let answer = send(&app, upgrade("GET")).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "alice"));
    assert_eq!(send(&app, upgrade("POST")).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn api_keys_are_accepted_where_configured() {
    let keyed = app(offline().0.api_key_header("X-API-KEY").build().unwrap().any_token());
    let plain = app(offline_guard().any_token());
    let request =
        |value: String| Request::get("/").header("x-api-key", value).body(Body::empty()).unwrap();
    let answer = send(&keyed, request(format!("bearer {}", good()))).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "alice"));
    assert_eq!(send(&keyed, request(good())).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        send(&plain, request(format!("bearer {}", good()))).await.status,
        StatusCode::UNAUTHORIZED
    );
    let both = Request::get("/")
        .header("x-api-key", format!("bearer {}", good()))
        .header(header::AUTHORIZATION, format!("Bearer {}", good()));
    let answer = send(&keyed, both.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn s3_1_undecidable_is_503_with_retry_after() {
    let peer = Peer::start().await;
    let (builder, _) = peer.discovering();
    let guard = builder.build().unwrap();
    let issuer = peer.issuer().to_owned();
    drop(peer);
    let app = app(guard.any_token());
    let answer = get(&app, "/", &sign(&KEY, &claims(&issuer))).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.error().as_deref(), Some("temporarily_unavailable"));
    let wait: u64 = answer.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    assert!(!answer.headers.contains_key(header::WWW_AUTHENTICATE));
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn no_token_is_401_even_when_nothing_can_be_verified() {
    let (builder, _) = Peer::start().await.discovering();
    let app = app(builder.build().unwrap().any_token());
    assert_eq!(get_bare(&app, "/").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_audience_is_the_realm_unless_named() {
    let clock = std::sync::Arc::new(crate::support::ManualClock::new());
    let guard = resource_guard::Guard::introspecting("https://as.example/i", "c", "s")
        .audience(AUDIENCE)
        .clock(clock)
        .build()
        .unwrap();
    let answer = get_bare(&app(guard.any_token()), "/").await;
    assert_eq!(answer.challenge(), "Bearer realm=\"https://api.example\"");
}

#[tokio::test]
async fn every_method_is_guarded() {
    let app = app(offline_guard().needs("admin"));
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
        let request = Request::builder().method(method).uri("/").body(Body::empty()).unwrap();
        assert_eq!(send(&app, request).await.status, StatusCode::UNAUTHORIZED, "{method}");
        assert_eq!(
            call(&app, method, "/", &good()).await.status,
            StatusCode::FORBIDDEN,
            "{method}"
        );
    }
}

#[tokio::test]
async fn malformed_scope_claims_are_no_scope_at_all() {
    let app = app(offline_guard().needs("read"));
    for scope in [json!(["read"]), json!(7), json!("re\u{e9}d read")] {
        let token = sign(&KEY, &claims_but(ISSUER, &json!({"scope": scope})));
        assert_eq!(get(&app, "/", &token).await.status, StatusCode::UNAUTHORIZED, "{scope}");
    }
    let none = sign(&KEY, &claims_but(ISSUER, &json!({"scope": null})));
    assert_eq!(get(&app, "/", &none).await.status, StatusCode::FORBIDDEN);
}
