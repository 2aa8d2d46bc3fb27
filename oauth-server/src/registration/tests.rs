use super::*;
use crate::config::Config;
use oauth_core::{
    grants::{Grants, Implicit, Password, standard},
    ports::SystemRandom,
};

fn rules() -> Rules {
    let mut all = standard();
    all.push(Box::new(Password));
    all.push(Box::new(Implicit));
    Rules::new(&Grants::new(all), &Config::default())
}

fn draft() -> ClientDraft {
    ClientDraft {
        name: "Camera wall".into(),
        scope: "query connection".into(),
        redirect_uris: vec!["https://c.example/cb".into()],
        grant_types: vec!["authorization_code".into(), "refresh_token".into()],
        ..ClientDraft::default()
    }
}

/// The fields that are objected to.
fn wrong(draft: &ClientDraft) -> Vec<Field> {
    let mut fields: Vec<_> =
        draft.check(&rules()).expect_err("this is wrong").into_iter().map(|o| o.field).collect();
    fields.dedup();
    fields
}

fn grants(names: &[&str]) -> Vec<String> {
    names.iter().map(|&n| n.to_owned()).collect()
}

#[test]
fn a_good_draft_is_what_was_typed() {
    let checked =
        ClientDraft { uri: " https://c.example ".into(), ..draft() }.check(&rules()).unwrap();
    assert_eq!(checked.uri.as_deref(), Some("https://c.example"));
    assert_eq!(checked.scope.to_string(), "connection query");
    assert_eq!(checked.response_types, BTreeSet::from(["code".to_owned()]));
    assert_eq!(checked.method, Some(SecretMethod::Basic));
}

#[test]
fn everything_wrong_is_said_at_once_in_the_order_of_the_form() {
    let bad = ClientDraft {
        name: " ".into(),
        uri: "javascript:alert(1)".into(),
        scope: "query everything".into(),
        redirect_uris: vec!["http://c.example/".into()],
        grant_types: grants(&["authorization_code", "magic"]),
        response_types: grants(&["token"]),
        auth_method: "guess".into(),
        access_token_format: "none".into(),
        access_token_ttl: "0".into(),
    };
    let all = [
        Field::Name,
        Field::Uri,
        Field::Scope,
        Field::GrantTypes,
        Field::RedirectUris,
        Field::ResponseTypes,
        Field::AuthMethod,
        Field::AccessTokenFormat,
        Field::AccessTokenTtl,
    ];
    assert_eq!(wrong(&bad), all);
}

#[test]
fn names_do_not_deceive() {
    for bad in ["", "a\u{202e}b", "a\u{200b}b", "a\nb", &"x".repeat(101)] {
        assert_eq!(wrong(&ClientDraft { name: bad.into(), ..draft() }), [Field::Name], "{bad:?}");
    }
    for good in ["Ä\u{306} <b>&\"", "日本語", &"x".repeat(100)] {
        assert!(ClientDraft { name: good.into(), ..draft() }.check(&rules()).is_ok(), "{good:?}");
    }
}

#[test]
fn home_pages_are_web_addresses() {
    for bad in [
        "c.example",
        "ftp://c.example",
        "javascript:alert(1)//https://",
        "https://u@c.example",
        "https://c.example/a b",
    ] {
        assert_eq!(wrong(&ClientDraft { uri: bad.into(), ..draft() }), [Field::Uri], "{bad}");
    }
}

#[test]
fn rfc6749_s3_1_2_redirect_uris() {
    let with = |uris: &[&str]| ClientDraft { redirect_uris: grants(uris), ..draft() };
    let many: Vec<_> = (0..21).map(|i| format!("https://c.example/{i}")).collect();
    let long = format!("https://c.example/{}", "x".repeat(2000));
    for bad in [
        &["http://c.example/cb"][..],
        &["https://c.example/cb#x"],
        &["https://*.example/cb"],
        &["javascript:alert(1)"],
        &["https://c.example/cb", "cb"],
        &[&long],
        &many.iter().map(String::as_str).collect::<Vec<_>>(),
        &["  "],
        &[],
    ] {
        assert_eq!(wrong(&with(bad)), [Field::RedirectUris], "{bad:?}");
    }
    let twice = with(&["http://127.0.0.1/cb", " http://127.0.0.1/cb ", "com.example.app:/cb"]);
    assert_eq!(twice.check(&rules()).unwrap().redirect_uris.len(), 2);
}

