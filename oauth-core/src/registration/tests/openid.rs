//! The rules that OpenID Connect and the logout specifications add.

use super::*;
use crate::{
    jose::generate,
    model::{ContentEncryption, Encryption, KeyManagementAlgorithm},
};
use serde_json::json;

#[test]
fn oidc_s2_addresses_of_the_client_are_https() {
    type Set = fn(&mut ClientDraft, &str);
    let all: [(Field, Set); 5] = [
        (Field::JwksUri, |d, uri| d.jwks_uri = uri.into()),
        (Field::SectorIdentifierUri, |d, uri| d.sector_identifier_uri = uri.into()),
        (Field::InitiateLoginUri, |d, uri| d.initiate_login_uri = uri.into()),
        (Field::BackchannelLogoutUri, |d, uri| d.backchannel_logout_uri = uri.into()),
        (Field::RequestUris, |d, uri| d.request_uris = vec![uri.into()]),
    ];
    let mut developing = rules();
    developing.danger_loopback = true;
    let long = format!("https://c.example/{}", "x".repeat(2000));
    for (field, set) in all {
        let with = |uri: &str| {
            let mut draft = draft();
            set(&mut draft, uri);
            draft
        };
        right(&with("https://other.example/x?y=z"));
        for bad in [
            "http://c.example/x",
            "com.example.app:/x",
            "javascript:alert(1)",
            "/x",
            "https://u:p@c.example/",
            &long,
        ] {
            assert_eq!(wrong(&with(bad)), [field], "{bad}");
            assert_eq!(objected(&with(bad), &developing), [field], "{bad}");
        }
        assert_eq!(wrong(&with("http://127.0.0.1:8080/x")), [field]);
        assert!(with("http://127.0.0.1:8080/x").check(&developing).is_ok());
        let hashed = with("https://c.example/x#4Kq0");
        if field == Field::RequestUris {
            let kept = right(&hashed).metadata.request_uris;
            assert_eq!(kept, ["https://c.example/x#4Kq0"], "the hash is a part of it");
        } else {
            assert_eq!(wrong(&hashed), [field]);
        }
    }
    let bad_hash = ClientDraft { request_uris: texts(&["https://c.example/x#<>"]), ..draft() };
    assert_eq!(wrong(&bad_hash), [Field::RequestUris]);
}

#[test]
fn frontchannel_s2_the_logout_page_is_where_the_redirect_uris_are() {
    let with = |uri: &str| ClientDraft { frontchannel_logout_uri: uri.into(), ..draft() };
    right(&with("https://c.example/bye?x"));
    right(&with("https://c.example:443/bye"));
    for bad in [
        "https://other.example/bye",
        "https://sub.c.example/bye",
        "http://c.example/bye",
        "https://c.example:8443/bye",
        "https://c.example/bye#x",
        "com.example.app:/bye",
        "bye",
    ] {
        assert_eq!(wrong(&with(bad)), [Field::FrontchannelLogoutUri], "{bad}");
    }
    let native = ClientDraft {
        redirect_uris: texts(&["com.example.app:/cb"]),
        ..with("com.example.app:/bye")
    };
    assert_eq!(wrong(&native), [Field::FrontchannelLogoutUri]);
}

