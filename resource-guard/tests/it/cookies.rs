//! A JWT in a cookie, its CSRF token, and the layer for opaque sessions.

use crate::support::{Answer, ISSUER, KEY, app, claims_but, offline, send, sign};
use axum::{Router, body::Body, routing::any};
use http::{HeaderMap, HeaderValue, Request};
use resource_guard::{ConfigProblem, Csrf, CsrfLayer, CsrfMethods, Guard};
use serde_json::{Value, json};

const COOKIE: &str = "__Host-at";
/// What a browser says of a request that a page of the same site sends.
const HERE: (&str, &str) = ("sec-fetch-site", "same-origin");

fn guard(csrf: Csrf) -> Guard {
    offline().0.cookie(COOKIE, csrf).build().unwrap()
}

fn token(changes: &Value) -> String {
    let mut all = json!({"csrf": "right"});
    all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    sign(&KEY, &claims_but(ISSUER, &all))
}

async fn ask(app: &Router, method: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri("/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(app, request.body(Body::empty()).unwrap()).await
}

/// The same with cookies of whatever bytes.
async fn ask_with(app: &Router, method: &str, cookies: &[u8], headers: &[(&str, &str)]) -> Answer {
    let cookies = HeaderValue::from_bytes(cookies).unwrap();
    let mut request = Request::builder().method(method).uri("/").header("cookie", cookies);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(app, request.body(Body::empty()).unwrap()).await
}

fn told(answer: &Answer) -> (u16, Option<String>) {
    (answer.status.as_u16(), answer.error())
}

fn no(status: u16, code: &str) -> (u16, Option<String>) {
    (status, Some(code.to_owned()))
}

#[tokio::test]
async fn s0_24_a_cookie_needs_the_value_of_its_token() {
    let app = app(guard(Csrf::new()).access());
    let cookie = format!("theme=dark; {COOKIE}={}", token(&json!({})));
    let cookie = ("cookie", cookie.as_str());
    let answer = ask(&app, "GET", &[cookie]).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "alice"));
    for header in ["x-csrf-token", "x-api-key"] {
        let answer = ask(&app, "POST", &[cookie, HERE, (header, "right")]).await;
        assert_eq!(answer.status.as_u16(), 200, "{header}");
        let answer = ask(&app, "POST", &[cookie, HERE, (header, "wrong")]).await;
        assert_eq!(told(&answer), no(403, "access_denied"), "{header}");
    }
    let answer = ask(&app, "POST", &[cookie, HERE]).await;
    assert_eq!(told(&answer), no(403, "access_denied"));
    let elsewhere = ("sec-fetch-site", "cross-site");
    let answer = ask(&app, "POST", &[cookie, elsewhere, ("x-csrf-token", "right")]).await;
    assert_eq!(told(&answer), no(403, "access_denied"));
    assert_eq!(told(&ask(&app, "POST", &[]).await), (401, None));
}

#[tokio::test]
async fn s0_24_a_token_without_the_claim_changes_nothing() {
    let app = app(guard(Csrf::new()).access());
    for csrf in [Value::Null, json!(""), json!(7)] {
        let cookie = format!("{COOKIE}={}", token(&json!({"csrf": csrf})));
        for value in ["", "right", "7"] {
            let sent = [("cookie", cookie.as_str()), HERE, ("x-csrf-token", value)];
            assert_eq!(told(&ask(&app, "DELETE", &sent).await), no(403, "access_denied"));
        }
    }
}

#[tokio::test]
async fn s0_24_every_method_where_that_is_wanted() {
    let csrf = Csrf::new().methods(CsrfMethods::All).claim("double");
    let app = app(guard(csrf).access());
    let cookie = format!("{COOKIE}={}", token(&json!({"double": "twice"})));
    let cookie = ("cookie", cookie.as_str());
    assert_eq!(told(&ask(&app, "GET", &[cookie]).await), no(403, "access_denied"));
    let answer = ask(&app, "GET", &[cookie, ("x-api-key", "twice")]).await;
    assert_eq!(answer.status.as_u16(), 200);
}

