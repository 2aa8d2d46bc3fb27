//! `/admin/keys`.

use crate::{
    pages_actors::{Made, Page, SignedIn},
    pages_admin::{administrator, once, refused},
    support::{Server, config, json, logged, start},
};
use axum::{Router, body::Body};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Request, StatusCode};
use oauth_core::{
    jose::{KeySet, verify},
    model::SigningAlgorithm,
    ports::{Clock, SystemRandom},
};
use oauth_server::{
    routes,
    state::{AppState, World},
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tower::ServiceExt as _;

const KEYS: &str = "/admin/keys";
const ROTATE: &str = "/admin/keys/rotate";
const ROTATE_NOW: &str = "/admin/keys/rotate_now";
const RETIRE: &str = "/admin/keys/retire";

/// The key set that a server publishes.
async fn key_set(router: &Router) -> Value {
    let request = Request::get("/.well-known/jwks.json").body(Body::empty()).unwrap();
    json(router.clone().oneshot(request).await.unwrap()).await
}

/// Whether a token is signed by one of the published keys.
async fn verifies(router: &Router, token: &str) -> bool {
    let keys = KeySet::from_jwks(&key_set(router).await);
    verify(token, &keys, &SigningAlgorithm::ALL).is_ok()
}

/// The ids of the published keys, in their order.
async fn published(router: &Router) -> Vec<String> {
    let set = key_set(router).await;
    let kid = |key: &Value| key["kid"].as_str().unwrap().to_owned();
    set["keys"].as_array().unwrap().iter().map(kid).collect()
}

/// Another server on the same database.
async fn another(server: &Server) -> Router {
    let mut config = config("", &server.folder);
    config.keys.algorithms = vec![SigningAlgorithm::ES256];
    let clock = Arc::clone(&server.clock) as Arc<dyn Clock>;
    let world = World { clock, random: Arc::new(SystemRandom) };
    routes::router(&AppState::open(config, world).await.unwrap())
}

/// An access token for a client.
async fn token(ada: &SignedIn<'_>, client: &Made) -> String {
    let code = ada.allow(&client.id).await;
    client.exchange(ada.server, &code).await["access_token"].as_str().unwrap().to_owned()
}

fn kid(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

/// Whether a server says that a token is alive.
async fn is_active(router: &Router, client: &Made, token: &str) -> bool {
    let basic = (&*client.id, client.secret.as_deref().unwrap());
    let request =
        crate::support::form_request("/oauth/introspect", Some(basic), &[("token", token)]);
    json(router.clone().oneshot(request).await.unwrap()).await["active"].as_bool().unwrap()
}

fn states(page: &Page) -> Vec<String> {
    let count = page.html.matches("id=\"state-ES256-").count();
    (1..=count).map(|i| page.by_id(&format!("state-ES256-{i}"))).collect()
}

async fn rotate_now(admin: &SignedIn<'_>) -> Page {
    let once = once(admin, "/admin/keys/rotate_now?algorithm=ES256").await;
    let form = [("algorithm", "ES256"), ("confirm", "yes"), ("once", &*once)];
    admin.post(ROTATE_NOW, &form).await
}

async fn retire(admin: &SignedIn<'_>, kid: &str) -> Page {
    let once = once(admin, &format!("/admin/keys/retire?kid={kid}")).await;
    admin.post(RETIRE, &[("kid", kid), ("confirm", "yes"), ("once", &*once)]).await
}

#[tokio::test]
async fn a_key_can_be_replaced_while_everybody_serves() {
    let server = start("").await;
    let ada = administrator(&server, "ada").await;
    let client = ada.create_client(&[]).await;
    let old = token(&ada, &client).await;
    let other = another(&server).await;
    let before = published(&server.router).await;
    assert_eq!((before.len(), &published(&other).await), (1, &before));

    assert_eq!(rotate_now(&ada).await.location(), "/admin/keys?done=rotated_now");
    let after = published(&server.router).await;
    assert!(after.len() == 2 && after.contains(&before[0]), "{after:?}");
    let new = token(&ada, &client).await;
    assert_eq!((&kid(&old), &kid(&new)), (&before[0], &after[1]));
    assert!(verifies(&server.router, &old).await && verifies(&server.router, &new).await);
    assert!(is_active(&server.router, &client, &old).await);
    assert!(is_active(&server.router, &client, &new).await);
    let page = ada.get(KEYS).await;
    assert_eq!(states(&page), ["still published until 22 September 2026, 14:13 UTC", "signing"]);

    assert_eq!(published(&other).await, before, "it has looked a moment ago");
    server.clock.advance(Duration::from_mins(1));
    assert_eq!(published(&other).await, after);
    assert!(is_active(&other, &client, &old).await && is_active(&other, &client, &new).await);

    // What the other one does shows here at once.
    assert_eq!(retire(&ada, &before[0]).await.location(), "/admin/keys?done=retired");
    assert_eq!(published(&server.router).await, after[1..]);
    assert!(!verifies(&server.router, &old).await && verifies(&server.router, &new).await);
    assert!(is_active(&server.router, &client, &new).await);
    server.clock.advance(Duration::from_mins(1));
    assert_eq!(published(&other).await, after[1..]);
    assert!(!verifies(&other, &old).await && verifies(&other, &new).await);
}

#[tokio::test]
async fn the_next_key_waits_for_its_time() {
    let server = start("[keys]\npublish_lead = \"10m\"").await;
    let ada = administrator(&server, "ada").await;
    let client = ada.create_client(&[]).await;
    let mark = ada.get(KEYS).await.value("once");
    let form = [("algorithm", "ES256"), ("once", &*mark)];
    let page = ada.post(ROTATE, &form).await;
    assert_eq!(page.location(), "/admin/keys?done=rotated");
    let page = ada.get(page.location()).await;
    assert!(page.by_id("notice").starts_with("The next key is published."));
    assert!(page.by_id("main").contains("published for 10 minutes before it signs"));
    assert_eq!(states(&page), ["signing", "published and waiting"]);
    assert_eq!(published(&server.router).await.len(), 2);
    let page = ada.post(ROTATE, &form).await;
    assert_eq!(page.location(), "/admin/keys?done=already", "sent twice, made once");
    assert_eq!(published(&server.router).await.len(), 2);
    let [old, new] = published(&server.router).await.try_into().unwrap();
    assert_eq!(kid(&token(&ada, &client).await), old);
    server.clock.advance(Duration::from_mins(10));
    assert_eq!(kid(&token(&ada, &client).await), new);
    assert_eq!(states(&ada.get(KEYS).await)[1], "signing");
}

#[tokio::test]
async fn what_cannot_be_undone_is_asked_first() {
    let server = start("").await;
    let ada = administrator(&server, "ada").await;
    let before = published(&server.router).await;
    let kid = &*before[0];
    let asks_now = "/admin/keys/rotate_now?algorithm=ES256";
    let asks_retire = format!("/admin/keys/retire?kid={kid}");
    let mark = once(&ada, asks_now).await;
    // Without the answer, with another one, or from a form that is not the question's.
    for more in [
        &[][..],
        &[("confirm", "yes")],
        &[("once", &*mark)],
        &[("confirm", "no"), ("once", &*mark)],
    ] {
        let form = [&[("algorithm", "ES256")], more].concat();
        assert_eq!(ada.post(ROTATE_NOW, &form).await.location(), asks_now);
        let form = [&[("kid", kid)], more].concat();
        assert_eq!(ada.post(RETIRE, &form).await.location(), asks_retire);
    }
    let page = ada.get(asks_now).await;
    assert_eq!(page.by_id("about"), "ES256");
    assert!(page.by_id("consequence").contains("refuses them until that copy is renewed"));
    let page = ada.get(&asks_retire).await;
    assert_eq!((page.by_id("about"), page.href("cancel")), (kid.to_owned(), KEYS.to_owned()));
    assert_eq!(published(&server.router).await, before, "asking changes nothing");
    // Said twice, done once.
    let form = [("algorithm", "ES256"), ("confirm", "yes"), ("once", &*mark)];
    assert_eq!(ada.post(ROTATE_NOW, &form).await.location(), "/admin/keys?done=rotated_now");
    assert_eq!(ada.post(ROTATE_NOW, &form).await.location(), "/admin/keys?done=already");
    assert_eq!(published(&server.router).await.len(), 2);
}

#[tokio::test]
async fn the_last_key_that_is_retired_has_a_successor_at_once() {
    let server = start("").await;
    let ada = administrator(&server, "ada").await;
    let before = published(&server.router).await;
    assert_eq!(retire(&ada, &before[0]).await.location(), "/admin/keys?done=retired");
    let after = published(&server.router).await;
    assert!(after.len() == 1 && after != before);
    let page = ada.get(KEYS).await;
    assert_eq!(states(&page), ["retired on 21 September 2026, 14:13 UTC", "signing"]);
    assert!(!page.has("retire-ES256-1") && page.has("retire-ES256-2"));
    let gone = format!("/admin/keys/retire?kid={}", before[0]);
    assert_eq!(ada.get(&gone).await.location(), "/admin/keys?done=was_retired");
    let form = [("kid", &*before[0]), ("confirm", "yes"), ("once", "another")];
    assert_eq!(ada.post(RETIRE, &form).await.location(), "/admin/keys?done=was_retired");
    assert_eq!(published(&server.router).await, after);
}

#[tokio::test]
async fn keys_and_algorithms_that_are_none_are_not_found() {
    let server = start("").await;
    let ada = administrator(&server, "ada").await;
    let before = published(&server.router).await;
    for bad in ["nonsense", "%20", "-x"] {
        let page = ada.get(&format!("/admin/keys/retire?kid={bad}")).await;
        refused(&page, StatusCode::NOT_FOUND, "not_found");
        let page = ada.get(&format!("/admin/keys/rotate_now?algorithm={bad}")).await;
        refused(&page, StatusCode::NOT_FOUND, "not_found");
    }
    for bad in ["nonsense", "RS512", "es256", "none"] {
        let form = [("kid", bad), ("algorithm", bad), ("confirm", "yes"), ("once", "x")];
        for path in [RETIRE, ROTATE, ROTATE_NOW] {
            refused(&ada.post(path, &form).await, StatusCode::NOT_FOUND, "not_found");
        }
    }
    for path in [RETIRE, ROTATE, ROTATE_NOW] {
        refused(&ada.post(path, &[]).await, StatusCode::BAD_REQUEST, "invalid_request");
    }
    for path in [RETIRE, ROTATE_NOW] {
        refused(&ada.get(path).await, StatusCode::BAD_REQUEST, "invalid_request");
    }
    assert_eq!(published(&server.router).await, before);
}

#[tokio::test]
async fn every_change_is_in_the_log_with_who_made_it() {
    let server = start("").await;
    let ada = administrator(&server, "ada").await;
    let log = logged(async {
        ada.post(ROTATE, &[("algorithm", "ES256")]).await;
        rotate_now(&ada).await;
        let kid = published(&server.router).await.remove(0);
        retire(&ada, &kid).await;
    })
    .await;
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line["message"] == "administrator made a change")
        .collect();
    let what: Vec<&str> = lines.iter().map(|line| line["what"].as_str().unwrap()).collect();
    assert_eq!(
        what,
        ["next signing key made", "signing key replaced at once", "signing key retired"]
    );
    for line in lines {
        assert_eq!(
            (&line["user.id"], &line["level"]),
            (&ada.id.as_str().into(), &"INFO".into()),
            "{line}"
        );
        assert_eq!(line["of"].as_str().unwrap().len(), 43, "{line}");
    }
}
