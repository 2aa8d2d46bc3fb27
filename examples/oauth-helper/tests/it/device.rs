//! Signing in on another device, against a provider that makes it wait.

use crate::support::Home;
use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use oauth_helper::{
    Client, Credentials, OAuthClient,
    model::{AuthMethod, Endpoints, Grant},
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use url::Url;

type Answers = Arc<Mutex<Vec<(u16, Value)>>>;

async fn next(State(answers): State<Answers>, body: String) -> (StatusCode, Json<Value>) {
    assert!(body.contains("device_code=dev-code") && body.contains("client_id=id"), "{body}");
    let (status, answer) = answers.lock().unwrap().remove(0);
    (StatusCode::from_u16(status).unwrap(), Json(answer))
}

async fn begin(body: String) -> Json<Value> {
    assert!(body.contains("client_id=id") && body.contains("scope=a+b"), "{body}");
    Json(json!({
        "device_code": "dev-code",
        "user_code": "WDJB-MJHT",
        "verification_uri": "https://as.example/device",
        "verification_uri_complete": "https://as.example/device?user_code=WDJB-MJHT",
        "expires_in": 600,
        "interval": 0,
    }))
}

async fn client(home: &Home, answers: Vec<(u16, Value)>) -> OAuthClient {
    let answers: Answers = Arc::new(Mutex::new(answers));
    let routes =
        Router::new().route("/device", post(begin)).route("/token", post(next)).with_state(answers);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    let store = home.store().await;
    let client = Client {
        endpoints: Endpoints {
            token: Some(base.join("/token").unwrap()),
            device_authorization: Some(base.join("/device").unwrap()),
            ..Endpoints::default()
        },
        auth: AuthMethod::None,
        grant: Grant::Device,
        scope: "a b".into(),
        ..Client::new("tv", "id")
    };
    store.add(client, &Credentials::default()).await.unwrap();
    store.client("tv").await.unwrap()
}

#[tokio::test]
async fn s3_12_rfc8628_it_waits_until_somebody_has_typed_the_code() {
    let home = Home::new();
    let pending = || (400, json!({ "error": "authorization_pending" }));
    let answer = json!({ "access_token": "at", "token_type": "bearer", "refresh_token": "rt" });
    let client = client(&home, vec![pending(), pending(), (200, answer)]).await;
    let login = client.begin_device_login().await.unwrap();
    assert_eq!(login.user_code(), "WDJB-MJHT");
    assert_eq!(login.page(), "https://as.example/device");
    assert_eq!(login.page_with_code(), Some("https://as.example/device?user_code=WDJB-MJHT"));
    login.finish().await.unwrap();
    assert_eq!(client.access_token().await.unwrap().token.expose(), "at");
    assert!(client.status().await.unwrap().has_refresh_token);
}

#[tokio::test]
async fn s3_12_rfc8628_a_no_and_a_code_that_expired_are_told() {
    for (code, text) in [
        ("access_denied", "tv: access was denied"),
        ("expired_token", "tv: nobody signed in before the code expired"),
    ] {
        let home = Home::new();
        let client = client(&home, vec![(400, json!({ "error": code }))]).await;
        let error = client.begin_device_login().await.unwrap().finish().await.unwrap_err();
        assert_eq!((error.exit_code(), error.to_string().as_str()), (9, text));
    }
}

#[tokio::test]
async fn s3_12_a_provider_without_the_endpoint_is_told() {
    let home = Home::new();
    let client = client(&home, Vec::new()).await;
    let forget = |client: &mut Client| {
        client.endpoints.device_authorization = None;
        Ok(())
    };
    home.store().await.edit(client.id(), forget).await.unwrap();
    let error = client.begin_device_login().await.unwrap_err();
    assert_eq!(error.to_string(), "tv: the provider has no device authorization endpoint");
}
