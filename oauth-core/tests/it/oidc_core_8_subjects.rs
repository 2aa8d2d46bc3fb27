//! OpenID Connect Core 8: public and pairwise subjects.

use crate::support::{Published, SEALING_KEY, Setup, USER, USERNAME, World, opened};
use axum::{
    body::Body,
    http::{Request, header},
};
use oauth_core::{
    model::{Client, RedirectUri, SigningAlgorithm, SubjectType, TokenFormat},
    openid::sector,
    testing::fixtures,
};

/// What `client` is told about the user: in the id token, in userinfo, and by introspection.
async fn subjects(world: &World, client: &str) -> [String; 3] {
    let walk = world.request(client).set("scope", "openid").set("nonce", "n");
    let code = walk.code().await;
    let tokens = world.redeem(client, &code).issues().await;
    let id_token = world.id_token(client, &tokens.id_token.unwrap()).await;
    let bearer = format!("Bearer {}", tokens.access_token);
    let request = Request::get("/oauth/userinfo").header(header::AUTHORIZATION, bearer);
    let userinfo = world.send(request.body(Body::empty()).unwrap()).await.json();
    let introspected = world.introspect(&tokens.access_token).await;
    [&id_token["sub"], &userinfo["sub"], &introspected["sub"]]
        .map(|sub| sub.as_str().unwrap().to_owned())
}

fn pairwise(setup: Setup, client: &str) -> Setup {
    setup.client(client, |c| c.metadata.subject_type = SubjectType::Pairwise)
}

#[tokio::test]
async fn s8_public_subjects_are_the_same_for_all() {
    let world = Setup::openid().start().await;
    assert_eq!(subjects(&world, "rp").await, [USER; 3]);
    assert_eq!(subjects(&world, "rp2").await, [USER; 3]);
}

#[tokio::test]
async fn s8_1_pairwise_subjects_are_the_same_within_a_sector() {
    let sector = |c: &mut Client| {
        c.metadata.subject_type = SubjectType::Pairwise;
        c.metadata.sector_identifier_uri = Some("https://other.example/sector.json".into());
    };
    let setup = pairwise(pairwise(Setup::openid(), "rp"), "rp2");
    let world = setup.client("web", |_| {}).start().await;
    let first = subjects(&world, "rp").await;
    assert_ne!(first[0], USER);
    assert!(first[0].len() <= 255 && first[0].is_ascii());
    assert_eq!(first[0], first[1], "userinfo says what the id token says");
    assert_eq!(first[0], first[2], "an access token must not give away more");
    // Both have their redirect URI on one host, so they are one sector.
    assert_eq!(subjects(&world, "rp2").await, first);

    let world = pairwise(Setup::openid(), "rp").client("rp2", sector).start().await;
    assert_eq!(subjects(&world, "rp").await, first, "it does not depend on the process");
    assert_ne!(subjects(&world, "rp2").await[0], first[0]);
}

#[tokio::test]
async fn s8_1_no_pairwise_subject_without_the_sealing_key() {
    let world = pairwise(Setup::openid(), "rp").start().await;
    let first = subjects(&world, "rp").await;
    let mut key = SEALING_KEY;
    key[0] ^= 1;
    let other = pairwise(Setup::openid(), "rp").builder(move |b| b.sealing_key(&key)).start().await;
    assert_ne!(subjects(&other, "rp").await, first);
}

#[tokio::test]
async fn s8_1_a_pairwise_client_of_another_host_is_another_sector() {
    let world = pairwise(pairwise(Setup::openid(), "rp"), "rp2")
        .client("rp2", |c| {
            let elsewhere = RedirectUri::parse("https://elsewhere.example/cb").unwrap();
            c.redirect_uris = vec![elsewhere];
        })
        .start()
        .await;
    let first = subjects(&world, "rp").await;
    let walk = world.request("rp2").set("redirect_uri", "https://elsewhere.example/cb");
    let code = walk.set("scope", "openid").set("nonce", "n").code().await;
    let ask = world.redeem("rp2", &code).set("redirect_uri", "https://elsewhere.example/cb");
    let id_token = ask.issues().await.id_token.unwrap();
    assert_ne!(world.id_token("rp2", &id_token).await["sub"], first[0].as_str());
}

