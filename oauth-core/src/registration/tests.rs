//! The rules, one by one.

mod openid;

use super::*;
use crate::{
    config::Policy,
    grants::{Grants, Implicit, Password, standard},
    model::{ClientAuth, ClientId, SealedSecret, SecretMethod},
    ports::SystemRandom,
};
use checked::{Method, client_id};
use std::{collections::BTreeSet, time::Duration};

fn rules() -> Rules {
    let mut all = standard();
    all.push(Box::new(Password));
    all.push(Box::new(Implicit));
    let scopes = ["openid", "query", "connection"].map(str::to_owned);
    Rules::new(&Grants::new(all, true), &Policy::default()).scopes(scopes)
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

fn objected(draft: &ClientDraft, rules: &Rules) -> Vec<Field> {
    let mut fields: Vec<_> =
        draft.check(rules).expect_err("this is wrong").into_iter().map(|o| o.field).collect();
    fields.dedup();
    fields
}

/// The fields that are objected to.
fn wrong(draft: &ClientDraft) -> Vec<Field> {
    objected(draft, &rules())
}

fn right(draft: &ClientDraft) -> CheckedClient {
    draft.check(&rules()).unwrap_or_else(|objections| panic!("{objections:?}"))
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|&n| n.to_owned()).collect()
}

#[test]
fn a_good_draft_is_what_was_typed() {
    let checked = right(&ClientDraft { uri: " https://c.example ".into(), ..draft() });
    assert_eq!(checked.uri.as_deref(), Some("https://c.example"));
    assert_eq!(checked.scope.to_string(), "connection query");
    assert_eq!(checked.response_types, BTreeSet::from(["code".to_owned()]));
    assert_eq!(checked.method, Method::Secret(SecretMethod::Basic));
    assert_eq!(checked.metadata, ClientMetadata::default());
}