#[test]
fn rfc7591_s2_1_grants_and_response_types_say_the_same() {
    let with = |g: &[&str], r: &[&str]| ClientDraft {
        grant_types: grants(g),
        response_types: grants(r),
        ..draft()
    };
    let code = "authorization_code";
    for (g, r) in [
        (&[code][..], &["token"][..]),
        (&["implicit"], &["code"]),
        (&["client_credentials"], &["code"]),
        (&[code, "implicit"], &["code"]),
        (&[code], &["code", "id_token"]),
    ] {
        assert_eq!(wrong(&with(g, r)), [Field::ResponseTypes], "{g:?} {r:?}");
    }
    for (g, r, expected) in [
        (&[code, "implicit"][..], &[][..], &["code", "token"][..]),
        (&["implicit"], &["token"], &["token"]),
        (&["client_credentials"], &[], &[]),
        (&[], &[], &["code"]),
    ] {
        let checked = with(g, r).check(&rules()).unwrap();
        assert_eq!(checked.response_types.iter().collect::<Vec<_>>(), expected, "{g:?}");
    }
    assert_eq!(wrong(&with(&["refresh_token"], &[])), [Field::GrantTypes]);
    assert_eq!(wrong(&with(&["client_credentials", "refresh_token"], &[])), [Field::GrantTypes]);
    assert!(with(&["password", "refresh_token"], &[]).check(&rules()).is_ok());
    assert_eq!(wrong(&with(&[], &["code"])), [Field::GrantTypes, Field::ResponseTypes]);
}

#[test]
fn only_what_the_server_offers_can_be_registered() {
    let rules = Rules::new(&Grants::new(standard()), &Config::default());
    for grant_type in ["password", "implicit"] {
        let refused = ClientDraft { grant_types: grants(&[grant_type]), ..draft() }.check(&rules);
        assert_eq!(refused.unwrap_err()[0].field, Field::GrantTypes);
    }
    let format =
        |name: &str| ClientDraft { access_token_format: name.into(), ..draft() }.check(&rules);
    assert_eq!(
        format("EdDSA").unwrap_err()[0].field,
        Field::AccessTokenFormat,
        "there is no such key"
    );
    assert!(format("ES256").is_ok() && format("opaque").is_ok() && format("").is_ok());
}

#[test]
fn rfc6749_s2_1_public_clients_have_no_credentials() {
    let public =
        |g: &[&str]| ClientDraft { auth_method: "none".into(), grant_types: grants(g), ..draft() };
    assert_eq!(wrong(&public(&["client_credentials"])), [Field::AuthMethod]);
    assert_eq!(public(&["implicit"]).check(&rules()).unwrap().method, None);
}

#[test]
fn lifetimes_are_bounded() {
    let ttl = |text: &str| ClientDraft { access_token_ttl: text.into(), ..draft() };
    for bad in ["0", "-1", "1.5", "86401", "soon", "99999999999999999999"] {
        assert_eq!(wrong(&ttl(bad)), [Field::AccessTokenTtl], "{bad}");
    }
    assert_eq!(ttl("5").check(&rules()).unwrap().access_token_ttl, Some(Duration::from_secs(5)));
}

#[test]
fn ids_are_letters_and_digits_and_never_the_same() {
    let ids: BTreeSet<_> = (0..1000).map(|_| client_id(&SystemRandom)).collect();
    assert_eq!(ids.len(), 1000);
    let fine = |id: &ClientId| {
        id.as_str().len() == ID_LENGTH && id.as_str().bytes().all(|b| b.is_ascii_alphanumeric())
    };
    assert!(ids.iter().all(fine));
}
