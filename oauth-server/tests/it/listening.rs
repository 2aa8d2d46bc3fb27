//! The listener: limits on slow and large requests, metrics apart, and what stops a start.

use crate::process::{Cluster, Process};
use oauth_core::testing::TestDatabase;
use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    process::Command,
};

/// Starts one server with these environment variables.
async fn start(settings: &[(&'static str, &str)]) -> (Process, Cluster, TestDatabase) {
    let database = TestDatabase::sqlite().await;
    let mut cluster = Cluster::new(database.url(), "");
    for &(name, value) in settings {
        cluster.set(name, value);
    }
    (cluster.start(), cluster, database)
}

/// Sends bytes and reads until the server closes the connection.
fn exchange(process: &Process, bytes: &[u8]) -> String {
    let mut stream = process.connect();
    // A server that has heard enough may close before it has read everything; what it said counts.
    stream.write_all(bytes).ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_wait_for_ever_are_closed() {
    let settings = [
        ("OAUTH__SERVER__HEADER_TIMEOUT", "1s"),
        ("OAUTH__SERVER__REQUEST_TIMEOUT", "2s"),
        ("OAUTH__OUTGOING__TIMEOUT", "1s"),
    ];
    let (process, ..) = start(&settings).await;
    for head in ["", "GET /livez HT", "GET /livez HTTP/1.1\r\nhost: a\r\nx-slow: "] {
        let answer = exchange(&process, head.as_bytes());
        assert!(!answer.contains(" 200 "), "{head:?}: {answer}");
    }
    let answer = exchange(&process, b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n");
    assert!(
        answer.starts_with("HTTP/1.1 200 OK"),
        "kept alive for a moment, then closed: {answer}"
    );
    let body = b"POST /oauth/token HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 10\r\n\r\nhalf=";
    let answer = exchange(&process, body);
    assert!(answer.starts_with("HTTP/1.1 503 "), "a body that stops: {answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_that_are_too_large_are_refused() {
    let (process, ..) = start(&[]).await;
    let many = "x-many: y\r\n".repeat(100);
    let long = format!("x: {}\r\n", "y".repeat(20_000));
    for headers in [many, long] {
        let answer = exchange(&process, format!("GET /livez HTTP/1.1\r\n{headers}\r\n").as_bytes());
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    let answer = exchange(&process, b"NONSENSE\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_have_a_listener_of_their_own() {
    let settings = [("OAUTH__METRICS__ENABLED", "true"), ("OAUTH__METRICS__PORT", "0")];
    let (process, ..) = start(&settings).await;
    let line = process.line("metrics listening");
    process.http.get(process.url("/livez")).send().await.unwrap();
    let url = format!("http://{}/metrics", line["address"].as_str().unwrap());
    let text = process.http.get(url).send().await.unwrap().text().await.unwrap();
    assert!(text.contains("oauth_http_requests_total{route=\"/livez\""), "{text}");
    let response = process.http.get(process.url("/metrics")).send().await.unwrap();
    assert_eq!(response.status(), 404, "not where everybody can come");
}

#[tokio::test(flavor = "multi_thread")]
async fn dangers_are_named_at_the_start() {
    let settings = [
        ("OAUTH__OUTGOING__DANGER_PLAIN_HTTP", "true"),
        ("OAUTH__OUTGOING__ALLOWED_NETWORKS", "127.0.0.0/8"),
        ("OAUTH__REGISTRATION__DANGER_LOOPBACK", "true"),
    ];
    let (process, ..) = start(&settings).await;
    let line = process.line("dangerous grant type is on");
    assert_eq!((&line["grant_type"], &line["level"]), (&"password".into(), &"WARN".into()));
    for danger in [
        "outgoing.danger_plain_http is on: keys that clients publish can be replaced on the way",
        "registration.danger_loopback is on: what is at an address on this machine is not the client's alone",
    ] {
        assert_eq!(process.line(danger)["level"], "WARN");
    }
}

/// Runs the server in a folder until it gives up; exit code and standard error.
fn give_up(folder: &Path, settings: &[(&str, &str)]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_oauth-server"))
        .env_clear()
        .env("OAUTH__KEYS__ALGORITHMS", "ES256")
        .envs(settings.iter().copied())
        .current_dir(folder)
        .output()
        .unwrap();
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn what_stops_a_start_is_said_with_the_key_to_change() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, text) = give_up(folder.path(), &[("OAUTH__SERVER__PORT", &port)]);
    assert!(code == 1 && text.contains("server.port"), "{code}: {text}");
    let (code, text) = give_up(folder.path(), &[("OAUTH__SERVER__HOST", "0.0.0.0")]);
    assert!(code == 2 && text.contains("server.danger_plain_http"), "{code}: {text}");
    let nowhere = [("OAUTH__DATABASE__URL", "postgres://nobody:hush@127.0.0.1:1/none")];
    let (code, text) = give_up(folder.path(), &nowhere);
    assert!(code == 1 && text.contains("database.url") && !text.contains("hush"), "{code}: {text}");
    std::fs::create_dir_all(folder.path().join("data")).unwrap();
    std::fs::write(folder.path().join("data/sealing.key"), "too short\n").unwrap();
    let (code, text) = give_up(folder.path(), &[("OAUTH__SERVER__PORT", "0")]);
    assert!(code == 1 && text.contains("sealing.key"), "{code}: {text}");
}
