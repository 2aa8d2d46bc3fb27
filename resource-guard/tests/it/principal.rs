//! The proof a handler asks for.

use crate::support::{
    ISSUER, KEY, claims, claims_but, get, get_bare, offline, offline_guard, sign,
};
use axum::{Router, routing::get as route};
use http::{StatusCode, header};
use resource_guard::{
    Guard, GuardLayer, PresentedToken, Principal, Rejection, Timestamp, Verified, Verifier,
};
use serde_json::{Value, json};
use std::sync::Arc;

async fn who(who: Principal) -> String {
    json!([
        who.subject(),
        who.client_id(),
        who.scope(),
        who.issuer(),
        who.expires_at(),
        who.claim("jti"),
        who.claims().len(),
    ])
    .to_string()
}

async fn maybe(who: Option<Principal>) -> String {
    who.is_some().to_string()
}

fn app(layer: GuardLayer) -> Router {
    Router::new().route("/who", route(who)).route("/maybe", route(maybe)).layer(layer)
}

#[tokio::test]
async fn handlers_learn_who_is_calling() {
    let app = app(offline_guard().any_token());
    let answer = get(&app, "/who", &sign(&KEY, &claims(ISSUER))).await;
    let expected = json!(["alice", "app", "read write", ISSUER, 1_800_000_060, "t-1", 8]);
    assert_eq!(serde_json::from_str::<Value>(&answer.body).unwrap(), expected);
    let azp = claims_but(ISSUER, &json!({"client_id": null, "azp": "party"}));
    let answer = get(&app, "/who", &sign(&KEY, &azp)).await;
    assert_eq!(serde_json::from_str::<Value>(&answer.body).unwrap()[1], "party");
}

#[tokio::test]
async fn a_handler_outside_the_layer_is_500_never_open() {
    let app = Router::new().route("/who", route(who)).route("/maybe", route(maybe));
    for path in ["/who", "/maybe"] {
        for answer in
            [get_bare(&app, path).await, get(&app, path, &sign(&KEY, &claims(ISSUER))).await]
        {
            assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
            assert_eq!(answer.error().as_deref(), Some("server_error"));
            assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
        }
    }
}

#[tokio::test]
async fn without_a_token_there_is_no_principal() {
    let app = app(offline_guard().any_token().optional());
    let answer = get_bare(&app, "/who").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.challenge(), "Bearer realm=\"api\"");
    assert_eq!(get_bare(&app, "/maybe").await.body, "false");
    assert_eq!(get(&app, "/maybe", &sign(&KEY, &claims(ISSUER))).await.body, "true");
}

#[tokio::test]
async fn a_guard_that_is_off_proves_nothing() {
    let app = app(offline().0.condition(false).build().unwrap().any_token());
    let token = sign(&KEY, &claims(ISSUER));
    assert_eq!(get(&app, "/who", &token).await.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(get(&app, "/maybe", &token).await.body, "false");
}

/// A verifier of an embedder: one token, one user.
struct Local;

#[resource_guard::async_trait]
impl Verifier for Local {
    async fn verify(
        &self,
        token: &PresentedToken<'_>,
        _: Timestamp,
    ) -> Result<Arc<Verified>, Rejection> {
        if token.as_str() != "let-me-in" {
            return Err(Rejection::Inactive);
        }
        let claims = json!({"sub": "bob", "scope": "profile"});
        Verified::from_claims(claims.as_object().cloned().unwrap_or_default()).map(Arc::new)
    }
}

#[tokio::test]
async fn embedders_bring_their_own_verifier() {
    let app = app(Guard::new(Local).needs("profile"));
    let answer = get(&app, "/who", "let-me-in").await;
    let expected = json!(["bob", null, "profile", null, null, null, 2]);
    assert_eq!(serde_json::from_str::<Value>(&answer.body).unwrap(), expected);
    assert_eq!(get(&app, "/who", "other").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn printing_a_principal_shows_neither_claims_nor_token() {
    async fn print(who: Principal) -> String {
        format!("{who:?}")
    }
    let app = Router::new().route("/", route(print)).layer(offline_guard().any_token());
    let secret = claims_but(ISSUER, &json!({"email": "alice@example.org"}));
    let answer = get(&app, "/", &sign(&KEY, &secret)).await;
    assert!(
        answer.body.contains("alice") && !answer.body.contains("example.org"),
        "{}",
        answer.body
    );
}
