//! RFC 7591: registering clients.

mod s2_3_software_statements;

use crate::support::{
    CALLBACK, Setup, VERIFIER, World,
    jwt::{ClientKey, Draft, assertion, jwks},
    registering::{Everybody, Own, REGISTER, SCOPES, Site},
};
use axum::{
    body::Body,
    http::{Request, header},
};
use oauth_core::{
    config::Policy,
    grants::{Grants, standard},
    model::{ClientAuth, HashedToken, MacAlgorithm, SecretMethod, UserId, VerificationAlgorithm},
    ports::{Admission, Audit, Clock as _, Event},
    registration::Rules,
    testing::fixtures,
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

fn minimal() -> Value {
    json!({"redirect_uris": [CALLBACK]})
}

/// The minimal request with one member more.
fn with(name: &str, value: impl Into<Value>) -> Value {
    let mut body = minimal();
    body[name] = value.into();
    body
}

#[tokio::test]
async fn s3_2_1_a_minimal_registration_has_every_default() {
    let site = Site::open().await;
    let own = site.registers(minimal()).await;
    let now = site.world.clock.now().unix();
    assert_eq!(
        own.body,
        json!({
            "client_id": own.id(),
            "client_id_issued_at": now,
            "client_secret": own.secret(),
            "client_secret_expires_at": 0,
            "client_name": "client.example",
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "scope": SCOPES.join(" "),
            "token_endpoint_auth_method": "client_secret_basic",
            "application_type": "web",
            "subject_type": "public",
            "id_token_signed_response_alg": "ES256",
            "require_auth_time": false,
            "registration_client_uri": format!("https://as.example{REGISTER}/{}", own.id()),
            "registration_access_token": own.token,
        })
    );
    assert_eq!((own.id().len(), own.secret().len(), own.token.len()), (24, 43, 43));
    let stored = site.stored(own.id()).await.unwrap();
    assert_eq!(stored.registration_token, Some(HashedToken::of(&own.token)));
    assert!(matches!(stored.auth, ClientAuth::Secret(SecretMethod::Basic, _)));
    let other = site.registers(minimal()).await;
    assert!(other.id() != own.id() && other.token != own.token && other.secret() != own.secret());
}

#[tokio::test]
async fn s3_2_1_a_maximal_registration_comes_back_whole() {
    let site = Site::open().await;
    let everything = site.everything();
    let own = site.registers(everything.clone()).await;
    let mut expected = everything;
    expected["scope"] = json!("a openid");
    expected["client_id"] = json!(own.id());
    expected["client_id_issued_at"] = json!(site.world.clock.now().unix());
    expected["registration_client_uri"] = json!(format!("https://as.example{}", own.path));
    expected["registration_access_token"] = json!(own.token);
    assert_eq!(own.body, expected, "and no secret, since there is none");
}

#[tokio::test]
async fn s3_2_1_a_client_without_openid_connect_is_told_of_none() {
    let policy = Policy { openid: false, ..Policy::default() };
    let rules = Rules::new(&Grants::new(standard(), false), &policy);
    let world = Setup::new()
        .policy(|p| p.openid = false)
        .builder(|b| b.registration(rules, Everybody))
        .start()
        .await;
    let body = minimal().to_string();
    let response = world.provider.register(None, body.as_bytes()).await.unwrap();
    assert!(!format!("{response:?}").contains(response.0["client_secret"].as_str().unwrap()));
    let mut names: Vec<_> = response.0.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "client_id",
            "client_id_issued_at",
            "client_name",
            "client_secret",
            "client_secret_expires_at",
            "grant_types",
            "redirect_uris",
            "registration_access_token",
            "registration_client_uri",
            "response_types",
            "scope",
            "token_endpoint_auth_method",
        ]
    );
}

