//! RFC 7592: managing one's registration.

use crate::support::{
    CALLBACK,
    jwt::{ClientKey, assertion, jwks},
    registering::{Own, REGISTER, Site},
};
use axum::http::header;
use oauth_core::{
    model::{ClientAuth, HashedToken, MacAlgorithm, UserId, VerificationAlgorithm},
    ports::{Admission, ClientStore as _, Clock as _},
    registration::rotate_secret,
    testing::fixtures,
};
use serde_json::{Value, json};
use std::time::Duration;

fn body() -> Value {
    json!({"redirect_uris": [CALLBACK], "grant_types": ["authorization_code", "client_credentials"]})
}

/// The refusal that does not say why.
fn is_refused(reply: &crate::support::Reply) {
    assert_eq!(reply.status, 401, "{}", reply.text());
    let expected =
        json!({"error": "invalid_token", "error_description": "the token is not good here"});
    assert_eq!(reply.json(), expected);
    assert_eq!(
        reply.header(header::WWW_AUTHENTICATE),
        Some(
            "Bearer realm=\"oauth\", error=\"invalid_token\", error_description=\"the token is not good here\""
        )
    );
    reply.is_not_stored();
}

#[tokio::test]
async fn s2_1_reading() {
    let site = Site::open().await;
    let own = site.registers(body()).await;
    let reply = site.read(&own).await;
    assert_eq!(reply.status, 200);
    reply.is_not_stored();
    let mut expected = own.body.clone();
    for shown_once in ["client_secret", "client_secret_expires_at"] {
        expected.as_object_mut().unwrap().remove(shown_once);
    }
    assert_eq!(reply.json(), expected);
}

#[tokio::test]
async fn s2_an_answer_does_not_tell_what_is_wrong() {
    let site = Site::open().await;
    let (own, other) = (site.registers(body()).await, site.registers(body()).await);
    let operators = format!("{REGISTER}/web");
    let unknown = format!("{REGISTER}/unknown");
    let long = format!("{REGISTER}/{}", "x".repeat(300));
    let long_token = "x".repeat(300);
    for method in ["GET", "PUT", "DELETE"] {
        let sent = (method == "PUT").then(|| own.editable());
        for (path, token) in [
            (own.path.as_str(), other.token.as_str()),
            (&own.path, "wrong"),
            (&own.path, &long_token),
            (&own.path, own.secret()),
            (&unknown, &own.token),
            (&operators, "secret"),
            (&operators, &own.token),
            (&long, &own.token),
            (&format!("{REGISTER}/%ff"), &own.token),
            (&format!("{REGISTER}/%00"), &own.token),
        ] {
            is_refused(&site.send(method, path, Some(token), sent.as_ref()).await);
        }
        for path in [&own.path, &unknown] {
            let reply = site.send(method, path, None, sent.as_ref()).await;
            assert_eq!((reply.status, &reply.json()["error"]), (401, &json!("invalid_token")));
            assert_eq!(reply.header(header::WWW_AUTHENTICATE), Some("Bearer realm=\"oauth\""));
        }
    }
    assert_eq!(site.read(&own).await.status, 200, "nothing of that did anything");
}

/// A client that the operator made has no such token, and the empty one is not it.
#[tokio::test]
async fn s2_clients_of_the_operator_do_not_manage_themselves() {
    let site = Site::open().await;
    let provider = &site.world.provider;
    for token in ["", "secret"] {
        let refused = provider.registration("web", Some(token)).await.unwrap_err();
        assert_eq!(refused.code().as_str(), "invalid_token");
    }
}

