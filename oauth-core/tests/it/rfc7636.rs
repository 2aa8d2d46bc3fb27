//! RFC 7636: PKCE, with the rules of RFC 9700 2.1.1 and 4.8.

use crate::support::{CHALLENGE, Setup, VERIFIER, World};
use oauth_core::config::PkcePolicy;

async fn lenient() -> World {
    Setup::new().policy(|p| p.pkce = PkcePolicy::PublicClients).start().await
}

#[tokio::test]
async fn s4_s256_from_challenge_to_verifier() {
    let world = World::new().await;
    for client in ["web", "spa"] {
        let code = world.request(client).code().await;
        let ask = || world.redeem(client, &code);
        for wrong in [
            "",
            CHALLENGE,
            &VERIFIER[1..],
            &format!("{VERIFIER}x"),
            &VERIFIER.to_lowercase(),
            &format!("{VERIFIER} "),
            &"x".repeat(129),
            &"é".repeat(43),
        ] {
            ask().set("code_verifier", wrong).refuses("invalid_grant").await;
        }
        ask().issues().await;
    }
}

#[tokio::test]
async fn rfc9700_s2_1_1_everybody_must_by_default() {
    let world = World::new().await;
    for client in ["web", "spa", "native"] {
        world.request(client).without_pkce().refuses("invalid_request").await;
    }
}

#[tokio::test]
async fn rfc9700_s2_1_1_public_clients_must_always() {
    let world = lenient().await;
    for client in ["spa", "native"] {
        world.request(client).without_pkce().refuses("invalid_request").await;
    }
    let code = world.request("web").without_pkce().code().await;
    world.redeem("web", &code).unset("code_verifier").issues().await;
}

/// Whoever strips the challenge from a request is found out when the client proves its verifier.
#[tokio::test]
async fn rfc9700_s4_8_downgrade_is_refused() {
    let world = lenient().await;
    let code = world.request("web").without_pkce().code().await;
    world.redeem("web", &code).refuses("invalid_grant").await;
    let code = world.request("web").code().await;
    world.redeem("web", &code).unset("code_verifier").refuses("invalid_grant").await;
    world.request("web").unset("code_challenge").refuses("invalid_request").await;
}

#[tokio::test]
async fn s4_3_plain_is_off_unless_turned_on() {
    let plain = |world: &World| {
        world
            .request("web")
            .set("code_challenge", VERIFIER)
            .set("code_challenge_method", "plain")
            .query()
    };
    let world = World::new().await;
    let query = plain(&world);
    let refused = world.request("web").send_raw(&query).await.reply.answer();
    assert_eq!(refused.get("error"), Some("invalid_request"));
    let methods = &world.provider.metadata()["code_challenge_methods_supported"];
    assert_eq!(*methods, serde_json::json!(["S256"]));

    let world = Setup::new().policy(|p| p.danger_plain_pkce = true).start().await;
    let query = plain(&world);
    let step = world.request("web").send_raw(&query).await;
    let answer = step.sign_in("u").await.approve().await.reply.answer();
    let code = answer.get("code").unwrap();
    world.redeem("web", code).set("code_verifier", &"x".repeat(43)).refuses("invalid_grant").await;
    world.redeem("web", code).issues().await;
    let methods = &world.provider.metadata()["code_challenge_methods_supported"];
    assert_eq!(*methods, serde_json::json!(["S256", "plain"]));
}

/// A challenge without a method means `plain`; where it is on, it must still be said.
#[tokio::test]
async fn s4_3_the_method_is_named() {
    for plain in [false, true] {
        let world = Setup::new().policy(|p| p.danger_plain_pkce = plain).start().await;
        let request = || world.request("web");
        request().unset("code_challenge_method").refuses("invalid_request").await;
        for method in ["s256", "S512", "none", "S256 plain", "PLAIN"] {
            request().set("code_challenge_method", method).refuses("invalid_request").await;
        }
    }
}

#[tokio::test]
async fn s4_2_the_challenge_has_the_form_of_its_method() {
    let world = Setup::new().policy(|p| p.danger_plain_pkce = true).start().await;
    let request = |challenge: &str| world.request("web").set("code_challenge", challenge);
    for bad in
        [&CHALLENGE[1..], &format!("{CHALLENGE}="), &CHALLENGE.replace('-', "+"), &"é".repeat(22)]
    {
        request(bad).refuses("invalid_request").await;
    }
    for bad in ["x".repeat(42), "x".repeat(129), format!("{}!", "x".repeat(42))] {
        request(&bad).set("code_challenge_method", "plain").refuses("invalid_request").await;
    }
}

/// The challenge of a stranger's request does not open a code: a stolen code needs the verifier behind it.
#[tokio::test]
async fn rfc9700_s4_5_a_code_injected_into_another_session_is_refused() {
    let world = World::new().await;
    let attacker = "a".repeat(43);
    let stolen = world.request("spa").code().await;
    world.redeem("spa", &stolen).set("code_verifier", &attacker).refuses("invalid_grant").await;
    world.redeem("spa", &stolen).issues().await;
}
