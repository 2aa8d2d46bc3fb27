//! [RP-Initiated Logout](https://openid.net/specs/openid-connect-rpinitiated-1_0.html).

use crate::support::{Setup, USER, World, opened};
use oauth_core::{
    keys::RotateWhen,
    model::{Client, ClientId, Login, Scope, SubjectType, UserId},
};
use serde_json::{Value, json};

const BYE: &str = "https://client.example/bye";

fn leaves_to(client: &mut Client) {
    client.scope = Scope::parse("openid offline_access a b c").unwrap();
    client.metadata.post_logout_redirect_uris = vec![
        BYE.into(),
        "https://client.example/bye?why=out".into(),
        "com.example.app:/bye".into(),
    ];
}

async fn world() -> World {
    Setup::new()
        .client("web", leaves_to)
        .client("other", |client| {
            leaves_to(client);
            client.metadata.post_logout_redirect_uris = vec!["https://other.example/bye".into()];
        })
        .user("v", "eve@people.example", "secret words")
        .builder(oauth_core::provider::Builder::logout_page)
        .start()
        .await
}

#[tokio::test]
async fn s2_a_hint_that_fits_the_session_is_as_good_as_a_click() {
    let world = world().await;
    let hint = world.id_token_in("s-1", "web").await;
    let request = world
        .logout()
        .set("id_token_hint", &hint)
        .set("post_logout_redirect_uri", BYE)
        .set("state", "st")
        .in_session(world.login_in("s-1"))
        .proceeds()
        .await;
    assert_eq!(request.return_to(), Some("https://client.example/bye?state=st"));
    assert_eq!(request.client().unwrap().id, ClientId::new("web"));

    let bare = world.logout().set("id_token_hint", &hint).in_session(world.login_in("s-1"));
    assert_eq!(bare.proceeds().await.return_to(), None);
}

#[tokio::test]
async fn s2_a_hint_may_have_expired() {
    let world = world().await;
    let hint = world.id_token_in("s-1", "web").await;
    let exp = opened(&hint).1["exp"].as_i64().unwrap();
    world.after(2 * 3600);
    assert!(exp < world.clock_now());
    let attempt = world.logout().set("id_token_hint", &hint).in_session(world.login_in("s-1"));
    attempt.proceeds().await;
}

/// A session may last for weeks, and keys that are published for a day after their time are still known.
#[tokio::test]
async fn s2_a_hint_outlives_the_key_that_signed_it() {
    const DAY: u64 = 86_400;
    let world = world().await;
    let env = world.provider.env();
    let kept = world.id_token_in("s-1", "web").await;
    rotate(&world).await;
    let withdrawn = world.id_token_in("s-1", "web").await;
    rotate(&world).await;
    let attempt = |hint: &str| {
        let attempt = world.logout().set("id_token_hint", hint);
        attempt.in_session(world.login_in("s-1"))
    };
    world.after(29 * DAY);
    world.provider.maintain().await.unwrap();
    let keys = env.key_snapshot(env.clock.now()).await.unwrap();
    for hint in [&kept, &withdrawn] {
        let kid = opened(hint).0["kid"].clone();
        assert!(!keys.jwks().contains(kid.as_str().unwrap()), "it is not published");
        attempt(hint).proceeds().await;
    }
    // A key that was withdrawn says nothing any more.
    let kid = opened(&withdrawn).0["kid"].clone();
    assert!(env.keys.retire(kid.as_str().unwrap(), env.clock.now()).await.unwrap());
    attempt(&withdrawn).refuses().await;
    attempt(&kept).proceeds().await;
    world.after(DAY);
    attempt(&kept).refuses().await;
}

async fn rotate(world: &World) {
    let env = world.provider.env();
    let (alg, now) = (env.policy.algorithms[0], env.clock.now());
    env.keys.rotate(alg, RotateWhen::Now, now).await.unwrap();
}

#[tokio::test]
async fn s2_a_hint_about_somebody_else_has_the_person_asked() {
    let world = world().await;
    let hint = world.id_token_in("s-1", "web").await;
    let eve = Login { user: UserId::new("v"), ..world.login_in("s-1") };
    let nameless = Login { sid: None, ..world.login_in("s-1") };
    for login in [eve, nameless, world.login_in("s-2")] {
        let attempt = world
            .logout()
            .set("id_token_hint", &hint)
            .set("post_logout_redirect_uri", BYE)
            .in_session(login);
        let asked = attempt.clone().asks().await;
        assert_eq!(asked.return_to(), Some(BYE));
        let names: Vec<_> = asked.fields().iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["id_token_hint", "post_logout_redirect_uri"]);
        assert_eq!(attempt.confirmed().proceeds().await.return_to(), Some(BYE));
    }
}

