//! OpenID Connect Core 5.5: claims asked for one by one.

use crate::support::{IdToken, NONCE, Setup, USER, World};
use oauth_core::{
    authorize::{Decision, Interaction},
    issue::TokenResponse,
    testing::fixtures::{ACR, scope},
};
use serde_json::{Value, json};

const CLAIMS: &str = "claims";

fn both(name: &str) -> String {
    json!({"userinfo": {name: null}, "id_token": {name: {"essential": true}}}).to_string()
}

async fn tokens(world: &World, code: &str) -> (TokenResponse, IdToken, Value) {
    let tokens = world.redeem("rp", code).issues().await;
    let id_token = world.id_token("rp", tokens.id_token.as_ref().unwrap()).await;
    let userinfo = world.userinfo(&tokens.access_token).await;
    (tokens, id_token, userinfo)
}

#[tokio::test]
async fn s5_5_each_claim_goes_where_it_was_asked_for() {
    let world = Setup::openid().start().await;
    let asked = json!({
        "userinfo": {
            "given_name": {"essential": true},
            "nickname": null,
            "email": {"essential": true, "value": "somebody@else.example"},
            "http://example.info/claims/groups": null,
        },
        "id_token": {
            "phone_number": null,
            "address": {"essential": true},
            "birthdate": {"values": ["1815-12-10", "1852-11-27"]},
            "sub": {"value": USER},
            "auth_time": {"essential": true},
            "x": {"y": "z"},
        },
        "unknown": {"name": null},
    });
    let code = world.sign_in("rp").set(CLAIMS, &asked.to_string()).code().await;
    let (tokens, id_token, userinfo) = tokens(&world, &code).await;
    let told: Vec<_> = userinfo.as_object().unwrap().keys().map(String::as_str).collect();
    // A value that is asked for and is not the case does not change what is the case.
    assert_eq!(told, ["email", "given_name", "nickname", "sub"]);
    assert_eq!(userinfo["given_name"], "Ada");
    for (name, told) in [("phone_number", true), ("address", true), ("birthdate", true)] {
        assert_eq!(id_token.has(name), told, "{name}");
    }
    assert!(!id_token.has("email") && !id_token.has("x") && !id_token.has("given_name"));
    assert_eq!((&id_token["sub"], &id_token["nonce"]), (&USER.into(), &NONCE.into()));
    // No scope comes of it.
    assert_eq!(tokens.scope, "openid");
}

/// Nobody is told by name what they may not be told by scope.
#[tokio::test]
async fn s5_5_a_client_is_told_what_it_is_registered_for() {
    let world = Setup::openid().client("rp", |c| c.scope = scope("openid email")).start().await;
    let asked = json!({"userinfo": {"name": null, "email": null}, "id_token": {"name": null}});
    let step = world.sign_in("rp").set(CLAIMS, &asked.to_string()).send().await.sign_in(USER).await;
    let shown = shown(&world, &step).await;
    assert_eq!(shown.needed, scope("openid claim:email"));
    assert_eq!(shown.pending.claims.names().collect::<Vec<_>>(), ["email"]);
    let answer = step.approve().await.reply.answer();
    let (_, id_token, userinfo) = tokens(&world, answer.must("code")).await;
    assert!(!id_token.has("name"));
    assert_eq!(userinfo, json!({"sub": USER, "email": crate::support::USERNAME}));
}

async fn shown(world: &World, step: &crate::support::Step<'_>) -> Interaction {
    let id = step.reply.interaction("/consent");
    world.provider.interaction(&id, &step.browser).await.unwrap()
}

/// Each claim that no agreed scope covers is a question of its own, and its answer is remembered.
#[tokio::test]
async fn consent_is_to_claims_too() {
    let world = Setup::openid().start().await;
    let request = |claim: &str, scope: &str| {
        let request = world.sign_in("rp").signed_in(USER).set("scope", scope);
        request.set(CLAIMS, &both(claim))
    };
    world.sign_in("rp").code().await;
    let silent = |claim: &str, scope: &str| request(claim, scope).set("prompt", "none");
    silent("email", "openid").refuses("consent_required").await;
    request("email", "openid").code().await;
    silent("email", "openid").granted().await;
    // One claim is not the whole scope, nor another claim.
    silent("email_verified", "openid").refuses("consent_required").await;
    silent("email", "openid email").refuses("consent_required").await;
    // The whole scope is each of its claims.
    request("email", "openid email").code().await;
    silent("email_verified", "openid").granted().await;
    silent("email", "openid").granted().await;
    // What nobody is told needs no consent.
    silent("shoe_size", "openid").granted().await;
    silent("sub", "openid").granted().await;
}

