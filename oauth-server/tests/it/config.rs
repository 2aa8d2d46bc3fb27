//! The configuration: layers, unknown keys, all problems at once, mode rules, and the reference.

use oauth_server::config::{
    Config, Mode, Overrides, Problems, RULES, Sources, dump, load, reference,
};
use std::path::PathBuf;

/// Loads TOML text with environment variables.
fn read(toml: &str, env: &[(&str, &str)]) -> Result<Config, Problems> {
    let folder = tempfile::tempdir().unwrap();
    read_files(&[toml], env, &folder)
}

fn read_files(
    files: &[&str],
    env: &[(&str, &str)],
    at: &tempfile::TempDir,
) -> Result<Config, Problems> {
    let file = |(i, text): (usize, &&str)| {
        let path = at.path().join(format!("{i}.toml"));
        std::fs::write(&path, text).unwrap();
        path
    };
    let files: Vec<PathBuf> = files.iter().enumerate().map(file).collect();
    let environment = env.iter().map(|(k, v)| (k.into(), v.into())).collect();
    load(&Sources { files, environment, flags: Overrides::default() })
}

/// The keys that are wrong.
fn wrong(toml: &str, env: &[(&str, &str)]) -> Vec<String> {
    let problems = read(toml, env).expect_err("this configuration is wrong");
    problems.0.into_iter().map(|p| p.key).collect()
}

#[test]
fn nothing_has_to_be_configured() {
    let config = read("", &[]).unwrap();
    assert_eq!(config.listen().to_string(), "127.0.0.1:4999");
    assert_eq!(config.issuer().as_str(), "http://127.0.0.1:4999");
    assert_eq!(config.database_url(), "sqlite:data/oauth.db");
    assert!(!config.grants.danger_implicit && !config.grants.danger_password);
}

#[test]
fn each_layer_beats_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let files =
        ["[server]\nport = 1\nbody_limit = 2000", "[server]\nport = 2", "mode = \"testing\""];
    let config = read_files(&files[..1], &[], &folder).unwrap();
    assert_eq!(config.server.port, 1);
    let config = read_files(&files, &[], &folder).unwrap();
    assert_eq!(
        (config.server.port, config.server.body_limit, config.mode()),
        (2, 2000, Mode::Testing)
    );
    let env = [("OAUTH__SERVER__PORT", "3"), ("OAUTH__MODE", "development"), ("PATH", "/bin")];
    let config = read_files(&files, &env, &folder).unwrap();
    assert_eq!(
        (config.server.port, config.server.body_limit, config.mode()),
        (3, 2000, Mode::Development)
    );
    let flags = Overrides { port: Some(4), mode: Some(Mode::Testing), ..Overrides::default() };
    let sources = Sources {
        files: vec![folder.path().join("1.toml")],
        environment: env.iter().map(|(k, v)| (k.into(), v.into())).collect(),
        flags,
    };
    let config = load(&sources).unwrap();
    assert_eq!((config.server.port, config.mode()), (4, Mode::Testing));
}

#[test]
fn an_empty_variable_is_an_unset_one() {
    let config = read("[server]\nport = 7", &[("OAUTH__SERVER__PORT", "")]).unwrap();
    assert_eq!(config.server.port, 7);
}

