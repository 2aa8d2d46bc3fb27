//! What users see of the web app, whatever the services behind it do.

use crate::support::{get, nobody, peer};
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::{get as on_get, post},
};
use oauth_core::{model::Timestamp, ports::Clock};
use serde_json::{Value, json};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, Ordering},
};
use time_system::{
    upstream::{AuthorizationServer, Credentials, TimeServer, client},
    webapp::{Webapp, router},
};
use url::Url;

#[derive(Default)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.0.load(Ordering::SeqCst))
    }
}

/// Bodies and request ids of the token requests a peer saw.
type Seen = Arc<Mutex<Vec<(String, String)>>>;

async fn token_server(seen: Seen, status: StatusCode, answer: Value) -> Url {
    let routes = Router::new()
        .route(
            "/oauth/token",
            post(move |State(seen): State<Seen>, headers: HeaderMap, body: String| async move {
                assert!(headers["authorization"].to_str().unwrap().starts_with("Basic "));
                let id = headers["x-request-id"].to_str().unwrap().to_owned();
                seen.lock().unwrap().push((body, id));
                (status, Json(answer))
            }),
        )
        .with_state(seen);
    peer(routes).await
}

async fn time_server(status: StatusCode, answer: Value) -> Url {
    let handler = move |headers: HeaderMap| async move {
        assert_eq!(headers["authorization"], "Bearer the-token");
        (status, Json(answer)).into_response()
    };
    peer(Router::new().route("/current_time", on_get(handler))).await
}

fn app(authorization_server: &Url, resource: Url, clock: Arc<Hand>) -> Router {
    let http = client().unwrap();
    let credentials = Credentials { id: "1234".into(), secret: "qwerty".into() };
    router(Webapp {
        authorization_server: AuthorizationServer::new(
            http.clone(),
            authorization_server,
            credentials,
            "urn:example:time".into(),
        ),
        time_server: TimeServer::new(http, resource),
        username: "bob".into(),
        password: "bob-pass".into(),
        clock,
        kept: Arc::default(),
    })
}

fn token() -> Value {
    json!({"access_token": "the-token", "token_type": "Bearer", "expires_in": 5})
}

#[tokio::test]
async fn every_call_of_a_user_gets_a_token_of_its_own() {
    let seen = Seen::default();
    let auth = token_server(Arc::clone(&seen), StatusCode::OK, token()).await;
    let time = time_server(StatusCode::OK, json!({"current_time": "2026-01-01T00:00:00Z"})).await;
    let app = app(&auth, time, Arc::default());
    for id in ["call-1", "call-2"] {
        let (status, body, echoed) = get(&app, "/current_time", &[("x-request-id", id)]).await;
        assert_eq!((status, body.as_str(), echoed.as_str()), (200, "2026-01-01T00:00:00Z\n", id));
    }
    let seen = seen.lock().unwrap();
    assert_eq!(seen.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>(), ["call-1", "call-2"]);
    assert!(seen[0].0.contains("grant_type=password&username=bob&password=bob-pass"));
    assert!(seen[0].0.contains("resource=urn%3Aexample%3Atime"));
}

#[tokio::test]
async fn the_apps_own_token_is_kept_while_it_lives() {
    let seen = Seen::default();
    let auth = token_server(Arc::clone(&seen), StatusCode::OK, token()).await;
    let time = time_server(StatusCode::OK, json!({"current_time": "now"})).await;
    let clock = Arc::new(Hand::default());
    let app = app(&auth, time, Arc::clone(&clock));
    for (second, requests) in [(0, 1), (3, 1), (4, 2), (7, 2)] {
        clock.0.store(second, Ordering::SeqCst);
        assert_eq!(get(&app, "/service/current_time", &[]).await.0, 200);
        assert_eq!(seen.lock().unwrap().len(), requests, "at second {second}");
    }
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let good = token_server(Seen::default(), StatusCode::OK, token()).await;
    let bad = |status, answer| token_server(Seen::default(), status, answer);
    let time = |status, answer| time_server(status, answer);
    let ok = StatusCode::OK;
    for (auth, time, expected) in [
        (nobody().await, nobody().await, (502, "the authorization server cannot be reached\n")),
        (
            bad(StatusCode::UNAUTHORIZED, json!({"error": "invalid_client"})).await,
            nobody().await,
            (502, "the authorization server refused: invalid_client\n"),
        ),
        (
            bad(StatusCode::BAD_REQUEST, json!({"error": "<script>"})).await,
            nobody().await,
            (502, "the authorization server refused: 400\n"),
        ),
        (
            bad(ok, json!({"token": "the-token"})).await,
            nobody().await,
            (502, "the authorization server gave an answer that makes no sense\n"),
        ),
        (good.clone(), nobody().await, (502, "the resource server cannot be reached\n")),
        (
            good.clone(),
            time(StatusCode::FORBIDDEN, json!({"error": "insufficient_scope"})).await,
            (403, "the resource server refused: insufficient_scope\n"),
        ),
        (
            good.clone(),
            time(StatusCode::UNAUTHORIZED, json!({"error": "invalid_token"})).await,
            (401, "the resource server refused: invalid_token\n"),
        ),
        (
            good.clone(),
            time(ok, json!({"epoch_time": 1})).await,
            (502, "the resource server gave an answer that makes no sense\n"),
        ),
    ] {
        let app = app(&auth, time, Arc::default());
        let (status, body, _) = get(&app, "/current_time", &[]).await;
        assert_eq!((status, body.as_str()), expected);
    }
}

#[tokio::test]
async fn other_questions_are_not_found() {
    let app = app(&nobody().await, nobody().await, Arc::default());
    for path in ["/", "/time", "/service/time", "/current_time/x", "/../current_time"] {
        assert_eq!(get(&app, path, &[]).await.0, 404, "{path}");
    }
}
