//! The command line: data on standard output, messages on standard error, exit codes 0, 1 and 2.

use oauth_core::ports::{Clock as _, SystemClock};
use serde_json::Value;
use std::{
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
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
pub fn good(folder: &Path, arguments: &[&str], input: &str) -> String {
    let output = run(folder, arguments, input);
    let messages = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {messages}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that must fail with this code; its standard error.
pub fn bad(folder: &Path, arguments: &[&str], input: &str, code: i32) -> String {
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
fn the_operator_writes_and_verifies_claims() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    good(at, &["user", "create", "ada"], "correct horse\n");
    let profile = |more: &[&str]| {
        let arguments = [&["user", "profile", "ada", "--output", "json"], more].concat();
        json(&good(at, &arguments, ""))
    };
    assert_eq!(profile(&[]), serde_json::json!({}));
    let set = ["--set", "email=ada@example.org", "--set", "address.locality=London"];
    let written = profile(&[&set[..], &["--set", "phone_number=+44 20 7946 0958"]].concat());
    assert_eq!(
        (&written["email"], &written["email_verified"]),
        (&"ada@example.org".into(), &false.into())
    );
    assert_eq!(
        (&written["address"]["locality"], &written["phone_number"]),
        (&"London".into(), &"+442079460958".into())
    );
    assert!(written["updated_at"].is_number());
    let verified = profile(&["--verified", "email", "--verified", "phone_number"]);
    assert_eq!(
        (&verified["email_verified"], &verified["phone_number_verified"]),
        (&true.into(), &true.into())
    );
    let other = profile(&["--set", "email=eve@example.org", "--unverified", "phone_number"]);
    assert_eq!(
        (&other["email_verified"], &other["phone_number_verified"]),
        (&false.into(), &false.into())
    );
    let both = profile(&["--set", "email=ada@example.org", "--verified", "email"]);
    assert_eq!(
        (&both["email"], &both["email_verified"]),
        (&"ada@example.org".into(), &true.into())
    );
    let gone = profile(&["--set", "email=", "--set", "address.locality="]);
    assert!(
        gone.get("email").is_none()
            && gone.get("email_verified").is_none()
            && gone.get("address").is_none()
    );
    assert!(good(at, &["user", "profile", "ada"], "").contains("phone_number_verified  false"));
    for (arguments, code, why) in [
        (["--set", "email=ada"], 1, "email: Give an address such as ada@example.org."),
        (["--set", "email_verified=true"], 1, "there is no claim \"email_verified\""),
        (["--set", "email"], 1, "expected CLAIM=TEXT, not \"email\""),
        (["--verified", "email"], 1, "there is no email that could be verified"),
        (["--verified", "name"], 2, "phone_number"),
    ] {
        let text = bad(at, &[&["user", "profile", "ada"], &arguments[..]].concat(), "", code);
        assert!(text.contains(why), "{text}");
    }
    assert!(bad(at, &["user", "profile", "eve"], "", 1).contains("no user named"));
    assert_eq!(profile(&[]), gone, "what is refused changes nothing");
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
    let apart = ["user", "rights", "alice", "node", "write", "--write-path", "self"];
    good(at, &apart, "");
    let idle = ["user", "rights", "alice", "node", "read", "--write-path", "self"];
    assert!(bad(at, &idle, "", 1).contains("--write-path"));
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
        serde_json::json!([
            {"api": "connection", "access": "write", "paths": ["single/*"], "write_paths": []},
            {"api": "node", "access": "write", "paths": [], "write_paths": ["self"]},
        ])
    );
}

#[tokio::test]
async fn a_new_password_ends_what_was_got_with_the_old_one() {
    let server = crate::support::start("").await;
    // The command has the time from elsewhere.
    let ahead = SystemClock.now().unix() - server.clock.now().unix();
    server.clock.advance(Duration::from_secs(ahead.try_into().unwrap()));
    let ada = server.signed_up("ada").await;
    let client = ada.create_client(&[]).await;
    let code = ada.allow(&client.id).await;
    let tokens = client.exchange(&server, &code).await;
    good(server.folder.path(), &["user", "set-password", "ada"], "another horse\n");
    server.clock.advance(Duration::from_mins(1));
    assert_eq!(ada.get("/account").await.location(), "/login?to=account");
    let basic = Some((&*client.id, client.secret.as_deref().unwrap()));
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let answer = server.post("/oauth/token", basic, &form).await;
    assert_eq!(crate::support::json(answer).await["error"], "invalid_grant");
    let consents = server.state.provider.env().grants.consents(&ada.id).await.unwrap();
    assert!(consents.is_empty(), "it is asked again");
}

#[tokio::test]
async fn a_second_factor_is_taken_away_and_its_owner_told() {
    let server = crate::support::start("").await;
    // The command has the time from elsewhere.
    let ahead = SystemClock.now().unix() - server.clock.now().unix();
    server.clock.advance(Duration::from_secs(ahead.try_into().unwrap()));
    let ada = server.signed_up("ada").await;
    let _ = server.state.store.set_email(&ada.id, Some("ada@example.org"), true).await.unwrap();
    crate::second_factor::enrol(&ada).await;
    for said in ["ada signs in with the password alone", "ada had no second factor"] {
        let output = run(server.folder.path(), &["user", "reset-second-factor", "ada"], "");
        let messages = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && messages.contains(said), "{messages}");
    }
    server.clock.advance(Duration::from_mins(1));
    let letters = server.letters().await;
    let gone = letters.iter().filter(|l| l.subject.starts_with("Your second factor for "));
    assert_eq!((letters.len(), gone.count()), (2, 1), "one that it came, and one that it went");
    assert!(letters.iter().all(|letter| letter.to == "ada@example.org"));
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
fn clients_may_have_keys_and_further_metadata() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let create = |more: &[&'static str]| {
        let mut all = vec!["client", "create", "--name", "Demo", "--output", "json"];
        all.extend(["--redirect-uri", "https://a.example/cb"]);
        all.extend(more);
        all
    };
    let metadata = r#"{"jwks_uri": "https://a.example/jwks", "subject_type": "pairwise"}"#;
    let made = good(at, &create(&["--auth-method", "private_key_jwt", "--metadata", metadata]), "");
    assert!(!made.contains("client_secret\""), "{made}");
    assert_eq!(json(&made)["token_endpoint_auth_method"], "private_key_jwt");
    let made =
        json(&good(at, &create(&["--id", "mine", "--auth-method", "client_secret_jwt"]), ""));
    assert_eq!(made["client_id"], "mine");
    assert_eq!(made["client_secret"].as_str().unwrap().len(), 86);
    bad(at, &create(&["--auth-method", "private_key_jwt"]), "", 1);
    bad(at, &create(&["--metadata", r#"{"subject_type": "odd"}"#]), "", 1);
    bad(at, &create(&["--metadata", "[]"]), "", 2);
}

#[test]
fn initial_access_tokens_are_made_listed_and_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let invite = ["registration", "invite", "--label", "a build", "--output", "json"];
    let made = json(&good(at, &invite, ""));
    let (id, token) = (made["id"].as_str().unwrap(), made["initial_access_token"].as_str());
    assert_eq!(token.unwrap().len(), 43);
    let list = good(at, &["registration", "list"], "");
    assert!(list.contains(id) && list.contains("a build"), "{list}");
    assert!(!list.contains(token.unwrap()), "{list}");
    good(at, &["registration", "revoke", id], "");
    bad(at, &["registration", "revoke", id], "", 1);
    assert!(!good(at, &["registration", "list"], "").contains(id));
    bad(at, &["registration", "invite", "--days", "0"], "", 2);
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
    let hyphen = bad(at, &["keys", "retire", "-nonsense"], "", 1);
    assert!(hyphen.contains("there is no key with the id \"-nonsense\""), "{hyphen}");

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

#[test]
fn s2_23_the_modes_have_other_words_and_an_unknown_word_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (word, mode) in [
        ("default", "development"),
        ("dev", "development"),
        ("development", "development"),
        ("testing", "testing"),
    ] {
        let dump = good(at, &["--mode", word, "config", "dump"], "");
        assert!(dump.contains(&format!("mode = \"{mode}\"")), "{word}: {dump}");
    }
    for word in ["preprod", "stage", "prod", "production"] {
        let text = bad(at, &["--mode", word, "--check-config"], "", 2);
        assert!(text.contains("server.public_url"), "{word}: {text}");
    }
    let text = bad(at, &["--mode", "dev_email", "--check-config"], "", 2);
    assert!(text.contains("mail.host"), "letters go to a mail server: {text}");
    bad(at, &["--mode", "prodution", "--check-config"], "", 2);
    bad(at, &["--mode", "", "--check-config"], "", 2);
}

#[test]
fn s2_24_s2_25_the_host_may_be_localhost_and_the_profile_has_a_port() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let dump = good(at, &["--profile", "toktok", "--host", "localhost", "config", "dump"], "");
    assert!(dump.contains("port = 4100") && dump.contains("host = \"127.0.0.1\""), "{dump}");
    let dump = good(at, &["--profile", "toktok", "--port", "4200", "config", "dump"], "");
    assert!(dump.contains("port = 4200"), "{dump}");
    bad(at, &["--host", "elsewhere", "--check-config"], "", 2);
    bad(at, &["--port", "65536", "--check-config"], "", 2);
}

#[test]
fn s2_28_flags_have_variables_and_flags_win() {
    let folder = tempfile::tempdir().unwrap();
    let shown = |variables: &[(&str, &str)], arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_oauth-server"))
            .args(arguments)
            .args(["config", "dump"])
            .env_clear()
            .envs(variables.iter().copied())
            .current_dir(folder.path())
            .output()
            .unwrap()
    };
    let text = |output: Output| String::from_utf8(output.stdout).unwrap();
    let port = [("OAUTH_PORT", "5000"), ("OAUTH_ENV", "testing")];
    let dump = text(shown(&port, &[]));
    assert!(dump.contains("port = 5000") && dump.contains("mode = \"testing\""), "{dump}");
    let dump = text(shown(&port, &["--port", "6000", "--mode", "default"]));
    assert!(dump.contains("port = 6000") && dump.contains("mode = \"development\""), "{dump}");
    let wrong = shown(&[("OAUTH_MODE", "prodution")], &[]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn s2_26_s2_27_s2_28_switches_of_forms_add_up_with_everything() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let dump = |arguments: &[&str]| good(at, &[arguments, &["config", "dump"]].concat(), "");
    let has = |dump: &str, salt: &str, anojwt: &str| {
        let (salt, anojwt) = (format!("\nsalt = \"{salt}\"\n"), format!("\nanojwt = {anojwt}\n"));
        assert!(dump.contains(&salt) && dump.contains(&anojwt), "{salt}{anojwt}: {dump}");
    };
    has(&dump(&[]), "no", "false");
    has(&dump(&["--profile", "toktok"]), "yes", "true");
    has(&dump(&["--profile", "toktok", "--salt", "no"]), "no", "true");
    has(&dump(&["--profile", "toktok", "--anojwt=no"]), "yes", "false");
    has(&dump(&["--salt=jsencrypt", "--anojwt", "yes"]), "jsencrypt", "true");
    has(&dump(&["--rsa", "yes"]), "yes", "false");
    let all = [
        "--mode=default",
        "--host=localhost",
        "--port=4200",
        "--profile=toktok",
        "--salt=no",
        "--anojwt=no",
    ];
    let shown = dump(&all);
    has(&shown, "no", "false");
    assert!(shown.contains("port = 4200"), "{shown}");
    let with = |variables: &[(&str, &str)], arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_oauth-server"))
            .args(arguments)
            .args(["config", "dump"])
            .env_clear()
            .envs(variables.iter().copied())
            .current_dir(at)
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let both = [("OAUTH_SALT", "jsencrypt"), ("OAUTH_ANOJWT", "yes")];
    has(&with(&both, &[]).1, "jsencrypt", "true");
    has(&with(&both, &["--salt", "yes", "--anojwt", "no"]).1, "yes", "false");
    for wrong in [("OAUTH_SALT", "maybe"), ("OAUTH_ANOJWT", "maybe")] {
        assert_eq!(with(&[wrong], &[]).0, Some(2));
    }
    for wrong in [
        &["--salt", "maybe"][..],
        &["--salt="],
        &["--salt"],
        &["--rsa", "1"],
        &["--anojwt", "maybe"],
        &["--anojwt"],
        &["--anojwt="],
        &["--salt", "yes", "--rsa", "no"],
    ] {
        bad(at, &[wrong, &["--check-config"]].concat(), "", 2);
    }
    std::fs::write(at.join("a.toml"), "[accounts]\nguest_tokens = false\n").unwrap();
    let text = bad(at, &["--config", "a.toml", "--anojwt", "yes", "--check-config"], "", 2);
    assert!(text.contains("forms.anojwt"), "{text}");
    good(at, &["--config", "a.toml", "--anojwt", "no", "--check-config"], "");
}

#[test]
fn s2_26_keys_of_forms_are_listed_and_rotated() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let forms = |more: &[&str]| good(at, &[&["--salt", "yes", "keys", "forms"], more].concat(), "");
    let list = || json(&forms(&["list", "--output", "json"]));
    let states = |list: &Value| -> Vec<String> {
        let all = list.as_array().unwrap().iter();
        all.map(|key| key["state"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(list(), serde_json::json!([]));
    forms(&["rotate"]);
    assert_eq!(states(&list()), ["in use"]);
    forms(&["rotate"]);
    assert_eq!(states(&list()), ["in use", "next"]);
    let old = list();
    assert!(old[0]["ends_at"].is_string() && old[1]["ends_at"].is_null(), "{old}");
    forms(&["rotate", "--now"]);
    let left = list();
    assert_eq!(states(&left), ["in use"]);
    assert_eq!(left[0]["alg"], "RSA-OAEP-256");
    assert!(old.as_array().unwrap().iter().all(|key| key["kid"] != left[0]["kid"]));
    assert!(forms(&["list"]).starts_with("KID "));
    assert!(bad(at, &["keys", "forms", "rotate"], "", 1).contains("forms.salt"));
}

#[test]
fn s2_02_another_program_is_served_by_a_flag_or_its_variable() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    assert!(good(at, &["config", "dump"], "").contains("compat = \"none\""));
    let dump = good(at, &["--compat", "toktok", "config", "dump"], "");
    assert!(dump.contains("compat = \"toktok\"") && dump.contains("port = 4100"), "{dump}");
    let dump = good(at, &["--profile", "toktok", "--compat", "none", "config", "dump"], "");
    assert!(dump.contains("compat = \"none\""), "{dump}");
    let text = bad(at, &["--profile", "is10", "--compat", "toktok", "--check-config"], "", 2);
    assert!(text.contains("compat"), "{text}");
    for word in ["tiktak", ""] {
        bad(at, &["--compat", word, "--check-config"], "", 2);
    }
    for (word, code) in [("toktok", 0), ("tiktak", 2)] {
        let output = Command::new(env!("CARGO_BIN_EXE_oauth-server"))
            .arg("--check-config")
            .env_clear()
            .env("OAUTH_COMPAT", word)
            .current_dir(at)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{word}");
    }
}

#[test]
fn s2_29_the_profile_needs_a_mail_server_in_production() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let text = bad(at, &["--profile", "toktok", "--mode", "production", "--check-config"], "", 2);
    for key in ["mail.transport", "server.public_url", "keys.sealing_key"] {
        assert!(text.contains(key), "{key}: {text}");
    }
    let text = bad(at, &["--mode", "production", "--check-config"], "", 2);
    assert!(!text.contains("mail.transport"), "{text}");
}

#[test]
fn s2_04_s2_19_the_example_for_production_is_accepted_with_its_secrets_and_not_without() {
    let folder = tempfile::tempdir().unwrap();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/deploy/production.toml");
    let check = |variables: &[(&str, &str)]| {
        let output = Command::new(env!("CARGO_BIN_EXE_oauth-server"))
            .args(["--config", example, "--check-config"])
            .env_clear()
            .envs(variables.iter().copied())
            .current_dir(folder.path())
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let secrets = [
        ("OAUTH__KEYS__SEALING_KEY", "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k="),
        ("OAUTH__DATABASE__URL", "postgres://oauth:Zb6-9fKc1nQw@127.0.0.1/oauth"),
        ("OAUTH__MAIL__PASSWORD", "w7GdPq2xLm4V"),
    ];
    assert_eq!(check(&secrets), (Some(0), "the configuration is fine\n".into()));
    let (code, text) = check(&[]);
    assert_eq!(code, Some(2));
    for key in ["keys.sealing_key", "mail.password"] {
        assert!(text.contains(key), "{text}");
    }
    assert!(!text.contains("Zb6-9fKc1nQw"));
}

#[test]
fn passkeys_of_a_user_are_listed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    good(at, &["user", "create", "ada"], "nine lives and a lantern\n");
    let list = ["user", "passkeys", "list", "ada", "--output", "json"];
    assert_eq!(json(&good(at, &list, "")), serde_json::json!([]));
    let id = "0b5a6f0e-3a7e-4d57-9c1d-2f6a1f0c9b1e";
    let text = bad(at, &["user", "passkeys", "remove", "ada", id], "", 1);
    assert!(text.contains("ada has no such passkey"), "{text}");
    good(at, &["user", "passkeys", "remove", "ada", "--all"], "");
    for wrong in [&["ada"][..], &["ada", "x"], &["ada", id, "--all"]] {
        bad(at, &[&["user", "passkeys", "remove"], wrong].concat(), "", 2);
    }
    bad(at, &["user", "passkeys", "list", "nobody"], "", 1);
}