#[tokio::test]
async fn s2_2_what_was_read_can_be_sent_back() {
    let site = Site::open().await;
    for sent in [body(), site.everything(), json!({"redirect_uris": ["com.example.app:/cb"]})] {
        let own = site.registers(sent).await;
        let mut before = site.stored(own.id()).await.unwrap();
        let read = Own::of(site.read(&own).await.json());
        let reply = site.put(&own, &read.editable()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.is_not_stored();
        assert_eq!(reply.json(), read.body);
        // Said by the client, a default is a choice.
        let after = site.stored(own.id()).await.unwrap();
        before.metadata.id_token_signed_response_alg = after.metadata.id_token_signed_response_alg;
        assert_eq!(after, before);
    }
}

#[tokio::test]
async fn s2_2_everything_is_replaced() {
    let site = Site::open().await;
    let own = site.registers(site.everything()).await;
    let smaller = json!({
        "client_id": own.id(),
        "redirect_uris": ["https://client.example/new"],
        "token_endpoint_auth_method": "none",
        "logo_uri": null,
    });
    let reply = site.put(&own, &smaller).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let plain = site
        .registers(json!({
            "redirect_uris": ["https://client.example/new"],
            "token_endpoint_auth_method": "none",
        }))
        .await;
    let mut expected = plain.body.clone();
    for name in ["client_id", "registration_client_uri", "registration_access_token"] {
        expected[name] = own.body[name].clone();
    }
    assert_eq!(reply.json(), expected, "nothing of what it had before is left");
    assert_eq!(site.read(&own).await.json(), expected);
}

#[tokio::test]
async fn s2_2_what_others_decided_stays() {
    let site = Site::open().await;
    let until = Some(fixtures::after(3600));
    let owner = Some(UserId::new("u"));
    site.door.answers(Admission::Granted {
        owner: owner.clone(),
        expires_at: until,
        invitation: None,
    });
    let own = site.registers(body()).await;
    let mut client = site.stored(own.id()).await.unwrap();
    client.skip_consent = true;
    client.access_token_ttl = Some(Duration::from_secs(5));
    client.access_token_format = Some(oauth_core::model::TokenFormat::Opaque);
    assert!(site.world.store.replace_client(client).await.unwrap());
    site.world.after(10);
    let reply = site.put(&own, &own.editable()).await;
    assert_eq!(reply.status, 200);
    let stored = site.stored(own.id()).await.unwrap();
    assert_eq!((stored.owner, stored.expires_at), (owner, until));
    assert!(stored.skip_consent);
    assert_eq!(stored.access_token_ttl, Some(Duration::from_secs(5)));
    assert_eq!(stored.access_token_format, Some(oauth_core::model::TokenFormat::Opaque));
    assert_eq!(stored.created_at, fixtures::NOW);
    assert_eq!(stored.registration_token, Some(HashedToken::of(&own.token)));
}

#[tokio::test]
async fn s2_2_what_a_change_must_and_must_not_say() {
    let site = Site::open().await;
    let own = site.registers(body()).await;
    let other = site.registers(body()).await;
    let change = async |name: &str, value: Value| {
        let mut body = own.editable();
        body[name] = value;
        site.put(&own, &body).await
    };
    assert_eq!(change("client_secret", json!(own.secret())).await.status, 200);
    for absent in ["client_secret", "registration_access_token", "client_id_issued_at"] {
        assert_eq!(change(absent, Value::Null).await.status, 200, "null is nothing");
    }
    for (name, value) in [
        ("client_id", json!(other.id())),
        ("client_id", json!(7)),
        ("client_id", Value::Null),
        ("client_secret", json!(other.secret())),
        ("client_secret", json!("")),
        ("client_secret", json!("x".repeat(5000))),
        ("client_secret", json!(7)),
        ("registration_access_token", json!(own.token)),
        ("registration_client_uri", own.body["registration_client_uri"].clone()),
        ("client_secret_expires_at", json!(0)),
        ("client_id_issued_at", json!(1)),
        ("scope", json!("everything")),
    ] {
        change(name, value).await.refuses("invalid_client_metadata");
    }
    change("redirect_uris", json!(["http://client.example/"]))
        .await
        .refuses("invalid_redirect_uri");
    let mut nameless = own.editable();
    nameless.as_object_mut().unwrap().remove("client_id");
    site.put(&own, &nameless).await.refuses("invalid_client_metadata");
    let ask = site.world.token(own.id(), "client_credentials").anonymous();
    ask.basic(own.id(), own.secret()).issues().await;
}

/// The secret that is sent along must be the right one, however it is kept.
#[tokio::test]
async fn s2_2_secrets_that_are_kept_sealed_or_not_at_all() {
    let site = Site::open().await;
    let mut sent = body();
    sent["token_endpoint_auth_method"] = json!("client_secret_jwt");
    let own = site.registers(sent).await;
    assert_eq!(site.put(&own, &own.editable()).await.status, 200);
    let mut wrong = own.editable();
    wrong["client_secret"] = json!("x".repeat(86));
    site.put(&own, &wrong).await.refuses("invalid_client_metadata");
    let public = site
        .registers(json!({"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"}))
        .await;
    let mut wrong = public.editable();
    wrong["client_secret"] = json!("x");
    site.put(&public, &wrong).await.refuses("invalid_client_metadata");
}

#[tokio::test]
async fn s2_2_another_way_to_authenticate() {
    let site = Site::open().await;
    let world = &site.world;
    let own = site.registers(body()).await;
    let change = async |method: &str| {
        let mut body = own.editable();
        body.as_object_mut().unwrap().remove("client_secret");
        body["token_endpoint_auth_method"] = json!(method);
        body["jwks"] = jwks(&[ClientKey::of(VerificationAlgorithm::ES256)]);
        if method == "none" {
            body["grant_types"] = json!(["authorization_code"]);
        }
        let reply = site.put(&own, &body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    };
    let ask = || world.token(own.id(), "client_credentials").anonymous();
    let posting = |secret: &str| ask().set("client_id", own.id()).set("client_secret", secret);

    let same_secret = change("client_secret_post").await;
    assert_eq!(
        same_secret.get("client_secret"),
        None,
        "it has one, of which only the hash is known"
    );
    posting(own.secret()).issues().await;
    ask().basic(own.id(), own.secret()).refuses("invalid_client").await;

    let sealed = change("client_secret_jwt").await;
    let secret = sealed["client_secret"].as_str().unwrap();
    assert_eq!(sealed["client_secret_expires_at"], 0);
    posting(own.secret()).refuses("invalid_client").await;
    posting(secret).refuses("invalid_client").await;
    let draft = assertion(own.id(), "https://as.example", fixtures::NOW);
    ask().asserting(&draft.mac(secret.as_bytes(), MacAlgorithm::HS256)).issues().await;

    let keyed = change("private_key_jwt").await;
    assert_eq!(keyed.get("client_secret"), None);
    let draft = assertion(own.id(), "https://as.example", fixtures::NOW);
    let token = draft.sign(ClientKey::of(VerificationAlgorithm::ES256));
    ask().asserting(&token).issues().await;

    assert_eq!(change("none").await.get("client_secret"), None);
    assert_eq!(site.stored(own.id()).await.unwrap().auth, ClientAuth::Public);

    let again = change("client_secret_basic").await;
    let secret = again["client_secret"].as_str().unwrap();
    assert_ne!(secret, own.secret());
    ask().basic(own.id(), secret).issues().await;
    ask().basic(own.id(), own.secret()).refuses("invalid_client").await;
}

#[tokio::test]
async fn s2_3_removing() {
    let site = Site::open().await;
    let world = &site.world;
    let own = site.registers(body()).await;
    let ask = || world.token(own.id(), "client_credentials").anonymous();
    let token = ask().basic(own.id(), own.secret()).issues().await.access_token;
    assert!(world.is_active(&token).await);
    let reply = site.send("DELETE", &own.path, Some(&own.token), None).await;
    assert_eq!((reply.status, reply.body.len()), (204, 0));
    reply.is_not_stored();
    for method in ["GET", "PUT", "DELETE"] {
        let sent = (method == "PUT").then(|| own.editable());
        is_refused(&site.send(method, &own.path, Some(&own.token), sent.as_ref()).await);
    }
    assert_eq!(site.stored(own.id()).await, None);
    assert!(!world.is_active(&token).await);
    ask().basic(own.id(), own.secret()).refuses("invalid_client").await;
    world.request(own.id()).shows("invalid_request").await;
}

#[tokio::test]
async fn s2_2_the_body_is_json() {
    let site = Site::open().await;
    let own = site.registers(body()).await;
    site.send("PUT", &own.path, Some(&own.token), None).await.refuses("invalid_request");
    site.put(&own, &json!([])).await.refuses("invalid_client_metadata");
    let reply = site.send("POST", &own.path, Some(&own.token), Some(&own.editable())).await;
    assert_eq!(reply.status, 405);
}

/// A secret can be replaced from outside, whatever it is for.
#[tokio::test]
async fn a_secret_can_be_replaced() {
    let site = Site::open().await;
    let env = site.world.provider.env();
    for method in ["client_secret_basic", "client_secret_post", "client_secret_jwt"] {
        let mut sent = body();
        sent["token_endpoint_auth_method"] = json!(method);
        let own = site.registers(sent).await;
        let stored = site.stored(own.id()).await.unwrap();
        let rotated = rotate_secret(env, &stored).unwrap();
        let secret = rotated.secret.unwrap().reveal();
        assert!(site.world.store.replace_client(rotated.client).await.unwrap());
        let ask = |secret: &str| {
            let ask = site.world.token(own.id(), "client_credentials").anonymous();
            match method {
                "client_secret_basic" => ask.basic(own.id(), secret),
                "client_secret_post" => ask.set("client_id", own.id()).set("client_secret", secret),
                _ => {
                    let now = site.world.clock.now();
                    let draft = assertion(own.id(), "https://as.example", now);
                    ask.asserting(&draft.mac(secret.as_bytes(), MacAlgorithm::HS256))
                }
            }
        };
        ask(&secret).issues().await;
        ask(own.secret()).refuses("invalid_client").await;
    }
    let mut client = fixtures::public_client("c");
    assert!(rotate_secret(env, &client).is_none());
    client.auth = ClientAuth::PrivateKeyJwt;
    assert!(rotate_secret(env, &client).is_none());
}

/// Nobody is asked for consent to a client that the operator trusts, and that was not to be asked for just anything.
#[tokio::test]
async fn s2_2_a_client_that_reaches_further_is_asked_about_again() {
    let site = Site::open().await;
    for (name, value, trusted) in [
        ("client_name", json!("Another name"), true),
        ("scope", json!("a"), true),
        ("scope", json!("a b openid"), false),
        ("redirect_uris", json!([CALLBACK, "https://evil.example/cb"]), false),
        ("redirect_uris", json!(["https://evil.example/cb"]), false),
    ] {
        let mut metadata = body();
        metadata["scope"] = json!("a b");
        let own = site.registers(metadata).await;
        let mut client = site.stored(own.id()).await.unwrap();
        client.skip_consent = true;
        assert!(site.world.store.replace_client(client).await.unwrap());
        let mut change = own.editable();
        change[name] = value;
        assert_eq!(site.put(&own, &change).await.status, 200);
        assert_eq!(site.stored(own.id()).await.unwrap().skip_consent, trusted, "{change}");
    }
}

/// Registrations are remembered for seconds, but not by whoever is about to change one: another process may have
/// changed or removed it.
#[tokio::test]
async fn s2_the_registration_is_as_it_is_now() {
    use crate::support::{Setup, registering::Everybody};
    let setup = Setup::new().policy(|p| p.client_cache_ttl = Duration::from_mins(1));
    let setup = setup.builder(|b| {
        let rules = oauth_core::registration::Rules::new(
            &oauth_core::grants::Grants::new(oauth_core::grants::standard(), true),
            &oauth_core::config::Policy::default(),
        );
        b.registration(rules.scopes(["a".to_owned()]), Everybody)
    });
    let world = setup.start().await;
    let provider = &world.provider;
    let made = provider.register(None, body().to_string().as_bytes()).await.unwrap();
    let own = Own::of(serde_json::to_value(made).unwrap());
    provider.registration(own.id(), Some(&own.token)).await.unwrap();
    // By another process.
    let id = oauth_core::model::ClientId::new(own.id());
    let client = world.store.client(&id).await.unwrap().unwrap();
    let rotated = rotate_secret(provider.env(), &client).unwrap();
    assert!(world.store.replace_client(rotated.client.clone()).await.unwrap());
    let mut change = own.editable();
    change.as_object_mut().unwrap().remove("client_secret");
    let change = change.to_string();
    let put = provider.update_registration(own.id(), Some(&own.token), change.as_bytes()).await;
    put.unwrap();
    let stored = world.store.client(&id).await.unwrap().unwrap();
    assert_eq!(stored.auth, rotated.client.auth, "the old secret does not come back");
    assert!(world.store.remove_client(&id).await.unwrap());
    let refused = provider.registration(own.id(), Some(&own.token)).await.unwrap_err();
    assert_eq!(refused.code().as_str(), "invalid_token");
}
