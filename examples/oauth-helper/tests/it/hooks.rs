//! S3-28: a program that runs and an address that is called for what happened to a client.

use crate::support::{Browser, Fault, Home, Provider, SECRET, sign_in};
use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use oauth_helper::{TokenStore, hooks::Hooks};
use serde_json::Value;
use std::{
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    sync::{Arc, Mutex},
};
use url::Url;

type Heard = Arc<Mutex<Vec<Value>>>;

async fn hear(State((heard, status)): State<(Heard, StatusCode)>, body: Bytes) -> StatusCode {
    heard.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    status
}

/// An address that listens, and answers with this.
async fn webhook(status: StatusCode) -> (Url, Heard) {
    let heard = Heard::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?key=hush", listener.local_addr().unwrap());
    let routes = Router::new().route("/hook", post(hear)).with_state((Arc::clone(&heard), status));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    (Url::parse(&url).unwrap(), heard)
}

/// A program that notes what it is given, one event on each line; where it is, and what it noted.
fn command(home: &Home, end: &str) -> (PathBuf, PathBuf) {
    let (path, notes) = (home.folder.path().join("hook.sh"), home.folder.path().join("notes"));
    let script = format!("#!/bin/sh\n{{ cat; echo; }} >>'{}'\n{end}\n", notes.display());
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    (path, notes)
}

async fn store(home: &Home, provider: &Provider, hooks: Hooks) -> TokenStore {
    let store = home.builder().hooks(hooks).open().await.unwrap();
    let (client, credentials) = provider.client("app");
    store.add(client, &credentials).await.unwrap();
    store
}

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn s3_28_command_and_webhook_hear_of_every_login_renewal_and_failure_and_see_no_token() {
    let provider = Provider::start().await;
    let home = Home::new();
    let (path, notes) = command(&home, "");
    let (url, heard) = webhook(StatusCode::OK).await;
    let hooks = Hooks { command: Some(path), webhook: Some(url) };
    let store = store(&home, &provider, hooks).await;
    let client = store.client("app").await.unwrap();

    let redirect = Url::parse("http://127.0.0.1:9/auth_callback").unwrap();
    let pending = client.begin_login(redirect).await.unwrap();
    let back = Browser::default().authorize(&pending.url).await;
    let back = oauth_helper::login::Redirected::pasted(back.as_str()).unwrap();
    let code = pending.check(back).unwrap();
    provider.break_wire(Some(Fault::Unavailable));
    assert!(pending.finish(&code).await.is_err());
    provider.break_wire(None);
    sign_in(&store, "app").await;
    let first = client.access_token().await.unwrap();
    let second = client.refresh().await.unwrap();
    provider.break_wire(Some(Fault::Unavailable));
    assert!(client.refresh().await.is_err());
    provider.break_wire(None);
    client.revoke().await.unwrap();

    let expected = ["login_failed", "logged_in", "refreshed", "refresh_failed", "revoked"];
    let posted = heard.lock().unwrap().clone();
    assert_eq!(names(&posted), expected);
    let noted = std::fs::read_to_string(notes).unwrap();
    let noted: Vec<Value> =
        noted.lines().filter(|l| !l.is_empty()).map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(noted, posted, "both are told the same");
    for event in &posted {
        assert_eq!((&event["client"], &event["service"]), (&"app".into(), &"app".into()));
        assert!(event["at"].as_i64().is_some());
        let failed = event["event"].as_str().unwrap().ends_with("failed");
        assert_eq!(event["error"].as_str().is_some_and(|e| !e.is_empty()), failed, "{event}");
        let text = event.to_string();
        for secret in [first.token.expose(), second.token.expose(), SECRET] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[tokio::test]
async fn s3_28_a_hook_that_fails_changes_nothing() {
    let provider = Provider::start().await;
    for kind in 0..4 {
        let home = Home::new();
        let missing = home.folder.path().join("nothing-there");
        let (failing, notes) = command(&home, "exit 3");
        let (refusing, heard) = webhook(StatusCode::INTERNAL_SERVER_ERROR).await;
        let closed = Url::parse("http://127.0.0.1:1/hook").unwrap();
        let (command, webhook) = match kind {
            0 => (Some(missing), None),
            1 => (Some(failing), None),
            2 => (None, Some(refusing)),
            _ => (None, Some(closed)),
        };
        let store = store(&home, &provider, Hooks { command, webhook }).await;
        sign_in(&store, "app").await;
        let client = store.client("app").await.unwrap();
        let first = client.access_token().await.unwrap();
        assert_ne!(client.refresh().await.unwrap(), first);
        assert_eq!(notes.exists(), kind == 1, "it was run");
        assert_eq!(heard.lock().unwrap().len(), if kind == 2 { 2 } else { 0 });
    }
}