#[test]
fn variables_are_text_until_their_type_is_known() {
    let env = [
        ("OAUTH__SERVER__PORT", "0080"),
        ("OAUTH__LOGS__REQUESTS", "off"),
        ("OAUTH__SERVER__TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
        ("OAUTH__TOKENS__ACCESS_TOKEN_TTL", "5m"),
        ("OAUTH__DATABASE__URL", "sqlite:00123"),
    ];
    let config = read("", &env).unwrap();
    assert_eq!(config.server.port, 80);
    assert!(!config.logs.requests);
    assert_eq!(config.server.trusted_proxies.len(), 2);
    assert_eq!(config.tokens.access_token_ttl.as_secs(), 300);
    assert_eq!(config.database_url(), "sqlite:00123");
}

#[test]
fn unknown_keys_are_named_wherever_they_come_from() {
    let toml = "prot = 1\n[server]\nprot = 1\n[[client]]\nid = \"a\"\nsecret = \"x\"\nscop = \"\"\nredirect_uris = [\"https://a.example/\"]\n[nonsense]\na = 1";
    let env = [
        ("OAUTH__SERVER__HOTS", "x"),
        ("OAUTH__THROTLE__FIRST_DELAY", "1"),
        ("OAUTH__", "x"),
        ("oauth__mdoe", "x"),
    ];
    let mut keys = wrong(toml, &env);
    keys.sort();
    let expected = [
        "OAUTH__",
        "client[0].scop",
        "mdoe",
        "nonsense",
        "prot",
        "server.hots",
        "server.prot",
        "throtle",
    ];
    assert_eq!(keys, expected);
    let text = read(toml, &env).unwrap_err().to_string();
    assert!(text.contains("server.hots: unknown key (environment variable OAUTH__SERVER__HOTS); did you mean server.host?"), "{text}");
    assert!(text.contains("did you mean client[0].scope?"), "{text}");
    assert!(text.contains("0.toml"), "{text}");
}

#[test]
fn all_problems_come_at_once() {
    let toml = "[server]\nport = 70000\nhost = \"somewhere\"\ntls_key = \"/nowhere/key.pem\"\n[tokens]\ncode_ttl = \"1h\"\naccess_token_ttl = \"soon\"\n[keys]\nsealing_key = \"short\"\nalgorithms = [\"HS256\"]";
    let mut keys =
        wrong(toml, &[("OAUTH__LOGS__LEVEL", "loud=very"), ("OAUTH__SIGNUP__OPEN", "maybe")]);
    keys.sort();
    let expected = [
        "keys.algorithms",
        "keys.sealing_key",
        "logs.level",
        "server.host",
        "server.port",
        "server.tls_certificate",
        "server.tls_key",
        "signup.open",
        "tokens.access_token_ttl",
        "tokens.code_ttl",
    ];
    assert_eq!(keys, expected);
}

#[test]
fn a_broken_file_is_an_error_that_shows_no_line_of_it() {
    let text = read("[keys]\nsealing_key = \"hush hush", &[]).unwrap_err().to_string();
    assert!(text.contains("line 2") && !text.contains("hush"), "{text}");
    let missing = Sources { files: vec!["/nowhere/at/all.toml".into()], ..Sources::default() };
    assert!(
        load(&missing).unwrap_err().to_string().contains("/nowhere/at/all.toml: cannot be read")
    );
    assert_eq!(wrong("server = 3", &[]), ["server"]);
    assert_eq!(wrong("[client]\nid = \"a\"", &[]), ["client"]);
    assert_eq!(wrong("", &[("OAUTH__CLIENT__0__ID", "a")]), ["client"]);
}

#[test]
fn secrets_may_stand_in_files_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("url");
    std::fs::write(&path, "postgres://u:p@h/d\n").unwrap();
    let path = path.to_str().unwrap();
    let config = read("", &[("OAUTH__DATABASE__URL_FILE", path)]).unwrap();
    assert_eq!(config.database_url(), "postgres://u:p@h/d");
    let both = [("OAUTH__DATABASE__URL_FILE", path), ("OAUTH__DATABASE__URL", "sqlite:x")];
    assert_eq!(wrong("", &both), ["database.url"]);
    assert_eq!(wrong("[database]\nurl_file = \"/nowhere/url\"", &[]), ["database.url_file"]);
    assert_eq!(
        wrong("[server]\nport_file = \"x\"", &[]),
        ["server.port_file"],
        "only secrets have a twin"
    );
}

#[test]
fn plain_http_is_for_loopback() {
    let open = "[server]\nhost = \"0.0.0.0\"\npublic_url = \"https://auth.example.org\"\n";
    assert_eq!(wrong(open, &[]), ["server.host"]);
    read(&format!("{open}danger_plain_http = true"), &[]).unwrap();
    assert_eq!(
        wrong("[server]\npublic_url = \"http://auth.example.org\"", &[]),
        ["server.public_url"]
    );
    read("[server]\npublic_url = \"http://localhost:4999\"", &[]).unwrap();
    assert_eq!(
        wrong("[server]\npublic_url = \"https://auth.example.org/\"", &[]),
        ["server.public_url"]
    );
    assert_eq!(
        wrong("[server]\nhost = \"::\"\ndanger_plain_http = true", &[]),
        ["server.public_url"]
    );
}

