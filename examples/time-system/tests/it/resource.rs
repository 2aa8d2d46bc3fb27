//! The resource server believes the introspection endpoint, and nothing else.

use crate::support::{get, nobody, peer};
use axum::{Json, Router, http::HeaderMap, routing::post};
use oauth_core::{model::Timestamp, ports::Clock};
use resource_guard::Guard;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use time_system::resource::router;
use url::Url;

struct At(i64);

impl Clock for At {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.0)
    }
}

async fn resource(issuer: Url, now: i64) -> Router {
    let clock = Arc::new(At(now));
    let guard = Guard::introspecting(
        issuer.join("/oauth/introspect").unwrap(),
        "time-resource",
        "a secret",
    )
    .audience("urn:example:time")
    .timeout(Duration::from_secs(2))
    .clock(Arc::clone(&clock) as Arc<dyn Clock>)
    .start()
    .await
    .unwrap();
    router(&guard, clock)
}

async fn authorization_server(answer: Value) -> Url {
    let handler = move |headers: HeaderMap, body: String| async move {
        assert!(headers["authorization"].to_str().unwrap().starts_with("Basic "));
        assert!(body.split('&').any(|pair| pair == "token=t"), "{body}");
        Json(answer)
    };
    peer(Router::new().route("/oauth/introspect", post(handler))).await
}

fn active(scope: &str, exp: i64) -> Value {
    json!({"active": true, "scope": scope, "client_id": "1234", "sub": "bob", "username": "bob",
        "token_type": "Bearer", "aud": "urn:example:time", "iat": exp - 5, "exp": exp})
}

async fn ask(answer: Value, path: &str) -> (u16, String) {
    let app = resource(authorization_server(answer).await, 1000).await;
    let (status, body, _) = get(&app, path, &[("authorization", "Bearer t")]).await;
    (status, body)
}

#[tokio::test]
async fn a_token_opens_the_endpoints_of_its_scope() {
    let both = active("current_time epoch_time", 1005);
    assert_eq!(
        ask(both.clone(), "/epoch_time").await,
        (200, json!({"epoch_time": 1000}).to_string())
    );
    let (status, body) = ask(both, "/current_time").await;
    assert_eq!((status, body), (200, json!({"current_time": "1970-01-01T00:16:40Z"}).to_string()));
    let (status, body) = ask(active("epoch_time", 1005), "/current_time").await;
    assert_eq!(status, 403);
    assert!(body.contains("insufficient_scope"), "{body}");
}

#[tokio::test]
async fn five_seconds_are_five_seconds() {
    assert_eq!(ask(active("epoch_time", 1001), "/epoch_time").await.0, 200);
    let (status, body) = ask(active("epoch_time", 1000), "/epoch_time").await;
    assert_eq!(status, 401);
    assert!(body.contains("invalid_token"), "{body}");
}

#[tokio::test]
async fn what_is_not_active_is_refused() {
    let mut elsewhere = active("epoch_time", 1005);
    elsewhere["aud"] = json!("urn:example:other");
    for answer in [json!({"active": false}), json!({}), json!([]), elsewhere] {
        assert_ne!(ask(answer.clone(), "/epoch_time").await.0, 200, "{answer}");
    }
}

#[tokio::test]
async fn without_a_token_or_without_an_authorization_server_nothing_opens() {
    let app = resource(authorization_server(active("epoch_time", 1005)).await, 1000).await;
    assert_eq!(get(&app, "/epoch_time", &[]).await.0, 401);
    let app = resource(nobody().await, 1000).await;
    let (status, _, _) = get(&app, "/epoch_time", &[("authorization", "Bearer t")]).await;
    assert_eq!(status, 503);
}