#[tokio::test]
async fn s0_27_a_bearer_token_wins_and_the_cookie_is_ignored() {
    let app = app(guard(Csrf::new()).access());
    let bob = sign(&KEY, &claims_but(ISSUER, &json!({"sub": "bob"})));
    let cookie = format!("{COOKIE}={}", token(&json!({})));
    let cookie = ("cookie", cookie.as_str());
    for (header, scheme) in
        [("authorization", "Bearer"), ("x-api-key", "bearer"), ("x-api-key", "BEARER")]
    {
        let value = format!("{scheme} {bob}");
        // No value, from elsewhere: nothing here is done in the name of the cookie.
        let sent = [cookie, (header, value.as_str()), ("sec-fetch-site", "cross-site")];
        let answer = ask(&app, "POST", &sent).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "bob"), "{header}");
        let bad = format!("{scheme} garbage");
        let answer = ask(&app, "POST", &[cookie, HERE, (header, &bad)]).await;
        assert_eq!(told(&answer), no(401, "invalid_token"), "the cookie does not step in");
    }
    let both = format!("Bearer {bob}");
    let answer = ask(&app, "GET", &[("authorization", &both), ("x-api-key", &both)]).await;
    assert_eq!(told(&answer), no(400, "invalid_request"));
}

#[tokio::test]
async fn s0_23_a_cookie_that_comes_twice_or_is_none_is_refused() {
    let app = app(guard(Csrf::new()).access());
    let good = token(&json!({}));
    let twice = format!("{COOKIE}={good}; {COOKIE}={good}");
    assert_eq!(told(&ask(&app, "GET", &[("cookie", &twice)]).await), no(400, "invalid_request"));
    let expired = token(&json!({"exp": 1}));
    for (value, outcome) in [
        ("garbage", no(401, "invalid_token")),
        ("a b", no(401, "invalid_token")),
        ("", (401, None)),
        (expired.as_str(), no(401, "invalid_token")),
    ] {
        let cookie = format!("{COOKIE}={value}");
        assert_eq!(told(&ask(&app, "GET", &[("cookie", &cookie)]).await), outcome, "{value}");
    }
    let other = format!("at={good}");
    assert_eq!(told(&ask(&app, "GET", &[("cookie", &other)]).await), (401, None));
    // A guard that was not told of the cookie does not look at it.
    let blind = crate::support::app(offline().0.build().unwrap().access());
    let cookie = format!("{COOKIE}={good}");
    assert_eq!(told(&ask(&blind, "GET", &[("cookie", &cookie)]).await), (401, None));
}

#[test]
fn s0_23_the_cookie_must_be_protected_by_its_prefix() {
    for (name, good) in [
        ("__Host-at", true),
        ("__Secure-at", true),
        ("at", false),
        ("", false),
        ("__Host-a t", false),
        ("__host-at", false),
    ] {
        let built = offline().0.cookie(name, Csrf::new()).build();
        assert_eq!(built.is_ok(), good, "{name}");
        if let Err(problem) = built {
            assert!(matches!(problem, ConfigProblem::Cookie), "{problem:?}");
        }
    }
}

#[tokio::test]
async fn s0_23_other_cookies_hide_neither_ours_nor_its_user() {
    let app = app(guard(Csrf::new()).access());
    let token = token(&json!({}));
    for beside in [&b"; x=\xc3\xa9"[..], b"; \xff=1", b"; \xff"] {
        let cookies = [COOKIE.as_bytes(), b"=", token.as_bytes(), beside].concat();
        let answer = ask_with(&app, "GET", &cookies, &[]).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "alice"), "{beside:?}");
        let answer = ask_with(&app, "POST", &cookies, &[HERE]).await;
        assert_eq!(told(&answer), no(403, "access_denied"), "{beside:?}");
    }
    let cookies = [COOKIE.as_bytes(), b"=", token.as_bytes(), b"\xc3\xa9"].concat();
    assert_eq!(told(&ask_with(&app, "GET", &cookies, &[]).await), no(400, "invalid_request"));
}

