//! AMWA IS-10: what `x-nmos-*` claims allow on which path by which method, after normalisation.

use crate::support::{
    AUDIENCE, Answer, HOST, ISSUER, KEY, RSA, app, call, claims_but, jwks, node, offline_guard,
    send, sign,
};
use axum::{Router, body::Body, extract::Path, routing::any};
use http::{Request, StatusCode};
use oauth_core::jose::KeySet;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use resource_guard::{Guard, Principal};
use serde_json::{Value, json};

const BASE: &str = "/x-nmos/connection/v1.1";

/// A guard of one issuer with ES256, and the guard of a node with RS512: paths mean the same to both.
fn guards() -> [Guard; 2] {
    let keys = KeySet::from_jwks(&jwks([&*RSA]));
    [offline_guard(), node().0.trust_issuer(ISSUER).keys(keys).build().unwrap()]
}

fn nmos() -> [Router; 2] {
    guards().map(|guard| app(guard.nmos()))
}

/// The same token for each of the guards.
type Tokens = [String; 2];

fn token(changes: &Value) -> Tokens {
    let claims = |aud: &str| {
        let mut claims = claims_but(ISSUER, &json!({"scope": null, "aud": aud}));
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    };
    [sign(&KEY, &claims(AUDIENCE)), RSA.signer.sign("JWT", &claims(HOST)).unwrap()]
}

fn rights(read: &[&str], write: &[&str]) -> Tokens {
    let mut object = json!({});
    if !read.is_empty() {
        object["read"] = json!(read);
    }
    if !write.is_empty() {
        object["write"] = json!(write);
    }
    token(&json!({"x-nmos-connection": object}))
}

fn garbage() -> Tokens {
    [(); 2].map(|()| "garbage".to_owned())
}

/// What both answer with the token.
async fn answer_of(apps: &[Router; 2], method: &str, path: &str, tokens: &Tokens) -> Answer {
    let [one, node] = apps;
    let [for_one, for_node] = tokens;
    same(&call(one, method, path, for_one).await, call(node, method, path, for_node).await)
}

/// What both answer without a token.
async fn bare(apps: &[Router; 2], method: &str, path: &str) -> Answer {
    let [one, node] = apps;
    let request = || Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    same(&send(one, request()).await, send(node, request()).await)
}

fn same(one: &Answer, node: Answer) -> Answer {
    let seen = |a: &Answer| (a.status, a.body.clone(), a.challenge().to_owned());
    assert_eq!(seen(one), seen(&node));
    node
}

async fn status(method: &str, path: &str, tokens: &Tokens) -> u16 {
    answer_of(&nmos(), method, path, tokens).await.status.as_u16()
}

