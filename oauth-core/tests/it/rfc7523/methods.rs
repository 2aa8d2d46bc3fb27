//! Which clients authenticate by a JWT, with what beside it, and which secrets that needs.

use super::{SHARED, es256, good, refuses, setup, started, with, world};
use crate::support::{
    CLIENT_ASSERTION_TYPE, ISSUER, SECRET,
    jwt::{ClientKey, assertion},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use oauth_core::{
    client_auth::{METHODS, mac_secret, seal_secret, signing_algorithms},
    model::{Client, ClientAuth, ClientId, MacAlgorithm, SealedSecret, VerificationAlgorithm},
    ports::{ClientStore as _, Clock as _},
    testing::fixtures,
};

#[tokio::test]
async fn s2_2_the_parameters_beside_it() {
    let world = world().await;
    let ask = || with(&world, &good(&world, "key").sign(es256()));
    ask().set("client_id", "key").issues().await;
    for other in ["web", "twin", "nobody", "Key"] {
        ask().set("client_id", other).refuses("invalid_client").await;
    }
    for wrong in ["", "jwt-bearer", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"] {
        ask().set("client_assertion_type", wrong).refuses("invalid_client").await;
    }
    ask()
        .set("client_assertion_type", &format!("{CLIENT_ASSERTION_TYPE} "))
        .refuses("invalid_client")
        .await;
    ask().unset("client_assertion_type").refuses("invalid_client").await;
    ask().unset("client_assertion").refuses("invalid_client").await;
    ask().unset("client_assertion").set("client_id", "key").refuses("invalid_client").await;
    ask().also("client_assertion", "x").refuses("invalid_request").await;
}

/// RFC 6749 2.3: not more than one method in each request.
#[tokio::test]
async fn s2_2_no_other_credentials_beside_it() {
    let world = world().await;
    let ask = || with(&world, &good(&world, "key").sign(es256()));
    ask().basic("key", SECRET).refuses("invalid_request").await;
    ask().basic("web", SECRET).refuses("invalid_request").await;
    ask().set("client_secret", SECRET).refuses("invalid_request").await;
    let pair = STANDARD.encode("key:");
    ask().header("authorization", &format!("Bearer {pair}")).refuses("invalid_request").await;
    ask().issues().await;
}

#[tokio::test]
async fn a_client_keeps_to_its_method() {
    let world = world().await;
    let now = world.clock.now();
    let ask = || world.token("web", "client_credentials").anonymous();
    // Clients of the other methods, with an assertion that would prove as much.
    for client in ["web", "post", "spa", "mac"] {
        let draft = assertion(client, ISSUER, now);
        refuses(&world, &draft).await;
        for secret in [SECRET, "", "secretsecretsecretsecretsecretsecret"] {
            let token = draft.mac(secret.as_bytes(), MacAlgorithm::HS256);
            with(&world, &token).refuses("invalid_client").await;
        }
    }
    // Clients of these methods, with their secrets or nothing.
    for (client, secret) in [("mac", SHARED), ("key", SECRET), ("key", "")] {
        ask().basic(client, secret).refuses("invalid_client").await;
        ask().set("client_id", client).set("client_secret", secret).refuses("invalid_client").await;
        ask().set("client_id", client).refuses("invalid_client").await;
    }
    with(&world, &good(&world, "mac").sign(es256())).refuses("invalid_client").await;
    let token = good(&world, "mac").mac(SHARED.as_bytes(), MacAlgorithm::HS256);
    with(&world, &token).issues().await;
}

#[tokio::test]
async fn oidc_registration_2_only_the_registered_algorithm() {
    use VerificationAlgorithm as A;
    let world = started(setup().client("key", |c| {
        c.metadata.token_endpoint_auth_signing_alg = Some("PS256".into());
    }))
    .await;
    let mut client =
        Client::clone(&*world.store.client(&ClientId::new("mac")).await.unwrap().unwrap());
    client.metadata.token_endpoint_auth_signing_alg = Some("HS384".into());
    assert!(world.store.replace_client(client).await.unwrap());
    for alg in A::ALL {
        let ask = with(&world, &good(&world, "key").sign(ClientKey::of(alg)));
        match alg {
            A::PS256 => drop(ask.issues().await),
            _ => ask.refuses("invalid_client").await,
        }
    }
    for alg in MacAlgorithm::ALL {
        let ask = with(&world, &good(&world, "mac").mac(SHARED.as_bytes(), alg));
        match alg {
            MacAlgorithm::HS384 => drop(ask.issues().await),
            _ => ask.refuses("invalid_client").await,
        }
    }
}

/// An algorithm of the other method, or an unknown one, leaves nothing that would be accepted.
#[tokio::test]
async fn oidc_registration_2_an_algorithm_that_does_not_fit_the_method_allows_nothing() {
    for registered in ["HS256", "none", "", "X"] {
        let world = started(setup().client("key", |c| {
            c.metadata.token_endpoint_auth_signing_alg = Some(registered.into());
        }))
        .await;
        refuses(&world, &good(&world, "key")).await;
        with(&world, &good(&world, "key").unsecured()).refuses("invalid_client").await;
        let token = good(&world, "key").mac(SHARED.as_bytes(), MacAlgorithm::HS256);
        with(&world, &token).refuses("invalid_client").await;
    }
}

/// A seal is good for one client, and what does not open is the operator's fault.
#[tokio::test]
async fn a_sealed_secret_is_of_its_client() {
    let world = world().await;
    let env = world.provider.env();
    let token = || good(&world, "mac").mac(SHARED.as_bytes(), MacAlgorithm::HS256);
    let SealedSecret(sealed) = seal_secret(env, &ClientId::new("mac"), SHARED);
    let read = String::from_utf8_lossy(&sealed).into_owned();
    assert!(!read.contains("shared"), "{read}");
    for (sealed, opens) in [
        (seal_secret(env, &ClientId::new("mac"), SHARED), true),
        (seal_secret(env, &ClientId::new("other"), SHARED), false),
        (SealedSecret(env.sealer.seal(b"mac", SHARED.as_bytes(), &*env.random)), false),
        (SealedSecret(Vec::new()), false),
    ] {
        let client = Client { auth: ClientAuth::SecretJwt(sealed), ..fixtures::client("mac") };
        assert!(world.store.replace_client(client).await.unwrap());
        if opens {
            with(&world, &token()).issues().await;
        } else {
            with(&world, &token()).refuses("server_error").await;
        }
    }
}

/// RFC 7518 3.2: a secret is as long as the output of the hash.
#[tokio::test]
async fn rfc7518_s3_2_a_new_secret_is_long_enough() {
    let world = world().await;
    let env = world.provider.env();
    let secret = mac_secret(env).reveal();
    assert_eq!(secret.len(), 86);
    assert_ne!(secret, mac_secret(env).reveal());
    let auth = ClientAuth::SecretJwt(seal_secret(env, &ClientId::new("mac"), &secret));
    let client = Client { auth, ..fixtures::client("mac") };
    assert!(world.store.replace_client(client).await.unwrap());
    for alg in MacAlgorithm::ALL {
        with(&world, &good(&world, "mac").mac(secret.as_bytes(), alg)).issues().await;
    }
    let auth = ClientAuth::SecretJwt(seal_secret(env, &ClientId::new("mac"), "short"));
    let client = Client { auth, ..fixtures::client("mac") };
    assert!(world.store.replace_client(client).await.unwrap());
    let token = good(&world, "mac").mac(b"short", MacAlgorithm::HS256);
    with(&world, &token).refuses("invalid_client").await;
}

#[test]
fn rfc8414_s2_what_the_metadata_may_say() {
    for method in METHODS {
        let signs = method.ends_with("_jwt");
        assert_eq!(!signing_algorithms(method).is_empty(), signs, "{method}");
    }
    assert!(!signing_algorithms("private_key_jwt").iter().any(|alg| alg.starts_with("HS")));
    assert!(signing_algorithms("client_secret_jwt").iter().all(|alg| alg.starts_with("HS")));
}