async fn by_code(world: &World, own: &Own) -> Value {
    let code = world.request(own.id()).set("scope", "openid a").code().await;
    let redeem = world.redeem(own.id(), &code).anonymous().set("code_verifier", VERIFIER);
    let redeem = match own.body["token_endpoint_auth_method"].as_str().unwrap() {
        "client_secret_basic" => redeem.basic(own.id(), own.secret()),
        "client_secret_post" => {
            redeem.set("client_id", own.id()).set("client_secret", own.secret())
        }
        "none" => redeem.set("client_id", own.id()),
        "client_secret_jwt" => {
            let draft = assertion(own.id(), "https://as.example", world.clock.now());
            redeem.asserting(&draft.mac(own.secret().as_bytes(), MacAlgorithm::HS512))
        }
        "private_key_jwt" => {
            let draft = assertion(own.id(), "https://as.example", world.clock.now());
            redeem.asserting(&draft.sign(ClientKey::of(VerificationAlgorithm::ES256)))
        }
        other => unreachable!("{other}"),
    };
    let reply = redeem.send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

/// What is registered works, whatever it authenticates with.
#[tokio::test]
async fn s2_the_registered_client_gets_tokens() {
    let site = Site::open().await;
    let world = &site.world;
    for method in [
        "client_secret_basic",
        "client_secret_post",
        "client_secret_jwt",
        "private_key_jwt",
        "none",
    ] {
        let mut body = with("token_endpoint_auth_method", method);
        if method == "private_key_jwt" {
            body["jwks"] = jwks(&[ClientKey::of(VerificationAlgorithm::ES256)]);
        }
        let own = site.registers(body).await;
        let has_secret = own.body.get("client_secret").is_some();
        assert_eq!(has_secret, method.starts_with("client_secret"), "{method}");
        assert_eq!(own.body.get("client_secret_expires_at").is_some(), has_secret);
        let tokens = by_code(world, &own).await;
        assert!(world.is_active(tokens["access_token"].as_str().unwrap()).await, "{method}");
        world.id_token(own.id(), tokens["id_token"].as_str().unwrap()).await;
    }
    let own = site.registers(json!({"grant_types": ["client_credentials"], "scope": "a"})).await;
    assert_eq!(own.body["response_types"], json!([]));
    let ask = || world.token(own.id(), "client_credentials").anonymous();
    assert_eq!(ask().basic(own.id(), own.secret()).issues().await.scope, "a");
    ask().basic(own.id(), "secret").refuses("invalid_client").await;
}

/// What is not registered does not.
#[tokio::test]
async fn s2_the_registered_client_gets_nothing_else() {
    let site = Site::open().await;
    let own = site.registers(with("scope", "a")).await;
    let walk = || site.world.request(own.id()).set("scope", "a");
    walk().code().await;
    walk().set("scope", "b").refuses("invalid_scope").await;
    walk().set("response_type", "id_token").set("nonce", "n").refuses("unauthorized_client").await;
    walk().set("redirect_uri", "https://client.example/other").shows("invalid_request").await;
    let ask = site.world.token(own.id(), "client_credentials").anonymous();
    ask.basic(own.id(), own.secret()).refuses("unauthorized_client").await;
}

#[tokio::test]
async fn s3_1_the_body_is_a_json_object() {
    let site = Site::open().await;
    let send = async |content_type: Option<&str>, body: String| {
        let mut request = Request::post(REGISTER);
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        site.world.send(request.body(Body::from(body)).unwrap()).await
    };
    let good = minimal().to_string();
    for content_type in ["application/json", "Application/JSON; charset=utf-8"] {
        assert_eq!(send(Some(content_type), good.clone()).await.status, 201);
    }
    for content_type in [None, Some("text/json"), Some("application/x-www-form-urlencoded")] {
        send(content_type, good.clone()).await.refuses("invalid_request");
    }
    for bad in [
        "",
        "[]",
        "null",
        "{",
        r#"{"redirect_uris": ["https://a.example"], "redirect_uris": ["https://b.example"]}"#,
        r#"{"redirect_uris": ["https://a.example"], "jwks": {"keys": [], "keys": []}}"#,
        r#"{"redirect_uris": ["https://a.example"], "x": "\u0000"}"#,
    ] {
        send(Some("application/json"), bad.into()).await.refuses("invalid_client_metadata");
    }
    let filled = |length: usize| {
        let short = with("x", "").to_string();
        with("x", "y".repeat(length - short.len())).to_string()
    };
    assert_eq!(send(Some("application/json"), filled(64 * 1024)).await.status, 201);
    send(Some("application/json"), filled(64 * 1024 + 1)).await.refuses("invalid_request");
    assert_eq!(site.world.get(REGISTER).await.status, 405);
}

#[tokio::test]
async fn s2_unknown_members_mean_nothing() {
    let site = Site::open().await;
    let mut body = minimal();
    for (name, value) in [
        ("client_id", json!("mine")),
        ("client_secret", json!("mine")),
        ("access_token_ttl", json!(86_400)),
        ("access_token_format", json!("opaque")),
        ("skip_consent", json!(true)),
        ("owner", json!("u")),
        ("scope#de", json!(7)),
        ("x", json!({"y": [1]})),
    ] {
        body[name] = value;
    }
    let own = site.registers(body).await;
    assert!(own.id() != "mine" && own.secret() != "mine");
    assert_eq!(own.body.get("x"), None);
    let stored = site.stored(own.id()).await.unwrap();
    assert_eq!((stored.access_token_ttl, stored.access_token_format), (None, None));
    assert_eq!((stored.skip_consent, stored.owner, stored.expires_at), (false, None, None));
}

#[tokio::test]
async fn s2_what_is_null_was_not_sent() {
    let site = Site::open().await;
    let mut body = minimal();
    for name in site.everything().as_object().unwrap().keys() {
        if name != "redirect_uris" {
            body[name] = Value::Null;
        }
    }
    body["software_statement"] = Value::Null;
    body["jwks"] = Value::Null;
    let own = site.registers(body).await;
    let plain = site.registers(minimal()).await;
    let names = |own: &Own| own.body.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&own), names(&plain));
    assert_eq!(own.body["scope"], plain.body["scope"]);
}

