//! RFC 9700: attacks that are not the business of one endpoint or standard alone.

use crate::support::{ISSUER, PASSWORD, Setup, USER, USERNAME, World};
use oauth_core::{
    grants::{Implicit, Password},
    model::{ClientId, RedirectUri, Timestamp},
    ports::ClientStore as _,
    testing::fixtures::NOW,
};
use std::time::Duration;

/// 4.4: a client that gets codes from two servers sends each back to where `iss` says; the code of one client is
/// nothing to another, even with the same redirect URI.
#[tokio::test]
async fn s4_4_mix_up() {
    let world = World::new().await;
    let answer = world.request("web").answer().await;
    assert_eq!(answer.get("iss"), Some(ISSUER));
    let code = answer.get("code").unwrap();
    for other in ["other", "post", "spa"] {
        world.redeem(other, code).refuses("invalid_grant").await;
        // Naming the right client beside one's own credentials does not help.
        let both = world.redeem(other, code).set("client_id", "web");
        both.refuses(if other == "other" { "invalid_request" } else { "invalid_client" }).await;
    }
}

/// 4.5: an attacker's code in the victim's session fails for want of the victim's verifier.
#[tokio::test]
async fn s4_5_code_injection() {
    let world = World::new().await;
    let attackers = world.request("web").code().await;
    let victims = "v".repeat(43);
    let ask = world.redeem("web", &attackers).set("code_verifier", &victims);
    ask.refuses("invalid_grant").await;
}

/// 4.1.1, 4.11.1: nothing but a registered URI is ever in a `Location`, however the request is malformed.
#[tokio::test]
async fn s4_11_no_open_redirector() {
    let world = Setup::new().builder(|b| b.grant(Implicit)).start().await;
    let evil = "https://evil.example/cb";
    for (name, value) in [
        ("response_type", "unknown"),
        ("response_type", "token"),
        ("scope", "unknown"),
        ("prompt", "none"),
        ("state", evil),
        ("client_id", "spa"),
    ] {
        let request = world.request("web").set("redirect_uri", evil).set(name, value);
        request.shows("invalid_request").await;
    }
    for extra in ["&redirect_uri=", "&redirect_uri[]=", "&REDIRECT_URI=", "&redirect_uri%00="] {
        let query = format!("{}{extra}{evil}", world.request("web").query());
        let reply = world.request("web").send_raw(&query).await.reply;
        if reply.status == 302 {
            reply.interaction("/login");
        } else {
            reply.is_page("invalid_request");
        }
    }
    // A request by POST is sent on to this endpoint and nowhere else.
    let step = world.request("web").set("redirect_uri", evil).post().await;
    assert!(step.reply.location().starts_with("/oauth/authorize?"));
}

/// A header cannot be split by anything a request or a registration says.
#[tokio::test]
async fn no_header_is_split() {
    for text in [
        "https://client.example/cb\r\nSet-Cookie: a=b",
        "https://client.example/cb\nx",
        "https://client.example/cb\u{0}",
        "https://client.example/cb\u{85}",
        "https://client.example/\u{560d}\u{560a}Set-Cookie:a",
        "com.example.app:/cb\r\nx",
    ] {
        assert!(RedirectUri::parse(text).is_err(), "{text:?}");
    }
    let world = Setup::new().builder(|b| b.grant(Implicit)).start().await;
    for kind in ["code", "token"] {
        let odd = "\r\nSet-Cookie: a=b\r\n\r\n<script>";
        let request = world.request("web").set("response_type", kind).set("state", odd);
        let step = request.signed_in(USER).send().await;
        let step =
            if step.reply.location().starts_with("/consent") { step.approve().await } else { step };
        assert!(!step.reply.location().contains(['\r', '\n', '<']));
        let cookies = step.reply.cookies();
        assert!(cookies.iter().all(|c| c.starts_with("__Host-")));
        assert_eq!(step.reply.answer().get("state"), Some(odd));
    }
}

/// 4.3.2: an access token is never in a query.
#[tokio::test]
async fn s4_3_2_no_token_in_a_query() {
    let world = Setup::new().builder(|b| b.grant(Implicit)).start().await;
    let request = || world.request("web").set("response_type", "token");
    let answer = request().set("response_mode", "query").refuses("invalid_request").await;
    assert!(answer.in_fragment);
    assert!(request().answer().await.in_fragment);
}