/// Whoever may introspect, the client itself among them, would otherwise know a user of another sector by the name.
#[tokio::test]
async fn s8_1_introspection_does_not_name_a_pairwise_user() {
    for format in [TokenFormat::Jwt(SigningAlgorithm::ES256), TokenFormat::Opaque] {
        let setup = Setup::openid().policy(|p| p.access_token_format = format);
        let world = pairwise(setup, "rp").start().await;
        let tokens = world.openid_tokens("rp", "openid offline_access").await;
        let public = world.openid_tokens("rp2", "openid offline_access").await;
        for (tokens, name) in [(tokens, None), (public, Some(USERNAME))] {
            let shown = world.introspect(&tokens.access_token).await;
            assert_eq!(shown["active"], true);
            assert_eq!(shown.get("username").and_then(|name| name.as_str()), name);
            let client = shown["client_id"].as_str().unwrap();
            let refresh = world.introspection(client, &tokens.refresh_token.unwrap());
            let shown = refresh.describes().await;
            assert_eq!(shown["active"], true);
            assert_eq!(shown.get("username").and_then(|name| name.as_str()), name);
        }
    }
}

const BACK: &str = "https://client.example/back";

/// Two sectors that are told of one session by one name would know that their users are one.
#[tokio::test]
async fn s8_1_a_session_has_a_name_of_its_own_in_each_sector() {
    let net = Published::new();
    net.put(BACK, "");
    let fetch = net.clone();
    let logs_out = |c: &mut Client| {
        c.metadata.subject_type = SubjectType::Pairwise;
        c.metadata.backchannel_logout_uri = Some(BACK.into());
        c.metadata.frontchannel_logout_uri = Some("https://client.example/front".into());
    };
    let world = Setup::openid()
        .client("rp", logs_out)
        .client("rp2", |c| {
            logs_out(c);
            c.metadata.sector_identifier_uri = Some("https://other.example/sector.json".into());
        })
        .client("web", |c| c.scope = fixtures::scope("openid a"))
        .builder(|b| b.fetch(fetch).logout_page())
        .start()
        .await;
    let sid = |token: &str| opened(token).1["sid"].as_str().unwrap().to_owned();
    let hint = world.id_token_in("s-1", "rp").await;
    let first = sid(&hint);
    assert_eq!(first, sid(&world.id_token_in("s-1", "rp").await));
    assert_ne!(first, sid(&world.id_token_in("s-2", "rp").await));
    let other = sid(&world.id_token_in("s-1", "rp2").await);
    assert_eq!(sid(&world.id_token_in("s-1", "web").await), "s-1");
    let names = std::collections::BTreeSet::from(["s-1", &first, &other]);
    assert_eq!(names.len(), 3, "{names:?}");

    // By its own name each of them logs out and is told of the logout.
    let attempt = |sid| world.logout().set("id_token_hint", &hint).in_session(world.login_in(sid));
    attempt("s-1").proceeds().await;
    drop(attempt("s-2").asks().await);
    let participants = world.provider.log_out("s-1").await.unwrap();
    let pages = world.provider.frontchannel_logouts(&participants).await.unwrap();
    world.provider.deliver_logouts(10).await.unwrap();
    let told = net.sent();
    assert_eq!((pages.len(), told.len()), (2, 2));
    for name in [&first, &other] {
        assert!(pages.iter().any(|page| page.ends_with(&format!("&sid={name}"))), "{pages:?}");
        let is_told = |(_, form): &(String, String)| {
            sid(form.strip_prefix("logout_token=").unwrap()) == *name
        };
        assert!(told.iter().any(is_told));
    }
}

/// Anybody may write any host behind the scheme of an app, and everybody has a 127.0.0.1.
#[test]
fn s8_1_a_redirect_uri_that_proves_nothing_is_no_sector() {
    let at = |id: &str, uri: &str| {
        let redirect_uris = vec![RedirectUri::parse(uri).unwrap()];
        sector(&Client { redirect_uris, ..fixtures::client(id) })
    };
    assert_eq!(at("a", "https://client.example/cb"), "client.example");
    assert_eq!(at("a", "https://client.example:444/cb?x"), "client.example");
    for nobodys in [
        "com.evil.app://client.example/cb",
        "com.evil.app:/cb",
        "http://127.0.0.1/cb",
        "http://127.0.0.1:7/cb",
        "http://[::1]/cb",
        "http://localhost/cb",
        "https://localhost/cb",
        "https://a.localhost/cb",
        "https://127.0.0.2/cb",
    ] {
        assert_eq!(at("a", nobodys), "client a", "{nobodys}");
        assert_ne!(at("a", nobodys), at("b", nobodys));
    }
}
