//! The command line: data on standard output, messages on standard error, exit codes 0, 1 and 2.

use serde_json::Value;
use std::{
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

/// Runs the binary with its data in the folder.
fn run(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_oauth-server"))
        .args(arguments)
        .env_clear()
        .env("OAUTH__DATA_FOLDER", folder.join("data"))
        .env("OAUTH__KEYS__ALGORITHMS", "ES256")
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
    child.wait_with_output().unwrap()
}

/// Runs a command that must succeed; its standard output.
fn good(folder: &Path, arguments: &[&str], input: &str) -> String {
    let output = run(folder, arguments, input);
    let messages = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {messages}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that must fail with this code; its standard error.
fn bad(folder: &Path, arguments: &[&str], input: &str, code: i32) -> String {
    let output = run(folder, arguments, input);
    let messages = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {messages}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    messages
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_configuration_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    assert_eq!(good(at, &["--check-config"], ""), "");
    assert!(!at.join("data").exists(), "checking makes nothing");
    let text = bad(at, &["--check-config", "--mode", "production"], "", 2);
    for key in ["server.public_url", "keys.sealing_key"] {
        assert!(text.contains(key), "{text}");
    }
    assert!(!text.contains("signup.access_rights"), "{text}");
    std::fs::write(at.join("a.toml"), "[server]\nprot = 1").unwrap();
    let text = bad(at, &["--config", "a.toml"], "", 2);
    assert!(text.contains("server.prot") && text.contains("server.port"), "{text}");
    bad(at, &["--config", "nowhere.toml", "user", "list"], "", 2);
    bad(at, &["frobnicate"], "", 2);
    bad(at, &["--port", "70000"], "", 2);
}

#[test]
fn the_reference_needs_no_configuration_and_the_dump_shows_what_is_in_effect() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    assert_eq!(good(at, &["config", "reference"], ""), oauth_server::config::reference());
    let dump = good(at, &["config", "dump", "--port", "1234", "--log-format", "json"], "");
    assert!(dump.contains("\nport = 1234\n") && dump.contains("format = \"json\""), "{dump}");
    assert!(good(at, &["completions", "bash"], "").contains("oauth-server"));
    assert!(good(at, &["--help"], "").contains("client"));
}

#[test]
fn users_are_made_listed_and_locked_out() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let made = json(&good(
        at,
        &["user", "create", "alice", "--admin", "--output", "json"],
        "correct horse\n",
    ));
    assert_eq!((&made["username"], &made["admin"]), (&"alice".into(), &true.into()));
    assert!(bad(at, &["user", "create", "ALICE"], "correct horse\n", 1).contains("already"));
    assert!(bad(at, &["user", "create", "bob"], "short\n", 1).contains('8'));
    std::fs::write(at.join("password"), "another horse\n").unwrap();
    good(at, &["user", "create", "bob", "--password-file", "password"], "");
    good(at, &["admin", "revoke", "alice"], "");
    good(at, &["user", "disable", "bob"], "");
    good(at, &["user", "rights", "alice", "connection", "write", "--path", "single/*"], "");
    good(at, &["user", "rights", "alice", "query", "read"], "");
    good(at, &["user", "rights", "alice", "query", "none"], "");
    assert!(
        bad(at, &["user", "rights", "alice", "nonsense", "read"], "", 1).contains("connection")
    );
    good(at, &["user", "set-password", "alice"], "a third horse\n");
    bad(at, &["user", "set-password", "carol"], "a third horse\n", 1);
    let list = json(&good(at, &["user", "list", "--output", "json"], ""));
    let state = |i: usize| {
        (list[i]["username"].clone(), list[i]["admin"].clone(), list[i]["disabled"].clone())
    };
    assert_eq!(state(0), ("alice".into(), false.into(), false.into()));
    assert_eq!(state(1), ("bob".into(), false.into(), true.into()));
    assert!(good(at, &["user", "list"], "").starts_with("NAME "));
    let alice = json(&good(at, &["user", "show", "alice", "--output", "json"], ""));
    assert_eq!(
        alice["rights"],
        serde_json::json!([{"api": "connection", "access": "write", "paths": ["single/*"]}])
    );
}