#[tokio::test]
async fn a_person_may_decline_single_claims() {
    let world = Setup::openid().start().await;
    let asked = json!({
        "userinfo": {"email": null, "nickname": null, "name": null},
        "id_token": {"email": null, "acr": null},
    });
    let request = || {
        let request = world.sign_in("rp").set("scope", "openid profile");
        request.set(CLAIMS, &asked.to_string()).set("prompt", "login consent")
    };
    for (agreed, told) in [
        ("openid profile claim:email", &["email", "name", "nickname"][..]),
        ("openid profile", &["name", "nickname"]),
        // The scope is declined, so its claims are, though they were asked for by name as well.
        ("openid claim:email", &["email"]),
        ("openid", &[]),
    ] {
        let step = request().send().await.sign_in(USER).await;
        let interaction = shown(&world, &step).await;
        assert_eq!(interaction.needed, scope("openid profile claim:email"));
        let id = step.reply.interaction("/consent");
        for more in ["openid claim:name", "openid profile email", "claim:phone_number"] {
            let refused = step.decide(&id, Decision::Approved { scope: Some(scope(more)) }).await;
            refused.reply.answer().is_refusal("invalid_scope");
        }
        let step = step.decide(&id, Decision::Approved { scope: Some(scope(agreed)) }).await;
        let answer = step.reply.answer();
        let (_, id_token, userinfo) = tokens(&world, answer.must("code")).await;
        for name in ["email", "name", "nickname"] {
            assert_eq!(userinfo.get(name).is_some(), told.contains(&name), "{agreed}: {name}");
        }
        assert_eq!(id_token.has("email"), told.contains(&"email"));
        assert_eq!(id_token["acr"], ACR);
    }
    // What was declined first and agreed to never is asked again; the rest is remembered.
    let again = world.sign_in("rp").signed_in(USER).set("scope", "openid profile");
    again.set(CLAIMS, &asked.to_string()).set("prompt", "none").granted().await;
}

#[tokio::test]
async fn a_claim_that_was_declined_is_asked_again() {
    let world = Setup::openid().start().await;
    let request = || world.sign_in("rp").signed_in(USER).set(CLAIMS, &both("email"));
    let step = request().send().await;
    let id = step.reply.interaction("/consent");
    let step = step.decide(&id, Decision::Approved { scope: Some(scope("openid")) }).await;
    let (_, id_token, userinfo) = tokens(&world, step.reply.answer().must("code")).await;
    assert!(!id_token.has("email") && userinfo.get("email").is_none());
    request().send().await.reply.interaction("/consent");
    request().set("prompt", "none").refuses("consent_required").await;
}

/// A refresh tells what the first answer did.
#[tokio::test]
async fn s12_claims_stay_over_a_refresh() {
    let world = Setup::openid().start().await;
    let request = world.sign_in("rp").set("scope", "openid offline_access");
    let code = request.set(CLAIMS, &both("email")).code().await;
    let (first, ..) = tokens(&world, &code).await;
    let next = world.refresh("rp", &first.refresh_token.unwrap()).issues().await;
    assert!(world.id_token("rp", &next.id_token.unwrap()).await.has("email"));
    assert!(world.userinfo(&next.access_token).await.get("email").is_some());
}

/// With an id token alone, what was asked for by name joins what the scopes stand for.
#[tokio::test]
async fn s5_4_beside_the_scopes() {
    let world = Setup::openid().start().await;
    let request = world.sign_in("rp").set("response_type", "id_token").set("scope", "openid email");
    let asked = json!({"id_token": {"nickname": null}, "userinfo": {"gender": null}});
    let answer = request.set(CLAIMS, &asked.to_string()).granted().await;
    let id_token = world.id_token("rp", answer.must("id_token")).await;
    assert!(id_token.has("email") && id_token.has("nickname") && !id_token.has("gender"));
}

