//! The list of revoked tokens.

use crate::support::{ISSUER, KEY, Peer, START, app, claims_but, get, offline, refuses, sign};
use resource_guard::{
    MemoryRevocations, PortError, Revocations, Timestamp, async_trait, session_entry,
};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

fn token(changes: &Value) -> String {
    sign(&KEY, &claims_but(ISSUER, changes))
}

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(START + seconds)
}

#[tokio::test]
async fn s0_15_what_is_listed_is_refused_and_nothing_else() {
    let list = Arc::new(MemoryRevocations::new());
    let guard = offline().0.revocations(list.clone()).build().unwrap();
    let app = app(guard.any_token());
    let (mine, other) = (token(&json!({})), token(&json!({"jti": "t-2", "sid": "s"})));
    assert_eq!(get(&app, "/", &mine).await.status.as_u16(), 200);
    list.revoke("t-1", at(60)).await.unwrap();
    // It was remembered as good; that does not help it.
    refuses(&app, &mine, 401, "invalid_token").await;
    assert_eq!(get(&app, "/", &other).await.status.as_u16(), 200);
    list.revoke(&session_entry("s"), at(60)).await.unwrap();
    refuses(&app, &other, 401, "invalid_token").await;
    let elsewhere = token(&json!({"jti": "t-3", "sid": "s-2"}));
    assert_eq!(get(&app, "/", &elsewhere).await.status.as_u16(), 200);
}

#[tokio::test]
async fn s0_15_a_token_that_could_not_be_listed_is_refused() {
    let guard = offline().0.revocations(MemoryRevocations::new()).build().unwrap();
    let app = app(guard.any_token());
    for jti in [Value::Null, json!(""), json!(7)] {
        refuses(&app, &token(&json!({"jti": jti})), 401, "invalid_token").await;
    }
    let without = crate::support::app(offline().0.build().unwrap().any_token());
    assert_eq!(get(&without, "/", &token(&json!({"jti": null}))).await.status.as_u16(), 200);
}

/// A list that can be made to fail.
struct Fails(AtomicBool);

#[async_trait]
impl Revocations for Fails {
    async fn revoke(&self, _: &str, _: Timestamp) -> Result<(), PortError> {
        Ok(())
    }

    async fn is_any_revoked(&self, _: &[&str], _: Timestamp) -> Result<bool, PortError> {
        if self.0.load(Ordering::SeqCst) { Err(PortError::new("no database")) } else { Ok(false) }
    }
}

#[tokio::test]
async fn s0_15_while_the_list_is_silent_nobody_passes_unless_told_otherwise() {
    let list = Arc::new(Fails(AtomicBool::new(true)));
    let closed = app(offline().0.revocations(list.clone()).build().unwrap().any_token());
    let answer = get(&closed, "/", &token(&json!({}))).await;
    assert_eq!(answer.status.as_u16(), 503);
    assert_eq!(answer.error().as_deref(), Some("temporarily_unavailable"));
    assert_eq!(answer.headers.get("retry-after").unwrap(), "5");
    assert!(!answer.body.contains("database"), "{}", answer.body);
    // A bad token stays a bad token.
    refuses(&closed, "garbage", 401, "invalid_token").await;
    let builder = offline().0.revocations(list.clone());
    let open = app(builder.danger_pass_while_revocations_are_silent().build().unwrap().any_token());
    assert_eq!(get(&open, "/", &token(&json!({}))).await.status.as_u16(), 200);
    list.0.store(false, Ordering::SeqCst);
    assert_eq!(get(&closed, "/", &token(&json!({}))).await.status.as_u16(), 200);
}

#[tokio::test]
async fn s0_15_the_list_is_asked_whoever_found_a_jwt_good() {
    let peer = Peer::start().await;
    let answer = |jti: &Value| {
        let mut answer = claims_but(peer.issuer(), &json!({"jti": jti}));
        answer["active"] = json!(true);
        answer["token_type"] = json!("Bearer");
        answer
    };
    let list = Arc::new(MemoryRevocations::new());
    let listed = app(peer.introspecting().0.revocations(list.clone()).build().unwrap().any_token());
    let (jwt, silent) = (token(&json!({})), token(&json!({"sub": "bob"})));
    peer.says(&jwt, answer(&json!("t-1")));
    peer.says(&silent, answer(&Value::Null));
    peer.says("opaque", answer(&Value::Null));
    for good in [&*jwt, &silent, "opaque"] {
        assert_eq!(get(&listed, "/", good).await.status.as_u16(), 200);
    }
    list.revoke("t-1", at(60)).await.unwrap();
    refuses(&listed, &jwt, 401, "invalid_token").await;
    // The answer need not repeat the `jti` of the token.
    refuses(&listed, &silent, 401, "invalid_token").await;
    assert_eq!(get(&listed, "/", "opaque").await.status.as_u16(), 200);
    let fails = Fails(AtomicBool::new(true));
    let closed = app(peer.introspecting().0.revocations(fails).build().unwrap().any_token());
    assert_eq!(get(&closed, "/", &jwt).await.status.as_u16(), 503);
}

#[tokio::test]
async fn s0_15_entries_last_as_long_as_the_later_time() {
    let list = MemoryRevocations::new();
    list.revoke("a", at(10)).await.unwrap();
    list.revoke("a", at(5)).await.unwrap();
    for (now, revoked) in [(0, true), (9, true), (10, false)] {
        assert_eq!(list.is_any_revoked(&["x", "a"], at(now)).await.unwrap(), revoked, "{now}");
    }
    assert!(!list.is_any_revoked(&[], at(0)).await.unwrap());
    assert_eq!(list.sweep(at(9)), 0);
    assert_eq!(list.sweep(at(10)), 1);
}
