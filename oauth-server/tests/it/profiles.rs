//! Profiles: their defaults, what beats them, and what they refuse.

use oauth_core::model::SigningAlgorithm;
use oauth_server::config::{
    AccountEmail, Config, Format, Overrides, Pkce, Problems, Profile, Sources, load, reference,
};

/// Loads TOML text with environment variables and the profile of the command line.
fn read(toml: &str, env: &[(&str, &str)], profile: Option<Profile>) -> Result<Config, Problems> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    std::fs::write(&path, toml).unwrap();
    let environment = env.iter().map(|(k, v)| (k.into(), v.into())).collect();
    let flags = Overrides { profile, ..Overrides::default() };
    load(&Sources { files: vec![path], environment, flags })
}

/// The keys that a configuration of this profile gets wrong.
fn wrong(toml: &str, profile: Profile) -> Vec<String> {
    let problems = read(toml, &[], Some(profile)).expect_err("this configuration is wrong");
    problems.0.into_iter().map(|p| p.key).collect()
}

#[test]
fn the_standard_profile_changes_nothing() {
    let plain = oauth_server::config::dump(&read("", &[], None).unwrap());
    let standard = read("profile = \"standard\"", &[], None).unwrap();
    assert_eq!(oauth_server::config::dump(&standard), plain);
    assert_eq!(standard.profile(), Profile::Standard);
}

#[test]
fn a_profile_comes_from_a_file_a_variable_or_a_flag_and_the_strongest_wins() {
    let file = "profile = \"is10\"";
    let by_file = read(file, &[], None).unwrap();
    assert_eq!(by_file.tokens.access_token_algorithm, SigningAlgorithm::RS512);
    let env = [("OAUTH__PROFILE", "standard")];
    let by_variable = read(file, &env, None).unwrap();
    assert_eq!(by_variable.tokens.access_token_algorithm, SigningAlgorithm::ES256);
    let by_flag = read(file, &env, Some(Profile::Is10Legacy)).unwrap();
    assert_eq!(by_flag.profile(), Profile::Is10Legacy);
    assert_eq!(by_flag.tokens.access_token_algorithm, SigningAlgorithm::RS512);
}

#[test]
fn what_is_set_beats_what_the_profile_supplies() {
    let toml = "[tokens]\naccess_token_max_ttl = \"30m\"\naccess_token_ttl = \"5m\"\n[openid]\nid_token_ttl = \"5m\"";
    let env = [("OAUTH__GRANTS__PKCE", "everybody"), ("OAUTH__GRANTS__DANGER_PLAIN_PKCE", "")];
    let config = read(toml, &env, Some(Profile::Is10)).unwrap();
    assert_eq!(config.tokens.access_token_max_ttl.as_secs(), 1800);
    assert_eq!(config.tokens.access_token_ttl.as_secs(), 300);
    assert_eq!(config.grants.pkce, Pkce::Everybody);
    assert!(config.grants.danger_plain_pkce, "an empty variable is an unset one");
}

#[test]
fn is10_sets_what_its_standard_asks_for() {
    let config = read("", &[], Some(Profile::Is10)).unwrap();
    assert_eq!(config.tokens.access_token_format, Format::Jwt);
    assert_eq!(config.tokens.access_token_algorithm, SigningAlgorithm::RS512);
    assert!(config.tokens.access_token_max_ttl.as_secs() <= 3600);
    assert_eq!(config.tokens.refresh_token_max_age, config.tokens.refresh_token_ttl);
    assert!(config.keys.publish_lead.as_secs() >= 7200);
    assert!(!config.grants.danger_implicit && !config.grants.danger_password);
    assert!(config.grants.danger_plain_pkce);
}

