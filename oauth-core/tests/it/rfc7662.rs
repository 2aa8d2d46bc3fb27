//! RFC 7662: introspection says everything about a live token and nothing about any other.

use crate::support::{ISSUER, Setup, USER, USERNAME, World};
use oauth_core::{
    jose::generate,
    model::{SigningAlgorithm, TokenFormat},
    ports::SystemRandom,
};
use serde_json::{Value, json};

#[tokio::test]
async fn s2_2_a_live_token() {
    for format in [TokenFormat::Jwt(SigningAlgorithm::ES256), TokenFormat::Opaque] {
        let world = Setup::new().policy(|p| p.access_token_format = format).start().await;
        let now = world.provider.env().clock.now().unix();
        let tokens = world.tokens("web").await;
        let token = world.introspect(&tokens.access_token).await;
        for (name, value) in [
            ("active", json!(true)),
            ("aud", json!(ISSUER)),
            ("client_id", json!("web")),
            ("exp", json!(now + 600)),
            ("iat", json!(now)),
            ("iss", json!(ISSUER)),
            ("scope", json!("a b")),
            ("sub", json!(USER)),
            ("token_type", json!("Bearer")),
            ("username", json!(USERNAME)),
        ] {
            assert_eq!(token[name], value, "{name}");
        }
    }
}

#[tokio::test]
async fn s2_2_expired_is_inactive_to_the_second() {
    for format in [TokenFormat::Jwt(SigningAlgorithm::ES256), TokenFormat::Opaque] {
        let world = Setup::new().policy(|p| p.access_token_format = format).start().await;
        let of_user = world.tokens("web").await.access_token;
        let of_client = world.token("web", "client_credentials").issues().await;
        world.after(599);
        assert!(world.is_active(&of_user).await);
        assert!(world.is_active(&of_client.access_token).await);
        world.after(1);
        assert!(!world.is_active(&of_user).await);
        assert!(!world.is_active(&of_client.access_token).await);
        world.after(100_000);
        world.provider.maintain().await.unwrap();
        assert!(!world.is_active(&of_user).await);
    }
}

#[tokio::test]
async fn s2_2_anything_else_is_inactive() {
    let world = World::new().await;
    let code = world.request("web").code().await;
    for garbage in [
        "x",
        ".",
        "..",
        "...",
        "a.b.c",
        "eyJhbGciOiJub25lIn0.eyJhY3RpdmUiOnRydWV9.",
        "é",
        "{\"active\":true}",
        &code,
        &"x".repeat(60_000),
        &format!("{}.x.x", "x".repeat(60_000)),
    ] {
        assert!(!world.is_active(garbage).await, "{garbage:.40}");
    }
}

/// Only the signature of a published key of ours counts, whatever the claims say.
#[tokio::test]
async fn s4_a_jwt_signed_by_somebody_else_is_inactive() {
    let world = World::new().await;
    let ours = world.token("web", "client_credentials").issues().await;
    let claims = world.introspect(&ours.access_token).await;
    let mut claims = claims.as_object().unwrap().clone();
    claims.remove("active");
    let foreign = generate(SigningAlgorithm::ES256, &SystemRandom).unwrap();
    let forged = foreign.signer.sign("at+jwt", &claims).unwrap();
    assert!(!world.is_active(&forged).await);
    // The header of ours, with its kid, over the signature of theirs.
    let (head, _) = ours.access_token.split_once('.').unwrap();
    let (_, rest) = forged.split_once('.').unwrap();
    assert!(!world.is_active(&format!("{head}.{rest}")).await);
    let (body, _) = ours.access_token.rsplit_once('.').unwrap();
    assert!(!world.is_active(&format!("{body}.")).await);
    assert!(!world.is_active(&format!("{}.", ours.access_token)).await);
    assert!(!world.is_active(&format!("{} ", ours.access_token)).await);
}

