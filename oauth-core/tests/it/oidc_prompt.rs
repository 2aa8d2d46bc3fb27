//! OpenID Connect Core 3.1.2.1: `prompt`, and what a person is asked.

use crate::support::{Setup, USER, World};
use oauth_core::authorize::Decision;

/// A world in which the user has agreed to `a b` for `web` once.
async fn agreed() -> World {
    let world = World::new().await;
    world.request("web").code().await;
    world
}

#[tokio::test]
async fn without_prompt_nobody_is_asked_twice() {
    let world = agreed().await;
    let step = world.request("web").signed_in(USER).send().await;
    assert!(step.reply.answer().get("code").is_some());
    let step = world.request("web").send().await;
    let step = step.sign_in(USER).await;
    assert!(step.reply.answer().get("code").is_some());
}

#[tokio::test]
async fn none_asks_nobody() {
    let world = agreed().await;
    let request = || world.request("web").set("prompt", "none");
    let step = request().signed_in(USER).send().await;
    assert!(step.reply.answer().get("code").is_some());
    request().refuses("login_required").await;
    let more = request().signed_in(USER).set("scope", "a b c");
    more.refuses("consent_required").await;
    let other = world.request("other").set("prompt", "none").signed_in(USER);
    other.refuses("consent_required").await;
    let nobody = request().signed_in("somebody else");
    nobody.refuses("consent_required").await;
}

#[tokio::test]
async fn none_goes_with_nothing_else() {
    let world = agreed().await;
    for prompt in ["none login", "login none", "none consent", "none none", "none unknown", "none "]
    {
        let request = world.request("web").signed_in(USER);
        request.set("prompt", prompt).refuses("invalid_request").await;
    }
}

#[tokio::test]
async fn login_asks_again() {
    let world = agreed().await;
    for prompt in ["login", "select_account", "login select_account"] {
        let request = || world.request("web").signed_in(USER).set("prompt", prompt);
        let step = request().send().await.sign_in(USER).await;
        assert!(step.reply.answer().get("code").is_some(), "{prompt}");
    }
}

#[tokio::test]
async fn consent_asks_again() {
    let world = agreed().await;
    let request = || world.request("web").set("prompt", "consent");
    let step = request().signed_in(USER).send().await.approve().await;
    assert!(step.reply.answer().get("code").is_some());
    let step = request().send().await.sign_in(USER).await.approve().await;
    assert!(step.reply.answer().get("code").is_some());
    let both = world.request("web").set("prompt", "login consent").signed_in(USER);
    let step = both.send().await.sign_in(USER).await.approve().await;
    assert!(step.reply.answer().get("code").is_some());
}

#[tokio::test]
async fn unknown_values_are_passed_over() {
    let world = agreed().await;
    for prompt in ["create", "LOGIN", "x y z"] {
        let step = world.request("web").signed_in(USER).set("prompt", prompt).send().await;
        assert!(step.reply.answer().get("code").is_some(), "{prompt}");
    }
}

/// The page that asks for a password cannot be skipped by posting the yes of the page after it.
#[tokio::test]
async fn a_yes_does_not_replace_a_sign_in() {
    let world = agreed().await;
    for prompt in ["login", "login consent", "select_account consent"] {
        let request = || world.request("web").signed_in(USER).set("prompt", prompt);
        let step = request().send().await;
        let id = step.reply.interaction("/login");
        let step = step.decide(&id, Decision::Approved { scope: None }).await;
        let step = step
            .decide(&step.reply.interaction("/login"), Decision::Approved { scope: None })
            .await;
        // Nor does the early yes count once the sign-in has happened.
        let step = step.sign_in(USER).await;
        let location = step.reply.location();
        assert_eq!(location.starts_with("/consent"), prompt.contains("consent"), "{prompt}");
    }
    let step = world.request("other").send().await;
    let id = step.reply.interaction("/login");
    let step = step.decide(&id, Decision::Approved { scope: None }).await;
    step.sign_in(USER).await.reply.interaction("/consent");
}

/// Somebody else signs in on the way: the yes of the first does not count for the second.
#[tokio::test]
async fn a_yes_is_of_the_person_who_signed_in() {
    let world = Setup::new().user("eve", "Eve", "x").start().await;
    world.request("web").code().await;
    let step = world.request("web").send().await.sign_in("eve").await;
    let code = step.approve().await;
    let code = code.reply.answer().get("code").unwrap().to_owned();
    let tokens = world.redeem("web", &code).issues().await;
    assert_eq!(world.introspect(&tokens.access_token).await["sub"], "eve");
}

#[tokio::test]
async fn login_hint_reaches_the_page() {
    let world = World::new().await;
    let step = world.request("web").set("login_hint", "ada").send().await;
    let id = step.reply.interaction("/login");
    let shown = world.provider.interaction(&id, &step.browser).await.unwrap();
    assert_eq!(shown.pending.login_hint.as_deref(), Some("ada"));
    assert_eq!(shown.client.name, "Client web");
}
