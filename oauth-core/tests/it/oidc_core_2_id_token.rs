//! OpenID Connect Core 2: what an id token says, and how it is signed.

use crate::support::{
    ISSUER, NONCE, Setup, USER, World, half_hash,
    jwt::{ClientKey, jwks},
    sid_of,
};
use oauth_core::{
    keys::RotateWhen,
    model::{
        Client, ContentEncryption, Encryption, KeyManagementAlgorithm, SigningAlgorithm,
        SubjectType, VerificationAlgorithm,
    },
    ports::Clock as _,
    testing::{JweKey, fixtures},
};
use serde_json::json;

#[tokio::test]
async fn s2_the_claims() {
    let world = Setup::openid().start().await;
    let now = world.clock.now().unix();
    let code = world.sign_in("rp").signed_in(USER).code().await;
    world.after(30);
    let tokens = world.redeem("rp", &code).issues().await;
    let id_token = world.id_token("rp", &tokens.id_token.unwrap()).await;
    for (name, value) in [
        ("iss", json!(ISSUER)),
        ("sub", json!(USER)),
        ("aud", json!("rp")),
        ("iat", json!(now + 30)),
        ("exp", json!(now + 30 + 3600)),
        ("auth_time", json!(now - 10)),
        ("nonce", json!(NONCE)),
        ("acr", json!(fixtures::ACR)),
        ("amr", json!(["pwd"])),
        ("sid", json!(sid_of(USER))),
        ("at_hash", json!(half_hash(&tokens.access_token))),
    ] {
        assert_eq!(id_token[name], value, "{name}");
    }
    assert_eq!(id_token.names().len(), 11, "{id_token:?}");
}

#[tokio::test]
async fn s2_it_lives_as_long_as_the_policy_says() {
    let setup = Setup::openid().policy(|p| p.id_token_ttl = std::time::Duration::from_secs(77));
    let world = setup.start().await;
    let tokens = world.openid_tokens("rp", "openid").await;
    let id_token = world.id_token("rp", &tokens.id_token.unwrap()).await;
    assert_eq!(id_token["exp"].as_i64().unwrap() - id_token["iat"].as_i64().unwrap(), 77);
}

/// Byte for byte when it was sent, and absent when it was not.
#[tokio::test]
async fn s2_nonce_is_that_of_the_request() {
    let world = Setup::openid().start().await;
    let long = "n".repeat(4096);
    for nonce in ["n", "a b+c%20&=\"'\\<>é漢🦀\u{7f}\r\n", " ", &long] {
        for kind in ["code", "id_token", "code id_token"] {
            let request = world.sign_in("rp").set("nonce", nonce).set("response_type", kind);
            let answer = request.granted().await;
            let mut tokens: Vec<_> =
                answer.get("id_token").map(str::to_owned).into_iter().collect();
            if let Some(code) = answer.get("code") {
                tokens.extend(world.redeem("rp", code).issues().await.id_token);
            }
            for token in tokens {
                assert_eq!(world.id_token("rp", &token).await["nonce"], nonce);
            }
        }
    }
    for request in [world.sign_in("rp").unset("nonce"), world.sign_in("rp").set("nonce", "")] {
        let tokens = world.redeem("rp", &request.code().await).issues().await;
        assert!(!world.id_token("rp", &tokens.id_token.unwrap()).await.has("nonce"));
    }
    let request = world.sign_in("rp").set("nonce", &"n".repeat(4097));
    request.refuses("invalid_request").await;
}

/// What an embedder's sign-in does not say is not claimed.
#[tokio::test]
async fn s2_acr_amr_and_sid_are_those_of_the_sign_in() {
    let world = Setup::openid().start().await;
    let step = world.sign_in("rp").send().await;
    let id = step.reply.interaction("/login");
    let bare = oauth_core::model::Login {
        amr: Vec::new(),
        acr: None,
        sid: None,
        at: world.clock.now(),
        ..fixtures::login(USER)
    };
    let step = step.decide(&id, oauth_core::authorize::Decision::SignedIn(bare)).await;
    let answer = step.approve().await.reply.answer();
    // No session, no state of it.
    assert_eq!(answer.names(), ["code"]);
    let tokens = world.redeem("rp", answer.must("code")).issues().await;
    let id_token = world.id_token("rp", &tokens.id_token.unwrap()).await;
    assert_eq!(
        id_token.names(),
        ["at_hash", "aud", "auth_time", "exp", "iat", "iss", "nonce", "sub"]
    );
}

/// RS256 unless the client registered another algorithm, or the operator keeps no keys for it.
#[tokio::test]
async fn s15_1_the_algorithm() {
    use SigningAlgorithm as A;
    for (kept, registered, expected) in [
        (&[A::ES256, A::RS256][..], None, "RS256"),
        (&[A::ES256, A::RS256][..], Some(A::ES256), "ES256"),
        (&[A::EdDSA, A::ES256][..], None, "EdDSA"),
        (&[A::ES256, A::EdDSA][..], Some(A::EdDSA), "EdDSA"),
    ] {
        let setup = Setup::openid()
            .policy(|p| p.algorithms = kept.to_vec())
            .client("rp", |c| c.metadata.id_token_signed_response_alg = registered);
        let world = setup.start().await;
        let tokens = world.openid_tokens("rp", "openid").await;
        let token = tokens.id_token.unwrap();
        let header = jsonwebtoken::decode_header(&token).unwrap();
        assert_eq!(format!("{:?}", header.alg), expected);
        let id_token = world.id_token("rp", &token).await;
        // The hash goes with the algorithm: half of SHA-512 is 32 bytes, half of SHA-256 is 16.
        let length = if expected == "EdDSA" { 43 } else { 22 };
        assert_eq!(id_token["at_hash"].as_str().unwrap().len(), length);
    }
}

