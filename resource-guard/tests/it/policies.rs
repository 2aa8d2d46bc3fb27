//! Scopes per route, by method, and policies of one's own.

use crate::support::{
    ISSUER, KEY, app, call, claims, claims_but, get, get_bare, offline, offline_guard, send, sign,
};
use axum::{Router, body::Body};
use http::{Method, Request, Response, StatusCode};
use resource_guard::{
    Access, Asked, Guard, GuardLayer, Methods, Need, Policy, PolicyExt as _, Principal, Refusal,
    Verdict,
};
use serde_json::json;
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tower::{ServiceBuilder, ServiceExt as _};

fn with_scope(scope: &str) -> String {
    sign(&KEY, &claims_but(ISSUER, &json!({"scope": scope})))
}

async fn status(layer: GuardLayer, scope: &str) -> u16 {
    get(&app(layer), "/", &with_scope(scope)).await.status.as_u16()
}

#[tokio::test]
async fn needs_wants_every_scope_of_the_list() {
    let guard = offline_guard();
    for layer in [|g: &Guard| g.needs("a b"), |g: &Guard| g.needs_all(["a", "b"])] {
        assert_eq!(status(layer(&guard), "b c a").await, 200);
        for scope in ["a", "b", "c", "ab", "A B", "a,b"] {
            assert_eq!(status(layer(&guard), scope).await, 403, "{scope}");
        }
    }
}

#[tokio::test]
async fn needs_any_wants_one_alternative() {
    let guard = offline_guard();
    for (scope, expected) in [("a", 200), ("b c", 200), ("x b c", 200), ("b", 403), ("x", 403)] {
        assert_eq!(status(guard.needs_any(["a", "b c"]), scope).await, expected, "{scope}");
    }
}

#[tokio::test]
async fn rules_that_cannot_be_read_refuse_everybody() {
    let guard = offline_guard();
    let broken = [
        guard.needs(""),
        guard.needs("  "),
        guard.needs("a\"b"),
        guard.needs("é"),
        guard.needs_any([]),
        guard.needs_any(["a", ""]),
        guard.needs_all([]),
        guard.needs_all(["a", ""]),
    ];
    for layer in broken {
        let app = app(layer);
        assert_eq!(get(&app, "/", &with_scope("a")).await.status.as_u16(), 500);
        let answer = get_bare(&app, "/").await;
        assert_eq!(answer.error().as_deref(), Some("server_error"));
    }
}