#[test]
fn outgoing_requests_go_where_it_makes_sense() {
    let wrong = |rest: &str| wrong(&format!("[outgoing]\n{rest}"), &[]);
    for (rest, key) in [
        ("allowed_networks = [\"10.0.0.0/8\", \"0.0.0.0/0\"]", "allowed_networks"),
        ("allowed_networks = [\"::/0\"]", "allowed_networks"),
        ("allowed_networks = [\"10.0.0.0/33\"]", "allowed_networks"),
        ("allowed_networks = [\"intranet.example\"]", "allowed_networks"),
        ("allowed_networks = [\"::1\"]\nrefused_networks = [\"::/64\"]", "allowed_networks"),
        ("ca_files = [\"/nowhere/ca.pem\"]", "ca_files"),
        ("timeout = 0", "timeout"),
        ("timeout = \"30s\"", "timeout"),
        ("concurrency = 0", "concurrency"),
        ("danger_plain_http = true", "danger_plain_http"),
    ] {
        assert_eq!(wrong(rest), [format!("outgoing.{key}")], "{rest}");
    }
    let config = read("", &[]).unwrap();
    assert!(config.outgoing.allowed_networks.is_empty() && !config.outgoing.danger_plain_http);
    let env = [
        ("OAUTH__OUTGOING__ALLOWED_NETWORKS", "127.0.0.0/8, ::1"),
        ("OAUTH__OUTGOING__REFUSED_NETWORKS", "127.9.0.0/16"),
        ("OAUTH__OUTGOING__TIMEOUT", "2s"),
        ("OAUTH__OUTGOING__CONCURRENCY", "4"),
        ("OAUTH__OUTGOING__DANGER_PLAIN_HTTP", "true"),
    ];
    let config = read("", &env).unwrap();
    assert_eq!(config.outgoing.allowed_networks.len(), 2);
    assert_eq!((config.outgoing.timeout.as_secs(), config.outgoing.concurrency), (2, 4));
    assert!(config.outgoing.danger_plain_http);
}

#[test]
fn authorities_for_outgoing_requests_are_read_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("good.pem");
    let ca = rcgen::generate_simple_self_signed(["ca.example".to_owned()]).unwrap();
    std::fs::write(&good, ca.cert.pem()).unwrap();
    let key = folder.path().join("key.pem");
    std::fs::write(&key, ca.signing_key.serialize_pem()).unwrap();
    let files = |path: &std::path::Path| format!("[outgoing]\nca_files = [\"{}\"]", path.display());
    let config = read(&files(&good), &[]).unwrap();
    oauth_server::outgoing::fetch(&config).unwrap();
    let text = read(&files(&key), &[]).unwrap_err().to_string();
    let what = format!("outgoing.ca_files: {}: is not a PEM file with certificates", key.display());
    assert!(text.contains(&what), "{text}");
}

#[test]
fn clients_of_the_configuration_must_make_sense() {
    const GOOD: &str = "secret = \"x\"\ngrant_types = [\"client_credentials\"]\n";
    let client = |rest: &str| format!("[[client]]\nid = \"c\"\n{rest}");
    let public = "auth_method = \"none\"\nredirect_uris = [\"https://a.example/\"]\n";
    let cases = [
        (String::new(), vec!["client[0].secret", "client[0].redirect_uris"]),
        (format!("{public}secret = \"x\""), vec!["client[0].secret"]),
        (format!("{public}grant_types = [\"client_credentials\"]"), vec!["client[0].auth_method"]),
        ("secret = \"x\"\ngrant_types = [\"password\"]".into(), vec!["client[0].grant_types"]),
        (
            format!("{GOOD}redirect_uris = [\"http://evil.example/\"]"),
            vec!["client[0].redirect_uris"],
        ),
        (format!("{GOOD}access_token_ttl = \"2d\""), vec!["client[0].access_token_ttl"]),
        (format!("{GOOD}scope = \"nonsense\""), vec!["client[0].scope"]),
        (
            format!("{GOOD}response_types = [\"code\"]"),
            vec!["client[0].redirect_uris", "client[0].response_types"],
        ),
        (format!("{GOOD}[[client]]\nid = \"c\"\n{GOOD}"), vec!["client[1].id"]),
    ];
    for (rest, keys) in cases {
        assert_eq!(wrong(&client(&rest), &[]), keys, "{rest}");
    }
    let text =
        read(&client("secret = \"x\"\ngrant_types = [\"password\"]"), &[]).unwrap_err().to_string();
    assert!(text.contains("Set grants.danger_password"), "{text}");
}