/// A `sub` has at most 255 ASCII characters. An identifier of an embedder's that has not is not bent to fit.
#[tokio::test]
async fn s2_sub_is_short_and_ascii() {
    let longest = "u".repeat(255);
    let too_long = "u".repeat(256);
    let world = Setup::openid()
        .client("rp2", |c| c.metadata.subject_type = SubjectType::Pairwise)
        .user(&longest, "longest", "x")
        .user(&too_long, "too long", "x")
        .user("ädä", "foreign", "x")
        .start()
        .await;
    let answer = async |client: &str, user: &str| {
        let mut step = world.sign_in(client).signed_in(user).send().await;
        if step.reply.screen() == Some("/consent") {
            step = step.approve().await;
        }
        step.reply.answer()
    };
    // A user whose name no header can carry signs in on the page.
    let step = world.sign_in("rp").send().await.sign_in("ädä").await.approve().await;
    step.reply.answer().is_refusal("server_error");
    answer("rp", &too_long).await.is_refusal("server_error");
    for (client, user) in [("rp", &longest), ("rp2", &too_long)] {
        let answer = answer(client, user).await;
        let tokens = world.redeem(client, answer.must("code")).issues().await;
        let id_token = world.id_token(client, &tokens.id_token.unwrap()).await;
        assert!(id_token["sub"].as_str().is_some_and(|s| s.is_ascii() && s.len() <= 255));
    }
}

fn encrypted(key: serde_json::Value) -> impl FnOnce(&mut Client) {
    move |c| {
        c.metadata.id_token_encrypted_response = Some(Encryption {
            alg: KeyManagementAlgorithm::EcdhEs,
            enc: ContentEncryption::A128Gcm,
        });
        c.metadata.jwks = Some(json!({"keys": [key]}));
    }
}

/// Signed first and encrypted then, wherever it comes from.
#[tokio::test]
async fn s10_2_for_the_eyes_of_the_client() {
    let key = JweKey::on("P-256");
    let world = Setup::openid().client("rp", encrypted(key.public_jwk())).start().await;
    let answer = world.sign_in("rp").set("response_type", "code id_token").granted().await;
    let tokens = world.redeem("rp", answer.must("code")).issues().await;
    let (first, second) = (answer.must("id_token"), tokens.id_token.unwrap());
    for token in [first, &second] {
        let opened = key.open(token).unwrap();
        assert_eq!(opened.header["cty"], "JWT");
        assert_eq!(world.id_token("rp", &opened.content).await["sub"], USER);
    }
}

/// A client that has no key to encrypt to is told so where it asks, and gets nothing in the clear.
#[tokio::test]
async fn s10_2_without_a_key_there_is_no_id_token() {
    let signing = jwks(&[ClientKey::of(VerificationAlgorithm::ES256)])["keys"][0].clone();
    let world = Setup::openid().client("rp", encrypted(signing)).start().await;
    let code = world.sign_in("rp").code().await;
    world.redeem("rp", &code).refuses("invalid_request").await;
    for request in [world.sign_in("rp"), world.sign_in("rp").signed_in(USER)] {
        let request = request.set("response_type", "id_token").set("prompt", "consent");
        let answer = request.answer().await;
        answer.is_refusal("invalid_request");
        assert!(answer.in_fragment);
    }
}

/// A rotation of keys is nobody's concern: what was signed before still verifies, and what comes after does too.
#[tokio::test]
async fn s10_1_1_id_tokens_verify_over_a_rotation() {
    let world = Setup::openid().start().await;
    let old = world.openid_tokens("rp", "openid").await.id_token.unwrap();
    let env = world.provider.env();
    let now = world.clock.now();
    env.keys.rotate(SigningAlgorithm::ES256, RotateWhen::Now, now).await.unwrap();
    let new = world.openid_tokens("rp", "openid").await.id_token.unwrap();
    let kid = |token: &str| jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    assert_ne!(kid(&old), kid(&new));
    assert_eq!(world.id_token("rp", &old).await["sub"], world.id_token("rp", &new).await["sub"]);
    // As long as the old one lives.
    world.after(3599);
    world.provider.maintain().await.unwrap();
    world.id_token("rp", &old).await;
}

#[tokio::test]
async fn nothing_of_this_for_plain_oauth() {
    let world = World::new().await;
    let answer = world.request("web").set("nonce", "n").set("claims", "{").granted().await;
    assert_eq!(answer.names(), ["code"]);
    assert_eq!(world.redeem("web", answer.must("code")).issues().await.id_token, None);
}
