//! RFC 9068: JWT access tokens.

use crate::support::{ISSUER, Setup, USER, World};
use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_core::{
    error::PortError,
    jose::{KeySet, verify},
    model::{Client, Scope, SigningAlgorithm, TokenFormat, UserId},
    ports::Claims,
};
use serde_json::{Map, Value, json};

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn s2_header_and_claims_of_a_user() {
    let world = World::new().await;
    let now = world.provider.env().clock.now().unix();
    let token = world.tokens("web").await.access_token;
    let header = part(&token, 0);
    assert_eq!(header["typ"], "at+jwt");
    assert_eq!(header["alg"], "ES256");
    let names: Vec<_> = header.as_object().unwrap().keys().collect();
    assert_eq!(names, ["alg", "kid", "typ"]);
    let mut claims = part(&token, 1);
    let jti = claims["jti"].take();
    assert_eq!(jti.as_str().unwrap().len(), 22);
    assert_eq!(
        claims,
        json!({
            "iss": ISSUER,
            "sub": USER,
            "aud": ISSUER,
            "client_id": "web",
            "iat": now,
            "exp": now + 600,
            "jti": null,
            "scope": "a b",
            "auth_time": now,
            "amr": ["pwd"],
        })
    );
}

#[tokio::test]
async fn s2_2_a_client_is_its_own_subject() {
    let world = World::new().await;
    let now = world.provider.env().clock.now().unix();
    let token = world.token("web", "client_credentials").issues().await;
    let mut claims = part(&token.access_token, 1);
    claims["jti"].take();
    assert_eq!(
        claims,
        json!({
            "iss": ISSUER, "sub": "web", "aud": ISSUER, "client_id": "web", "iat": now,
            "exp": now + 600, "jti": null, "scope": "a b c",
        })
    );
}

/// The time of the sign-in, not of the token, also after a refresh.
#[tokio::test]
async fn s2_2_1_auth_time_is_that_of_the_sign_in() {
    let world = World::new().await;
    let now = world.provider.env().clock.now().unix();
    let request = world.request("web").signed_in(USER);
    let code = request.code().await;
    world.after(30);
    let first = world.redeem("web", &code).issues().await;
    assert_eq!(part(&first.access_token, 1)["auth_time"], now - 10);
    world.after(1000);
    let second = world.refresh("web", &first.refresh_token.unwrap()).issues().await;
    let claims = part(&second.access_token, 1);
    assert_eq!(claims["auth_time"], now - 10);
    assert_eq!(claims["iat"], now + 1030);
}

#[tokio::test]
async fn s2_2_jti_never_repeats() {
    let world = World::new().await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..50 {
        let token = world.token("web", "client_credentials").issues().await;
        let claims = part(&token.access_token, 1);
        assert!(seen.insert(claims["jti"].as_str().unwrap().to_owned()));
    }
}

#[tokio::test]
async fn s4_every_algorithm_verifies_with_the_published_keys() {
    let mut setup = Setup::new().policy(|p| p.algorithms = SigningAlgorithm::ALL.into());
    for alg in SigningAlgorithm::ALL {
        setup = setup.client(alg.as_str(), |c| {
            c.access_token_format = Some(TokenFormat::Jwt(alg));
        });
    }
    let world = setup.start().await;
    let jwks: Value = serde_json::from_str(&world.provider.jwks().await.unwrap()).unwrap();
    let keys = KeySet::from_jwks(&jwks);
    assert_eq!(keys.len(), 5);
    for alg in SigningAlgorithm::ALL {
        let ask = world.token("web", "client_credentials").anonymous();
        let token = ask.basic(alg.as_str(), "secret").issues().await.access_token;
        assert_eq!(part(&token, 0)["alg"], alg.as_str());
        let jwt = verify(&token, &keys, &[alg]).unwrap();
        assert_eq!(jwt.text("client_id"), Some(alg.as_str()));
        assert!(world.is_active(&token).await);
    }
}

#[tokio::test]
async fn an_algorithm_without_a_key_is_a_server_error() {
    let world = Setup::new()
        .client("web", |c| {
            c.access_token_format = Some(TokenFormat::Jwt(SigningAlgorithm::PS256));
        })
        .start()
        .await;
    world.token("web", "client_credentials").refuses("server_error").await;
}

/// Says something about everything.
struct Talkative;

#[async_trait]
impl Claims for Talkative {
    async fn claims(
        &self,
        user: Option<&UserId>,
        client: &Client,
        scope: &Scope,
    ) -> Result<Map<String, Value>, PortError> {
        let mut claims = Map::new();
        for reserved in [
            "acr",
            "active",
            "amr",
            "aud",
            "auth_time",
            "client_id",
            "cnf",
            "exp",
            "iat",
            "iss",
            "jti",
            "nbf",
            "scope",
            "sub",
            "token_type",
            "username",
        ] {
            claims.insert(reserved.into(), json!("evil"));
        }
        claims.insert("seen".into(), json!([user, client.id, scope]));
        Ok(claims)
    }
}

#[tokio::test]
async fn s2_2_claims_of_an_embedder_never_replace_ours() {
    let world = Setup::new().builder(|b| b.claims(Talkative)).start().await;
    for (token, user) in [
        (world.tokens("web").await, Some(USER)),
        (world.token("web", "client_credentials").issues().await, None),
    ] {
        let claims = part(&token.access_token, 1);
        for (name, value) in claims.as_object().unwrap() {
            let harmless = ["token_type", "username"].contains(&name.as_str());
            assert!(harmless || *value != "evil", "{name}");
        }
        assert_eq!(claims["seen"], json!([user, "web", token.scope]));
        assert_eq!(claims["iss"], ISSUER);
        let told = world.introspect(&token.access_token).await;
        assert_eq!((&told["active"], &told["token_type"]), (&json!(true), &json!("Bearer")));
        assert!(user.is_none() || told["username"] != "evil");
        assert_eq!(told["seen"], claims["seen"]);
    }
}

#[tokio::test]
async fn nothing_secret_is_in_it() {
    let world = World::new().await;
    let token = world.tokens("web").await;
    let text = part(&token.access_token, 1).to_string();
    for secret in ["ada@", "secret", "correct horse", token.refresh_token.as_deref().unwrap()] {
        assert!(!text.contains(secret), "{text}");
    }
}