/// Our own signature under another `typ`, issuer or subject is not an access token of ours.
#[tokio::test]
async fn s4_a_jwt_of_ours_for_something_else_is_inactive() {
    let world = World::new().await;
    let ours = world.token("web", "client_credentials").issues().await;
    let mut claims = world.introspect(&ours.access_token).await;
    let now = world.provider.env().clock.now();
    let keys = world.provider.env().key_snapshot(now).await.unwrap();
    let signer = keys.signer(SigningAlgorithm::ES256, now).unwrap();
    let sign = |typ: &str, claims: &Value| signer.sign(typ, claims).unwrap();
    assert!(world.is_active(&sign("at+jwt", &claims)).await);
    assert!(!world.is_active(&sign("JWT", &claims)).await);
    for (name, value) in [
        ("iss", json!("https://as.example/")),
        ("iss", json!("https://evil.example")),
        ("sub", json!(USER)),
        ("client_id", json!("nobody")),
        ("client_id", Value::Null),
        ("exp", json!("never")),
        ("exp", Value::Null),
        ("jti", Value::Null),
        ("auth_time", json!(1)),
    ] {
        let before = claims[name].take();
        claims[name] = value;
        assert!(!world.is_active(&sign("at+jwt", &claims)).await, "{name}");
        claims[name] = before;
        if name == "auth_time" {
            claims.as_object_mut().unwrap().remove(name);
        }
    }
    assert!(world.is_active(&sign("at+jwt", &claims)).await);
}

/// A process whose clock runs a second behind must not call a token of its neighbour dead.
#[tokio::test]
async fn a_clock_that_runs_behind_does_no_harm() {
    let world = World::new().await;
    world.after(10);
    let own = world.token("web", "client_credentials").issues().await;
    let user = world.tokens("web").await;
    let now = world.provider.env().clock.now();
    world.clock.set(now.minus(std::time::Duration::from_secs(2)));
    assert!(world.is_active(&own.access_token).await);
    let token = world.introspect(&user.access_token).await;
    assert!(token["jti"].is_string(), "{token}");
}

#[tokio::test]
async fn s2_1_the_caller_authenticates() {
    let world = World::new().await;
    let tokens = world.tokens("web").await;
    let ask = || world.introspection("rs", &tokens.access_token);
    ask().anonymous().refuses("invalid_client").await;
    ask().anonymous().basic("rs", "wrong").refuses("invalid_client").await;
    ask().anonymous().set("client_id", "rs").refuses("invalid_client").await;
    ask().unset("token").refuses("invalid_request").await;
    world.introspection("spa", &tokens.access_token).refuses("invalid_client").await;
    world.introspection("spa", "x").refuses("invalid_client").await;
    let bearer = format!("Bearer {}", tokens.access_token);
    ask().anonymous().header("authorization", &bearer).refuses("invalid_client").await;
}

/// A refresh token is the business of its client, and of nobody else; nobody takes it for an access token.
#[tokio::test]
async fn s4_refresh_tokens_are_shown_to_their_client_only() {
    let world = World::new().await;
    let tokens = world.tokens("web").await;
    let refresh = tokens.refresh_token.unwrap();
    for stranger in ["rs", "other", "post"] {
        let shown = world.introspection(stranger, &refresh).describes().await;
        assert_eq!(shown, json!({"active": false}));
    }
    let shown = world.introspection("web", &refresh).describes().await;
    assert_eq!(shown["active"], true);
    assert_eq!(shown.get("token_type"), None);
    world.refresh("web", &refresh).issues().await;
    let shown = world.introspection("web", &refresh).describes().await;
    assert_eq!(shown, json!({"active": false}));
}

#[tokio::test]
async fn a_user_who_is_gone_has_no_tokens() {
    for format in [TokenFormat::Jwt(SigningAlgorithm::ES256), TokenFormat::Opaque] {
        let world = Setup::new().policy(|p| p.access_token_format = format).start().await;
        let tokens = world.tokens("web").await;
        assert!(world.is_active(&tokens.access_token).await);
        world.store.forget(USER);
        assert!(!world.is_active(&tokens.access_token).await);
    }
}

/// Whose authorization was revoked, by whatever way.
#[tokio::test]
async fn a_revoked_authorization_has_no_tokens() {
    let world = World::new().await;
    let tokens = world.tokens("web").await;
    let env = world.provider.env();
    let user = oauth_core::model::UserId::new(USER);
    let now = env.clock.now();
    env.grants.revoke_user(&user, None, now).await.unwrap();
    assert!(!world.is_active(&tokens.access_token).await);
    let refresh = tokens.refresh_token.unwrap();
    world.refresh("web", &refresh).refuses("invalid_grant").await;
}