#[tokio::test]
async fn s2_where_nobody_is_signed_in_a_hint_leads_back_at_once() {
    let world = world().await;
    let hint = world.id_token_in("s-1", "web").await;
    let attempt = world.logout().set("id_token_hint", &hint);
    assert_eq!(attempt.clone().proceeds().await.return_to(), None);
    let attempt = attempt.set("post_logout_redirect_uri", BYE);
    assert_eq!(attempt.proceeds().await.return_to(), Some(BYE));
}

#[tokio::test]
async fn s2_pairwise_subjects_are_known_again() {
    let world = Setup::new()
        .client("web", |client| {
            leaves_to(client);
            client.metadata.subject_type = SubjectType::Pairwise;
        })
        .start()
        .await;
    let hint = world.id_token_in("s-1", "web").await;
    assert_ne!(opened(&hint).1["sub"], USER);
    let attempt = world.logout().set("id_token_hint", &hint);
    attempt.clone().in_session(world.login_in("s-1")).proceeds().await;
    let eve = Login { user: UserId::new("v"), ..world.login_in("s-1") };
    attempt.in_session(eve).asks().await;
}

#[tokio::test]
async fn s2_only_id_tokens_of_this_server_are_hints() {
    let world = world().await;
    let tokens = world.tokens_in("s-1", "web", "openid a").await;
    let hint = tokens.id_token.unwrap();
    let (header, claims) = opened(&hint);
    let (signed, signature) = hint.rsplit_once('.').unwrap();
    let mut bytes = signature.as_bytes().to_vec();
    bytes[10] = if bytes[10] == b'A' { b'B' } else { b'A' };
    let modified = format!("{signed}.{}", String::from_utf8(bytes).unwrap());
    let now = world.provider.env().clock.now();
    let keys = world.provider.env().key_snapshot(now).await.unwrap();
    let alg = world.provider.env().policy.algorithms[0];
    let signer = keys.signer(alg, now).unwrap();
    let sign = |typ: &str, change: &dyn Fn(&mut Value)| {
        let mut claims = claims.clone();
        change(&mut claims);
        signer.sign(typ, &claims).unwrap()
    };
    assert_eq!(header["typ"], "JWT");
    let attempt = |hint: &str| {
        let attempt = world.logout().set("id_token_hint", hint);
        attempt.in_session(world.login_in("s-1"))
    };
    attempt(&sign("JWT", &|_| {})).proceeds().await;
    for hint in [
        "",
        "a.b.c",
        &modified,
        &tokens.access_token,
        &sign("at+jwt", &|_| {}),
        &sign("logout+jwt", &|_| {}),
        &sign("JWT", &|c| c["iss"] = json!("https://other.example")),
        // A signed userinfo answer has neither.
        &sign("JWT", &|c| drop(c.as_object_mut().unwrap().remove("exp"))),
        &sign("JWT", &|c| drop(c.as_object_mut().unwrap().remove("auth_time"))),
        &sign("JWT", &|c| drop(c.as_object_mut().unwrap().remove("sub"))),
        &sign("JWT", &|c| c["aud"] = json!(["web", "other"])),
        &sign("JWT", &|c| c["aud"] = json!("gone")),
    ] {
        if hint.is_empty() {
            // An empty parameter counts as none.
            drop(attempt(hint).asks().await);
        } else {
            attempt(hint).refuses().await;
        }
    }
}

#[tokio::test]
async fn s2_hint_and_client_id_have_to_agree() {
    let world = world().await;
    let hint = world.id_token_in("s-1", "web").await;
    let attempt = world.logout().set("id_token_hint", &hint).in_session(world.login_in("s-1"));
    attempt.clone().set("client_id", "web").proceeds().await;
    attempt.clone().set("client_id", "other").refuses().await;
    attempt.set("client_id", "gone").refuses().await;
    let attempt = world.logout().in_session(world.login_in("s-1"));
    assert_eq!(
        attempt.clone().set("client_id", "web").asks().await.client().unwrap().name,
        "Client web"
    );
    attempt.set("client_id", "gone").refuses().await;
}