#[test]
fn rp_initiated_s3_1_where_people_go_after_logout() {
    let with = |uris: &[&str]| ClientDraft { post_logout_redirect_uris: texts(uris), ..draft() };
    let kept = right(&with(&["https://c.example/out?x", "com.example.app:/out", " "])).metadata;
    assert_eq!(kept.post_logout_redirect_uris, ["https://c.example/out?x", "com.example.app:/out"]);
    for bad in ["http://c.example/", "https://c.example/#x", "javascript:alert(1)", "out"] {
        assert_eq!(wrong(&with(&[bad])), [Field::PostLogoutRedirectUris], "{bad}");
    }
    let many: Vec<_> = (0..21).map(|i| format!("https://c.example/{i}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    assert_eq!(wrong(&with(&many)), [Field::PostLogoutRedirectUris]);
}

#[test]
fn oidc_core_s8_1_pairwise_subjects_have_one_sector() {
    let with = |uris: &[&str], sector: &str| ClientDraft {
        subject_type: "pairwise".into(),
        sector_identifier_uri: sector.into(),
        redirect_uris: texts(uris),
        ..draft()
    };
    let two = &["https://a.example/cb", "https://b.example/cb"];
    right(&with(&["https://a.example/1", "https://a.example:8443/2"], ""));
    assert_eq!(wrong(&with(two, "")), [Field::SectorIdentifierUri]);
    right(&with(two, "https://a.example/sector"));
    let mixed = &["https://a.example/cb", "com.example.app:/cb"];
    assert_eq!(wrong(&with(mixed, "")), [Field::SectorIdentifierUri]);
    let other = ClientDraft { subject_type: "secret".into(), ..draft() };
    assert_eq!(wrong(&other), [Field::SubjectType]);
}

/// A JWK set with one key that signs.
fn signing_keys() -> Value {
    let signer = generate(SigningAlgorithm::ES256, &SystemRandom).unwrap().signer;
    json!({"keys": [signer.public_jwk()]})
}

#[test]
fn rfc7591_s2_keys_are_public_and_given_in_one_way() {
    let with = |set: Value| ClientDraft { jwks: Some(set), ..draft() };
    let good = signing_keys();
    right(&with(good.clone()));
    let both = ClientDraft { jwks_uri: "https://c.example/jwks".into(), ..with(good.clone()) };
    assert_eq!(wrong(&both), [Field::JwksUri]);
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        let mut set = good.clone();
        set["keys"][0][name] = json!("AQAB");
        let objections = with(set).check(&rules()).unwrap_err();
        assert_eq!(objections[0].field, Field::Jwks);
        assert!(objections[0].text.contains("private"), "{name}");
    }
    let told = |set: Value| {
        let objections = with(set).check(&rules()).unwrap_err();
        assert_eq!(objections.len(), 1, "{objections:?}");
        objections[0].text.contains("private")
    };
    assert!(told(json!({"kty": "EC", "crv": "P-256", "d": "AQAB"})), "a key in the place of a set");
    assert!(told(json!("-----BEGIN EC PRIVATE KEY-----\n")), "a file in the place of a set");
    assert!(!told(json!("-----BEGIN PUBLIC KEY-----\n")) && !told(good["keys"][0].clone()));
    let signs = ClientDraft { auth_method: "private_key_jwt".into(), ..with(json!({"keys": []})) };
    assert_eq!(wrong(&signs), [Field::Jwks], "and not that there is no key in it");
    let mut beside = good.clone();
    beside["keys"].as_array_mut().unwrap().push(json!({"kty": "oct"}));
    assert_eq!(wrong(&with(beside)), [Field::Jwks]);
    let many = json!({"keys": vec![&good["keys"][0]; 51]});
    let long = json!({"keys": [&good["keys"][0]], "x": "y".repeat(33_000)});
    for bad in
        [json!({}), json!({"keys": []}), json!({"keys": {}}), json!({"keys": [7]}), many, long]
    {
        assert_eq!(wrong(&with(bad)), [Field::Jwks]);
    }
}

#[test]
fn oidc_core_s9_who_signs_assertions_has_a_key() {
    let with = |method: &str, alg: &str| ClientDraft {
        auth_method: method.into(),
        token_endpoint_auth_signing_alg: alg.into(),
        ..draft()
    };
    let signs = with("private_key_jwt", "");
    assert_eq!(wrong(&signs), [Field::AuthMethod]);
    right(&ClientDraft { jwks_uri: "https://c.example/jwks".into(), ..signs.clone() });
    let mut for_encryption = signing_keys();
    right(&ClientDraft { jwks: Some(for_encryption.clone()), ..signs.clone() });
    for_encryption["keys"][0]["use"] = json!("enc");
    assert_eq!(wrong(&ClientDraft { jwks: Some(for_encryption), ..signs }), [Field::AuthMethod]);
    let keyed = |draft: ClientDraft| ClientDraft { jwks: Some(signing_keys()), ..draft };
    for (method, alg, kept) in [
        ("private_key_jwt", "ES256", Some("ES256")),
        ("client_secret_jwt", "HS512", Some("HS512")),
        ("client_secret_basic", "ES256", None),
    ] {
        let metadata = right(&keyed(with(method, alg))).metadata;
        assert_eq!(metadata.token_endpoint_auth_signing_alg.as_deref(), kept);
    }
    for (method, alg) in [
        ("private_key_jwt", "HS256"),
        ("private_key_jwt", "none"),
        ("client_secret_jwt", "RS256"),
        ("client_secret_jwt", "none"),
    ] {
        assert_eq!(wrong(&keyed(with(method, alg))), [Field::AuthSigning], "{method} {alg}");
    }
}

#[test]
fn oidc_s2_encryption_has_both_algorithms_and_a_key() {
    let with = |alg: &str, enc: &str| ClientDraft {
        id_token_encrypted_response_alg: alg.into(),
        id_token_encrypted_response_enc: enc.into(),
        userinfo_encrypted_response_alg: alg.into(),
        userinfo_encrypted_response_enc: enc.into(),
        jwks_uri: "https://c.example/jwks".into(),
        ..draft()
    };
    let checked = right(&with("ECDH-ES", "")).metadata;
    let expected =
        Encryption { alg: KeyManagementAlgorithm::EcdhEs, enc: ContentEncryption::A128CbcHs256 };
    assert_eq!(checked.id_token_encrypted_response, Some(expected));
    assert_eq!(checked.userinfo_encrypted_response, Some(expected));
    let enc = [Field::IdTokenContentEncryption, Field::UserinfoContentEncryption];
    assert_eq!(wrong(&with("", "A128GCM")), enc);
    assert_eq!(wrong(&with("ECDH-ES", "none")), enc);
    let alg = [Field::IdTokenEncryption, Field::UserinfoEncryption];
    assert_eq!(wrong(&with("RSA1_5", "")), alg);
    let no_key = ClientDraft { jwks_uri: String::new(), ..with("ECDH-ES", "A128GCM") };
    assert_eq!(wrong(&no_key), alg);
    let by_value = |alg: &str| ClientDraft {
        jwks: Some(signing_keys()),
        jwks_uri: String::new(),
        ..with(alg, "A128GCM")
    };
    assert_eq!(wrong(&by_value("RSA-OAEP-256")), alg, "the key is of another type");
    let mut fits = by_value("ECDH-ES");
    let key = &mut fits.jwks.as_mut().unwrap()["keys"][0];
    key.as_object_mut().unwrap().retain(|name, _| ["kty", "crv", "x", "y"].contains(&&**name));
    right(&fits);
}

#[test]
fn oidc_s2_algorithms_are_those_there_are() {
    type Set = fn(&mut ClientDraft, &str);
    let all: [(Field, Set); 2] = [
        (Field::IdTokenSigning, |d, alg| d.id_token_signed_response_alg = alg.into()),
        (Field::UserinfoSigning, |d, alg| d.userinfo_signed_response_alg = alg.into()),
    ];
    for (field, set) in all {
        let with = |alg: &str| {
            let mut draft = draft();
            set(&mut draft, alg);
            draft
        };
        right(&with("RS256"));
        for bad in ["none", "HS256", "EdDSA", "rs256"] {
            assert_eq!(wrong(&with(bad)), [field], "{bad}");
        }
    }
    let object = |alg: &str, must: bool| ClientDraft {
        request_object_signing_alg: alg.into(),
        require_signed_request_object: must,
        ..draft()
    };
    for good in ["none", "PS512", "EdDSA"] {
        right(&object(good, false));
    }
    for bad in ["HS256", "rs256", "x"] {
        assert_eq!(wrong(&object(bad, false)), [Field::RequestObjectSigning], "{bad}");
    }
    right(&object("ES256", true));
    assert_eq!(wrong(&object("none", true)), [Field::RequireSignedRequestObject]);
}

#[test]
fn oidc_s2_1_texts_in_other_languages() {
    let with = |name: &str, text: &str| ClientDraft {
        texts: BTreeMap::from([(name.to_owned(), text.to_owned())]),
        ..draft()
    };
    for (name, text) in [
        ("logo_uri", "https://c.example/logo.png"),
        ("client_name#de", "Kamerawand"),
        ("client_uri#pt-BR", "https://c.example/pt"),
        ("tos_uri#zh-Hant-TW", "https://c.example/zh"),
    ] {
        let kept = right(&with(name, text)).metadata.texts;
        assert_eq!(kept, BTreeMap::from([(name.to_owned(), text.to_owned())]));
    }
    assert!(right(&with("policy_uri", " ")).metadata.texts.is_empty());
    for (name, text, field) in [
        ("logo_uri", "javascript:alert(1)", Field::LogoUri),
        ("logo_uri#de", "logo.png", Field::LogoUri),
        ("policy_uri#", "https://c.example/", Field::PolicyUri),
        ("tos_uri#de_DE", "https://c.example/", Field::TosUri),
        ("client_name#de", "a\u{202e}b", Field::Name),
        ("client_name#1", "x", Field::Name),
        ("client_uri#toolongatag", "https://c.example/", Field::Uri),
    ] {
        assert_eq!(wrong(&with(name, text)), [field], "{name} {text}");
    }
    let many = (0..51).map(|i| (format!("client_name#x-{i}"), "x".to_owned())).collect();
    assert_eq!(wrong(&ClientDraft { texts: many, ..draft() }), [Field::Name]);
}