#[tokio::test]
async fn s5_5_malformed_requests_are_refused() {
    let world = Setup::openid().start().await;
    let many: serde_json::Map<_, _> = (0..101).map(|i| (format!("c{i}"), Value::Null)).collect();
    let many = json!({ "userinfo": many }).to_string();
    let deep = format!(r#"{{"userinfo": {}1{}}}"#, "[".repeat(2000), "]".repeat(2000));
    let long = json!({"x": "y".repeat(8 * 1024)}).to_string();
    for bad in [
        "{",
        "[]",
        "null",
        "\"x\"",
        r#"{"userinfo": 1}"#,
        r#"{"userinfo": {"name": true}}"#,
        r#"{"id_token": {"acr": {"essential": "true"}}}"#,
        r#"{"id_token": {"acr": {"values": {}}}}"#,
        r#"{"id_token": {"sub": {"value": 7}}}"#,
        r#"{"id_token": {"sub": {"values": ["u", "v"]}}}"#,
        r#"{"id_token": {"sub": {"value": "u"}}, "userinfo": {"sub": {"value": "v"}}}"#,
        &many,
        &deep,
        &long,
    ] {
        let answer = world.sign_in("rp").set(CLAIMS, bad).refuses("invalid_request").await;
        assert_eq!(answer.must("state"), "st");
    }
    for good in ["{}", r#"{"userinfo": null, "id_token": {}}"#, r#"{"x": 1}"#, " {} "] {
        world.sign_in("rp").set(CLAIMS, good).granted().await;
    }
}

/// 3.1.2.2: a `sub` asked for by value is the one that must be signed in.
#[tokio::test]
async fn s5_5_1_sub() {
    let world = Setup::openid().user("eve", "Eve", "x").start().await;
    world.sign_in("rp").code().await;
    world.sign_in("rp").signed_in("eve").code().await;
    for member in ["id_token", "userinfo"] {
        let asked = json!({member: {"sub": {"value": USER}}}).to_string();
        let request = |user| world.sign_in("rp").signed_in(user).set(CLAIMS, &asked);
        request(USER).set("prompt", "none").granted().await;
        request("eve").set("prompt", "none").refuses("login_required").await;
        let step = request("eve").send().await.sign_in("eve").await;
        step.reply.answer().is_refusal("login_required");
        request("eve").send().await.sign_in(USER).await.reply.answer().must("code");
    }
}

/// 5.5.1.1: an `acr` that is demanded is there or there is no answer; one that is wished for is no condition.
#[tokio::test]
async fn s5_5_1_1_acr() {
    const STRONG: &str = "urn:example:strong";
    let setup = Setup::openid().policy(|p| p.acr_values.push(STRONG.into()));
    let world = setup.start().await;
    world.sign_in("rp").code().await;
    let request = |acr: &Value| {
        let asked = json!({"id_token": {"acr": acr}}).to_string();
        world.sign_in("rp").signed_in(USER).set(CLAIMS, &asked)
    };
    for fine in [
        json!(null),
        json!({"essential": true}),
        json!({"values": [STRONG]}),
        json!({"essential": true, "value": ACR}),
        json!({"essential": true, "values": [STRONG, ACR]}),
    ] {
        let answer = request(&fine).set("prompt", "none").granted().await;
        let (_, id_token, _) = tokens(&world, answer.must("code")).await;
        assert_eq!(id_token["acr"], ACR, "{fine}");
    }
    let demanded = json!({"essential": true, "value": STRONG});
    request(&demanded).set("prompt", "none").refuses("login_required").await;
    // The page is told what is wanted; a sign-in that is no stronger than the last is no answer.
    let step = request(&demanded).send().await;
    let id = step.reply.interaction("/login");
    let shown = world.provider.interaction(&id, &step.browser).await.unwrap();
    assert_eq!(shown.pending.acr_values, [STRONG]);
    let strong = oauth_core::model::Login { acr: Some(STRONG.into()), ..world.login(USER) };
    let weak = step.decide(&id, Decision::SignedIn(world.login(USER))).await;
    weak.reply.answer().is_refusal("unmet_authentication_requirements");
    let answer = step.decide(&id, Decision::SignedIn(strong)).await.reply.answer();
    let (_, id_token, _) = tokens(&world, answer.must("code")).await;
    assert_eq!(id_token["acr"], STRONG);
    // Nobody here can ever be that strong.
    for never in ["urn:unknown", ""] {
        let never = json!({"essential": true, "value": never});
        request(&never).refuses("unmet_authentication_requirements").await;
    }
}