/// 2.2, 4.10: what is for one client, resource or purpose is nothing to another.
#[tokio::test]
async fn s4_10_cross_client() {
    let world = Setup::new().builder(|b| b.grant(Password)).start().await;
    let clients = ["web", "other", "post", "spa"];
    for owner in clients {
        let code = world.request(owner).code().await;
        let tokens = world.tokens(owner).await;
        let refresh = tokens.refresh_token.clone().unwrap();
        for stranger in clients.into_iter().filter(|c| *c != owner) {
            world.redeem(stranger, &code).refuses("invalid_grant").await;
            world.refresh(stranger, &refresh).refuses("invalid_grant").await;
            world.revoke(stranger, &refresh).refuses("invalid_grant").await;
            world.revoke(stranger, &tokens.access_token).refuses("invalid_grant").await;
            if stranger != "spa" {
                let shown = world.introspection(stranger, &refresh).describes().await;
                assert_eq!(shown["active"], false);
            }
        }
        assert!(world.is_active(&tokens.access_token).await);
        world.redeem(owner, &code).issues().await;
        world.refresh(owner, &refresh).issues().await;
    }
}

/// Two tabs, two processes, an impatient proxy: of many exchanges at once one succeeds, and since a code that comes
/// twice may have been stolen, it is revoked.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s4_5_many_exchanges_at_once() {
    let world: &'static World = Box::leak(Box::new(World::new().await));
    for _ in 0..20 {
        let code = world.request("web").code().await;
        let rivals: Vec<_> = (0..8)
            .map(|_| {
                let ask = world.redeem("web", &code);
                tokio::spawn(ask.send())
            })
            .collect();
        let mut issued = Vec::new();
        for rival in rivals {
            let reply = rival.await.unwrap();
            if reply.status == 200 {
                issued.push(reply.json()["access_token"].as_str().unwrap().to_owned());
            } else {
                reply.refuses("invalid_grant");
            }
        }
        let [token] = issued.as_slice() else { panic!("{} exchanges succeeded", issued.len()) };
        assert!(!world.is_active(token).await);
    }
}

/// Many retries of one lost refresh at once all get the one answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s4_14_many_refreshes_at_once() {
    let world: &'static World = Box::leak(Box::new(World::new().await));
    for _ in 0..20 {
        let first = world.tokens("web").await.refresh_token.unwrap();
        let rivals: Vec<_> =
            (0..8).map(|_| tokio::spawn(world.refresh("web", &first).issues())).collect();
        let mut seen = std::collections::BTreeSet::new();
        for rival in rivals {
            let response = rival.await.unwrap();
            seen.insert((response.access_token, response.refresh_token));
        }
        assert_eq!(seen.len(), 1);
    }
}

/// A clock at the ends of time makes tokens worthless, never eternal, and never a panic.
#[tokio::test]
async fn clocks_at_the_ends_of_time() {
    let world = Setup::new().builder(|b| b.grant(Password)).start().await;
    let code = world.request("web").code().await;
    let tokens = world.tokens("web").await;
    let refresh = tokens.refresh_token.unwrap();
    for now in [i64::MAX, i64::MAX - 1, 1 << 53, 253_402_300_800, -1, 0, i64::MIN] {
        world.clock.set(Timestamp::from_unix(now));
        let replies = [
            world.redeem("web", &code).send().await,
            world.refresh("web", &refresh).send().await,
            world.token("web", "client_credentials").send().await,
            world.introspection("rs", &tokens.access_token).send().await,
            world.request("web").send().await.reply,
            world.get("/.well-known/jwks.json").await,
        ];
        for reply in replies {
            assert!([200, 302, 400, 500].contains(&reply.status), "{now} {reply:?}");
        }
        if now > NOW.unix() {
            assert!(!world.is_active(&tokens.access_token).await);
        }
    }
}

/// A clock set back a little lengthens a life by as much and breaks nothing.
#[tokio::test]
async fn a_clock_set_back() {
    let world = World::new().await;
    world.after(1000);
    let tokens = world.tokens("web").await;
    let code = world.request("web").code().await;
    let now = world.provider.env().clock.now();
    world.clock.set(now.minus(Duration::from_secs(100)));
    assert!(world.is_active(&tokens.access_token).await);
    world.redeem("web", &code).issues().await;
    let refresh = tokens.refresh_token.unwrap();
    let second = world.refresh("web", &refresh).issues().await;
    let again = world.refresh("web", &refresh).issues().await;
    assert!(second == again && second.expires_in == 600);
    world.redeem("web", &code).refuses("invalid_grant").await;
}

