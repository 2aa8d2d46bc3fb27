//! One event per decision, and never the token.

use crate::support::{ISSUER, KEY, app, call, claims, claims_but, get, get_bare, offline, sign};
use serde_json::{Value, json};
use std::{
    io,
    sync::{Arc, Mutex},
};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Until it is dropped, what is logged on this thread is kept.
struct Listening {
    _own: tracing::subscriber::DefaultGuard,
    _another: tracing::Dispatch,
}

impl Log {
    /// Begins to listen. While there is only one subscriber, `tracing` asks that of the thread which comes upon a log
    /// statement first whether anybody listens, and tests on other threads have none; hence there is another.
    fn listen(&self) -> Listening {
        let another = Self::default().dispatch();
        Listening { _own: tracing::dispatcher::set_default(&self.dispatch()), _another: another }
    }

    fn dispatch(&self) -> tracing::Dispatch {
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(self.clone())
            .finish();
        tracing::Dispatch::new(subscriber)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn audits(&self) -> Vec<Value> {
        self.text()
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|event| event["target"] == "resource_guard::audit")
            .map(|event| event["fields"].clone())
            .collect()
    }
}

#[tokio::test]
async fn r15_every_decision_is_recorded() {
    let log = Log::default();
    let _listening = log.listen();
    let app = app(offline().0.build().unwrap().nmos());
    let claims = claims_but(ISSUER, &json!({"x-nmos-node": {"read": ["self"]}}));
    let token = sign(&KEY, &claims);
    let base = "/x-nmos/node/v1.3";
    call(&app, "GET", &format!("{base}//%73elf/?secret=1"), &token).await;
    call(&app, "PATCH", &format!("{base}/self"), &token).await;
    call(&app, "GET", &format!("{base}/self"), "garbage").await;
    // What a refused token says is recorded as what it is: nobody's word.
    let expired = json!({"exp": 1, "x-nmos-node": {"read": ["self"]}});
    let expired = sign(&KEY, &claims_but(ISSUER, &expired));
    call(&app, "GET", &format!("{base}/self"), &expired).await;
    get_bare(&app, &format!("{base}/a%00b")).await;
    get_bare(&app, "/").await;
    let field =
        |name: &'static str| log.audits().iter().map(|a| a[name].clone()).collect::<Vec<_>>();
    assert_eq!(
        field("decision"),
        ["allowed", "refused", "refused", "refused", "refused", "allowed"]
    );
    assert_eq!(field("method"), ["GET", "PATCH", "GET", "GET", "GET", "GET"]);
    let shown = format!("{base}/a%00b");
    let own = format!("{base}/self");
    assert_eq!(field("path"), [own.as_str(), &own, &own, &own, &shown, "/"]);
    assert_eq!(
        field("sub"),
        [json!("alice"), json!("alice"), Value::Null, json!("alice"), Value::Null, Value::Null]
    );
    assert_eq!(
        field("proven"),
        [json!(true), json!(true), Value::Null, json!(false), Value::Null, Value::Null]
    );
    for (name, value) in
        [("client_id", json!("app")), ("iss", json!(ISSUER)), ("jti", json!("t-1"))]
    {
        assert_eq!(field(name)[..4], [value.clone(), value.clone(), Value::Null, value], "{name}");
    }
    assert_eq!(field("exp")[0], json!(crate::support::START + 60));
    assert_eq!(field("websocket"), [false; 6]);
    assert_eq!(
        field("status"),
        [Value::Null, json!(403), json!(401), json!(401), json!(400), Value::Null]
    );
    let reasons = field("reason");
    assert_eq!(reasons[1], "the access token does not allow this");
    assert_eq!(reasons[2], "not a usable JWT");
}

#[tokio::test]
async fn tokens_never_reach_the_log() {
    let log = Log::default();
    let _listening = log.listen();
    let app = app(offline().0.build().unwrap().needs("admin"));
    let tokens = [
        sign(&KEY, &claims(ISSUER)),
        sign(&KEY, &claims_but(ISSUER, &json!({"exp": 1}))),
        "opaque-secret-token".to_owned(),
        "malformed secret*token".to_owned(),
    ];
    for token in &tokens {
        get(&app, &format!("/?access_token={token}").replace(' ', "%20"), token).await;
        get(&app, "/x", token).await;
    }
    assert_eq!(log.audits().len(), 2 * tokens.len());
    let text = log.text();
    for token in tokens {
        let tail = &token[token.len() - 12..];
        assert!(!text.contains(tail), "{tail} was logged");
    }
}

#[tokio::test]
async fn a_guard_that_is_off_says_so_loudly() {
    let log = Log::default();
    let _listening = log.listen();
    let _guard = offline().0.condition(false).build().unwrap();
    let text = log.text();
    assert!(text.contains("\"WARN\"") && text.contains("SWITCHED OFF"), "{text}");
}

#[tokio::test]
async fn hostile_claims_cannot_forge_log_lines() {
    let log = Log::default();
    let _listening = log.listen();
    let app = app(offline().0.build().unwrap().any_token());
    let forged = claims_but(ISSUER, &json!({"sub": "eve\n{\"target\":\"resource_guard::audit\"}"}));
    get(&app, "/", &sign(&KEY, &forged)).await;
    assert_eq!(log.audits().len(), 1);
}
