//! OpenID Connect Core 3.1: signing in by the code flow.

use crate::support::{Setup, USER, half_hash, profile};
use oauth_core::{ports::Clock as _, testing::fixtures::scope};

#[tokio::test]
async fn s3_1_3_3_the_id_token_comes_with_the_access_token() {
    let world = Setup::openid().start().await;
    let code = world.sign_in("rp").set("scope", "openid profile email").code().await;
    let reply = world.redeem("rp", &code).send().await;
    reply.is_not_stored();
    let body = reply.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["scope"], "email openid profile");
    assert!(body["expires_in"].is_u64());
    assert!(body.get("refresh_token").is_none());
    let access_token = body["access_token"].as_str().unwrap();
    let id_token = world.id_token("rp", body["id_token"].as_str().unwrap()).await;
    assert_eq!(id_token["at_hash"], half_hash(access_token));
    assert!(!id_token.has("c_hash"));
    // 5.4: what the scopes stand for is had at the userinfo endpoint.
    let profile = profile();
    let standard = || profile.as_object().unwrap().keys();
    assert!(standard().all(|name| !id_token.has(name)), "{id_token:?}");
    let userinfo = world.userinfo(access_token).await;
    assert_eq!(userinfo["sub"], id_token["sub"]);
    for name in standard() {
        let told = !name.starts_with("phone") && name != "address";
        assert_eq!(userinfo.get(name), told.then_some(&profile[name]), "{name}");
    }
}

/// Without the scope it is a request by RFC 6749, and stays one.
#[tokio::test]
async fn s3_1_2_1_openid_makes_the_difference() {
    let world = Setup::openid().start().await;
    for wanted in ["a", "profile", "a profile email"] {
        let tokens = world.openid_tokens("rp", wanted).await;
        assert_eq!(tokens.id_token, None, "{wanted}");
    }
    let tokens = world.openid_tokens("rp", "openid a").await;
    assert_eq!(tokens.scope, "a openid");
    assert!(tokens.id_token.is_some());
    // The client may leave it out of the exchange.
    let code = world.sign_in("rp").set("scope", "openid a").code().await;
    let tokens = world.redeem("rp", &code).set("scope", "a").issues().await;
    assert_eq!((tokens.scope.as_str(), tokens.id_token), ("a", None));
    // Where no OpenID Connect is spoken it is a word like any other.
    let world = Setup::openid().policy(|p| p.openid = false).start().await;
    let tokens = world.openid_tokens("rp", "openid").await;
    assert_eq!((tokens.scope.as_str(), tokens.id_token), ("openid", None));
    assert!(tokens.refresh_token.is_some());
}

/// Scopes that are not understood are ignored, if it is a request to sign in at all.
#[tokio::test]
async fn s3_1_2_1_unknown_scopes_are_passed_over() {
    let world = Setup::openid().start().await;
    let tokens = world.openid_tokens("rp", "openid groups a urn:x:y").await;
    assert_eq!(tokens.scope, "a openid");
    for (wanted, code) in [("groups", "invalid_scope"), ("a groups", "invalid_scope")] {
        world.sign_in("rp").set("scope", wanted).refuses(code).await;
    }
    world.sign_in("rp").set("scope", "openid \"").refuses("invalid_scope").await;
    // A client that is not registered for it is told so, and not given something else.
    let world = Setup::openid().client("rp", |c| c.scope = scope("profile a")).start().await;
    for wanted in ["openid", "openid a", "a openid profile"] {
        world.sign_in("rp").set("scope", wanted).refuses("invalid_scope").await;
    }
    world.sign_in("rp").set("scope", "a").granted().await;
}

/// Preferences are honoured where they can be, and never break a request.
#[tokio::test]
async fn s3_1_2_1_preferences() {
    let world = Setup::openid().start().await;
    for (name, value) in [
        ("display", "popup"),
        ("display", "hologram"),
        ("ui_locales", "fr-CA fr en"),
        ("ui_locales", "not a locale \u{1} é"),
        ("claims_locales", "tlh"),
        ("login_hint", "ada@people.example"),
        ("login_hint", &"x".repeat(5000)),
        ("acr_values", "urn:unknown 0 1"),
        ("something", "else"),
        ("id_token_hint", ""),
        ("registration", "{}"),
    ] {
        world.sign_in("rp").set(name, value).granted().await;
    }
}