/// Huge lives in policy or registration do not overflow into the past, nor beyond the most.
#[tokio::test]
async fn huge_lives() {
    let world = Setup::new()
        .policy(|p| {
            p.refresh_token_ttl = Duration::MAX;
            p.refresh_token_max_age = Duration::MAX;
            p.refresh_retry_window = Duration::MAX;
            p.code_ttl = Duration::MAX;
            p.interaction_ttl = Duration::MAX;
            p.access_token_ttl = Duration::MAX;
        })
        .start()
        .await;
    let tokens = world.tokens("web").await;
    assert_eq!(tokens.expires_in, 86_400);
    let refresh = tokens.refresh_token.unwrap();
    let second = world.refresh("web", &refresh).issues().await;
    world.after(10_000_000_000);
    let again = world.refresh("web", &refresh).issues().await;
    assert_eq!((again.expires_in, again.access_token), (0, second.access_token));
}

/// 4.15: a client cannot pass for a user by choosing an id: ids of clients are not names people sign in with.
#[tokio::test]
async fn s4_15_a_client_is_not_a_user() {
    let world = Setup::new().builder(|b| b.grant(Password)).client(USER, |_| {}).start().await;
    let own = world.token(USER, "client_credentials").issues().await;
    let token = world.introspect(&own.access_token).await;
    assert_eq!(token["sub"], USER);
    // What tells them apart: nobody signed in, and there is no user name.
    assert_eq!((token.get("auth_time"), token.get("username")), (None, None));
    let ask = world.token(USER, "password").set("username", USERNAME);
    let theirs = ask.set("password", PASSWORD).issues().await;
    let token = world.introspect(&theirs.access_token).await;
    assert_eq!((&token["sub"], &token["username"]), (&USER.into(), &USERNAME.into()));
}

/// A client registered again under the id of a removed one inherits nothing.
#[tokio::test]
async fn nothing_is_inherited() {
    let world = World::new().await;
    let code = world.request("web").code().await;
    let tokens = world.tokens("web").await;
    let clients = &world.provider.env().clients;
    let id = ClientId::new("web");
    let client = clients.client(&id).await.unwrap().unwrap();
    clients.remove_client(&id).await.unwrap();
    clients.insert_client((*client).clone()).await.unwrap();
    world.redeem("web", &code).refuses("invalid_grant").await;
    let refresh = tokens.refresh_token.unwrap();
    world.refresh("web", &refresh).refuses("invalid_grant").await;
    let again = world.request("web").signed_in(USER).send().await;
    again.reply.interaction("/consent");
}

/// A registration is remembered for seconds only, and not at all by the process that changed it.
#[tokio::test]
async fn a_changed_secret_counts_at_once_or_in_seconds() {
    let world = Setup::new().policy(|p| p.client_cache_ttl = Duration::from_secs(5)).start().await;
    let ask = || world.token("web", "client_credentials");
    ask().issues().await;
    let id = ClientId::new("web");
    let env = world.provider.env();
    let mut client = (*env.clients.client(&id).await.unwrap().unwrap()).clone();
    client.auth = oauth_core::model::ClientAuth::Public;
    // By another process.
    world.store.replace_client(client.clone()).await.unwrap();
    world.after(4);
    ask().issues().await;
    world.after(1);
    ask().refuses("invalid_client").await;
    // By this one.
    let known = oauth_core::testing::fixtures::client("web");
    env.clients.replace_client(known).await.unwrap();
    ask().issues().await;
    env.clients.replace_client(client).await.unwrap();
    ask().refuses("invalid_client").await;
    // An unknown client is not remembered as unknown.
    let new = || world.token("new", "client_credentials");
    new().refuses("invalid_client").await;
    let fresh = oauth_core::testing::fixtures::client("new");
    env.clients.insert_client(fresh).await.unwrap();
    new().issues().await;
}

/// The verifier is of no use at the authorization endpoint, nor the challenge at the token endpoint.
#[tokio::test]
async fn parameters_of_the_other_step_are_ignored() {
    let world = World::new().await;
    let code = world.request("web").set("code_verifier", "x").code().await;
    let ask = world.redeem("web", &code).set("code_challenge", "x");
    ask.set("state", "x").set("client_id", "web").issues().await;
}

/// Requests that nobody finishes cannot pile up faster than they are swept away.
#[tokio::test]
async fn what_nobody_finishes_is_forgotten() {
    let world = World::new().await;
    for _ in 0..1500 {
        world.request("web").send().await;
    }
    assert_eq!(world.provider.maintain().await.unwrap(), 0);
    world.after(600);
    assert_eq!(world.provider.maintain().await.unwrap(), 1500);
}
