//! OpenID Connect Core 3.1.2.1: `max_age`, `default_max_age` and `auth_time`. Sessions of these tests are ten seconds old.

use crate::support::{IdToken, Setup, USER, World};
use oauth_core::ports::Clock as _;

/// A world in which the user has agreed before.
async fn agreed(setup: Setup) -> World {
    let world = setup.start().await;
    world.sign_in("rp").code().await;
    world
}

async fn id_token(world: &World, code: &str) -> IdToken {
    let tokens = world.redeem("rp", code).issues().await;
    world.id_token("rp", &tokens.id_token.unwrap()).await
}

#[tokio::test]
async fn a_sign_in_that_is_too_old_does_not_count() {
    let world = agreed(Setup::openid()).await;
    let now = world.clock.now().unix();
    let request = |age: &str| world.sign_in("rp").signed_in(USER).set("max_age", age);
    for enough in ["10", "11", "3600", "0010", "18446744073709551615"] {
        let answer = request(enough).send().await.reply.answer();
        assert_eq!(id_token(&world, answer.must("code")).await["auth_time"], now - 10, "{enough}");
        request(enough).set("prompt", "none").granted().await;
    }
    for short in ["0", "1", "9"] {
        request(short).set("prompt", "none").refuses("login_required").await;
        let answer = request(short).send().await.sign_in(USER).await.reply.answer();
        assert_eq!(id_token(&world, answer.must("code")).await["auth_time"], now, "{short}");
    }
    // Nobody at all is signed in.
    world.sign_in("rp").set("max_age", "3600").send().await.reply.interaction("/login");
}

/// However long the person then looks at the next page.
#[tokio::test]
async fn a_sign_in_for_this_request_is_fresh() {
    let world = Setup::openid().start().await;
    let now = world.clock.now().unix();
    for age in ["0", "1"] {
        let step = world.sign_in("rp2").set("prompt", "consent").set("max_age", age).send().await;
        let step = step.sign_in(USER).await;
        world.after(100);
        let step = step.approve().await;
        let answer = step.reply.answer();
        let tokens = world.redeem("rp2", answer.must("code")).issues().await;
        let id_token = world.id_token("rp2", &tokens.id_token.unwrap()).await;
        assert!(id_token["auth_time"].as_i64().unwrap() >= now);
        assert!(id_token["auth_time"].as_i64().unwrap() < world.clock.now().unix());
    }
}

/// OpenID Connect Registration 2: the client's own limit, which a request overrides.
#[tokio::test]
async fn default_max_age() {
    let world =
        agreed(Setup::openid().client("rp", |c| c.metadata.default_max_age = Some(9))).await;
    let request = || world.sign_in("rp").signed_in(USER);
    request().set("prompt", "none").refuses("login_required").await;
    request().send().await.reply.interaction("/login");
    request().set("prompt", "none").set("max_age", "10").granted().await;
    let world =
        agreed(Setup::openid().client("rp", |c| c.metadata.default_max_age = Some(10))).await;
    let request = || world.sign_in("rp").signed_in(USER);
    request().set("prompt", "none").granted().await;
    request().set("prompt", "none").set("max_age", "9").refuses("login_required").await;
}

#[tokio::test]
async fn it_is_a_number_of_seconds() {
    let world = agreed(Setup::openid()).await;
    for bad in ["-1", "1.5", "1e3", "+1", " 1", "0x10", "ten", "18446744073709551616", "１"] {
        world.sign_in("rp").set("max_age", bad).refuses("invalid_request").await;
    }
    // Nothing is no limit.
    let request = world.sign_in("rp").signed_in(USER).set("max_age", "").set("prompt", "none");
    request.granted().await;
}

/// It is in every id token, so also where `max_age`, `require_auth_time` or the client's `claims` want it.
#[tokio::test]
async fn s2_auth_time_is_always_told() {
    let setup = Setup::openid().client("rp", |c| c.metadata.require_auth_time = true);
    let world = agreed(setup).await;
    for (name, value) in [
        ("unknown", "x"),
        ("max_age", "10000"),
        ("claims", r#"{"id_token": {"auth_time": {"essential": true}}}"#),
    ] {
        for kind in ["code", "id_token", "code id_token token"] {
            let request = world.sign_in("rp").set("response_type", kind).set(name, value);
            let answer = request.granted().await;
            if let Some(token) = answer.get("id_token") {
                assert!(world.id_token("rp", token).await["auth_time"].is_i64(), "{kind}");
            }
            if let Some(code) = answer.get("code") {
                assert!(id_token(&world, code).await["auth_time"].is_i64(), "{kind}");
            }
        }
    }
}

/// Signing in again moves it.
#[tokio::test]
async fn prompt_login_moves_auth_time() {
    let world = agreed(Setup::openid()).await;
    let request = || world.sign_in("rp").signed_in(USER);
    let first = request().granted().await;
    let first = id_token(&world, first.must("code")).await;
    let again = request().set("prompt", "login").send().await.sign_in(USER).await.reply.answer();
    let again = id_token(&world, again.must("code")).await;
    assert_eq!(again["auth_time"].as_i64(), first["auth_time"].as_i64().map(|at| at + 10));
    assert_eq!(again["sub"], first["sub"]);
}