#[test]
fn clients_are_made_with_a_secret_that_is_shown_once() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let create = [
        "client",
        "create",
        "--name",
        "Demo",
        "--redirect-uri",
        "https://a.example/cb",
        "--scope",
        "query",
        "--output",
        "json",
    ];
    let made = json(&good(at, &create, ""));
    let id = made["client_id"].as_str().unwrap();
    let secret = made["client_secret"].as_str().unwrap();
    assert_eq!(secret.len(), 43);
    assert_eq!(made["grant_types"], serde_json::json!(["authorization_code", "refresh_token"]));
    assert_eq!(made["response_types"], serde_json::json!(["code"]));
    let shown = good(at, &["client", "show", id, "--output", "json"], "");
    assert!(!shown.contains("client_secret\"") && json(&shown)["client_name"] == "Demo", "{shown}");
    let rotated = json(&good(at, &["client", "rotate-secret", id, "--output", "json"], ""));
    assert_ne!(rotated["client_secret"], made["client_secret"]);
    assert!(good(at, &["client", "list"], "").contains(id));
    let public = good(
        at,
        &[
            "client",
            "create",
            "--name",
            "App",
            "--redirect-uri",
            "http://127.0.0.1/cb",
            "--auth-method",
            "none",
        ],
        "",
    );
    assert!(!public.contains("secret"), "{public}");
    bad(at, &["client", "create", "--name", "X"], "", 1);
    bad(at, &["client", "create", "--name", "X", "--redirect-uri", "http://a.example/"], "", 1);
    bad(at, &["client", "create", "--name", "X", "--grant-type", "password"], "", 1);
    bad(
        at,
        &[
            "client",
            "create",
            "--name",
            "X",
            "--grant-type",
            "client_credentials",
            "--auth-method",
            "none",
        ],
        "",
        1,
    );
    good(at, &["client", "delete", id], "");
    bad(at, &["client", "delete", id], "", 1);
}

#[test]
fn keys_are_listed_rotated_retired_and_imported() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let list = || json(&good(at, &["keys", "list", "--output", "json"], ""));
    good(at, &["maintain"], "");
    let first = list()[0]["kid"].as_str().unwrap().to_owned();
    good(at, &["keys", "rotate"], "");
    let states = |l: &Value| {
        l.as_array()
            .unwrap()
            .iter()
            .map(|k| k["state"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(states(&list()), ["signing", "next"]);
    good(at, &["keys", "rotate", "--now"], "");
    assert_eq!(states(&list()).iter().filter(|s| *s == "signing").count(), 1);
    good(at, &["keys", "retire", &first], "");
    assert_eq!(states(&list())[0], "retired");
    bad(at, &["keys", "retire", "nonsense"], "", 1);

    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["auth.example".into()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let other = rcgen::CertificateParams::new(vec!["x".into()])
        .unwrap()
        .self_signed(&rcgen::KeyPair::generate().unwrap())
        .unwrap();
    std::fs::write(at.join("key.pem"), key.serialize_pem()).unwrap();
    std::fs::write(at.join("other.pem"), other.pem()).unwrap();
    std::fs::write(at.join("both.pem"), format!("{}{}", key.serialize_pem(), certificate.pem()))
        .unwrap();
    assert!(
        bad(at, &["keys", "import", "key.pem", "--certificate", "other.pem"], "", 1)
            .contains("does not belong")
    );
    bad(at, &["keys", "import", "nowhere.pem"], "", 1);
    bad(at, &["keys", "import", "other.pem"], "", 1);
    good(at, &["keys", "import", "key.pem", "--certificate", "both.pem", "--now"], "");
    assert!(bad(at, &["keys", "import", "key.pem"], "", 1).contains("already"));
    assert_eq!(states(&list()).last().unwrap(), "signing");
}

#[test]
fn the_database_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let output = run(at, &["migrate", "--dry-run"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().contains("sessions_and_throttle"));
    good(at, &["migrate"], "");
    assert_eq!(good(at, &["migrate", "--dry-run"], ""), "");
}
