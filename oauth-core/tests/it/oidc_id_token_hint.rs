//! OpenID Connect Core 3.1.2.1, 3.1.2.2: `id_token_hint` says whom the client expects to see.

use crate::support::{
    Setup, USER, World,
    jwt::{ClientKey, Draft},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_core::model::{SubjectType, VerificationAlgorithm};
use serde_json::{Value, json};

/// A world with a second user, and an id token of the first at `rp`.
async fn hinted(setup: Setup) -> (World, String) {
    let world = setup.user("eve", "Eve", "x").start().await;
    let token = world.openid_tokens("rp", "openid").await.id_token.unwrap();
    world.sign_in("rp").signed_in("eve").code().await;
    (world, token)
}

#[tokio::test]
async fn who_is_expected_is_let_in_silently() {
    let (world, token) = hinted(Setup::openid()).await;
    let request = || world.sign_in("rp").set("id_token_hint", &token);
    request().signed_in(USER).set("prompt", "none").granted().await;
    request().signed_in(USER).send().await.reply.answer().must("code");
    request().set("prompt", "none").refuses("login_required").await;
    // It has expired, and still says who was here.
    world.after(100_000);
    request().signed_in(USER).set("prompt", "none").granted().await;
}

/// "The AS MUST NOT reply with an ID Token or Access Token for a different user."
#[tokio::test]
async fn somebody_else_is_not() {
    let (world, token) = hinted(Setup::openid()).await;
    let request = || world.sign_in("rp").signed_in("eve").set("id_token_hint", &token);
    request().set("prompt", "none").refuses("login_required").await;
    for prompt in ["", "login", "consent", "select_account"] {
        let step = request().set("prompt", prompt).send().await;
        step.sign_in("eve").await.reply.answer().is_refusal("login_required");
        let mut step = request().set("prompt", prompt).send().await.sign_in(USER).await;
        if prompt == "consent" {
            step = step.approve().await;
        }
        step.reply.answer().must("code");
    }
    for kind in ["id_token", "code id_token token", "none", "token"] {
        let request = request().set("response_type", kind);
        request.clone().set("prompt", "none").refuses("login_required").await;
        let step = request.send().await.sign_in("eve").await;
        step.reply.answer().is_refusal("login_required");
    }
}

/// Whoever went wrong may go back and sign in as the right one, while the request lasts.
#[tokio::test]
async fn the_right_one_may_follow_the_wrong_one() {
    let (world, token) = hinted(Setup::openid()).await;
    let first = world.sign_in("rp").set("id_token_hint", &token).send().await;
    let id = first.reply.interaction("/login");
    let wrong = oauth_core::authorize::Decision::SignedIn(world.login("eve"));
    first.decide(&id, wrong).await.reply.answer().is_refusal("login_required");
    first.sign_in(USER).await.reply.answer().must("code");
}

/// A hint that is none is not passed over: the client meant somebody.
#[tokio::test]
async fn what_is_no_id_token_of_this_client_is_refused() {
    let (world, token) = hinted(Setup::openid()).await;
    let others = world.openid_tokens("rp2", "openid").await;
    let own = world.openid_tokens("rp", "openid").await;
    let (head, signature) = token.rsplit_once('.').unwrap();
    let (header, _) = head.split_once('.').unwrap();
    let claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head.split_once('.').unwrap().1).unwrap())
            .unwrap();
    let mut eve = claims.clone();
    eve["sub"] = json!("eve");
    let eve_part = URL_SAFE_NO_PAD.encode(eve.to_string());
    let forged = Draft::new(&claims);
    for hint in [
        others.id_token.unwrap(),
        own.access_token,
        forged.unsecured(),
        forged.sign(ClientKey::of(VerificationAlgorithm::ES256)),
        format!("{header}.{eve_part}.{signature}"),
        format!("{head}."),
        head.to_owned(),
        "garbage".to_owned(),
        "é.é.é".to_owned(),
        "..".to_owned(),
    ] {
        let request = world.sign_in("rp").signed_in(USER).set("id_token_hint", &hint);
        request.clone().refuses("invalid_request").await;
        request.set("prompt", "none").refuses("invalid_request").await;
    }
    // A request by RFC 6749 alone has no such parameter.
    let plain = world.request("rp").set("id_token_hint", "garbage");
    plain.granted().await;
}

/// It is compared by the name this client knows the user by.
#[tokio::test]
async fn a_pairwise_hint_works() {
    let setup = Setup::openid().client("rp", |c| c.metadata.subject_type = SubjectType::Pairwise);
    let (world, token) = hinted(setup).await;
    let request = |user| {
        let request = world.sign_in("rp").signed_in(user).set("id_token_hint", &token);
        request.set("prompt", "none")
    };
    request(USER).granted().await;
    request("eve").refuses("login_required").await;
}

/// Two parameters that name two people name nobody.
#[tokio::test]
async fn it_must_agree_with_the_claims_parameter() {
    let (world, token) = hinted(Setup::openid()).await;
    let request = |sub: &str| {
        let claims = json!({"id_token": {"sub": {"value": sub}}}).to_string();
        let request = world.sign_in("rp").signed_in(USER).set("id_token_hint", &token);
        request.set("claims", &claims).set("prompt", "none")
    };
    request(USER).granted().await;
    request("eve").refuses("invalid_request").await;
}
