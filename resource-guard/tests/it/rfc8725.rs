//! JWT best current practices: what an attacker tries with headers and keys.

use crate::support::{
    ISSUER, KEY, Peer, admits, app, claims, encode, jwks, new_key, offline, offline_guard, refuses,
    sign, sign_under,
};
use aws_lc_rs::hmac;
use axum::Router;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use resource_guard::{KeySet, SigningAlgorithm};
use serde_json::{Value, json};

fn guarded() -> Router {
    app(offline_guard().any_token())
}

#[tokio::test]
async fn s3_1_alg_none_is_refused() {
    for alg in ["none", "None", "NONE", ""] {
        let head = encode(&json!({"alg": alg, "typ": "at+jwt", "kid": KEY.signer.kid()}));
        let body = encode(&claims(ISSUER));
        for token in [format!("{head}.{body}."), format!("{head}.{body}.AAAA")] {
            refuses(&guarded(), &token, 401, "invalid_token").await;
        }
    }
}

#[tokio::test]
async fn s3_1_hs256_with_the_public_key_is_refused() {
    let public = serde_json::to_value(KEY.signer.public_jwk()).unwrap();
    let x = URL_SAFE_NO_PAD.decode(public["x"].as_str().unwrap()).unwrap();
    for secret in [x, public.to_string().into_bytes(), public["x"].to_string().into_bytes()] {
        let head = encode(&json!({"alg": "HS256", "typ": "at+jwt", "kid": KEY.signer.kid()}));
        let message = format!("{head}.{}", encode(&claims(ISSUER)));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), message.as_bytes());
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag));
        refuses(&guarded(), &token, 401, "invalid_token").await;
    }
}

#[tokio::test]
async fn s3_1_only_allowed_algorithms() {
    for alg in SigningAlgorithm::ALL {
        let key = new_key(alg);
        let token = sign(&key, &claims(ISSUER));
        let with = |allowed: Vec<SigningAlgorithm>| {
            let builder = offline().0.keys(KeySet::from_jwks(&jwks([&key]))).algorithms(allowed);
            app(builder.build().unwrap().any_token())
        };
        admits(&with(SigningAlgorithm::ALL.to_vec()), &token).await;
        admits(&with(vec![alg]), &token).await;
        let others = SigningAlgorithm::ALL.into_iter().filter(|a| *a != alg).collect();
        refuses(&with(others), &token, 401, "invalid_token").await;
    }
}

#[tokio::test]
async fn rfc7515_s4_1_11_crit_is_refused() {
    for crit in [json!(["exp"]), json!(["b64"]), json!([]), json!("x")] {
        let header =
            json!({"alg": "ES256", "typ": "at+jwt", "kid": KEY.signer.kid(), "crit": crit});
        refuses(&guarded(), &sign_under(&header, &claims(ISSUER)), 401, "invalid_token").await;
    }
}

#[tokio::test]
async fn s3_2_keys_in_the_header_are_ignored() {
    let mallory = new_key(SigningAlgorithm::ES256);
    let header = json!({
        "alg": "ES256", "typ": "at+jwt", "jwk": mallory.signer.public_jwk(),
        "jku": "https://evil.example/jwks", "x5u": "https://evil.example/cert",
    });
    let foreign = sign(&mallory, &claims(ISSUER));
    let (_, rest) = foreign.split_once('.').unwrap();
    refuses(&guarded(), &format!("{}.{rest}", encode(&header)), 401, "invalid_token").await;
    refuses(&guarded(), &foreign, 401, "invalid_token").await;
    // The twin: the same odd header under the right key is harmless.
    let mut odd = header;
    odd["kid"] = json!(KEY.signer.kid());
    admits(&guarded(), &sign_under(&odd, &claims(ISSUER))).await;
}

#[tokio::test]
async fn a_changed_claim_breaks_the_signature() {
    let token = sign(&KEY, &claims(ISSUER));
    let mut parts = token.split('.');
    let (head, _, signature) = (parts.next().unwrap(), parts.next(), parts.next().unwrap());
    let mut changed: Value = claims(ISSUER);
    changed["scope"] = json!("admin");
    refuses(&guarded(), &format!("{head}.{}.{signature}", encode(&changed)), 401, "invalid_token")
        .await;
    admits(&guarded(), &token).await;
}

#[tokio::test]
async fn a_token_without_kid_is_tried_with_every_key() {
    let header = json!({"alg": "ES256", "typ": "at+jwt"});
    admits(&guarded(), &sign_under(&header, &claims(ISSUER))).await;
}

#[tokio::test]
async fn s3_10_nothing_in_a_token_makes_the_guard_call_elsewhere() {
    let (peer, elsewhere) = (Peer::start().await, Peer::start().await);
    let app = app(peer.discovering().0.build().unwrap().any_token());
    let mut header = json!({"alg": "ES256", "typ": "at+jwt", "kid": "other"});
    header["jku"] = json!(elsewhere.url(crate::support::JWKS));
    let token = sign_under(&header, &claims(elsewhere.issuer()));
    refuses(&app, &token, 401, "invalid_token").await;
    let token = sign(&KEY, &claims(elsewhere.issuer()));
    refuses(&app, &token, 401, "invalid_token").await;
    for path in [crate::support::JWKS, crate::support::OAUTH, crate::support::OPENID] {
        assert_eq!(elsewhere.count(path), 0, "{path}");
    }
}
