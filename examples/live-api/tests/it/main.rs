//! Every route: what it answers, and whom it refuses.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "panicking is how a test says no"
)]

use axum::{Router, body::Body};
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use live_api::{Live, Recorded, router};
use oauth_core::{
    jose::{GeneratedKey, KeySet, generate},
    model::{SigningAlgorithm, Timestamp},
    ports::{Clock, SystemRandom},
};
use resource_guard::{Csrf, Guard};
use serde_json::{Value, json};
use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicI64, Ordering},
};
use tower::ServiceExt as _;

/// Headers of a request, and what is said to it: the status and the body.
type Refusal<'h> = (&'h [(&'h str, String)], u16, Value);

const ISSUER: &str = "https://as.example";
const NOW: i64 = 1_800_000_000;
static KEY: LazyLock<GeneratedKey> =
    LazyLock::new(|| generate(SigningAlgorithm::ES256, &SystemRandom).unwrap());

const PUBLIC: [&str; 2] = ["/api/v1/ytlive/live", "/api/v1/ytlive/channel/cHarbour"];
const PROTECTED: [(&str, &str); 3] = [
    ("GET", "/api/v1/ytlive/videos/vLive01/live_chat"),
    ("POST", "/api/v1/ytlive/live_chats/chatHarbour/messages"),
    ("GET", "/api/v1/track/Ada%20Lovelace"),
];

struct Still(AtomicI64);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.0.load(Ordering::SeqCst))
    }
}

struct Api {
    router: Router,
    clock: Arc<Still>,
}

impl Api {
    fn new() -> Self {
        let clock = Arc::new(Still(AtomicI64::new(NOW)));
        let jwks = json!({"keys": [KEY.signer.public_jwk()]});
        let guard = Guard::for_issuer(ISSUER)
            .audience(ISSUER)
            .keys(KeySet::from_jwks(&jwks))
            .api_key_header("X-API-KEY")
            .cookie("__Host-at", Csrf::new())
            .clock(clock.clone())
            .build()
            .unwrap();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
        let live = Live::new(Recorded::new(folder), clock.clone());
        Self { router: router(live, &guard), clock }
    }

    async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> (u16, Value, HeaderMap) {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        (parts.status.as_u16(), body, parts.headers)
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let (status, body, _) = self.ask("GET", path, &[]).await;
        (status, body)
    }

    async fn with_token(&self, method: &str, path: &str) -> (u16, Value) {
        let bearer = format!("Bearer {}", token(&json!({})));
        let (status, body, headers) = self.ask(method, path, &[("authorization", &bearer)]).await;
        assert_eq!(headers.get("cache-control").unwrap(), "no-store", "{path}");
        (status, body)
    }
}

fn token(changes: &Value) -> String {
    let mut claims = json!({
        "iss": ISSUER, "sub": "ada", "aud": ISSUER, "client_id": "app", "scope": "read",
        "iat": NOW, "exp": NOW + 60, "jti": "t-1", "csrf": "right",
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    KEY.signer.sign("at+jwt", &claims).unwrap()
}

#[tokio::test]
async fn s0_01_searching_needs_no_token() {
    let api = Api::new();
    let (status, all) = api.get("/api/v1/ytlive/live").await;
    assert_eq!((status, all.as_array().unwrap().len()), (200, 3));
    let mut names: Vec<_> = all[0].as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["channel_id", "description", "thumbnail", "title", "video_id"]);
    let (_, found) = api.get("/api/v1/ytlive/live?search=HARBOUR").await;
    assert_eq!(
        (&found[0]["video_id"], &found[1]["video_id"]),
        (&"vLive01".into(), &"vLive03".into())
    );
    let (_, found) = api.get("/api/v1/ytlive/live?search=harbour&max=1").await;
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(api.get("/api/v1/ytlive/live?search=nothing").await, (200, json!([])));
    assert_eq!(api.get("/api/v1/ytlive/live?max=many").await.0, 400);
    assert_eq!(api.get("/api/v1/ytlive/live?max=1&max=2").await.0, 400);
    let long = format!("/api/v1/ytlive/live?search={}", "a".repeat(101));
    assert_eq!(api.get(&long).await.0, 400);
}

#[tokio::test]
async fn s0_01_channels_need_no_token() {
    let api = Api::new();
    let (status, channel) = api.get("/api/v1/ytlive/channel/cHarbour").await;
    assert_eq!((status, &channel["title"]), (200, &"Harbour camera".into()));
    for id in ["nobody", "..%2Fsearch", "%2e%2e", "a.b", "cHarbour%00"] {
        let (status, body) = api.get(&format!("/api/v1/ytlive/channel/{id}")).await;
        assert_eq!((status, body), (404, json!({"message": "There is no such thing."})), "{id}");
    }
}

#[tokio::test]
async fn s0_14_what_is_public_is_cached_and_the_rest_is_not() {
    let api = Api::new();
    for path in PUBLIC {
        let (status, _, headers) = api.ask("GET", path, &[]).await;
        assert_eq!(status, 200);
        assert_eq!(headers.get("cache-control").unwrap(), "public, max-age=60");
    }
    let (_, _, headers) = api.ask("GET", "/api/v1/ytlive/channel/nobody", &[]).await;
    assert_eq!(headers.get("cache-control").unwrap(), "no-store");
}

#[test]
fn s0_14_a_kept_answer_is_read_once_a_minute() {
    let clock = Arc::new(Still(AtomicI64::new(NOW)));
    let cache = live_api::Cache::new(std::time::Duration::from_mins(1), clock.clone());
    let recorded = Recorded::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));
    let ask = || cache.get_or("k".into(), || recorded.channel("cHarbour")).unwrap();
    let first = ask();
    assert_eq!((ask(), recorded.reads()), (first.clone(), 1));
    clock.0.fetch_add(59, Ordering::SeqCst);
    assert_eq!((ask(), recorded.reads()), (first.clone(), 1));
    clock.0.fetch_add(1, Ordering::SeqCst);
    assert_eq!((ask(), recorded.reads()), (first, 2));
    let fails = || cache.get_or("bad".into(), || Err(std::io::Error::other("no")));
    assert!(fails().is_err() && fails().is_err());
}

