//! The page and what it lets through, with a provider that says what it saw.
#![expect(clippy::unwrap_used, reason = "panicking is how a test says no")]

use axum::{Json, Router, body::Body, extract::Request as Incoming, response::IntoResponse as _};
use bff_web::{Proxy, Upstreams, router};
use http::{HeaderMap, Request, Response, header};
use http_body_util::BodyExt as _;
use std::collections::BTreeMap;
use tokio::net::TcpListener;
use tower::ServiceExt as _;
use url::Url;

/// A server that answers with the request line and headers it got, and sets two cookies.
async fn echo(name: &'static str) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let app = Router::new().fallback(move |request: Incoming| async move {
        let line = format!("{name} {} {}", request.method(), request.uri());
        let headers: BTreeMap<String, String> = request
            .headers()
            .iter()
            .map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned()))
            .collect();
        let mut response = Json((line, headers)).into_response();
        for cookie in ["a=1; HttpOnly", "b=2; HttpOnly"] {
            response.headers_mut().append(header::SET_COOKIE, cookie.parse().unwrap());
        }
        response
    });
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    url
}

async fn send(app: &Router, request: Request<Body>) -> (u16, HeaderMap, String) {
    let response: Response<Body> = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (parts.status.as_u16(), parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

async fn app() -> Router {
    let upstreams = Upstreams { provider: echo("provider").await, api: Some(echo("api").await) };
    router(Proxy::new(upstreams).unwrap())
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn s0_11_the_page_allows_scripts_of_its_own_and_nothing_else() {
    let app = app().await;
    for (path, kind) in
        [("/app/", "text/html"), ("/app/app.js", "text/javascript"), ("/app/app.css", "text/css")]
    {
        let (status, headers, _) = send(&app, get(path)).await;
        assert_eq!(status, 200, "{path}");
        assert!(headers[header::CONTENT_TYPE].to_str().unwrap().starts_with(kind));
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }
    let (_, _, page) = send(&app, get("/app/")).await;
    assert!(!page.contains("http://") && !page.contains("https://"), "nothing from elsewhere");
    assert!(page.matches("<script").count() == 1 && !page.contains(" style="));
    assert_eq!(send(&app, get("/app/other")).await.0, 404);
    assert_eq!(send(&app, get("/app")).await.0, 308);
}

#[tokio::test]
async fn s0_16_the_provider_is_on_the_same_origin() {
    let app = app().await;
    let request = Request::post("/auth/refresh?a=b%20c")
        .header("host", "front.example:8090")
        .header("cookie", "one=1; two=2")
        .header("x-csrf-token", "value")
        .header("sec-fetch-site", "same-origin")
        .header("x-forwarded-for", "203.0.113.7")
        .header("forwarded", "for=203.0.113.7")
        .header("connection", "close")
        .body(Body::from("x=y"))
        .unwrap();
    let (status, headers, body) = send(&app, request).await;
    assert_eq!(status, 200);
    let (line, seen): (String, BTreeMap<String, String>) = {
        let value: (String, BTreeMap<String, String>) = parse(&body);
        value
    };
    assert_eq!(line, "provider POST /auth/refresh?a=b%20c");
    assert_eq!(seen["host"], "front.example:8090");
    assert_eq!(seen["cookie"], "one=1; two=2");
    assert_eq!((seen["x-csrf-token"].as_str(), seen["content-length"].as_str()), ("value", "3"));
    assert_eq!(seen["sec-fetch-site"], "same-origin");
    for gone in ["x-forwarded-for", "forwarded", "connection"] {
        assert!(!seen.contains_key(gone), "{gone}");
    }
    assert_eq!(headers.get_all(header::SET_COOKIE).iter().count(), 2, "each of them");
}

fn parse(body: &str) -> (String, BTreeMap<String, String>) {
    // `["line", {"name": "value"}]`
    let (line, rest) = body.strip_prefix("[\"").unwrap().split_once("\",{").unwrap();
    let headers = rest.trim_end_matches("}]").split("\",\"").map(|pair| {
        let (name, value) = pair.split_once("\":\"").unwrap();
        (name.trim_matches('"').to_owned(), value.trim_matches('"').to_owned())
    });
    (line.to_owned(), headers.collect())
}

#[tokio::test]
async fn s0_01_the_api_is_on_the_same_origin_too() {
    let app = app().await;
    for (path, who) in [
        ("/api/v1/ytlive/live", "api"),
        ("/api/v1/track/Ada", "api"),
        ("/api/v1/users/me", "provider"),
        ("/login", "provider"),
        ("/", "provider"),
    ] {
        let (_, _, body) = send(&app, get(path)).await;
        assert_eq!(parse(&body).0, format!("{who} GET {path}"));
    }
}

#[tokio::test]
async fn s0_16_a_provider_that_is_gone_is_a_502() {
    let provider = Url::parse("http://127.0.0.1:1").unwrap();
    let app = router(Proxy::new(Upstreams { provider, api: None }).unwrap());
    let (status, headers, body) = send(&app, get("/auth/session?secret=1")).await;
    assert_eq!((status, body.as_str()), (502, ""));
    assert_eq!(headers[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn s0_16_what_is_too_large_is_not_taken_in() {
    let app = app().await;
    let request =
        Request::post("/login").body(Body::from(vec![b'a'; 2 * 1024 * 1024 + 1])).unwrap();
    assert_eq!(send(&app, request).await.0, 413);
}