/// Every member, of the wrong type.
#[tokio::test]
async fn s3_2_2_wrong_types() {
    let site = Site::open().await;
    let everything = site.everything();
    for (name, value) in everything.as_object().unwrap() {
        let code = match name.as_str() {
            "redirect_uris" => "invalid_redirect_uri",
            _ => "invalid_client_metadata",
        };
        let field = name.split('#').next().unwrap();
        let wrong = if value.is_object() { json!("x") } else { json!({"x": 1}) };
        let mut body = everything.clone();
        body[name] = wrong;
        site.objects(body, code, field).await;
        if value.is_array() {
            for element in [json!(7), json!(""), json!(null)] {
                let mut body = everything.clone();
                body[name] = json!([element]);
                site.objects(body, code, field).await;
            }
        }
    }
    site.objects(with("jwks", "x"), "invalid_client_metadata", "jwks").await;
    for bad in [json!("600"), json!(-1), json!(1.5)] {
        site.objects(with("default_max_age", bad), "invalid_client_metadata", "default_max_age")
            .await;
    }
}

#[tokio::test]
async fn s3_2_2_what_cannot_be_accepted() {
    let site = Site::open().await;
    for uris in [
        json!([]),
        json!(["http://client.example/cb"]),
        json!(["https://client.example/cb#fragment"]),
        json!(["javascript:alert(1)"]),
        json!(["https://*.client.example/cb"]),
        json!(["https://client.example/cb", "relative"]),
    ] {
        let body = json!({"redirect_uris": uris});
        site.objects(body, "invalid_redirect_uri", "redirect_uris").await;
    }
    site.objects(json!({}), "invalid_redirect_uri", "redirect_uris").await;
    for (name, value) in [
        ("scope", json!("a everything")),
        ("scope", json!("a\"b")),
        ("grant_types", json!(["password"])),
        ("grant_types", json!(["refresh_token"])),
        ("response_types", json!(["token magic"])),
        ("token_endpoint_auth_method", json!("tls_client_auth")),
        ("client_name", json!("a\u{202e}b")),
        ("client_uri", json!("javascript:alert(1)")),
        ("tos_uri", json!("tos")),
        ("contacts", json!(["a\nb"])),
        ("software_id", json!("x".repeat(201))),
        ("jwks_uri", json!("http://client.example/jwks")),
    ] {
        site.objects(with(name, value), "invalid_client_metadata", name).await;
    }
    let mut both = with("jwks_uri", "https://client.example/jwks");
    both["jwks"] = jwks(&[ClientKey::of(VerificationAlgorithm::ES256)]);
    site.objects(both, "invalid_client_metadata", "jwks_uri").await;
    let public =
        json!({"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"});
    site.objects(public, "invalid_client_metadata", "token_endpoint_auth_method").await;
}

/// A refused registration leaves nothing behind.
#[tokio::test]
async fn s3_2_2_nothing_is_written_for_who_is_refused() {
    let site = Site::open().await;
    let before = site.world.store.writes();
    site.post(&with("scope", "everything")).await.refuses("invalid_client_metadata");
    site.door.answers(Admission::TokenRefused);
    assert_eq!(site.post(&minimal()).await.status, 401);
    assert_eq!(site.world.store.writes(), before);
    site.door.answers(Admission::Granted { owner: None, expires_at: None, invitation: None });
    site.registers(minimal()).await;
    assert_eq!(site.world.store.writes(), before + 1);
    site.world.store.fail_writes(Some("disk full"));
    site.post(&minimal()).await.refuses("server_error");
}

