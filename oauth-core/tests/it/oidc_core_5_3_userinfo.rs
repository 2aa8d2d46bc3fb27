//! OpenID Connect Core 5.3: userinfo, in every way to ask and every form to be answered.

use crate::support::{Reply, Setup, USER, World, profile};
use axum::{
    body::Body,
    http::{Request, header},
};
use oauth_core::{
    model::{ResourceUri, Scope},
    testing::fixtures,
};
use serde_json::{Map, Value, json};

const PATH: &str = "/oauth/userinfo";
const ALL: &str = "openid profile email address phone";

/// An access token of `rp` for this scope.
async fn token(world: &World, scope: &str) -> String {
    let code = world.request("rp").set("scope", scope).set("nonce", "n").code().await;
    world.redeem("rp", &code).issues().await.access_token
}

async fn by_header(world: &World, token: &str) -> Reply {
    let request = Request::get(PATH).header(header::AUTHORIZATION, format!("Bearer {token}"));
    world.send(request.body(Body::empty()).unwrap()).await
}

async fn post(world: &World, authorization: Option<&str>, body: &str) -> Reply {
    let mut request = Request::post(PATH);
    if let Some(value) = authorization {
        request = request.header(header::AUTHORIZATION, value);
    }
    if !body.is_empty() {
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    world.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

/// A bearer challenge with exactly this code (RFC 6750 3).
fn is_challenge(reply: &Reply, code: &str) {
    let status = match code {
        "invalid_request" => 400,
        "insufficient_scope" => 403,
        _ => 401,
    };
    assert_eq!(reply.status, status, "{}", reply.text());
    assert_eq!(reply.json()["error"], code);
    let challenge = reply.header(header::WWW_AUTHENTICATE).unwrap();
    assert!(challenge.starts_with("Bearer "), "{challenge}");
    assert!(challenge.contains(&format!("error=\"{code}\"")), "{challenge}");
    reply.is_not_stored();
}

#[tokio::test]
async fn s5_3_1_the_token_comes_in_the_header_or_in_a_form() {
    let world = Setup::openid().start().await;
    let token = token(&world, "openid email").await;
    let expected = json!({"sub": USER, "email": profile()["email"], "email_verified": true});
    let bearer = format!("Bearer {token}");
    let form = format!("access_token={token}");
    for reply in [
        by_header(&world, &token).await,
        post(&world, Some(&bearer), "").await,
        post(&world, None, &form).await,
        post(&world, Some(&format!("bEARER {token}")), "").await,
    ] {
        assert_eq!(reply.status, 200);
        assert_eq!(reply.json(), expected);
        reply.is_not_stored();
    }
    is_challenge(&post(&world, Some(&bearer), &form).await, "invalid_request");
    // Nobody looks into the query, where servers log it.
    for silent in [format!("{PATH}?access_token={token}"), PATH.to_owned()] {
        let reply = world.get(&silent).await;
        assert_eq!(reply.status, 401);
        assert_eq!(reply.header(header::WWW_AUTHENTICATE), Some("Bearer realm=\"oauth\""));
        assert_eq!(reply.json()["error"], "invalid_token");
    }
    is_challenge(&post(&world, Some(&format!("Basic {token}")), "").await, "invalid_token");
    is_challenge(&post(&world, None, &format!("{form}&access_token=x")).await, "invalid_request");
}

#[tokio::test]
async fn s5_4_every_scope_stands_for_its_claims() {
    let world = Setup::openid().start().await;
    let all = profile();
    let names = |names: &[&str]| -> Value {
        let mut claims: Map<String, Value> =
            names.iter().map(|&n| (n.to_owned(), all[n].clone())).collect();
        claims.insert("sub".into(), USER.into());
        claims.into()
    };
    let of_profile = [
        "name",
        "family_name",
        "given_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
    ];
    for (scope, expected) in [
        ("openid", names(&[])),
        ("openid profile", names(&of_profile)),
        ("openid email", names(&["email", "email_verified"])),
        ("openid address", names(&["address"])),
        ("openid phone", names(&["phone_number", "phone_number_verified"])),
    ] {
        let token = token(&world, scope).await;
        assert_eq!(by_header(&world, &token).await.json(), expected, "{scope}");
    }
    let token = token(&world, ALL).await;
    let told = by_header(&world, &token).await.json();
    assert_eq!(told.as_object().unwrap().len(), all.as_object().unwrap().len() + 1);
    assert!(told["updated_at"].is_number() && told["email_verified"].is_boolean());
}

#[tokio::test]
async fn s5_3_2_a_claim_without_a_value_is_left_out() {
    let odd = json!({"name": "", "nickname": null, "website": "https://a.example", "sub": "evil"});
    let world = Setup::openid().profile(USER, &odd).start().await;
    let token = token(&world, "openid profile").await;
    let told = by_header(&world, &token).await.json();
    assert_eq!(told, json!({"sub": USER, "website": "https://a.example"}));
}

#[tokio::test]
async fn s5_3_2_the_subject_is_that_of_the_id_token() {
    let world = Setup::openid().start().await;
    let code = world.request("rp").set("scope", "openid").set("nonce", "n").code().await;
    let tokens = world.redeem("rp", &code).issues().await;
    let id_token = world.id_token("rp", &tokens.id_token.unwrap()).await;
    let told = by_header(&world, &tokens.access_token).await.json();
    assert_eq!(told["sub"], id_token["sub"]);
}

#[tokio::test]
async fn s5_5_claims_by_name() {
    let world = Setup::openid().start().await;
    let ask = r#"{"userinfo": {"email": null, "birthdate": {"essential": true}, "made_up": null}}"#;
    let walk = world.request("rp").set("scope", "openid").set("nonce", "n").set("claims", ask);
    let code = walk.code().await;
    let token = world.redeem("rp", &code).issues().await.access_token;
    let expected =
        json!({"sub": USER, "email": profile()["email"], "birthdate": profile()["birthdate"]});
    assert_eq!(by_header(&world, &token).await.json(), expected);
}

#[tokio::test]
async fn s5_3_3_what_is_refused() {
    let world = Setup::openid()
        .client("web", |c| c.scope = Scope::parse("openid a").unwrap())
        .start()
        .await;
    is_challenge(&by_header(&world, "made-up").await, "invalid_token");
    let plain = world.request("rp").set("scope", "a").code().await;
    let plain = world.redeem("rp", &plain).issues().await.access_token;
    is_challenge(&by_header(&world, &plain).await, "insufficient_scope");
    let own = world.token("web", "client_credentials").set("scope", "a").issues().await;
    is_challenge(&by_header(&world, &own.access_token).await, "invalid_token");

    let code = world.request("rp").set("scope", "openid offline_access").set("nonce", "n");
    let tokens = world.redeem("rp", &code.code().await).issues().await;
    let refresh = tokens.refresh_token.unwrap();
    is_challenge(&by_header(&world, &refresh).await, "invalid_token");
    assert_eq!(by_header(&world, &tokens.access_token).await.status, 200);
    world.revoke("rp", &refresh).succeeds().await;
    is_challenge(&by_header(&world, &tokens.access_token).await, "invalid_token");

    let late = token(&world, "openid").await;
    world.after(600);
    is_challenge(&by_header(&world, &late).await, "invalid_token");
}

#[tokio::test]
async fn s5_3_a_token_for_another_resource_is_not_for_here() {
    let api = "https://api.example/v1";
    let world = Setup::openid()
        .builder(move |b| {
            b.resource(oauth_core::model::Resource {
                uri: ResourceUri::parse(api).unwrap(),
                access_token_format: None,
                access_token_ttl: None,
                scope: Scope::default(),
            })
        })
        .start()
        .await;
    let walk = world.request("rp").set("scope", "openid").set("nonce", "n").set("resource", api);
    let code = walk.code().await;
    let token = world.redeem("rp", &code).issues().await.access_token;
    is_challenge(&by_header(&world, &token).await, "invalid_token");
}

#[tokio::test]
async fn s5_3_nobody_is_told_of_a_user_who_is_gone() {
    let world = Setup::openid().start().await;
    let token = token(&world, "openid").await;
    assert_eq!(by_header(&world, &token).await.status, 200);
    world.store.forget(USER);
    is_challenge(&by_header(&world, &token).await, "invalid_token");
}

#[tokio::test]
async fn opaque_tokens_are_as_good() {
    let world = Setup::openid()
        .client("rp", |c| {
            c.access_token_format = Some(oauth_core::model::TokenFormat::Opaque);
        })
        .start()
        .await;
    let token = token(&world, "openid email").await;
    assert!(!token.contains('.'));
    assert_eq!(by_header(&world, &token).await.json()["email"], profile()["email"]);
}

#[tokio::test]
async fn without_openid_there_is_no_userinfo() {
    let world = Setup::openid().policy(|p| p.openid = false).start().await;
    assert_eq!(world.get(PATH).await.status, 404);
    let code = world.request("rp").set("scope", "openid a").code().await;
    let tokens = world.redeem("rp", &code).issues().await;
    assert_eq!(tokens.id_token, None);
    assert_eq!(tokens.scope, fixtures::scope("a openid").to_string());
}
