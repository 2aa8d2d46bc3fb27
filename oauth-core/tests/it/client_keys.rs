//! The key sets of clients: how long they are remembered, and how often they are fetched.

use crate::support::{
    Published,
    jwt::{ClientKey, Draft, jwks},
};
use oauth_core::{
    client_keys::{ClientKeys, Freshness},
    jose::JwtProblem,
    model::{Client, Timestamp, VerificationAlgorithm},
    testing::fixtures::{self, NOW, after},
};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::task::JoinSet;

const URI: &str = "https://client.example/jwks";
const ES256: [VerificationAlgorithm; 1] = [VerificationAlgorithm::ES256];

/// Nothing published yet, and nothing known.
fn nothing() -> (Published, Arc<ClientKeys>) {
    let published = Published::new();
    (published.clone(), Arc::new(ClientKeys::new(Arc::new(published))))
}

fn client() -> Client {
    let mut client = fixtures::client("c");
    client.metadata.jwks_uri = Some(URI.into());
    client
}

/// A set that can be told from others.
fn set(name: &str) -> Value {
    json!({"keys": [{"kid": name}]})
}

async fn remembered(keys: &ClientKeys, now: Timestamp) -> Value {
    Value::clone(&*keys.of(&client(), Freshness::Remembered, now).await)
}

async fn again(keys: &ClientKeys, now: Timestamp) -> Value {
    Value::clone(&*keys.of(&client(), Freshness::Again, now).await)
}

#[tokio::test]
async fn a_set_by_value_is_never_fetched() {
    let (published, keys) = nothing();
    let mut client = fixtures::client("c");
    assert_eq!(*keys.of(&client, Freshness::Again, NOW).await, Value::Null);
    client.metadata.jwks = Some(set("own"));
    for freshness in [Freshness::Remembered, Freshness::Again] {
        assert_eq!(*keys.of(&client, freshness, NOW).await, set("own"));
    }
    assert_eq!(published.asked(URI), 0);
}

#[tokio::test]
async fn a_set_is_remembered_for_ten_minutes() {
    let (published, keys) = nothing();
    published.put(URI, set("1"));
    assert_eq!(remembered(&keys, NOW).await, set("1"));
    published.put(URI, set("2"));
    assert_eq!(remembered(&keys, after(599)).await, set("1"));
    assert_eq!(published.asked(URI), 1);
    assert_eq!(remembered(&keys, after(600)).await, set("2"));
    assert_eq!(published.asked(URI), 2);
}

#[tokio::test]
async fn a_missing_key_is_looked_for_every_ten_seconds_at_most() {
    let (published, keys) = nothing();
    published.put(URI, set("1"));
    for seconds in [0, 1, 9] {
        assert_eq!(again(&keys, after(seconds)).await, set("1"));
        assert_eq!(published.asked(URI), 1, "{seconds}");
    }
    published.put(URI, set("2"));
    for seconds in [10, 11, 19] {
        assert_eq!(again(&keys, after(seconds)).await, set("2"));
        assert_eq!(published.asked(URI), 2, "{seconds}");
    }
    assert_eq!(remembered(&keys, after(609)).await, set("2"));
    assert_eq!(published.asked(URI), 2);
}

#[tokio::test]
async fn a_failure_is_remembered_for_ten_seconds() {
    let (published, keys) = nothing();
    for seconds in [0, 5, 9] {
        assert_eq!(remembered(&keys, after(seconds)).await, Value::Null);
        assert_eq!(again(&keys, after(seconds)).await, Value::Null);
        assert_eq!(published.asked(URI), 1, "{seconds}");
    }
    published.put(URI, set("1"));
    assert_eq!(remembered(&keys, after(9)).await, Value::Null);
    assert_eq!(remembered(&keys, after(10)).await, set("1"));
    assert_eq!(published.asked(URI), 2);
}

/// A client that cannot be reached is not locked out at once, and a withdrawn key does not live for ever.
#[tokio::test]
async fn an_old_set_serves_for_an_hour_while_there_is_no_newer_one() {
    let (published, keys) = nothing();
    published.put(URI, set("1"));
    assert_eq!(remembered(&keys, NOW).await, set("1"));
    published.remove(URI);
    for seconds in [600, 1200, 3599] {
        assert_eq!(remembered(&keys, after(seconds)).await, set("1"), "{seconds}");
    }
    assert_eq!(published.asked(URI), 4);
    assert_eq!(remembered(&keys, after(3608)).await, set("1"), "not asked again so soon");
    assert_eq!(remembered(&keys, after(3609)).await, Value::Null);
    published.put(URI, set("2"));
    assert_eq!(remembered(&keys, after(3619)).await, set("2"));
}