#[tokio::test]
async fn s2_1_grant_types_and_response_types() {
    let site = Site::open().await;
    for (asked, grant_types, response_types) in [
        (json!({"response_types": ["id_token"]}), json!(["implicit"]), json!(["id_token"])),
        (
            json!({"response_types": ["token code id_token"]}),
            json!(["authorization_code", "implicit"]),
            json!(["code id_token token"]),
        ),
        (json!({"grant_types": ["implicit"]}), json!(["implicit"]), json!(["token"])),
        (
            json!({"grant_types": ["implicit", "authorization_code"], "response_types": ["code id_token"]}),
            json!(["authorization_code", "implicit"]),
            json!(["code id_token"]),
        ),
    ] {
        let mut body = asked.clone();
        body["redirect_uris"] = json!([CALLBACK]);
        let own = site.registers(body).await;
        assert_eq!(own.body["grant_types"], grant_types, "{asked}");
        assert_eq!(own.body["response_types"], response_types, "{asked}");
    }
    for (grant_types, response_types) in [
        (json!(["authorization_code"]), json!(["token"])),
        (json!(["implicit"]), json!(["code"])),
        (json!(["authorization_code"]), json!(["code token"])),
    ] {
        let body = json!({
            "redirect_uris": [CALLBACK],
            "grant_types": grant_types,
            "response_types": response_types,
        });
        site.objects(body, "invalid_client_metadata", "response_types").await;
    }
}

#[tokio::test]
async fn s2_a_client_without_a_name_is_called_by_where_it_lives() {
    let site = Site::open().await;
    for (body, name) in [
        (minimal(), "client.example"),
        (with("client_uri", "https://home.example/x"), "home.example"),
        (with("client_name", "Kamera"), "Kamera"),
        (json!({"redirect_uris": ["com.example.app:/cb"]}), "com.example.app"),
        (json!({"grant_types": ["client_credentials"]}), "Unnamed client"),
    ] {
        assert_eq!(site.registers(body).await.body["client_name"], name);
    }
}

/// RFC 7591 3: who may register.
#[tokio::test]
async fn s3_initial_access_tokens() {
    let site = Site::open().await;
    let until = fixtures::after(3600);
    let owner = Some(UserId::new("u"));
    site.door.answers(Admission::Granted {
        owner: owner.clone(),
        expires_at: Some(until),
        invitation: None,
    });
    let send = async |token| site.send("POST", REGISTER, token, Some(&minimal())).await;
    let own = Own::of(send(Some("initial")).await.json());
    let stored = site.stored(own.id()).await.unwrap();
    assert_eq!((stored.owner, stored.expires_at), (owner, Some(until)));
    assert_eq!(site.door.brought(), [Some("initial".to_owned())]);

    site.door.answers(Admission::TokenRequired);
    let reply = send(None).await;
    assert_eq!((reply.status, reply.json()["error"].as_str()), (401, Some("invalid_token")));
    assert_eq!(reply.header(header::WWW_AUTHENTICATE), Some("Bearer realm=\"oauth\""));
    reply.is_not_stored();

    site.door.answers(Admission::TokenRefused);
    let reply = send(Some("wrong")).await;
    assert_eq!((reply.status, reply.json()["error"].as_str()), (401, Some("invalid_token")));
    let challenge = reply.header(header::WWW_AUTHENTICATE).unwrap();
    assert!(
        challenge.starts_with("Bearer realm=\"oauth\", error=\"invalid_token\""),
        "{challenge}"
    );

    site.door.answers(Admission::Throttled(77));
    let reply = send(None).await;
    assert_eq!((reply.status, reply.header(header::RETRY_AFTER)), (429, Some("77")));
    assert_eq!(reply.json()["error"], "temporarily_unavailable");
    // Whoever is not admitted is told nothing of what is wrong with the request.
    let bad = site.post(&json!({})).await;
    assert_eq!(bad.status, 429);
}