#[tokio::test]
async fn s3_1_2_1_preferences_reach_the_page() {
    let default_acr = vec!["urn:default".to_owned()];
    let acr = default_acr.clone();
    let setup = Setup::openid().client("rp", |c| c.metadata.default_acr_values = acr);
    let world = setup.start().await;
    let shown = async |params: &[(&str, &str)]| {
        let request = world.sign_in("rp");
        let request = params.iter().fold(request, |r, (name, value)| r.set(name, value));
        let step = request.send().await;
        let id = step.reply.interaction("/login");
        world.provider.interaction(&id, &step.browser).await.unwrap().pending
    };
    let pending = shown(&[("ui_locales", " fr-CA  fr en"), ("login_hint", "ada")]).await;
    assert_eq!(pending.ui_locales, ["fr-CA", "fr", "en"]);
    assert_eq!(pending.login_hint.as_deref(), Some("ada"));
    assert_eq!(pending.acr_values, default_acr);
    let pending = shown(&[("acr_values", "urn:b urn:a")]).await;
    assert_eq!(pending.acr_values, ["urn:b", "urn:a"]);
    let many = "x ".repeat(500);
    assert_eq!(shown(&[("ui_locales", &many)]).await.ui_locales.len(), 20);
}

#[tokio::test]
async fn s3_1_3_2_a_code_is_good_once_and_for_its_client() {
    let world = Setup::openid().start().await;
    let code = world.sign_in("rp").code().await;
    for client in ["rp2", "web", "spa"] {
        world.redeem(client, &code).refuses("invalid_grant").await;
    }
    for (name, value) in [
        ("redirect_uri", "https://client.example/cb/"),
        ("code", "unknown"),
        ("code_verifier", "x"),
    ] {
        world.redeem("rp", &code).set(name, value).refuses("invalid_grant").await;
    }
    let tokens = world.redeem("rp", &code).issues().await;
    world.userinfo(&tokens.access_token).await;
    world.after(30);
    world.redeem("rp", &code).refuses("invalid_grant").await;
    assert!(!world.is_active(&tokens.access_token).await);
    let code = world.sign_in("rp").code().await;
    world.after(60);
    world.redeem("rp", &code).refuses("invalid_grant").await;
}

/// 256 random bits, so that nobody guesses one.
#[tokio::test]
async fn rfc6749_s10_10_codes_are_long_and_never_the_same() {
    let world = Setup::openid().start().await;
    let one = world.sign_in("rp").code().await;
    let other = world.sign_in("rp").code().await;
    assert_ne!(one, other);
    assert_eq!((one.len(), other.len()), (43, 43));
}

/// Signing in again by a silent answer changes neither who it is nor when they signed in.
#[tokio::test]
async fn s3_1_2_1_a_silent_answer_keeps_sub_and_auth_time() {
    let world = Setup::openid().start().await;
    let now = world.clock.now().unix();
    world.sign_in("rp").code().await;
    let silent = || world.sign_in("rp").signed_in(USER).set("prompt", "none");
    let mut seen = Vec::new();
    for _ in 0..2 {
        let answer = silent().send().await.reply.answer();
        let tokens = world.redeem("rp", answer.must("code")).issues().await;
        let id_token = world.id_token("rp", &tokens.id_token.unwrap()).await;
        seen.push((id_token["sub"].clone(), id_token["auth_time"].clone()));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], (USER.into(), (now - 10).into()));
}

/// Consent is asked for what the scopes are, `openid` among them; it cannot be left out by the person.
#[tokio::test]
async fn s3_1_2_4_a_person_may_agree_to_less_but_not_to_be_nobody() {
    use oauth_core::authorize::Decision;
    let world = Setup::openid().start().await;
    for (agreed, expected) in
        [("openid email", "email openid"), ("email", "email openid"), ("", "openid")]
    {
        let request = world.sign_in("rp").set("scope", "openid email profile");
        let step = request.set("prompt", "login consent").send().await.sign_in(USER).await;
        let id = step.reply.interaction("/consent");
        for more in ["openid phone", "email a"] {
            let refused = step.decide(&id, Decision::Approved { scope: Some(scope(more)) }).await;
            refused.reply.answer().is_refusal("invalid_scope");
        }
        let step = step.decide(&id, Decision::Approved { scope: Some(scope(agreed)) }).await;
        let answer = step.reply.answer();
        let tokens = world.redeem("rp", answer.must("code")).issues().await;
        assert_eq!(tokens.scope, expected);
        assert!(tokens.id_token.is_some());
        let userinfo = world.userinfo(&tokens.access_token).await;
        assert_eq!(userinfo.get("email").is_some(), expected.contains("email"));
        assert!(userinfo.get("name").is_none());
    }
}

/// A user who went away between code and exchange gets nothing.
#[tokio::test]
async fn a_user_who_is_gone_has_no_id_token() {
    let world = Setup::openid().start().await;
    let code = world.sign_in("rp").code().await;
    world.store.forget(USER);
    world.redeem("rp", &code).refuses("invalid_grant").await;
}