#[tokio::test]
async fn what_is_no_set_is_a_failure() {
    for document in
        [&b""[..], b"{}", b"[]", b"{\"keys\":{}}", b"keys", b"\xff", &vec![b' '; 64 * 1024 + 1]]
    {
        let (published, keys) = nothing();
        published.put_bytes(URI, document);
        assert_eq!(remembered(&keys, NOW).await, Value::Null);
        published.put(URI, json!({"keys": []}));
        assert_eq!(remembered(&keys, after(10)).await, json!({"keys": []}));
    }
}

#[tokio::test]
async fn another_address_or_client_has_another_set() {
    let (published, keys) = nothing();
    published.put(URI, set("1"));
    published.put("https://client.example/new", set("2"));
    assert_eq!(remembered(&keys, NOW).await, set("1"));
    let mut moved = client();
    moved.metadata.jwks_uri = Some("https://client.example/new".into());
    assert_eq!(*keys.of(&moved, Freshness::Remembered, NOW).await, set("2"));
    let other = Client { metadata: client().metadata, ..fixtures::client("other") };
    assert_eq!(*keys.of(&other, Freshness::Remembered, NOW).await, set("1"));
    assert_eq!(published.asked(URI), 2);
}

#[tokio::test]
async fn many_at_once_cause_one_fetch() {
    let (published, keys) = nothing();
    published.put(URI, set("1"));
    published.hold();
    let mut running = JoinSet::new();
    for _ in 0..20 {
        let keys = Arc::clone(&keys);
        running.spawn(async move { remembered(&keys, NOW).await });
    }
    while published.asked(URI) == 0 {
        tokio::task::yield_now().await;
    }
    published.let_through(1);
    assert_eq!(running.join_all().await, vec![set("1"); 20]);
    assert_eq!(published.asked(URI), 1);
}

#[tokio::test]
async fn a_caller_that_goes_away_keeps_nobody_waiting() {
    let (published, keys) = nothing();
    published.put(URI, set("1"));
    published.hold();
    let start = || {
        let keys = Arc::clone(&keys);
        tokio::spawn(async move { again(&keys, NOW).await })
    };
    let first = start();
    while published.asked(URI) == 0 {
        tokio::task::yield_now().await;
    }
    let second = start();
    tokio::task::yield_now().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    while published.asked(URI) == 1 {
        tokio::task::yield_now().await;
    }
    published.let_through(1);
    assert_eq!(second.await.unwrap(), set("1"));
    assert_eq!(published.asked(URI), 2);
}

#[tokio::test]
async fn a_new_key_is_found_by_verifying() {
    let (published, keys) = nothing();
    let [old, new, never] =
        ["old", "new", "never"].map(|kid| ClientKey::new(VerificationAlgorithm::ES256, kid));
    let verify = async |key: &ClientKey, now| {
        let token = Draft::new(&json!({})).sign(key);
        keys.verify(&client(), &token, &ES256, now).await.map(|jwt| jwt.kid.unwrap())
    };
    published.put(URI, jwks(&[&old]));
    assert_eq!(verify(&old, NOW).await, Ok("old".into()));
    published.put(URI, jwks(&[&new]));
    assert_eq!(verify(&new, after(9)).await, Err(JwtProblem::UnknownKey));
    assert_eq!(published.asked(URI), 1);
    assert_eq!(verify(&new, after(10)).await, Ok("new".into()));
    assert_eq!(verify(&old, after(11)).await, Err(JwtProblem::UnknownKey));
    assert_eq!(published.asked(URI), 2);
    for seconds in [20, 22, 24, 26, 28] {
        assert_eq!(verify(&never, after(seconds)).await, Err(JwtProblem::UnknownKey));
    }
    assert_eq!(published.asked(URI), 3);
    assert_eq!(verify(&new, after(29)).await, Ok("new".into()));
    assert_eq!(published.asked(URI), 3);
}

/// Only a missing key is a reason to ask again.
#[tokio::test]
async fn other_refusals_cause_no_fetch() {
    let (published, keys) = nothing();
    let key = ClientKey::new(VerificationAlgorithm::ES256, "k");
    let same_name = ClientKey::new(VerificationAlgorithm::ES256, "k");
    published.put(URI, jwks(&[&key]));
    let draft = Draft::new(&json!({}));
    for token in [
        draft.sign(&same_name),
        draft.unsecured(),
        draft.sign(ClientKey::of(VerificationAlgorithm::RS256)),
        draft.clone().header("crit", json!(["exp"])).sign(&key),
    ] {
        let now = after(20);
        assert!(keys.verify(&client(), &token, &ES256, now).await.is_err());
        assert_eq!(published.asked(URI), 1);
    }
}
