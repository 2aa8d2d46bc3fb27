//! OpenID Connect Core 3.1.2.1: `prompt`, and what a person is asked.

use crate::support::{Setup, USER, World, sid_of};
use oauth_core::{authorize::Decision, ports::Clock as _};
use serde_json::json;

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
    for prompt in ["LOGIN", "x y z", "none_", "Create"] {
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

/// A world with pages to choose an account and to make one, in which two people have agreed.
async fn with_screens() -> World {
    let setup = Setup::openid().user("eve", "Eve", "x");
    let setup = setup.builder(|b| b.account_screen("/choose").sign_up_screen("/sign-up"));
    let world = setup.start().await;
    world.sign_in("rp").code().await;
    world.sign_in("rp").signed_in("eve").code().await;
    world
}

#[tokio::test]
async fn none_refuses_for_one_reason_at_a_time() {
    let world = Setup::openid().start().await;
    let silent = || world.sign_in("rp").set("prompt", "none");
    // What is wrong with the request itself comes first, then who is there, then what they agreed to.
    for (name, value) in [("max_age", "x"), ("claims", "x"), ("id_token_hint", "x")] {
        silent().set(name, value).refuses("invalid_request").await;
    }
    silent().set("max_age", "0").refuses("login_required").await;
    silent().signed_in(USER).set("max_age", "0").refuses("login_required").await;
    silent().signed_in(USER).refuses("consent_required").await;
    let writes = world.store.writes();
    silent().refuses("login_required").await;
    // Nobody is waited for.
    assert_eq!(world.store.writes(), writes);
}

/// The page may go on with who is there, or sign somebody else in.
#[tokio::test]
async fn select_account_shows_who_is_there() {
    let world = with_screens().await;
    let request = || world.sign_in("rp").signed_in(USER).set("prompt", "select_account");
    let now = world.clock.now().unix();
    let chosen = |user: &str, at: i64| oauth_core::model::Login {
        at: oauth_core::model::Timestamp::from_unix(at),
        ..world.login(user)
    };
    for (decision, user, auth_time) in [
        (Decision::Selected(chosen(USER, now - 10)), USER, now - 10),
        (Decision::Selected(chosen("eve", now - 99)), "eve", now - 99),
        (Decision::SignedIn(world.login("eve")), "eve", now),
    ] {
        let step = request().send().await;
        let id = step.reply.interaction("/choose");
        let answer = step.decide(&id, decision).await.reply.answer();
        let tokens = world.redeem("rp", answer.must("code")).issues().await;
        let id_token = world.id_token("rp", &tokens.id_token.unwrap()).await;
        assert_eq!((&id_token["sub"], &id_token["auth_time"]), (&user.into(), &auth_time.into()));
        assert_eq!(id_token["sid"], sid_of(user));
    }
    // Where nobody is signed in there is nothing to choose from, and the sign-in is the choice.
    let step = world.sign_in("rp").set("prompt", "select_account").send().await;
    step.sign_in(USER).await.reply.answer().must("code");
    // Consent still is one.
    let both = world.sign_in("rp").signed_in(USER).set("prompt", "select_account consent");
    let step = both.send().await;
    let id = step.reply.interaction("/choose");
    let step = step.decide(&id, Decision::Selected(world.login(USER))).await;
    step.approve().await.reply.answer().must("code");
}

/// An old sign-in that is chosen is no new one: not where one is asked for, and not after one.
#[tokio::test]
async fn a_choice_does_not_replace_a_sign_in() {
    let world = with_screens().await;
    let old = || oauth_core::model::Login {
        at: oauth_core::model::Timestamp::from_unix(world.clock.now().unix() - 500),
        ..world.login("eve")
    };
    for prompt in ["login", "login select_account", "login consent"] {
        let step = world.sign_in("rp").signed_in(USER).set("prompt", prompt).send().await;
        let id = step.reply.interaction("/login");
        step.decide(&id, Decision::Selected(old())).await.reply.interaction("/login");
    }
    let step = world.sign_in("rp").set("max_age", "60").signed_in("eve").set("prompt", "create");
    let step = step.send().await;
    let id = step.reply.interaction("/sign-up");
    step.decide(&id, Decision::Selected(old())).await.reply.interaction("/sign-up");
    // Chosen although too old for this client: it is asked for again.
    let request = world.sign_in("rp").signed_in(USER).set("max_age", "60");
    let step = request.set("prompt", "select_account").send().await;
    let id = step.reply.interaction("/choose");
    let step = step.decide(&id, Decision::Selected(old())).await;
    step.sign_in("eve").await.reply.answer().must("code");
    // On the page for consent there is nothing to choose.
    let step = world.sign_in("rp").set("prompt", "login consent").send().await.sign_in(USER).await;
    let id = step.reply.interaction("/consent");
    let step = step.decide(&id, Decision::Selected(old())).await;
    let answer = step.approve().await.reply.answer();
    let tokens = world.redeem("rp", answer.must("code")).issues().await;
    let id_token = world.id_token("rp", &tokens.id_token.unwrap()).await;
    assert_eq!(id_token["sub"], USER);
}

/// A sign-in of before goes on wherever it is enough: when it was made on another page meanwhile, and when somebody who
/// was to make an account has one.
#[tokio::test]
async fn a_sign_in_that_is_enough_may_be_chosen_anywhere() {
    let world = with_screens().await;
    let step = world.sign_in("rp").send().await;
    let id = step.reply.interaction("/login");
    step.decide(&id, Decision::Selected(world.login("eve"))).await.reply.answer().must("code");
    let step = world.sign_in("rp").signed_in(USER).set("prompt", "create").send().await;
    let id = step.reply.interaction("/sign-up");
    step.decide(&id, Decision::Selected(world.login(USER))).await.reply.answer().must("code");
    // Somebody else has taken the place of the one who was asked.
    let step = world.sign_in("rp").signed_in(USER).set("prompt", "consent").send().await;
    let id = step.reply.interaction("/consent");
    let step = step.decide(&id, Decision::Selected(world.login("eve"))).await;
    let answer = step.approve().await.reply.answer();
    let tokens = world.redeem("rp", answer.must("code")).issues().await;
    assert_eq!(world.id_token("rp", &tokens.id_token.unwrap()).await["sub"], "eve");
    // Not in place of somebody who had to sign in.
    let later = oauth_core::model::Login {
        at: oauth_core::model::Timestamp::from_unix(world.clock.now().unix() + 1),
        ..world.login(USER)
    };
    for (login, user) in [(world.login("eve"), USER), (later, USER)] {
        let step = world.sign_in("rp").set("prompt", "login consent").set("max_age", "0");
        let step = step.send().await.sign_in(USER).await;
        let id = step.reply.interaction("/consent");
        let step = step.decide(&id, Decision::Selected(login)).await;
        let answer = step.approve().await.reply.answer();
        let tokens = world.redeem("rp", answer.must("code")).issues().await;
        assert_eq!(world.id_token("rp", &tokens.id_token.unwrap()).await["sub"], user);
    }
}

/// Initiating User Registration 4: an account is made first, whoever is signed in.
#[tokio::test]
async fn create_leads_to_a_new_account() {
    let world = with_screens().await;
    for request in [world.sign_in("rp"), world.sign_in("rp").signed_in("eve")] {
        let step = request.set("prompt", "create").send().await;
        let id = step.reply.interaction("/sign-up");
        // A yes is no account.
        let step = step.decide(&id, Decision::Approved { scope: None }).await;
        let id = step.reply.interaction("/sign-up");
        let step = step.decide(&id, Decision::SignedIn(world.login(USER))).await;
        let answer = step.reply.answer();
        let tokens = world.redeem("rp", answer.must("code")).issues().await;
        assert_eq!(world.id_token("rp", &tokens.id_token.unwrap()).await["sub"], USER);
    }
    let step = world.sign_in("rp").set("prompt", "create").send().await;
    let id = step.reply.interaction("/sign-up");
    step.decide(&id, Decision::Denied).await.reply.answer().is_refusal("access_denied");
    world.sign_in("rp").set("prompt", "create none").refuses("invalid_request").await;
}

/// An embedder without such pages has a page to sign in on.
#[tokio::test]
async fn without_those_pages_people_sign_in() {
    let world = Setup::openid().start().await;
    for prompt in ["create", "select_account"] {
        let request = world.sign_in("rp").signed_in(USER).set("prompt", prompt);
        let mut step = request.send().await.sign_in(USER).await;
        if step.reply.screen() == Some("/consent") {
            step = step.approve().await;
        }
        step.reply.answer().must("code");
    }
    let values = &world.provider.metadata()["prompt_values_supported"];
    assert!(!values.as_array().unwrap().contains(&"create".into()));
    let world = with_screens().await;
    let values = &world.provider.metadata()["prompt_values_supported"];
    assert!(values.as_array().unwrap().contains(&"create".into()));
}

/// Somebody signed in elsewhere meanwhile, in another tab: that counts where it is all the client asked for.
#[tokio::test]
async fn a_sign_in_that_suffices_may_be_gone_on_with() {
    let world = with_screens().await;
    let eve = json!({"id_token": {"sub": {"value": "eve"}}}).to_string();
    for (name, value, page, suffices) in [
        ("unknown", "x", "/login", true),
        ("max_age", "20", "/login", true),
        ("max_age", "19", "/login", false),
        ("prompt", "login", "/login", false),
        ("prompt", "create", "/sign-up", true),
        ("prompt", "create login", "/sign-up", false),
        ("claims", &eve, "/login", false),
    ] {
        let step = world.sign_in("rp").set(name, value).send().await;
        let id = step.reply.interaction(page);
        let at = oauth_core::model::Timestamp::from_unix(world.clock.now().unix() - 20);
        let elsewhere = oauth_core::model::Login { at, ..world.login(USER) };
        let interaction = world.provider.interaction(&id, &step.browser).await.unwrap();
        assert_eq!(world.provider.suffices(&interaction, &elsewhere), suffices, "{name}={value}");
        let step = step.decide(&id, Decision::Selected(elsewhere)).await;
        if suffices {
            step.reply.answer().must("code");
        } else {
            step.reply.interaction(page);
        }
    }
}
