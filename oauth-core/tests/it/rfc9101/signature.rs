//! Who made a request object, and by which algorithm.

use super::{BOTH, By, JWKS_URI, Stage, es256, good, signed};
use crate::support::{
    SECRET,
    jwt::{ClientKey, jwks},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_core::model::{Client, MacAlgorithm, RequestObjectSigning, VerificationAlgorithm};
use serde_json::{Value, json};

#[tokio::test]
async fn s6_2_every_algorithm_signs() {
    let stage = Stage::new().await;
    for alg in VerificationAlgorithm::ALL {
        stage.accepts(&good().sign(ClientKey::of(alg))).await;
    }
}

#[tokio::test]
async fn s10_2_the_signature_must_be_the_clients() {
    let stage = Stage::new().await;
    let token = signed(&good());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let stranger = ClientKey::new(VerificationAlgorithm::ES256, "key of ES256");
    let other = signed(&good().claim("state", "other"));
    for wrong in [
        good().sign(&stranger),
        good().header("kid", "unknown").sign(es256()),
        good().header("alg", "none").sign(es256()),
        good().header("alg", "RS256").sign(es256()),
        good().header("crit", json!(["exp"])).sign(es256()),
        format!("{message}."),
        format!("{}.{signature}", other.rsplit_once('.').unwrap().0),
        format!("{token}{}", "x".repeat(16 * 1024)),
        message.into(),
        "x".into(),
    ] {
        stage.refuses(&wrong).await;
    }
    stage.accepts(&token).await;
}

/// RFC 8725 2.1: what is published as a key is never taken for a secret.
#[tokio::test]
async fn rfc8725_s2_1_a_public_key_is_no_secret() {
    let stage = Stage::new().await;
    let rsa = ClientKey::of(VerificationAlgorithm::RS256).jwk();
    for secret in [serde_json::to_vec(&rsa).unwrap(), rsa["n"].as_str().unwrap().into()] {
        let draft = good().header("kid", "key of RS256");
        stage.refuses(&draft.mac(&secret, MacAlgorithm::HS256)).await;
    }
}

#[tokio::test]
async fn oidc_registration_2_only_the_registered_algorithm() {
    let stage = Stage::with(|c| {
        let alg = VerificationAlgorithm::PS256;
        c.metadata.request_object_signing_alg = Some(RequestObjectSigning::Signed(alg));
    })
    .await;
    for alg in VerificationAlgorithm::ALL {
        let token = good().sign(ClientKey::of(alg));
        match alg {
            VerificationAlgorithm::PS256 => stage.accepts(&token).await,
            _ => stage.refuses(&token).await,
        }
    }
    stage.refuses(&good().unsecured()).await;
}

#[tokio::test]
async fn oidc_core_6_1_unsecured_only_if_registered_so() {
    let stage = Stage::with(|c| {
        c.metadata.request_object_signing_alg = Some(RequestObjectSigning::Unsecured);
    })
    .await;
    stage.accepts(&good().unsecured()).await;
    stage.refuses(&signed(&good())).await;
    stage.refuses(&good().header("alg", "none").sign(es256())).await;
    // The other rules hold for it as for every other one.
    stage.refuses(&good().claim("exp", 1).unsecured()).await;
    stage.refuses(&good().claim("client_id", "other").unsecured()).await;
    // Who has said nothing is told that it is not supported.
    let stage = Stage::new().await;
    for (by, code) in BOTH.into_iter().zip(["request_not_supported", "request_uri_not_supported"]) {
        let answer = stage.carrying(by, &good().unsecured()).refuses(code).await;
        assert_eq!(answer.get("state"), Some("st"));
    }
    assert!(
        !stage.world.provider.metadata()["request_object_signing_alg_values_supported"]
            .as_array()
            .unwrap()
            .contains(&json!("none"))
    );
}

#[tokio::test]
async fn s10_5_a_client_that_must_sign() {
    let must = |c: &mut Client| c.metadata.require_signed_request_object = true;
    let stage = Stage::with(must).await;
    stage.world.request("web").refuses("invalid_request").await;
    stage.refuses(&good().unsecured()).await;
    stage.accepts(&signed(&good())).await;
    // What nobody signed does not count.
    for by in BOTH {
        let pending = stage
            .pending(
                stage
                    .carrying(by, &signed(&good().without("state").without("client_id")))
                    .set("login_hint", "ada"),
            )
            .await;
        assert_eq!((pending.state, pending.login_hint), (None, None));
        let open = stage.carrying(by, &signed(&good().without("code_challenge")));
        assert_eq!(open.send().await.reply.answer().get("error"), Some("invalid_request"));
    }
    // Both at once cannot be met.
    let stage = Stage::with(|c| {
        must(c);
        c.metadata.request_object_signing_alg = Some(RequestObjectSigning::Unsecured);
    })
    .await;
    stage.refuses(&good().unsecured()).await;
    stage.refuses(&signed(&good())).await;
}

/// RFC 7516: encrypted ones are not offered.
#[tokio::test]
async fn oidc_core_6_1_an_encrypted_object_is_refused() {
    let stage = Stage::new().await;
    let header = json!({"alg": "RSA-OAEP-256", "enc": "A128GCM", "cty": "JWT"}).to_string();
    let header = URL_SAFE_NO_PAD.encode(header);
    stage.refuses(&format!("{header}.AAAA.AAAA.AAAA.AAAA")).await;
    let header = json!({"alg": "ES256", "kid": "key of ES256"}).to_string();
    stage.refuses(&format!("{}.AAAA.AAAA.AAAA.AAAA", URL_SAFE_NO_PAD.encode(header))).await;
}

#[tokio::test]
async fn s6_2_a_new_key_is_looked_for() {
    let stage = Stage::with(|c| {
        c.metadata.jwks = None;
        c.metadata.jwks_uri = Some(JWKS_URI.into());
    })
    .await;
    let next = ClientKey::new(VerificationAlgorithm::ES256, "next");
    stage.published.put(JWKS_URI, jwks(&[es256()]));
    stage.accepts(&signed(&good())).await;
    stage.published.put(JWKS_URI, jwks(&[&next]));
    stage.refuses(&good().sign(&next)).await;
    stage.world.after(10);
    stage.accepts(&good().sign(&next)).await;
    stage.refuses(&signed(&good())).await;
    assert_eq!(stage.published.asked(JWKS_URI), 2);
}

#[tokio::test]
async fn a_client_without_keys_has_no_request_objects() {
    let stage = Stage::with(|c| c.metadata.jwks = None).await;
    stage.refuses(&signed(&good())).await;
    let answer =
        stage.carrying(By::Value, &good().unsecured()).refuses("request_not_supported").await;
    assert_eq!(answer.get("state"), Some("st"));
    stage.refuses(&good().mac(SECRET.as_bytes(), MacAlgorithm::HS256)).await;
    let open: Value = json!({"keys": [{"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}]});
    let stage = Stage::with(|c| c.metadata.jwks = Some(open)).await;
    stage.refuses(&good().mac(b"secret", MacAlgorithm::HS256)).await;
}