#[test]
fn everything_wrong_is_said_at_once_in_the_order_of_the_form() {
    let bad = ClientDraft {
        name: " ".into(),
        uri: "javascript:alert(1)".into(),
        scope: "query everything".into(),
        redirect_uris: vec!["http://c.example/".into()],
        grant_types: texts(&["authorization_code", "magic"]),
        response_types: texts(&["token"]),
        auth_method: "guess".into(),
        access_token_format: "none".into(),
        access_token_ttl: "0".into(),
        ..ClientDraft::default()
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
        right(&ClientDraft { name: good.into(), ..draft() });
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
    let with = |uris: &[&str]| ClientDraft { redirect_uris: texts(uris), ..draft() };
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
    assert_eq!(right(&twice).redirect_uris.len(), 2);
}

#[test]
fn oidc_s2_the_application_type_decides_over_redirect_uris() {
    let with = |kind: &str, grant: &str, uris: &[&str]| ClientDraft {
        application_type: kind.into(),
        grant_types: texts(&[grant]),
        redirect_uris: texts(uris),
        ..draft()
    };
    let (code, implicit) = ("authorization_code", "implicit");
    let mut developing = rules();
    developing.danger_loopback = true;
    for (kind, grant, uri, fine, fine_developing) in [
        ("web", code, "https://c.example/cb", true, true),
        ("web", code, "http://127.0.0.1/cb", true, true),
        ("web", implicit, "https://c.example/cb", true, true),
        ("web", implicit, "https://localhost/cb", false, true),
        ("web", implicit, "http://localhost/cb", false, true),
        ("web", implicit, "http://127.0.0.1/cb", false, true),
        ("web", implicit, "com.example.app:/cb", false, false),
        ("", implicit, "http://127.0.0.1/cb", false, true),
        ("", implicit, "com.example.app:/cb", true, true),
        ("native", code, "com.example.app:/cb", true, true),
        ("native", code, "http://127.0.0.1/cb", true, true),
        ("native", code, "http://localhost/cb", true, true),
        ("native", code, "https://c.example/cb", false, false),
        ("native", implicit, "http://[::1]/cb", true, true),
    ] {
        let draft = with(kind, grant, &[uri]);
        let is_fine = |rules: &Rules| match draft.check(rules) {
            Ok(_) => true,
            Err(objections) => {
                assert_eq!(objections[0].field, Field::RedirectUris);
                false
            }
        };
        assert_eq!(is_fine(&rules()), fine, "{kind} {grant} {uri}");
        assert_eq!(is_fine(&developing), fine_developing, "{kind} {grant} {uri}");
    }
    assert_eq!(wrong(&with("robot", code, &["https://c.example/cb"])), [Field::ApplicationType]);
    let kind = |uris: &[&str]| right(&with("", code, uris)).metadata.application_type;
    assert_eq!(kind(&["com.example.app:/cb", "http://127.0.0.1/"]), ApplicationType::Native);
    assert_eq!(kind(&["com.example.app:/cb", "https://c.example/"]), ApplicationType::Web);
    assert_eq!(kind(&["http://127.0.0.1/"]), ApplicationType::Web);
}

#[test]
fn rfc7591_s2_1_grants_and_response_types_say_the_same() {
    let with = |g: &[&str], r: &[&str]| ClientDraft {
        grant_types: texts(g),
        response_types: texts(r),
        ..draft()
    };
    let code = "authorization_code";
    for (g, r) in [
        (&[code][..], &["token"][..]),
        (&["implicit"], &["code"]),
        (&["client_credentials"], &["code"]),
        (&[code, "implicit"], &["code"]),
        (&[code], &["code", "id_token"]),
        (&[code], &["code token"]),
        (&["implicit"], &["code id_token token"]),
        (&[code], &["code magic"]),
    ] {
        assert_eq!(wrong(&with(g, r)), [Field::ResponseTypes], "{g:?} {r:?}");
    }
    for (g, r, grant_types, response_types) in [
        (&[code, "implicit"][..], &[][..], &[code, "implicit"][..], &["code", "token"][..]),
        (&["implicit"], &["token"], &["implicit"], &["token"]),
        (&["client_credentials"], &[], &["client_credentials"], &[]),
        (&[], &[], &[code], &["code"]),
        (&[], &["code"], &[code], &["code"]),
        (&[], &["id_token token code"], &[code, "implicit"], &["code id_token token"]),
        (&[], &["none"], &[code], &["none"]),
        (&[code], &["code", "none"], &[code], &["code", "none"]),
        (&[code], &["id_token code"], &[code], &["code id_token"]),
        (&[code, "implicit"], &["code id_token"], &[code, "implicit"], &["code id_token"]),
    ] {
        let checked = right(&with(g, r));
        assert_eq!(checked.grant_types.iter().collect::<Vec<_>>(), grant_types, "{g:?} {r:?}");
        assert_eq!(
            checked.response_types.iter().collect::<Vec<_>>(),
            response_types,
            "{g:?} {r:?}"
        );
    }
    assert_eq!(wrong(&with(&[""], &["code"])), [Field::GrantTypes, Field::ResponseTypes]);
    assert_eq!(wrong(&with(&["refresh_token"], &[])), [Field::GrantTypes]);
    assert_eq!(wrong(&with(&["client_credentials", "refresh_token"], &[])), [Field::GrantTypes]);
    right(&with(&["password", "refresh_token"], &[]));
}

#[test]
fn only_what_the_provider_offers_can_be_registered() {
    let policy = Policy { openid: false, ..Policy::default() };
    let rules = Rules::new(&Grants::new(standard(), false), &policy);
    let draft = ClientDraft { scope: String::new(), ..draft() };
    assert!(draft.check(&rules).is_ok());
    for grant_type in ["password", "implicit"] {
        let bad = ClientDraft { grant_types: texts(&[grant_type]), ..draft.clone() };
        assert_eq!(objected(&bad, &rules), [Field::GrantTypes]);
    }
    let pairwise = ClientDraft { subject_type: "pairwise".into(), ..draft.clone() };
    assert_eq!(objected(&pairwise, &rules), [Field::SubjectType]);
    let response_types = texts(&["code", "id_token code"]);
    assert_eq!(objected(&ClientDraft { response_types, ..draft }, &rules), [Field::ResponseTypes]);
    let format = |name: &str| ClientDraft { access_token_format: name.into(), ..self::draft() };
    assert_eq!(wrong(&format("EdDSA")), [Field::AccessTokenFormat], "there is no such key");
    for good in ["ES256", "opaque", ""] {
        right(&format(good));
    }
}

#[test]
fn rfc6749_s2_1_public_clients_have_no_credentials() {
    let public =
        |g: &[&str]| ClientDraft { auth_method: "none".into(), grant_types: texts(g), ..draft() };
    assert_eq!(wrong(&public(&["client_credentials"])), [Field::AuthMethod]);
    assert_eq!(right(&public(&["implicit"])).method, Method::None);
    for method in ["client_secret_post", "client_secret_jwt"] {
        let draft = ClientDraft { auth_method: method.into(), ..draft() };
        assert_eq!(right(&draft).method.as_str(), method);
        let mut fewer = rules();
        fewer.auth_methods.retain(|m| *m != method);
        assert_eq!(objected(&draft, &fewer), [Field::AuthMethod]);
    }
}

#[test]
fn lifetimes_are_bounded() {
    let ttl = |text: &str| ClientDraft { access_token_ttl: text.into(), ..draft() };
    for bad in ["0", "-1", "1.5", "86401", "soon", "99999999999999999999"] {
        assert_eq!(wrong(&ttl(bad)), [Field::AccessTokenTtl], "{bad}");
    }
    assert_eq!(right(&ttl("5")).access_token_ttl, Some(Duration::from_secs(5)));
    let age = |text: &str| ClientDraft { default_max_age: text.into(), ..draft() };
    for bad in ["-1", "1.5", "soon", "4294967296"] {
        assert_eq!(wrong(&age(bad)), [Field::DefaultMaxAge], "{bad}");
    }
    assert_eq!(right(&age("0")).metadata.default_max_age, Some(0));
}

#[test]
fn lists_and_lines_are_bounded() {
    let contacts = |contacts: &[&str]| ClientDraft { contacts: texts(contacts), ..draft() };
    right(&contacts(&["ops@c.example", "+49 30 1234"]));
    assert_eq!(wrong(&contacts(&["a\nb"])), [Field::Contacts]);
    assert_eq!(wrong(&contacts(&[&"x".repeat(201)])), [Field::Contacts]);
    assert_eq!(wrong(&contacts(&["x"; 51])), [Field::Contacts]);
    let software = ClientDraft { software_id: "\u{200b}".into(), ..draft() };
    assert_eq!(wrong(&software), [Field::SoftwareId]);
    let software = ClientDraft { software_version: "x".repeat(201), ..draft() };
    assert_eq!(wrong(&software), [Field::SoftwareVersion]);
    let acr = ClientDraft { default_acr_values: texts(&["\u{7}"]), ..draft() };
    assert_eq!(wrong(&acr), [Field::DefaultAcrValues]);
}

/// Everything that can be said.
fn full_draft() -> ClientDraft {
    let mut draft = ClientDraft {
        uri: "https://c.example".into(),
        redirect_uris: texts(&["https://c.example/cb"]),
        grant_types: texts(&["authorization_code", "implicit"]),
        response_types: texts(&["code", "code id_token token"]),
        auth_method: "client_secret_jwt".into(),
        access_token_format: "ES256".into(),
        access_token_ttl: "60".into(),
        contacts: texts(&["ops@c.example"]),
        jwks_uri: "https://c.example/jwks".into(),
        subject_type: "pairwise".into(),
        id_token_signed_response_alg: "ES256".into(),
        id_token_encrypted_response_alg: "ECDH-ES".into(),
        userinfo_signed_response_alg: "RS256".into(),
        userinfo_encrypted_response_alg: "RSA-OAEP-256".into(),
        userinfo_encrypted_response_enc: "A256GCM".into(),
        request_object_signing_alg: "ES384".into(),
        token_endpoint_auth_signing_alg: "HS256".into(),
        default_max_age: "600".into(),
        require_auth_time: true,
        default_acr_values: texts(&["urn:x"]),
        initiate_login_uri: "https://c.example/login".into(),
        request_uris: texts(&["https://c.example/ro#x"]),
        require_signed_request_object: true,
        post_logout_redirect_uris: texts(&["https://c.example/out"]),
        frontchannel_logout_uri: "https://c.example/front".into(),
        frontchannel_logout_session_required: true,
        backchannel_logout_uri: "https://c.example/back".into(),
        backchannel_logout_session_required: true,
        software_id: "wall".into(),
        software_version: "1".into(),
        software_statement: "a.b.c".into(),
        ..draft()
    };
    draft.texts.insert("logo_uri#de".into(), "https://c.example/logo".into());
    draft
}

fn client(checked: &CheckedClient) -> Client {
    Client {
        id: ClientId::new("c"),
        name: checked.name.clone(),
        uri: checked.uri.clone(),
        owner: None,
        auth: ClientAuth::SecretJwt(SealedSecret(vec![1])),
        redirect_uris: checked.redirect_uris.clone(),
        grant_types: checked.grant_types.clone(),
        response_types: checked.response_types.clone(),
        scope: checked.scope.clone(),
        access_token_format: checked.access_token_format,
        access_token_ttl: checked.access_token_ttl,
        skip_consent: false,
        metadata: checked.metadata.clone(),
        registration_token: None,
        created_at: crate::model::Timestamp::from_unix(0),
        expires_at: None,
    }
}

/// What is shown to be changed, and not changed, gives the same client.
#[test]
fn a_client_as_a_draft_is_the_same_client() {
    let draft = full_draft();
    let checked = right(&draft);
    assert_eq!(right(&ClientDraft::from(&client(&checked))), checked);
    for (kind, uri) in [
        ("", "com.example.app:/cb"),
        ("", "https://c.example/cb"),
        ("web", "com.example.app:/cb"),
        ("native", "http://127.0.0.1/cb"),
    ] {
        let redirect_uris = texts(&[uri]);
        let draft = ClientDraft {
            application_type: kind.into(),
            redirect_uris,
            grant_types: texts(&["authorization_code"]),
            response_types: texts(&["code"]),
            frontchannel_logout_uri: String::new(),
            ..draft.clone()
        };
        let checked = right(&draft);
        let again = ClientDraft::from(&client(&checked));
        assert_eq!(
            again.application_type, kind,
            "what follows from the addresses goes on doing so"
        );
        assert_eq!(right(&again), checked, "{kind} {uri}");
    }
}

#[test]
fn ids_are_letters_and_digits_and_never_the_same() {
    let ids: BTreeSet<_> = (0..1000).map(|_| client_id(&SystemRandom)).collect();
    assert_eq!(ids.len(), 1000);
    let fine = |id: &ClientId| {
        id.as_str().len() == 24 && id.as_str().bytes().all(|b| b.is_ascii_alphanumeric())
    };
    assert!(ids.iter().all(fine));
}