#[test]
fn clients_of_the_configuration_may_have_keys_and_further_metadata() {
    let client = |rest: &str| {
        format!("[[client]]\nid = \"c\"\nredirect_uris = [\"https://a.example/\"]\n{rest}")
    };
    let jwk = "{ kty = \"EC\", crv = \"P-256\", x = \"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\", y = \"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"";
    let key = format!(
        "auth_method = \"private_key_jwt\"\nmetadata = {{ jwks = {{ keys = [{jwk} }}] }} }}"
    );
    let mac =
        "auth_method = \"client_secret_jwt\"\nsecret = \"thirty-two-bytes-of-secret-or-more\"";
    let more = "metadata = { subject_type = \"pairwise\", \"logo_uri#de\" = \"https://a.example/l.png\", post_logout_redirect_uris = [\"https://a.example/bye\"] }";
    for good in [key.as_str(), mac, &format!("{mac}\n{more}")] {
        assert!(read(&client(good), &[]).is_ok(), "{good}");
    }
    let config = read(&client(&format!("{mac}\n{more}")), &[]).unwrap();
    let shown = dump(&config);
    assert!(shown.contains("\"logo_uri#de\" = \"https://a.example/l.png\""), "{shown}");
    for (rest, keys) in [
        ("auth_method = \"private_key_jwt\"".to_owned(), vec!["client[0].auth_method"]),
        (format!("{key}\nsecret = \"x\""), vec!["client[0].secret"]),
        (key.replace(jwk, &format!("{jwk}, d = \"AAAA\"")), vec!["client[0].metadata.jwks"]),
        ("auth_method = \"client_secret_jwt\"".to_owned(), vec!["client[0].secret"]),
        (
            "auth_method = \"client_secret_jwt\"\nsecret = \"too short\"".to_owned(),
            vec!["client[0].secret"],
        ),
        (format!("{mac}\nmetadata = {{ made_up = 1 }}"), vec!["client[0].metadata"]),
        (format!("{mac}\nmetadata = {{ scope = \"openid\" }}"), vec!["client[0].metadata"]),
        (
            format!("{mac}\nmetadata = {{ subject_type = \"odd\" }}"),
            vec!["client[0].metadata.subject_type"],
        ),
        (format!("{mac}\nmetadata = {{ contacts = \"me\" }}"), vec!["client[0].metadata.contacts"]),
    ] {
        assert_eq!(wrong(&client(&rest), &[]), keys, "{rest}");
    }
}

/// A production configuration without any fault, to be spoilt one rule at a time.
const PRODUCTION: &str = r#"
mode = "production"
[server]
public_url = "https://auth.example.org"
[keys]
sealing_key = "q0zXn5bWc8YhT2mJ7dLkR4vPaSfUeGi1oB3xCwN6yQE="
[database]
url = "postgres://oauth:kQ3vX9z0-pT7@db/oauth"
"#;

/// For each rule: a spoilt configuration, in order.
const SPOILT: &[(&str, &str)] = &[
    ("authenticator", "authenticator = \"any\""),
    ("server.public_url", "-public_url"),
    ("server.public_url", "-public_url\n[server]\npublic_url = \"http://127.0.0.1:4999\""),
    (
        "outgoing.danger_plain_http",
        "[outgoing]\ndanger_plain_http = true\nallowed_networks = [\"10.0.0.0/8\"]",
    ),
    ("registration.danger_loopback", "[registration]\ndanger_loopback = true"),
    ("keys.sealing_key", "-sealing_key"),
    (
        "keys.sealing_key",
        "-sealing_key\n[keys]\nsealing_key = \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"",
    ),
    ("keys.publish_lead", "[keys]\npublish_lead = \"10m\""),
    ("database.url", "-url = \n[database]\nurl = \"postgres://oauth:changeme@db/oauth\""),
    ("mail.transport", "[mail]\ntransport = \"file\""),
    ("mail.transport", "profile = \"toktok\""),
    ("signup.access_rights", "[signup]\naccess_rights = \"choose\""),
    ("signup.password_length", "[signup]\npassword_length = 4"),
    ("grants.danger_implicit", "[grants]\ndanger_implicit = true"),
    ("grants.danger_password", "[grants]\ndanger_password = true"),
    ("grants.pkce", "[grants]\npkce = \"public_clients\""),
    (
        "upstream.client_secret",
        "[[upstream]]\nid = \"a\"\nissuer = \"https://op.example\"\nclient_id = \"c\"\nclient_secret = \"changeme\"",
    ),
    (
        "client.secret",
        "[[client]]\nid = \"1234\"\nsecret = \"qwerty\"\ngrant_types = [\"client_credentials\"]",
    ),
    (
        "client.secret",
        "[[client]]\nid = \"1234\"\nsecret = \"kQ3vX9z0-pT7\"\ngrant_types = [\"client_credentials\"]",
    ),
    ("user", "[[user]]\nname = \"bob\"\npassword = \"bob-pass\""),
];