#[tokio::test]
async fn s0_01_the_chat_of_a_video() {
    let api = Api::new();
    let (status, chat) = api.with_token("GET", "/api/v1/ytlive/videos/vLive01/live_chat").await;
    let expected =
        json!({"start": "2026-11-20T05:00:00Z", "viewers": 214, "chat_id": "chatHarbour"});
    assert_eq!((status, chat), (200, expected));
    let path = "/api/v1/ytlive/videos/nobody/live_chat";
    assert_eq!(api.with_token("GET", path).await.0, 404);
}

#[tokio::test]
async fn s0_01_messages_page_by_page() {
    let api = Api::new();
    let path = "/api/v1/ytlive/live_chats/chatHarbour/messages";
    let (status, page) = api.with_token("POST", path).await;
    assert_eq!((status, &page["nextPageToken"]), (200, &"page2".into()));
    let author = &page["items"][0]["authorDetails"];
    assert_eq!((&author["name"], &author["moderator"]), (&"Ada".into(), &true.into()));
    let (_, page) = api.with_token("POST", &format!("{path}?nextToken=page2")).await;
    assert_eq!(page["items"][0]["snippet"]["message"], "Pier four.");
    let (_, page) = api.with_token("POST", &format!("{path}?nextToken=page3")).await;
    assert_eq!((&page["items"], &page["nextPageToken"]), (&json!([]), &"page3".into()));
    assert_eq!(api.with_token("POST", &format!("{path}?nextToken=other")).await.0, 400);
    assert_eq!(api.with_token("POST", "/api/v1/ytlive/live_chats/none/messages").await.0, 404);
    assert_eq!(api.with_token("GET", path).await.0, 405);
}

#[tokio::test]
async fn s0_01_tracking_names_the_person() {
    let (status, body) = Api::new().with_token("GET", "/api/v1/track/Ada%20Lovelace").await;
    assert_eq!((status, body), (200, json!({"message": "Tracking the person named Ada Lovelace"})));
}

#[tokio::test]
async fn s0_27_each_protected_route_takes_the_token_in_both_headers_and_nothing_else() {
    let api = Api::new();
    let good = token(&json!({}));
    for (method, path) in PROTECTED {
        for (name, scheme) in
            [("authorization", "Bearer"), ("x-api-key", "bearer"), ("x-api-key", "BEARER")]
        {
            let value = format!("{scheme} {good}");
            let (status, body, _) = api.ask(method, path, &[(name, &value)]).await;
            assert_eq!(status, 200, "{path}: {body}");
        }
        let refusals: [Refusal<'_>; 9] = [
            (&[], 401, Value::Null),
            (&[("x-api-key", good.clone())], 401, Value::Null),
            (&[("authorization", format!("Basic {good}"))], 401, Value::Null),
            (&[("authorization", "Bearer garbage".into())], 401, json!("invalid_token")),
            (
                &[("x-api-key", format!("bearer {}", token(&json!({"exp": NOW}))))],
                401,
                json!("invalid_token"),
            ),
            (
                &[("x-api-key", format!("bearer {}", token(&json!({"aud": "other"}))))],
                401,
                json!("invalid_token"),
            ),
            (
                &[("x-api-key", format!("bearer {}", token(&json!({"token_use": "refresh"}))))],
                401,
                json!("invalid_token"),
            ),
            (
                &[("x-api-key", format!("bearer {}", token(&json!({"scope": "guest"}))))],
                403,
                json!("insufficient_scope"),
            ),
            (
                &[
                    ("authorization", format!("Bearer {good}")),
                    ("x-api-key", format!("bearer {good}")),
                ],
                400,
                json!("invalid_request"),
            ),
        ];
        for (headers, status, error) in &refusals {
            let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
            let (got, body, _) = api.ask(method, path, &headers).await;
            assert_eq!((got, &body["error"]), (*status, error), "{path} {headers:?}");
        }
    }
    api.clock.0.fetch_add(61, Ordering::SeqCst);
    let late = format!("Bearer {good}");
    for (method, path) in PROTECTED {
        let (status, body, _) = api.ask(method, path, &[("authorization", &late)]).await;
        assert_eq!((status, &body["error"]), (401, &json!("invalid_token")));
    }
}

#[tokio::test]
async fn s0_24_a_cookie_works_with_its_csrf_token() {
    let api = Api::new();
    let cookie = format!("__Host-at={}", token(&json!({})));
    let (_, path) = PROTECTED[1];
    let here = ("sec-fetch-site", "same-origin");
    for (value, status) in [("right", 200), ("wrong", 403)] {
        let sent = [("cookie", cookie.as_str()), here, ("x-api-key", value)];
        assert_eq!(api.ask("POST", path, &sent).await.0, status);
    }
    let (status, body, _) = api.ask("POST", path, &[("cookie", &cookie), here]).await;
    assert_eq!((status, &body["error"]), (403, &json!("access_denied")));
    let (_, path) = PROTECTED[0];
    assert_eq!(api.ask("GET", path, &[("cookie", &cookie)]).await.0, 200);
}

#[tokio::test]
async fn s0_01_other_paths_are_not_there() {
    let api = Api::new();
    for path in ["/", "/api/v1/ytlive", "/api/v1/track", "/api/v1/ytlive/live/"] {
        assert_eq!(api.get(path).await.0, 404, "{path}");
    }
}
