//! OpenID Connect Core 10: id tokens and userinfo that only the client can read.

use crate::support::{Published, Setup, USER, World};
use axum::{
    body::Body,
    http::{Request, header},
};
use oauth_core::{
    model::{
        Client, ContentEncryption, Encryption, KeyManagementAlgorithm as Alg, SigningAlgorithm,
    },
    testing::JweKey,
};
use serde_json::{Value, json};

const KEYS: &str = "https://client.example/keys.json";

const fn encrypted(alg: Alg, enc: ContentEncryption) -> Encryption {
    Encryption { alg, enc }
}

async fn tokens(world: &World) -> oauth_core::issue::TokenResponse {
    let code = world.request("rp").set("scope", "openid email").set("nonce", "n").code().await;
    world.redeem("rp", &code).issues().await
}

async fn userinfo(world: &World, token: &str) -> crate::support::Reply {
    let bearer = format!("Bearer {token}");
    let request = Request::get("/oauth/userinfo").header(header::AUTHORIZATION, bearer);
    world.send(request.body(Body::empty()).unwrap()).await
}

fn with(key: &JweKey, change: impl Fn(&mut Client) + 'static) -> Setup {
    let set = json!({"keys": [key.public_jwk()]});
    Setup::openid().client("rp", move |c| {
        c.metadata.jwks = Some(set);
        change(c);
    })
}

#[tokio::test]
async fn s10_2_id_tokens_are_signed_then_encrypted() {
    for (key, alg) in [
        (JweKey::rsa(), Alg::RsaOaep256),
        (JweKey::on("P-256"), Alg::EcdhEs),
        (JweKey::on("P-256"), Alg::EcdhEsA256Kw),
    ] {
        for enc in ContentEncryption::ALL {
            let world = with(&key, move |c| {
                c.metadata.id_token_encrypted_response = Some(encrypted(alg, enc));
            })
            .start()
            .await;
            let token = tokens(&world).await.id_token.unwrap();
            assert_eq!(token.split('.').count(), 5);
            let opened = key.open(&token).unwrap();
            assert_eq!(world.id_token("rp", &opened.content).await["sub"], USER);
            assert_eq!(JweKey::rsa().open(&token).map(|o| o.content), None, "another key");
        }
    }
}

#[tokio::test]
async fn s10_2_in_the_front_channel_too() {
    let key = JweKey::on("P-256");
    let world = with(&key, |c| {
        c.metadata.id_token_encrypted_response =
            Some(encrypted(Alg::EcdhEs, ContentEncryption::A128Gcm));
    })
    .start()
    .await;
    let walk = world.request("rp").set("response_type", "id_token").set("scope", "openid");
    let answer = walk.without_pkce().set("nonce", "n").granted().await;
    let opened = key.open(answer.must("id_token")).unwrap();
    assert_eq!(world.id_token("rp", &opened.content).await["nonce"], "n");
}

#[tokio::test]
async fn s5_3_2_userinfo_in_every_form() {
    let key = JweKey::rsa();
    let enc = Some(encrypted(Alg::RsaOaep256, ContentEncryption::A256Gcm));
    for (signed, enc) in [(true, None), (false, enc), (true, enc)] {
        let world = with(&key, move |c| {
            c.metadata.userinfo_signed_response_alg = signed.then_some(SigningAlgorithm::ES256);
            c.metadata.userinfo_encrypted_response = enc;
        })
        .start()
        .await;
        let reply = userinfo(&world, &tokens(&world).await.access_token).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header(header::CONTENT_TYPE), Some("application/jwt"));
        reply.is_not_stored();
        let mut text = reply.text().to_owned();
        if enc.is_some() {
            text = key.open(&text).unwrap().content;
        }
        if !signed {
            let claims: Value = serde_json::from_str(&text).unwrap();
            assert_eq!((&claims["sub"], &claims["iss"]), (&json!(USER), &Value::Null));
            continue;
        }
        let jwt = jsonwebtoken::dangerous::insecure_decode::<Value>(&text).unwrap();
        assert_eq!(jwt.claims["sub"], USER);
        assert_eq!(jwt.claims["aud"], "rp");
        assert_eq!(jwt.claims["iss"], "https://as.example");
        assert_eq!(jwt.claims["email_verified"], true);
        assert_eq!(jwt.header.alg, jsonwebtoken::Algorithm::ES256);
    }
}

#[tokio::test]
async fn s10_2_1_keys_by_reference_are_fetched_again_when_they_changed() {
    let (old, new) = (JweKey::on("P-256"), JweKey::rsa());
    let published = Published::new();
    published.put(KEYS, json!({"keys": [old.public_jwk()]}));
    let fetch = published.clone();
    let world = Setup::openid()
        .builder(move |b| b.fetch(fetch))
        .client("rp", |c| {
            c.metadata.jwks_uri = Some(KEYS.into());
            c.metadata.id_token_encrypted_response =
                Some(encrypted(Alg::RsaOaep256, ContentEncryption::A128Gcm));
        })
        .start()
        .await;
    // There is no key for it yet, so nothing is issued in the clear instead.
    let code = world.request("rp").set("scope", "openid").set("nonce", "n").code().await;
    world.redeem("rp", &code).refuses("invalid_request").await;
    published.put(KEYS, json!({"keys": [new.public_jwk()]}));
    world.after(11);
    // The code is not used up by what failed.
    let token = world.redeem("rp", &code).issues().await.id_token.unwrap();
    assert_eq!(world.id_token("rp", &new.open(&token).unwrap().content).await["sub"], USER);
    assert_eq!(old.open(&token).map(|o| o.content), None);
}