/// When a client is removed, its users' JWTs lose their rows; a JWT of a user without a row is dead.
#[tokio::test]
async fn a_client_that_is_gone_has_no_tokens_of_users() {
    let world = World::new().await;
    let tokens = world.tokens("web").await;
    let id = oauth_core::model::ClientId::new("web");
    let clients = &world.provider.env().clients;
    let client = clients.client(&id).await.unwrap().unwrap();
    clients.remove_client(&id).await.unwrap();
    assert!(!world.is_active(&tokens.access_token).await);
    // Nor does somebody who registers the same id later inherit them.
    clients.insert_client((*client).clone()).await.unwrap();
    assert!(!world.is_active(&tokens.access_token).await);
}

/// An embedder who keeps clients elsewhere need not tell the store of tokens when one goes.
#[tokio::test]
async fn a_client_that_went_unannounced_has_no_tokens() {
    for format in [TokenFormat::Jwt(SigningAlgorithm::ES256), TokenFormat::Opaque] {
        let world = Setup::new().policy(|p| p.access_token_format = format).start().await;
        let user = world.tokens("web").await;
        let own = world.token("web", "client_credentials").issues().await;
        for token in [&user.access_token, &own.access_token] {
            assert!(world.is_active(token).await);
        }
        world.store.forget("web");
        for token in [&user.access_token, &own.access_token] {
            assert!(!world.is_active(token).await);
        }
    }
}

/// A user whose id equals a client's id does not turn a dead token of the user into a live one of the client.
#[tokio::test]
async fn a_subject_that_looks_like_a_client_is_none() {
    let world = Setup::new().user("web", "Mallory", "x").start().await;
    let step = world.request("web").send().await.sign_in("web").await;
    let answer = step.approve().await.reply.answer();
    let tokens = world.redeem("web", answer.get("code").unwrap()).issues().await;
    assert!(world.is_active(&tokens.access_token).await);
    let env = world.provider.env();
    let id = oauth_core::model::ClientId::new("web");
    let client = env.clients.client(&id).await.unwrap().unwrap();
    env.clients.remove_client(&id).await.unwrap();
    env.clients.insert_client((*client).clone()).await.unwrap();
    assert!(!world.is_active(&tokens.access_token).await);
}

struct Shelf;

#[async_trait::async_trait]
impl oauth_core::ports::Claims for Shelf {
    async fn claims(
        &self,
        user: Option<&oauth_core::model::UserId>,
        _: &oauth_core::model::Client,
        _: &oauth_core::model::Scope,
    ) -> Result<serde_json::Map<String, Value>, oauth_core::error::PortError> {
        let user = user.map_or("nobody", oauth_core::model::UserId::as_str);
        let claims = json!({
            "shelf": user, "sub": "forged", "aud": "forged", "exp": 9, "active": false,
            "scope": "forged", "jti": "forged", "username": "forged", "token_type": "forged",
        });
        Ok(claims.as_object().unwrap().clone())
    }
}

/// What a resource learns does not depend on the form of the token: RFC 9068 2.2 names the claims.
#[tokio::test]
async fn s2_2_opaque_tokens_say_what_jwts_say() {
    let mut shown = Vec::new();
    for format in [TokenFormat::Jwt(SigningAlgorithm::ES256), TokenFormat::Opaque] {
        let setup = Setup::openid().policy(|p| p.access_token_format = format);
        let world = setup.builder(|b| b.claims(Shelf)).start().await;
        let tokens = world.openid_tokens("rp", "openid a").await;
        let own = world.token("web", "client_credentials").issues().await;
        for token in [&tokens.access_token, &own.access_token] {
            let mut claims = world.introspect(token).await;
            let jti = claims.as_object_mut().unwrap().remove("jti").unwrap();
            assert!(jti.as_str().unwrap().len() >= 22 && jti != "forged", "{jti}");
            assert!(!tokens.access_token.contains(jti.as_str().unwrap()));
            assert_eq!(world.introspect(token).await["jti"], jti, "it is the same every time");
            shown.push(claims);
        }
    }
    let [jwt, jwt_of_client, opaque, opaque_of_client] = &shown[..] else { panic!("{shown:?}") };
    assert_eq!(jwt["username"], USERNAME);
    for name in ["auth_time", "amr", "acr", "shelf"] {
        assert!(jwt.get(name).is_some(), "{name} is not in {jwt}");
    }
    assert_eq!(opaque, jwt);
    assert_eq!((&jwt["shelf"], &jwt_of_client["shelf"]), (&json!(USER), &json!("nobody")));
    // Nobody has signed in, so there is nothing to say of that.
    assert_eq!(jwt_of_client.get("auth_time"), None);
    assert_eq!(opaque_of_client, jwt_of_client);
}