#[test]
fn is10_refuses_what_its_standard_forbids() {
    for (toml, key) in [
        ("compat = \"toktok\"", "compat"),
        ("[registration]\nmode = \"closed\"", "registration.mode"),
        ("[nmos]\nclient_rights = []\n[[api]]\nname = \"is-04\"", "api[0].name"),
        ("[grants]\ndanger_implicit = true", "grants.danger_implicit"),
        ("[grants]\ndanger_password = true", "grants.danger_password"),
        ("[tokens]\naccess_token_format = \"opaque\"", "tokens.access_token_format"),
        ("[tokens]\naccess_token_algorithm = \"RS256\"", "tokens.access_token_algorithm"),
        ("[tokens]\naccess_token_ttl = \"29s\"", "tokens.access_token_ttl"),
        ("[tokens]\naccess_token_max_ttl = \"2h\"", "tokens.access_token_max_ttl"),
        ("[keys]\npublish_lead = \"119m\"", "keys.publish_lead"),
        (
            "[[client]]\nid = \"short\"\nsecret = \"x\"\nredirect_uris = [\"https://a.example/\"]",
            "client[0].id",
        ),
        (
            "[[resource]]\nuri = \"https://a.example\"\naccess_token_format = \"opaque\"",
            "resource[0].access_token_format",
        ),
        (
            "[[resource]]\nuri = \"https://a.example\"\naccess_token_ttl = 5",
            "resource[0].access_token_ttl",
        ),
        (
            "[[resource]]\nuri = \"https://a.example\"\naccess_token_algorithm = \"RS256\"",
            "resource[0].access_token_algorithm",
        ),
    ] {
        assert_eq!(wrong(toml, Profile::Is10), [key], "{toml}");
        let needs_key = toml.contains("opaque") || toml.contains("ttl") || toml.contains("short");
        let standard = read(toml, &[("OAUTH__KEYS__ALGORITHMS", "ES256,RS256")], None);
        assert!(standard.is_ok() || !needs_key, "{toml}: the standard profile has no objection");
    }
}

#[test]
fn a11_plain_http_is_for_trying_things_out() {
    let production = |url: &str, more: &str| {
        format!(
            "mode = \"production\"\n[server]\npublic_url = \"{url}\"\nhost = \"127.0.0.1\"\n{more}\n[nmos]\naudience = [\"*.example.org\"]"
        )
    };
    for profile in [Profile::Is10, Profile::Is10Legacy] {
        for more in ["", "danger_plain_http = true"] {
            let keys = wrong(&production("http://auth.example.org", more), profile);
            assert!(keys.iter().any(|key| key == "server.public_url"), "{keys:?}");
        }
        // Behind a proxy that does TLS.
        let behind = production("https://auth.example.org", "danger_plain_http = true");
        let keys = match read(&behind, &[], Some(profile)) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.0.into_iter().map(|p| p.key).collect(),
        };
        assert!(keys.iter().all(|key| key != "server.public_url"), "{keys:?}");
        let demo = "[server]\npublic_url = \"http://auth.local:4999\"\ndanger_plain_http = true";
        assert!(read(demo, &[], Some(profile)).is_ok());
    }
}

#[test]
fn the_legacy_profile_lets_old_controllers_have_the_password_grant_but_not_the_implicit_one() {
    let toml = "[grants]\ndanger_password = true";
    assert!(read(toml, &[], Some(Profile::Is10Legacy)).unwrap().grants.danger_password);
    let toml = "[grants]\ndanger_implicit = true";
    assert_eq!(wrong(toml, Profile::Is10Legacy), ["grants.danger_implicit"]);
}

#[test]
fn s2_02_another_program_is_served_where_it_is_named_and_in_its_profile() {
    let config = read("", &[], None).unwrap();
    assert!(!config.is_toktok());
    for config in [
        read("compat = \"toktok\"", &[], None).unwrap(),
        read("", &[("OAUTH__COMPAT", "toktok")], None).unwrap(),
        read("", &[], Some(Profile::Toktok)).unwrap(),
    ] {
        assert!(config.is_toktok());
        assert_eq!(config.server.port, 4100);
        assert_eq!(config.accounts.email, AccountEmail::Required);
        assert_eq!(config.tokens.access_token_ttl.as_secs(), 3600);
    }
    let off = read("compat = \"none\"", &[], Some(Profile::Toktok)).unwrap();
    assert!(!off.is_toktok() && off.accounts.email == AccountEmail::Optional);
    let own = "compat = \"toktok\"\n[server]\nport = 5000\n[tokens]\naccess_token_ttl = \"5m\"";
    let config = read(own, &[], None).unwrap();
    assert_eq!((config.server.port, config.tokens.access_token_ttl.as_secs()), (5000, 300));
    assert_eq!(wrong("compat = \"toktok\"", Profile::Is10Legacy), ["compat"]);
    let problems = read("compat = \"tiktak\"", &[], None).unwrap_err();
    assert_eq!(problems.0[0].key, "compat");
}

#[test]
fn an_unknown_profile_is_a_problem_and_nothing_else() {
    let problems = read("profile = \"is11\"", &[], None).unwrap_err();
    let keys: Vec<_> = problems.0.iter().map(|p| p.key.as_str()).collect();
    assert_eq!(keys, ["profile"]);
}

#[test]
fn the_reference_tells_what_profiles_set_and_refuse() {
    let text = reference();
    assert!(text.contains("| `tokens.access_token_algorithm` | is10 | `RS512` |"), "{text}");
    assert!(text.contains("| `grants.danger_password` | is10 |"), "{text}");
    assert!(text.contains("| `accounts.email` | compat toktok | `required` |"), "{text}");
}