/// The production configuration with changes: lines beginning with `-` remove, sections are joined.
fn production(changes: &str, mode: Mode) -> Result<Config, Problems> {
    let gone: Vec<&str> = changes.lines().filter_map(|l| l.strip_prefix('-')).collect();
    let kept: Vec<&str> =
        PRODUCTION.lines().filter(|l| !gone.iter().any(|g| l.starts_with(*g))).collect();
    let added: Vec<&str> = changes.lines().filter(|l| !l.starts_with('-')).collect();
    let folder = tempfile::tempdir().unwrap();
    let mode = format!("mode = \"{mode}\"");
    read_files(&[&kept.join("\n"), &added.join("\n"), &mode], &[], &folder)
}

#[test]
fn each_rule_is_refused_in_its_modes_and_only_there() {
    production("", Mode::Production).unwrap();
    assert_eq!(SPOILT.len(), RULES.len(), "each rule needs a configuration that breaks it");
    for (rule, (key, changes)) in RULES.iter().zip(SPOILT) {
        assert_eq!(rule.key, *key, "the lists are in the same order");
        for &mode in Mode::ALL {
            let what = format!("{} (mode {mode})", rule.what);
            let broken = production(changes, mode)
                .err()
                .is_some_and(|problems| problems.0.iter().any(|p| p.what == what));
            assert_eq!(broken, rule.refused_in.contains(&mode), "{key} in {mode}: {changes}");
        }
    }
}

#[test]
fn dangers_can_be_accepted_by_name() {
    let on = "[grants]\ndanger_implicit = true\ndanger_password = true\ndanger_accepted_in_production = [\"implicit\", \"password\"]";
    production(on, Mode::Production).unwrap();
}

#[test]
fn the_dump_hides_secrets_and_can_be_read_again() {
    let toml = "[database]\nurl = \"postgres://u:hushhush@h/d\"\n[[client]]\nid = \"a\"\nsecret = \"hushhush\"\ngrant_types = [\"client_credentials\"]\n[[user]]\nname = \"bob\"\npassword = \"hushhush\"\nrights = [\"query:read\"]";
    let config = read(toml, &[]).unwrap();
    let text = dump(&config);
    assert!(!text.contains("hush") && !format!("{config:?}").contains("hush"), "{text}");
    assert!(text.contains("[[client]]\nid = \"a\""), "{text}");
    let again =
        read(&text.replace("(secret)", "sqlite:x"), &[]).unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert_eq!(again.tokens.access_token_ttl, config.tokens.access_token_ttl);
    assert_eq!(again.users[0].rights, config.users[0].rights);
}

/// Run with `UPDATE_DOCS=1` to write the file.
#[test]
fn docs_config_md_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/config.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, reference()).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == reference(),
        "docs/config.md is not what `oauth-server config reference` prints; run this test with UPDATE_DOCS=1"
    );
}

#[test]
fn claims_of_a_user_are_checked_and_can_be_read_back() {
    let user = |claims: &str| {
        format!("[[user]]\nname = \"ada\"\npassword = \"x\"\nclaims = {{ {claims} }}")
    };
    let good = "name = \"Ada \\\"L\\\"\", email = \"ada@example.org\", email_verified = true, address = { locality = \"London\" }";
    let config = read(&user(good), &[]).unwrap();
    let shown = dump(&config);
    let line = shown.lines().find(|line| line.starts_with("claims = ")).unwrap();
    assert!(line.contains("address.locality = \"London\", email_verified = true"), "{line}");
    let again = read(&format!("[[user]]\nname = \"ada\"\npassword = \"x\"\n{line}"), &[]).unwrap();
    assert_eq!(again.users[0].claims, config.users[0].claims);
    for (claims, key, what) in [
        ("email = \"ada\"", "user[0].claims.email", "Give an address such as ada@example.org."),
        (
            "address = { country = \"a\u{202e}b\" }",
            "user[0].claims.address.country",
            "Leave out invisible",
        ),
        ("email_verified = true", "user[0].claims.email_verified", "needs email beside it"),
        ("nmae = \"Ada\"", "user[0].claims", "\"nmae\" is no claim"),
        ("name = 1", "user[0].claims", "name: expected text in quotes"),
        ("email_verified = \"maybe\"", "user[0].claims", "email_verified: expected true or false"),
        ("address = \"London\"", "user[0].claims", "\"address\" is no claim"),
    ] {
        let problems = read(&user(claims), &[]).expect_err(claims).0;
        assert_eq!(problems.len(), 1, "{claims}");
        assert_eq!(problems[0].key, key, "{claims}");
        assert!(problems[0].what.contains(what), "{claims}: {}", problems[0].what);
    }
    assert_eq!(
        wrong("[[user]]\nname = \"ada\"\npassword = \"x\"\nclaims = \"Ada\"", &[]),
        ["user[0].claims"]
    );
}