#[tokio::test]
async fn methods_have_their_own_scopes() {
    let rules = Methods::new()
        .read("r")
        .and_then(|m| m.write("w"))
        .and_then(|m| m.on(Method::DELETE, "d"))
        .unwrap()
        .open(Method::OPTIONS);
    let app = app(offline_guard().with(rules));
    for (method, scope, expected) in [
        ("GET", "r", 200),
        ("HEAD", "r", 200),
        ("GET", "w d", 403),
        ("POST", "w", 200),
        ("PUT", "w", 200),
        ("PATCH", "w", 200),
        ("POST", "r d", 403),
        ("DELETE", "d", 200),
        ("DELETE", "w r", 403),
        ("TRACE", "r w d", 403),
        ("BREW", "r w d", 403),
    ] {
        let answer = call(&app, method, "/", &with_scope(scope)).await;
        assert_eq!(answer.status.as_u16(), expected, "{method} with {scope}");
    }
    let bare = |method| Request::builder().method(method).uri("/").body(Body::empty()).unwrap();
    assert_eq!(send(&app, bare("OPTIONS")).await.status, StatusCode::OK);
    assert_eq!(send(&app, bare("GET")).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(send(&app, bare("TRACE")).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn no_rules_refuse_everything() {
    let app = app(offline_guard().with(Methods::new()));
    for method in ["GET", "POST", "OPTIONS"] {
        assert_eq!(call(&app, method, "/", &with_scope("a")).await.status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn condition_off_lets_everybody_pass() {
    let guard = offline().0.condition(false).build().unwrap();
    for layer in [guard.needs("admin"), guard.nmos(), guard.any_token(), guard.needs("")] {
        let app = app(layer);
        let answer = get_bare(&app, "/x-nmos/connection/v1.1/bulk").await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "nobody"));
        assert_eq!(get(&app, "/", "garbage").await.status, StatusCode::OK);
    }
    let on = offline().0.condition(false).condition(true).build().unwrap();
    assert_eq!(get_bare(&app(on.any_token()), "/").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn optional_lets_pass_without_a_token_but_not_with_a_bad_one() {
    let app = app(offline_guard().needs("read").optional());
    let answer = get_bare(&app, "/").await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "nobody"));
    let answer = get(&app, "/", &with_scope("read")).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "alice"));
    assert_eq!(get(&app, "/", "garbage").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(get(&app, "/", &with_scope("other")).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn layers_stack_and_each_must_agree() {
    let guard = offline_guard();
    let app = app(guard.needs("a")).layer(guard.needs("b"));
    for (scope, expected) in [("a b", 200), ("a", 403), ("b", 403)] {
        assert_eq!(get(&app, "/", &with_scope(scope)).await.status.as_u16(), expected, "{scope}");
    }
}

/// Lets only one client in, and the office hours are up to it.
struct OnlyClient(&'static str);

impl Policy for OnlyClient {
    fn need(&self, asked: &Asked<'_>) -> Result<Need, Refusal> {
        let open = asked.path().is_ok_and(|p| p.as_str() == "/open");
        Ok(if open { Need::Nothing } else { Need::Token })
    }

    fn allow<'a>(&'a self, _: &'a Asked<'a>, principal: &'a Principal) -> Verdict<'a> {
        Verdict::later(async {
            tokio::task::yield_now().await;
            if principal.client_id() == Some(self.0) {
                Ok(())
            } else {
                Err(Refusal::insufficient_scope(None))
            }
        })
    }
}

#[tokio::test]
async fn embedders_bring_their_own_policies() {
    let guard = offline_guard();
    let token = sign(&KEY, &claims(ISSUER));
    let mine = app(guard.with(OnlyClient("app")));
    assert_eq!(get(&mine, "/", &token).await.status, StatusCode::OK);
    assert_eq!(get_bare(&mine, "/open").await.status, StatusCode::OK);
    assert_eq!(get_bare(&mine, "/open/x").await.status, StatusCode::UNAUTHORIZED);
    let other = app(guard.with(OnlyClient("other")));
    assert_eq!(get(&other, "/", &token).await.status, StatusCode::FORBIDDEN);
}

/// Counts how often it is waited for.
struct Counted(Arc<AtomicUsize>);

impl Policy for Counted {
    fn allow<'a>(&'a self, _: &'a Asked<'a>, _: &'a Principal) -> Verdict<'a> {
        Verdict::later(async move {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(())
        })
    }
}

#[tokio::test]
async fn a_policy_that_waits_is_waited_for_once() {
    let count = Arc::new(AtomicUsize::new(0));
    let guard = offline_guard();
    let token = sign(&KEY, &claims(ISSUER));
    let mut requests = 0;
    for layer in [
        guard.with(Counted(count.clone())),
        guard.with(Access.and(Counted(count.clone()))),
        guard.with(Counted(count.clone()).and(Access)),
    ] {
        let app = app(layer);
        // With a token that is not known yet, and with one that is.
        for _ in 0..2 {
            assert_eq!(get(&app, "/", &token).await.status, StatusCode::OK);
            requests += 1;
            assert_eq!(count.load(Ordering::SeqCst), requests);
        }
    }
}

#[tokio::test]
async fn a_policy_that_needs_nothing_leaves_it_to_the_other() {
    let guard = offline_guard();
    let token = sign(&KEY, &claims(ISSUER));
    for layer in
        [guard.with(OnlyClient("other").and(Access)), guard.with(Access.and(OnlyClient("other")))]
    {
        let app = app(layer);
        assert_eq!(get(&app, "/open", &token).await.status, StatusCode::OK);
        assert_eq!(get_bare(&app, "/open").await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(get(&app, "/", &token).await.status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn any_http_service_can_be_guarded() {
    let service = ServiceBuilder::new().layer(offline_guard().needs("read")).service_fn(
        |request: Request<u8>| async move {
            Ok::<_, Infallible>(match Principal::of(request.extensions()) {
                Ok(who) => Response::new(format!("{} is in", who.subject())),
                Err(answer) => answer,
            })
        },
    );
    let request = |token: Option<String>| {
        let mut request = Request::get("/");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.body(7_u8).unwrap()
    };
    let answer = service.clone().oneshot(request(None)).await.unwrap();
    assert_eq!((answer.status(), answer.body().as_str()), (StatusCode::UNAUTHORIZED, "{}"));
    let answer = service.oneshot(request(Some(with_scope("read")))).await.unwrap();
    assert_eq!((answer.status(), answer.body().as_str()), (StatusCode::OK, "alice is in"));
}

#[tokio::test]
async fn routes_outside_the_layer_stay_open_and_only_those() {
    let app = Router::new()
        .route("/in", axum::routing::get(|| async { "in" }))
        .layer(offline_guard().any_token())
        .route("/out", axum::routing::get(|| async { "out" }));
    assert_eq!(get_bare(&app, "/in").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(get_bare(&app, "/out").await.status, StatusCode::OK);
}