#[tokio::test]
async fn s3_other_schemes_are_no_initial_access_token() {
    let site = Site::open().await;
    let send = async |values: &[&str]| {
        let mut request = Request::post(REGISTER).header(header::CONTENT_TYPE, "application/json");
        for value in values {
            request = request.header(header::AUTHORIZATION, *value);
        }
        site.world.send(request.body(Body::from(minimal().to_string())).unwrap()).await
    };
    for value in ["Basic YTpi", "Bearer", "Bearer ", "initial"] {
        assert_eq!(send(&[value]).await.status, 201, "{value}");
    }
    assert_eq!(send(&["bearer  initial "]).await.status, 201);
    assert_eq!(site.door.brought().last(), Some(&Some("initial".to_owned())));
    assert_eq!(site.door.brought().iter().flatten().count(), 1);
    send(&["Bearer a", "Bearer b"]).await.refuses("invalid_request");
}

#[tokio::test]
async fn s3_a_closed_provider_has_no_endpoint() {
    let world = World::new().await;
    let request = Request::post(REGISTER).header(header::CONTENT_TYPE, "application/json");
    let reply = world.send(request.body(Body::from(minimal().to_string())).unwrap()).await;
    assert_eq!(reply.status, 404);
    assert_eq!(world.get(&format!("{REGISTER}/web")).await.status, 404);
    assert_eq!(world.provider.metadata().get("registration_endpoint"), None);
    let refused = world.provider.register(None, b"{}").await.unwrap_err();
    assert_eq!(refused.code().as_str(), "access_denied");

    let site = Site::open().await;
    let endpoint = format!("https://as.example{REGISTER}");
    assert_eq!(site.world.provider.metadata()["registration_endpoint"], endpoint);
}

/// A client that is used stays; one that is not goes.
#[tokio::test]
async fn s3_unused_clients_expire() {
    let site = Site::open().await;
    let until = Some(fixtures::after(3600));
    site.door.answers(Admission::Granted { owner: None, expires_at: until, invitation: None });
    let body = json!({"redirect_uris": [CALLBACK], "grant_types": ["authorization_code", "client_credentials"]});
    let (used, walked, unused) = (
        site.registers(body.clone()).await,
        site.registers(body.clone()).await,
        site.registers(body).await,
    );
    let ask = site.world.token(used.id(), "client_credentials").anonymous();
    ask.basic(used.id(), used.secret()).issues().await;
    site.world.request(walked.id()).code().await;
    // Looking at one's registration is no use of it.
    assert_eq!(site.read(&unused).await.status, 200);
    assert_eq!(site.stored(used.id()).await.unwrap().expires_at, None);
    assert_eq!(site.stored(walked.id()).await.unwrap().expires_at, None);
    assert_eq!(site.stored(unused.id()).await.unwrap().expires_at, until);
    site.world.after(3601);
    assert_eq!(site.read(&used).await.status, 200);
    assert_eq!(site.read(&walked).await.status, 200);
    assert_eq!(site.read(&unused).await.status, 401);
}

/// What refuses is heard, under the name of the endpoint.
#[tokio::test]
async fn s3_2_2_refusals_are_heard() {
    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<String>>>);
    impl Audit for Heard {
        fn record(&self, event: &Event<'_>) {
            if let Event::Refused { endpoint, error } = event {
                self.0.lock().unwrap().push(format!("{endpoint} {}", error.as_str()));
            }
        }
    }
    let heard = Heard::default();
    let audit = heard.clone();
    let rules = Rules::new(&Grants::new(standard(), true), &Policy::default());
    let setup = Setup::new().issuer("https://as.example/tenant");
    let world = setup.builder(|b| b.registration(rules, Everybody).audit(audit)).start().await;
    let path = format!("/tenant{REGISTER}");
    let post = async |body: &Value| {
        let request = Request::post(&path).header(header::CONTENT_TYPE, "application/json");
        world.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    // With an issuer that has a path, everything is below it.
    let reply = post(&minimal()).await;
    assert_eq!(reply.status, 201);
    let uri = reply.json()["registration_client_uri"].as_str().unwrap().to_owned();
    assert!(uri.starts_with(&format!("https://as.example{path}/")), "{uri}");
    let own = uri.strip_prefix("https://as.example").unwrap();
    assert_eq!(world.get(own).await.status, 401);
    post(&json!({})).await.refuses("invalid_redirect_uri");
    let heard = heard.0.lock().unwrap();
    assert_eq!(*heard, ["register invalid_token", "register invalid_redirect_uri"]);
}