/// A service that says what cookies it was shown.
fn sessions(layer: CsrfLayer) -> Router {
    async fn show(headers: HeaderMap) -> String {
        let cookies = headers.get("cookie").map_or(&b""[..], HeaderValue::as_bytes);
        String::from_utf8_lossy(cookies).into_owned()
    }
    Router::new().route("/", any(show)).layer(layer)
}

#[tokio::test]
async fn s0_24_the_layer_binds_the_value_to_the_session() {
    let layer = CsrfLayer::new("__Host-session", &[7; 32], Csrf::new());
    let value = layer.token_of("mine");
    let app = sessions(layer.clone());
    let cookie = ("cookie", "__Host-session=mine");
    assert_eq!(ask(&app, "GET", &[cookie]).await.body, "__Host-session=mine");
    let answer = ask(&app, "POST", &[cookie, HERE, ("x-csrf-token", &value)]).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "__Host-session=mine"));
    let other_session = layer.token_of("yours");
    let other_key = CsrfLayer::new("__Host-session", &[8; 32], Csrf::new()).token_of("mine");
    for wrong in ["", "mine", &other_session, &other_key] {
        let answer = ask(&app, "POST", &[cookie, HERE, ("x-csrf-token", wrong)]).await;
        assert_eq!(told(&answer), no(403, "access_denied"), "{wrong}");
    }
    // Without a session there is nothing to abuse; the service says 401 itself.
    assert_eq!(ask(&app, "POST", &[]).await.status.as_u16(), 200);
}

#[tokio::test]
async fn s0_24_other_cookies_are_no_way_past_the_layer() {
    let layer = CsrfLayer::new("__Host-session", &[7; 32], Csrf::new());
    let value = layer.token_of("s");
    let app = sessions(layer);
    for cookies in [&b"__Host-session=s; x=\xc3\xa9"[..], b"\xff; __Host-session=s"] {
        for wrong in [&[HERE][..], &[HERE, ("x-csrf-token", "wrong")]] {
            let answer = ask_with(&app, "POST", cookies, wrong).await;
            assert_eq!(told(&answer), no(403, "access_denied"), "{cookies:?}");
        }
        let right = [HERE, ("x-csrf-token", value.as_str())];
        assert_eq!(ask_with(&app, "POST", cookies, &right).await.status.as_u16(), 200);
        assert_eq!(ask_with(&app, "GET", cookies, &[]).await.status.as_u16(), 200);
    }
    for method in ["GET", "POST"] {
        let answer = ask_with(&app, method, b"__Host-session=\xc3\xa9", &[HERE]).await;
        assert_eq!(told(&answer), no(400, "invalid_request"), "{method}");
    }
}

#[tokio::test]
async fn s0_27_behind_the_layer_a_bearer_token_has_no_cookie_beside_it() {
    let app = sessions(CsrfLayer::new("__Host-session", &[7; 32], Csrf::new()));
    let cookie = ("cookie", "__Host-session=mine");
    for header in [("authorization", "Bearer abc"), ("x-api-key", "bearer abc")] {
        let answer = ask(&app, "POST", &[cookie, header]).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""), "{header:?}");
    }
    // Another scheme is no token, so the cookie counts, and needs its value.
    let answer = ask(&app, "POST", &[cookie, ("authorization", "Basic abc")]).await;
    assert_eq!(told(&answer), no(403, "access_denied"));
    let answer = ask(&app, "POST", &[cookie, ("x-api-key", "bearer")]).await;
    assert_eq!(told(&answer), no(400, "invalid_request"));
}
