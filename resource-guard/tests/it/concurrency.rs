//! Many requests at once ask the authorization server once.

use crate::support::{INTROSPECT, JWKS, KEY, OAUTH, PATIENCE, Peer, app, claims, get, sign};
use futures_util::{FutureExt as _, future::join_all};
use http::StatusCode;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn the_first_requests_share_one_fetch_of_the_keys() {
    let peer = Peer::start().await;
    let app = app(peer.discovering().0.build().unwrap().any_token());
    let token = sign(&KEY, &claims(peer.issuer()));
    let answers = join_all((0..100).map(|_| get(&app, "/", &token))).await;
    assert!(answers.iter().all(|a| a.status == StatusCode::OK));
    assert_eq!((peer.count(OAUTH), peer.count(JWKS)), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_threads_share_one_fetch_of_the_keys() {
    let peer = Peer::start().await;
    let app = app(peer.discovering().0.build().unwrap().any_token());
    let token = sign(&KEY, &claims(peer.issuer()));
    let tasks = (0..100).map(|_| {
        let (app, token) = (app.clone(), token.clone());
        tokio::spawn(async move { get(&app, "/", &token).await.status })
    });
    for status in join_all(tasks).await {
        assert_eq!(status.unwrap(), StatusCode::OK);
    }
    assert_eq!((peer.count(OAUTH), peer.count(JWKS)), (1, 1));
}

#[tokio::test]
async fn requests_with_one_token_share_one_introspection() {
    for keep in [Duration::ZERO, Duration::from_secs(5)] {
        let peer = Peer::start().await;
        let (builder, _) = peer.introspecting();
        let app = app(builder.keep_introspection(keep).build().unwrap().any_token());
        let mut answer = claims("https://as.example");
        answer["active"] = json!(true);
        answer["token_type"] = json!("Bearer");
        peer.says("t", answer);
        let answers = join_all((0..100).map(|_| get(&app, "/", "t"))).await;
        assert!(answers.iter().all(|a| a.status == StatusCode::OK));
        assert_eq!(peer.count(INTROSPECT), 1);
    }
}

#[tokio::test]
async fn an_introspection_goes_on_when_its_first_asker_leaves() {
    let peer = Peer::start().await;
    let app = app(peer.introspecting().0.build().unwrap().any_token());
    let mut answer = claims("https://as.example");
    answer["active"] = json!(true);
    answer["token_type"] = json!("Bearer");
    peer.says("t", answer);
    // Polled once and dropped: the client has gone.
    assert!(get(&app, "/", "t").now_or_never().is_none());
    assert_eq!(get(&app, "/", "t").await.status, StatusCode::OK);
    assert_eq!(peer.count(INTROSPECT), 1);
}

#[tokio::test]
async fn different_tokens_are_asked_about_separately() {
    let peer = Peer::start().await;
    let app = app(peer.introspecting().0.build().unwrap().any_token());
    let mut answer = claims("https://as.example");
    answer["active"] = json!(true);
    answer["token_type"] = json!("Bearer");
    let tokens: Vec<_> = (0..100).map(|i| format!("t{i}")).collect();
    for token in tokens.iter().step_by(2) {
        peer.says(token, answer.clone());
    }
    let answers = join_all(tokens.iter().map(|t| get(&app, "/", t))).await;
    for (i, answer) in answers.iter().enumerate() {
        let expected = if i % 2 == 0 { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        assert_eq!(answer.status, expected, "t{i}");
    }
    assert_eq!(peer.count(INTROSPECT), 100);
}

#[tokio::test]
async fn nothing_goes_on_after_the_last_clone_of_the_guard() {
    struct Canary(#[expect(dead_code, reason = "only counted")] std::sync::Arc<()>);
    impl oauth_core::ports::Random for Canary {
        fn fill(&self, out: &mut [u8]) {
            out.fill(0);
        }
    }
    let peer = Peer::start().await;
    let alive = std::sync::Arc::new(());
    let (builder, _) = peer.discovering();
    let guard = builder.random(std::sync::Arc::new(Canary(alive.clone()))).start().await.unwrap();
    let app = app(guard.any_token());
    drop(guard);
    assert_eq!(std::sync::Arc::strong_count(&alive), 2, "the layer keeps the guard");
    drop(app);
    let gone = async {
        while std::sync::Arc::strong_count(&alive) > 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("the keeper ends");
}