#[tokio::test]
async fn r6_the_root_is_free_to_read() {
    for path in ["/", "/x-nmos", "/x-nmos/", "/?x=y", "/x-nmos?x"] {
        assert_eq!(bare(&nmos(), "GET", path).await.status, StatusCode::OK, "{path}");
        for method in ["POST", "PUT", "PATCH", "DELETE", "TRACE"] {
            assert_eq!(bare(&nmos(), method, path).await.status.as_u16(), 401, "{method} {path}");
            assert_eq!(status(method, path, &rights(&["*"], &["*"])).await, 403, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn r6_base_paths_need_claim_or_scope() {
    for path in ["/x-nmos/connection", "/x-nmos/connection/", BASE, "/x-nmos/connection/v1.1/?x=y"]
    {
        assert_eq!(bare(&nmos(), "GET", path).await.status.as_u16(), 401, "{path}");
        for method in ["GET", "HEAD"] {
            let by_scope = token(&json!({"scope": "node connection"}));
            assert_eq!(status(method, path, &by_scope).await, 200, "{path}");
            assert_eq!(status(method, path, &rights(&["x"], &[])).await, 200, "{path}");
            assert_eq!(status(method, path, &rights(&[], &["x"])).await, 200, "{path}");
            assert_eq!(
                status(method, path, &token(&json!({"scope": "node"}))).await,
                403,
                "{path}"
            );
            let other = token(&json!({"x-nmos-node": {"read": ["*"]}}));
            assert_eq!(status(method, path, &other).await, 403, "{path}");
            let empty = token(&json!({"x-nmos-connection": {}}));
            assert_eq!(status(method, path, &empty).await, 403, "{path}");
        }
        assert_eq!(status("POST", path, &rights(&["*"], &["*"])).await, 403, "{path}");
    }
}

#[tokio::test]
async fn r6_deeper_paths_need_a_pattern() {
    let path = &format!("{BASE}/single/senders/");
    assert_eq!(status("GET", path, &token(&json!({"scope": "connection"}))).await, 403);
    assert_eq!(status("GET", path, &rights(&["single/*"], &[])).await, 200);
    assert_eq!(status("GET", path, &rights(&["single/senders"], &[])).await, 200);
    assert_eq!(status("GET", path, &rights(&["*"], &[])).await, 200);
    assert_eq!(status("GET", path, &rights(&["bulk/*", "single*"], &[])).await, 200);
    assert_eq!(status("GET", path, &rights(&["bulk/*"], &[])).await, 403);
    assert_eq!(status("GET", path, &rights(&["senders/*"], &[])).await, 403);
    let other = token(&json!({"x-nmos-node": {"read": ["*"]}}));
    assert_eq!(status("GET", path, &other).await, 403);
    assert_eq!(status("GET", &format!("{path}?single/x"), &rights(&["bulk/*"], &[])).await, 403);
}

#[tokio::test]
async fn r6_read_and_write_are_separate() {
    let path = &format!("{BASE}/single/senders/1/staged");
    let (read, write) = (rights(&["single/*"], &[]), rights(&[], &["single/*"]));
    for (method, reads) in [
        ("GET", true),
        ("HEAD", true),
        ("POST", false),
        ("PUT", false),
        ("PATCH", false),
        ("DELETE", false),
    ] {
        let (yes, no) = if reads { (&read, &write) } else { (&write, &read) };
        assert_eq!(status(method, path, yes).await, 200, "{method}");
        assert_eq!(status(method, path, no).await, 403, "{method}");
    }
    for method in ["TRACE", "CONNECT", "BREW", "get"] {
        assert_eq!(status(method, path, &rights(&["*"], &["*"])).await, 403, "{method}");
    }
}

#[tokio::test]
async fn r8_options_never_needs_a_token() {
    for path in ["/", BASE, &format!("{BASE}/single/senders"), "/elsewhere"] {
        assert_eq!(bare(&nmos(), "OPTIONS", path).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn r8_options_tells_nothing_of_the_content() {
    async fn content() -> ([(&'static str, &'static str); 2], &'static str) {
        ([("content-type", "application/json"), ("etag", "\"7\"")], "{\"secret\":7}")
    }
    let apps = guards().map(|guard| {
        Router::new()
            .route("/x-nmos/node/v1.3/self", any(content))
            .fallback(content)
            .layer(guard.nmos())
    });
    for path in ["/x-nmos/node/v1.3/self", "/x-nmos/node/v1.3/devices"] {
        for answer in [
            bare(&apps, "OPTIONS", path).await,
            answer_of(&apps, "OPTIONS", path, &garbage()).await,
        ] {
            assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, ""), "{path}");
            for name in ["content-type", "etag"] {
                assert!(!answer.headers.contains_key(name), "{path} {name}");
            }
            assert!(answer.headers.contains_key("access-control-allow-headers"), "{path}");
        }
        assert_eq!(bare(&apps, "GET", path).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
}

#[tokio::test]
async fn paths_no_claim_reaches_are_refused() {
    let all = token(
        &json!({"scope": "connection", "x-nmos-connection": {"read": ["*"], "write": ["*"]}}),
    );
    for path in [
        "/elsewhere",
        "/x-nmos/connection/latest/single",
        "/x-nmos/connection/v1/single",
        "/x-nmos/CONNECTION/v1.1/single",
        "/X-NMOS/connection/v1.1/single",
        "/x-nmos-connection/v1.1/single",
    ] {
        assert_eq!(bare(&nmos(), "GET", path).await.status.as_u16(), 401, "{path}");
        assert_eq!(status("GET", path, &all).await, 403, "{path}");
    }
}

#[tokio::test]
async fn r7_climbing_out_of_a_pattern_is_refused() {
    let single = rights(&["single/*"], &["single/*"]);
    for path in [
        "single/../bulk",
        "single/%2e%2e/bulk",
        "single/.%2E/bulk",
        "single//../bulk",
        "single/./../bulk",
        "single/x/../../bulk",
        "./bulk",
        "/bulk",
        "%2e/bulk",
        "%62ulk",
        "single%2e%2e/bulk",
    ] {
        let path = format!("{BASE}/{path}");
        assert_eq!(status("GET", &path, &single).await, 403, "{path}");
        assert_eq!(status("PATCH", &path, &single).await, 403, "{path}");
    }
    for path in ["single/x/../y", "single//x", "single/./x", "%73ingle/x", "single/%2e%2ex"] {
        let path = format!("{BASE}/{path}");
        assert_eq!(status("GET", &path, &single).await, 200, "{path}");
    }
}

#[tokio::test]
async fn r7_a_path_that_could_mean_two_things_must_be_allowed_as_both() {
    // Normalised these are base paths or free ones, but a router takes them for what they were.
    let base_only = token(&json!({"scope": "connection"}));
    for path in [
        format!("{BASE}/secret/.."),
        format!("{BASE}/secret/../../.."),
        format!("{BASE}/secret/%2e%2e/%2e%2e/%2e%2e/%2e%2e"),
        format!("{BASE}/secret/../../../.."),
    ] {
        assert_eq!(bare(&nmos(), "GET", &path).await.status.as_u16(), 401, "{path}");
        assert_eq!(status("GET", &path, &base_only).await, 403, "{path}");
        assert_eq!(status("GET", &path, &rights(&["bulk"], &[])).await, 403, "{path}");
    }
    assert_eq!(status("GET", &format!("{BASE}/bulk/.."), &rights(&["*"], &[])).await, 200);
}

#[tokio::test]
async fn r7_paths_that_cannot_be_judged_are_400() {
    let all = rights(&["*"], &["*"]);
    for path in [
        "single%2fx",
        "single%2F..%2Fbulk",
        "single%5cx",
        "single%00",
        "single%0d%0ax",
        "single%",
        "single%2",
        "single%zz",
        "single%ff",
        "single/%c0%ae%c0%ae/bulk",
        "../../../../..",
    ] {
        let path = format!("{BASE}/{path}");
        let answer = answer_of(&nmos(), "GET", &path, &all).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(answer.nmos_error(), (400, "invalid_request".to_owned()), "{path}");
        assert_eq!(bare(&nmos(), "GET", &path).await.status, StatusCode::BAD_REQUEST, "{path}");
    }
}

#[tokio::test]
async fn r7_double_encoding_is_not_decoded_twice() {
    let path = format!("{BASE}/single/%252e%252e/bulk");
    assert_eq!(status("GET", &path, &rights(&["bulk"], &[])).await, 403);
    assert_eq!(status("GET", &path, &rights(&["single/%2e%2e/bulk"], &[])).await, 200);
}

#[tokio::test]
async fn r5_nmos_clients_read_error_first_and_unquoted() {
    let path = format!("{BASE}/bulk");
    let challenge = |answer: Answer| answer.challenge().to_owned();
    assert_eq!(challenge(bare(&nmos(), "GET", &path).await), "Bearer realm=\"api\"");
    assert_eq!(
        challenge(answer_of(&nmos(), "GET", &path, &garbage()).await),
        "Bearer error=invalid_token, realm=\"api\""
    );
    assert_eq!(
        challenge(answer_of(&nmos(), "GET", &path, &rights(&["single/*"], &[])).await),
        "Bearer error=insufficient_scope, realm=\"api\", scope=\"connection\""
    );
}

#[tokio::test]
async fn r5_another_audience_is_403_and_an_expired_token_401() {
    let path = format!("{BASE}/bulk");
    let claim = json!({"read": ["*"]});
    let elsewhere = token(&json!({"x-nmos-connection": claim, "aud": "https://other.example"}));
    let answer = answer_of(&nmos(), "GET", &path, &elsewhere).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.nmos_error(), (403, "insufficient_scope".to_owned()));
    let old = json!({"x-nmos-connection": claim, "aud": "https://other.example", "exp": 7});
    assert_eq!(status("GET", &path, &token(&old)).await, 401);
}

#[tokio::test]
async fn malformed_claims_give_nothing() {
    let path = format!("{BASE}/bulk");
    for claim in [
        json!("*"),
        json!(["*"]),
        json!({"read": "*"}),
        json!({"read": ["*", null]}),
        json!({"read": {"0": "*"}}),
        json!(true),
    ] {
        let token = token(&json!({"x-nmos-connection": claim}));
        assert_eq!(status("GET", &path, &token).await, 403, "{claim}");
    }
}

#[tokio::test]
async fn nested_routers_are_judged_by_the_whole_path() {
    async fn handler(who: Option<Principal>, path: Option<Path<String>>) -> String {
        format!("{} {}", who.is_some(), path.map_or(String::new(), |Path(p)| p))
    }
    let apps = guards().map(|guard| {
        let inner = Router::new()
            .route("/", any(handler))
            .route("/{*path}", any(handler))
            .layer(guard.nmos());
        Router::new().nest("/x-nmos/connection/v1.1", inner)
    });
    let single = rights(&["single/*"], &[]);
    for (path, status) in [("single/x", StatusCode::OK), ("bulk", StatusCode::FORBIDDEN)] {
        let path = format!("{BASE}/{path}");
        assert_eq!(answer_of(&apps, "GET", &path, &single).await.status, status, "{path}");
    }
    // What is left of the path here is `/`, which alone would be free to read.
    assert_eq!(bare(&apps, "GET", BASE).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn handlers_can_ask_about_paths_themselves() {
    async fn handler(who: Principal) -> String {
        let answers = [
            who.may_read("connection", "single/senders/1"),
            who.may_read("connection", "/single/senders/1/"),
            who.may_read("connection", "single/../bulk"),
            who.may_read("connection", "bulk"),
            who.may_read("node", "single/x"),
            who.may_write("connection", "single/senders/1"),
            who.may_write("connection", "bulk"),
        ];
        format!("{answers:?}")
    }
    let apps =
        guards().map(|guard| Router::new().route("/", any(handler)).layer(guard.any_token()));
    let answer = answer_of(&apps, "GET", "/", &rights(&["single/*"], &["bulk"])).await;
    assert_eq!(answer.body, "[true, true, false, false, false, false, true]");
}

#[test]
fn no_request_reaches_beyond_its_patterns() {
    // Whatever the spelling: if a token for `single/*` gets through, a server that resolves dots finds itself in
    // `single/`, and so does one that does not.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (apps, tokens) = (nmos(), rights(&["single/*"], &[]));
    let path = prop::collection::vec(
        prop::sample::select(vec![
            "single", "bulk", "x", ".", "..", "%2e", "%2E%2e", ".%2e", "", "%2f", "%252e",
            "%73ingle",
        ]),
        1..7,
    );
    let mut runner =
        TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(1_000) });
    runner
        .run(&path, |segments| {
            let below = segments.join("/");
            let path = format!("{BASE}/{below}");
            let answer = runtime.block_on(answer_of(&apps, "GET", &path, &tokens));
            if answer.status == StatusCode::OK {
                prop_assert!(resolves_below_single(&segments), "{below} got through");
            }
            Ok(())
        })
        .unwrap();
}

/// An independent reading of the segments: taken as they are they lead into `single/`, and resolved they do too, or
/// end on a base path, which whoever holds a claim may read.
fn resolves_below_single(segments: &[&str]) -> bool {
    const BASE: [&str; 3] = ["x-nmos", "connection", "v1.1"];
    let decoded: Vec<String> = segments
        .iter()
        .map(|s| s.replace("%2e", ".").replace("%2E", ".").replace("%73", "s"))
        .collect();
    let mut stack = BASE.to_vec();
    for segment in &decoded {
        match segment.as_str() {
            "" | "." => {}
            ".." => {
                stack.pop();
            }
            name => stack.push(name),
        }
    }
    let literal = decoded.iter().find(|s| !s.is_empty());
    let resolved =
        BASE.starts_with(&stack) || stack.starts_with(&[&BASE[..], &["single"]].concat());
    resolved && literal.is_none_or(|first| first == "single") && !segments.contains(&"%2f")
}