#[tokio::test]
async fn s2_without_parameters_the_person_is_asked() {
    let world = world().await;
    let asked = world.logout().in_session(world.login_in("s-1")).asks().await;
    assert!(asked.client().is_none() && asked.return_to().is_none() && asked.fields().is_empty());
    world.logout().in_session(world.login_in("s-1")).confirmed().proceeds().await;
    world.logout().proceeds().await;
    // What is a hint to people, or unknown, makes no difference.
    for (name, value) in [("logout_hint", "ada"), ("ui_locales", "de fr"), ("unknown", "x")] {
        world.logout().set(name, value).in_session(world.login_in("s-1")).asks().await;
        world.logout().set(name, value).proceeds().await;
    }
}

#[tokio::test]
async fn s3_the_address_must_be_registered_exactly() {
    let world = world().await;
    let hint = world.id_token_in("s-1", "web").await;
    let attempt = |uri: &str| {
        let attempt = world.logout().set("id_token_hint", &hint).set("state", "x y");
        attempt.set("post_logout_redirect_uri", uri)
    };
    for (uri, expected) in [
        (BYE, "https://client.example/bye?state=x+y"),
        ("https://client.example/bye?why=out", "https://client.example/bye?why=out&state=x+y"),
        ("com.example.app:/bye", "com.example.app:/bye?state=x+y"),
    ] {
        let request = attempt(uri).in_session(world.login_in("s-1")).proceeds().await;
        assert_eq!(request.return_to(), Some(expected));
    }
    for uri in [
        "https://client.example/bye/",
        "https://client.example/BYE",
        "https://client.example/bye?",
        "https://client.example/bye?why=out&more=1",
        "https://client.example:443/bye",
        "http://client.example/bye",
        "https://client.example/cb",
        "https://other.example/bye",
        "https://evil.example/",
        "//evil.example",
        "/",
        "javascript:alert(1)",
    ] {
        attempt(uri).refuses().await;
        attempt(uri).in_session(world.login_in("s-1")).refuses().await;
    }
}

#[tokio::test]
async fn s3_without_proof_nobody_is_sent_anywhere() {
    let world = world().await;
    let unproven = world.logout().set("post_logout_redirect_uri", BYE).set("state", "st");
    unproven.clone().refuses().await;
    unproven.clone().in_session(world.login_in("s-1")).refuses().await;
    // client_id proves nothing, but after a click it is enough.
    for attempt in [unproven.clone(), unproven.in_session(world.login_in("s-1"))] {
        let attempt = attempt.set("client_id", "web");
        let asked = attempt.clone().asks().await;
        assert_eq!(asked.fields().len(), 3);
        let request = attempt.clone().confirmed().proceeds().await;
        assert_eq!(request.return_to(), Some("https://client.example/bye?state=st"));
        attempt.set("client_id", "other").refuses().await;
    }
    // Without an address, state means nothing.
    let request = world.logout().set("state", "st").proceeds().await;
    assert_eq!(request.return_to(), None);
}

#[tokio::test]
async fn s3_state_comes_back_byte_for_byte() {
    let world = world().await;
    let hint = world.id_token_in("s-1", "web").await;
    let long = "0123456789".repeat(100);
    for state in ["a b+c%20&d=e#f", "é€𝄞\u{7f}", "\"<>'", &long] {
        let attempt = world.logout().set("id_token_hint", &hint);
        let attempt = attempt.set("post_logout_redirect_uri", BYE).set("state", state);
        let request = attempt.proceeds().await;
        let url = url::Url::parse(request.return_to().unwrap()).unwrap();
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        assert_eq!(pairs, [("state".to_owned(), state.to_owned())]);
        assert!(url.as_str().is_ascii() && url.fragment().is_none());
    }
}

#[tokio::test]
async fn s2_1_the_metadata_tells_of_it_where_there_is_a_page() {
    let world = world().await;
    let metadata = world.provider.metadata();
    assert_eq!(metadata["end_session_endpoint"], "https://as.example/oauth/logout");
    let without = World::new().await;
    assert!(without.provider.metadata().get("end_session_endpoint").is_none());
    let plain = Setup::new().policy(|p| p.openid = false);
    let plain = plain.builder(oauth_core::provider::Builder::logout_page).start().await;
    assert!(plain.provider.metadata().get("end_session_endpoint").is_none());
}
