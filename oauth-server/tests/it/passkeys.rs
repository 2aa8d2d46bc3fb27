//! Passkeys: adding one, signing in with it, and everything that must not do instead.

use crate::{
    pages_actors::{CALLBACK, PASSWORD, Page, SignedIn, VERIFIER, Visitor, interaction, parameter},
    second_factor::enrol,
    second_factor_demanded::{EVERYBODY, SET_UP},
    soft_authenticator::{Authenticator, Lie, NONE},
    support::{Server, json as body, logged, start, start_in, text, two_on},
};
use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use http::{Request, StatusCode};
use oauth_core::testing::TestDatabase;
use oauth_server::{
    activity::{Deed, What},
    entity::{ceremony, identity, passkey, passkey_holder},
    maintenance,
    personal_data::{self, Deletion},
    sign_in::ACR_MULTI_FACTOR,
    social::Unlinked,
};
use sea_orm::{ActiveValue::Set, EntityTrait as _, PaginatorTrait as _};
use serde_json::{Value, json};
use std::time::Duration;
use tower::ServiceExt as _;

/// Passkeys belong to a name.
pub const HERE: &str = "[server]\npublic_url = \"http://localhost:4999\"\n";
const PAGE: &str = "/account/passkeys";
const NOT_ACCEPTED: &str = "This passkey is not accepted here.";
const OVER: &str =
    "This took too long, was finished already, or began in another browser. Try again.";

/// The options that the script of a page gets.
async fn options(visitor: &Visitor<'_>, path: &str) -> Value {
    let page = visitor.post(path, &[]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    serde_json::from_str(&page.html).unwrap()
}

/// Adds a passkey.
async fn add(who: &SignedIn<'_>, device: &Authenticator, name: &str) -> Page {
    let options = options(who, &format!("{PAGE}/begin")).await;
    let answer = device.create(&options, &NONE);
    who.post(&format!("{PAGE}/add"), &[("credential", &answer), ("name", name)]).await
}

/// Somebody with a passkey.
async fn somebody<'s>(server: &'s Server, name: &str) -> (SignedIn<'s>, Authenticator) {
    let who = server.signed_up(name).await;
    let device = Authenticator::new();
    assert_eq!(
        add(&who, &device, "Phone").await.location(),
        "/account/passkeys?done=passkey_added"
    );
    (who, device)
}

/// Signs in with a passkey.
async fn enter(
    visitor: &Visitor<'_>,
    device: &Authenticator,
    lie: &Lie,
    more: &[(&str, &str)],
) -> Page {
    let options = options(visitor, "/login/passkey/begin").await;
    let answer = device.get(&options, lie);
    visitor.post("/login/passkey", &[&[("credential", &*answer)], more].concat()).await
}

async fn is_signed_in(visitor: &Visitor<'_>) -> bool {
    visitor.get("/").await.has("nav-logout")
}

#[track_caller]
fn assert_refused(page: &Page, status: StatusCode, why: &str) {
    assert_eq!((page.status, page.problems()), (status, vec!["passkey"]), "{}", page.html);
    assert_eq!(page.by_id("passkey-problem"), why);
    assert!(!page.headers.contains_key("set-cookie"));
}

/// The ids of the passkeys of somebody.
async fn ids(who: &SignedIn<'_>) -> Vec<String> {
    let rows = who.server.state.passkeys.list(&who.id).await.unwrap();
    rows.iter().map(|row| row.id.to_string()).collect()
}

/// What the page of activity says.
async fn activity(who: &Visitor<'_>) -> String {
    who.get("/account/activity").await.html
}

#[tokio::test]
async fn a_passkey_signs_in_whoever_holds_it_without_a_name() {
    let server = start(HERE).await;
    let (ada, device) = somebody(&server, "ada").await;
    let page = ada.get(PAGE).await;
    assert!(page.by_id("passkey-1").starts_with("Phone"), "{}", page.html);
    assert!(page.html.contains("on one device"));
    let visitor = server.visitor();
    let page = enter(&visitor, &device, &NONE, &[("to", "account")]).await;
    assert_eq!(page.location(), "/account");
    assert!(is_signed_in(&visitor).await);
    assert_eq!(visitor.get("/account").await.by_id("who"), "ada");
    assert_eq!(visitor.cookie("oauth_passkey"), None, "the browser forgets the challenge");
    let log = activity(&visitor).await;
    assert!(log.contains("With a passkey") && log.contains("A passkey was added"), "{log}");
    assert!(!visitor.get(PAGE).await.html.contains("<dd>never</dd>"));
    // Again, and without a count where the authenticator has none.
    assert_eq!(enter(&server.visitor(), &device, &NONE, &[]).await.location(), "/");
    let phone = Authenticator::synced();
    add(&ada, &phone, "").await;
    for _ in 0..2 {
        assert_eq!(enter(&server.visitor(), &phone, &NONE, &[]).await.location(), "/");
    }
    assert!(ada.get(PAGE).await.html.contains("may be on several devices"));
}

#[tokio::test]
async fn the_options_ask_for_a_passkey_that_is_found_without_a_name_and_checks_its_holder() {
    let server = start(HERE).await;
    let (ada, device) = somebody(&server, "ada").await;
    let wanted = options(&ada, &format!("{PAGE}/begin")).await["publicKey"].clone();
    let selection = &wanted["authenticatorSelection"];
    assert_eq!(
        (&selection["residentKey"], &selection["requireResidentKey"]),
        (&json!("required"), &json!(true))
    );
    assert_eq!(selection["userVerification"], "required");
    assert_eq!(
        (&wanted["rp"]["id"], &wanted["user"]["name"]),
        (&json!("localhost"), &json!("ada"))
    );
    assert_eq!(wanted["excludeCredentials"].as_array().unwrap().len(), 1, "the one there is");
    let handle = URL_SAFE_NO_PAD.encode(device.handle());
    assert_eq!(wanted["user"]["id"], handle, "a user has one handle");
    assert_eq!(device.handle().len(), 16);
    assert_ne!(uuid::Uuid::from_slice(&device.handle()).unwrap().to_string(), ada.id.as_str());
    let asked = options(&server.visitor(), "/login/passkey/begin").await;
    assert!(asked.get("mediation").is_none(), "{asked}");
    let asked = &asked["publicKey"];
    assert_eq!(
        (&asked["rpId"], &asked["userVerification"]),
        (&json!("localhost"), &json!("required"))
    );
    assert_eq!(asked["allowCredentials"], json!([]), "nobody learns who has which");
}

#[tokio::test]
async fn an_application_hears_of_more_than_one_factor() {
    let server = start(HERE).await;
    server.relying_party("rp", &[]).await;
    let (_ada, device) = somebody(&server, "ada").await;
    let claims =
        json!({"id_token": {"acr": {"essential": true, "values": [ACR_MULTI_FACTOR]}}}).to_string();
    let ask = [("scope", "openid"), ("claims", &*claims), ("nonce", "n")];
    let visitor = server.visitor();
    let asked = visitor.authorize("rp", &ask).await;
    let page = visitor.get(&asked).await;
    let csp = page.header("content-security-policy");
    assert!(csp.contains("script-src 'self'; connect-src 'self'"), "{csp}");
    let id = interaction(&asked);
    let page = enter(&visitor, &device, &NONE, &[("interaction", &id)]).await;
    let consent = page.header("location").to_owned();
    assert!(consent.starts_with("/consent?"), "{page:?}");
    let form = [("interaction", &*interaction(&consent)), ("decision", "allow")];
    let page = visitor.post("/consent", &form).await;
    let code = parameter(page.header("location"), "code").expect("there is a code");
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let tokens = body(server.post("/oauth/token", Some(("rp", "secret")), &form).await).await;
    let payload = tokens["id_token"].as_str().unwrap().split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    assert_eq!(claims["amr"], json!(["hwk", "user", "mfa"]));
    assert_eq!(claims["acr"], ACR_MULTI_FACTOR);
}

/// A lie about signing in, the code in the log, and what the person reads.
const LIES: &[(Lie, &str, &str)] = &[
    (Lie { challenge: Some("AAAA"), ..NONE }, "wrong_challenge", NOT_ACCEPTED),
    (Lie { origin: Some("http://localhost:5000"), ..NONE }, "wrong_origin", NOT_ACCEPTED),
    (Lie { origin: Some("https://evil.example"), ..NONE }, "wrong_origin", NOT_ACCEPTED),
    (Lie { host: Some("evil.example"), ..NONE }, "wrong_host", NOT_ACCEPTED),
    (Lie { kind: Some("webauthn.create"), ..NONE }, "wrong_type", NOT_ACCEPTED),
    (Lie { signature: true, ..NONE }, "wrong_signature", NOT_ACCEPTED),
    (Lie { absent: true, ..NONE }, "wrong", NOT_ACCEPTED),
    (Lie { framed: true, ..NONE }, "framed", NOT_ACCEPTED),
    (Lie { id: Some(b"another credential"), ..NONE }, "unknown", NOT_ACCEPTED),
    (Lie { handle: Some(&[7; 16]), ..NONE }, "unknown", NOT_ACCEPTED),
    (
        Lie { unverified: true, ..NONE },
        "unverified",
        "Your device did not check that it is you. Try again with your fingerprint, your face or a PIN.",
    ),
];

#[tokio::test]
async fn each_thing_that_is_wrong_with_an_answer_keeps_out() {
    let server = start(HERE).await;
    let (_ada, device) = somebody(&server, "ada").await;
    for (lie, code, why) in LIES {
        let visitor = server.visitor();
        let log = logged(async {
            let page = enter(&visitor, &device, lie, &[]).await;
            assert_refused(&page, StatusCode::FORBIDDEN, why);
        })
        .await;
        assert!(log.contains(&format!("\"code\":\"{code}\"")), "{lie:?}: {log}");
        assert!(!is_signed_in(&visitor).await, "{lie:?}");
        // The twin without the lie.
        assert_eq!(enter(&visitor, &device, &NONE, &[]).await.location(), "/");
    }
}

#[tokio::test]
async fn what_is_no_answer_is_refused() {
    let server = start(HERE).await;
    let (_ada, device) = somebody(&server, "ada").await;
    let what = "What came from your browser is not the answer of a passkey. Try again.";
    for answer in ["", "null", "{}", "[1", &"[".repeat(10_000), &"1".repeat(60_000)] {
        let visitor = server.visitor();
        options(&visitor, "/login/passkey/begin").await;
        let page = visitor.post("/login/passkey", &[("credential", answer)]).await;
        assert_refused(&page, StatusCode::BAD_REQUEST, what);
    }
    let visitor = server.visitor();
    let wanted = options(&visitor, "/login/passkey/begin").await;
    let mut answer: Value = serde_json::from_str(&device.get(&wanted, &NONE)).unwrap();
    answer["response"]["userHandle"] = json!(null);
    let page = visitor.post("/login/passkey", &[("credential", &answer.to_string())]).await;
    assert_refused(&page, StatusCode::BAD_REQUEST, what);
}

#[tokio::test]
async fn a_challenge_is_answered_once_by_the_browser_that_asked_and_soon() {
    let server = start(HERE).await;
    let (ada, device) = somebody(&server, "ada").await;
    let visitor = server.visitor();
    let wanted = options(&visitor, "/login/passkey/begin").await;
    let handle = visitor.cookie("oauth_passkey").unwrap();
    let answer = device.get(&wanted, &NONE);
    let form = [("credential", &*answer)];
    // Another browser, or none of ours.
    let other = server.visitor();
    let page = other.post("/login/passkey", &form).await;
    assert_refused(&page, StatusCode::FORBIDDEN, OVER);
    other.plant("oauth_passkey", "x");
    assert_refused(&other.post("/login/passkey", &form).await, StatusCode::FORBIDDEN, OVER);
    assert_eq!(visitor.post("/login/passkey", &form).await.location(), "/");
    // The same again, in a browser with the same cookie.
    other.plant("oauth_passkey", &handle);
    assert_refused(&other.post("/login/passkey", &form).await, StatusCode::FORBIDDEN, OVER);
    // A wrong answer uses the challenge up as well.
    let wanted = options(&other, "/login/passkey/begin").await;
    let handle = other.cookie("oauth_passkey").unwrap();
    let lie = device.get(&wanted, &Lie { signature: true, ..NONE });
    let page = other.post("/login/passkey", &[("credential", &lie)]).await;
    assert_refused(&page, StatusCode::FORBIDDEN, NOT_ACCEPTED);
    other.plant("oauth_passkey", &handle);
    let right = device.get(&wanted, &NONE);
    let page = other.post("/login/passkey", &[("credential", &right)]).await;
    assert_refused(&page, StatusCode::FORBIDDEN, OVER);
    // One that took too long.
    let wanted = options(&other, "/login/passkey/begin").await;
    server.clock.advance(Duration::from_mins(5));
    let late = device.get(&wanted, &NONE);
    let page = other.post("/login/passkey", &[("credential", &late)]).await;
    assert_refused(&page, StatusCode::FORBIDDEN, OVER);
    assert!(!is_signed_in(&other).await);
    assert!(maintenance::sweep(&server.state).await.unwrap() > 0, "it is swept");
    let left = ceremony::Entity::find().count(server.state.store.database()).await.unwrap();
    assert_eq!(left, 0);
    // What was begun for adding is good for nothing else, and the other way round.
    let wanted = options(&ada, &format!("{PAGE}/begin")).await;
    let (id, signed) = (wanted["publicKey"]["challenge"].clone(), Authenticator::new());
    signed.create(&wanted, &NONE);
    let asked = json!({"publicKey": {"challenge": id, "rpId": "localhost"}});
    let page = ada.post("/login/passkey", &[("credential", &device.get(&asked, &NONE))]).await;
    assert_refused(&page, StatusCode::FORBIDDEN, OVER);
    options(&ada, "/login/passkey/begin").await;
    let form = [("credential", &*signed.create(&wanted, &NONE))];
    assert_refused(&ada.post(&format!("{PAGE}/add"), &form).await, StatusCode::FORBIDDEN, OVER);
}

#[tokio::test]
async fn a_browser_has_one_challenge_at_a_time() {
    let server = start(HERE).await;
    let visitor = server.visitor();
    for _ in 0..3 {
        options(&visitor, "/login/passkey/begin").await;
    }
    let rows = ceremony::Entity::find().count(server.state.store.database()).await.unwrap();
    assert_eq!(rows, 1);
}

#[tokio::test]
async fn a_count_that_does_not_grow_is_refused_and_its_owner_sees_it() {
    let server = start(HERE).await;
    let (ada, device) = somebody(&server, "ada").await;
    for _ in 0..3 {
        enter(&server.visitor(), &device, &NONE, &[]).await;
    }
    for count in [0, 2, 3] {
        let lie = Lie { count: Some(count), ..NONE };
        let log = logged(async {
            let page = enter(&server.visitor(), &device, &lie, &[]).await;
            assert_refused(&page, StatusCode::FORBIDDEN, NOT_ACCEPTED);
        })
        .await;
        assert!(log.contains("\"code\":\"counter\""), "{log}");
    }
    let log = activity(&ada).await;
    assert_eq!(log.matches("there may be a copy of it").count(), 3, "{log}");
    let lie = Lie { count: Some(100), ..NONE };
    assert_eq!(enter(&server.visitor(), &device, &lie, &[]).await.location(), "/");
}

#[tokio::test]
async fn a_passkey_that_was_removed_and_one_of_somebody_locked_out_keep_out() {
    let server = start(HERE).await;
    let (ada, device) = somebody(&server, "ada").await;
    let (bob, other) = somebody(&server, "bob").await;
    let visitor = server.visitor();
    let wanted = options(&visitor, "/login/passkey/begin").await;
    let id = &ids(&ada).await[0];
    let page = ada.post(&format!("{PAGE}/remove"), &[("passkey", id)]).await;
    assert_eq!(page.location(), "/account/passkeys?done=passkey_removed");
    let log = logged(async {
        let answer = device.get(&wanted, &NONE);
        let page = visitor.post("/login/passkey", &[("credential", &answer)]).await;
        assert_refused(&page, StatusCode::FORBIDDEN, NOT_ACCEPTED);
    })
    .await;
    assert!(log.contains("\"code\":\"unknown\""), "{log}");
    server.state.store.set_disabled(&bob.id, true).await.unwrap();
    let log = logged(async {
        let page = enter(&visitor, &other, &NONE, &[]).await;
        assert_refused(&page, StatusCode::FORBIDDEN, NOT_ACCEPTED);
    })
    .await;
    assert!(log.contains("\"code\":\"locked\""), "{log}");
    assert!(!is_signed_in(&visitor).await);
    server.state.store.set_disabled(&bob.id, false).await.unwrap();
    assert_eq!(enter(&visitor, &other, &NONE, &[]).await.location(), "/");
}

#[tokio::test]
async fn adding_takes_a_recent_sign_in_and_a_right_answer() {
    let server = start(HERE).await;
    let ada = server.signed_up("ada").await;
    let (begin, finish) = (format!("{PAGE}/begin"), format!("{PAGE}/add"));
    let device = Authenticator::new();
    for (lie, code) in [
        (Lie { challenge: Some("AAAA"), ..NONE }, "wrong_challenge"),
        (Lie { origin: Some("https://evil.example"), ..NONE }, "wrong_origin"),
        (Lie { host: Some("evil.example"), ..NONE }, "wrong_host"),
        (Lie { kind: Some("webauthn.get"), ..NONE }, "wrong_type"),
        (Lie { unverified: true, ..NONE }, "unverified"),
        (Lie { absent: true, ..NONE }, "wrong"),
        (Lie { framed: true, ..NONE }, "framed"),
    ] {
        let log = logged(async {
            let answer = device.create(&options(&ada, &begin).await, &lie);
            let page = ada.post(&finish, &[("credential", &answer)]).await;
            assert_eq!((page.status, page.problems()), (StatusCode::FORBIDDEN, vec!["passkey"]));
        })
        .await;
        assert!(log.contains(&format!("\"code\":\"{code}\"")), "{lie:?}: {log}");
    }
    assert!(ids(&ada).await.is_empty());
    // Another person in the same browser does not finish what the first began.
    let wanted = options(&ada, &begin).await;
    let bob = server.visitor().sign_up("bob").await;
    bob.plant("oauth_passkey", &ada.cookie("oauth_passkey").unwrap());
    let answer = device.create(&wanted, &NONE);
    let page = bob.post(&finish, &[("credential", &answer)]).await;
    assert_refused(&page, StatusCode::FORBIDDEN, OVER);
    let page = ada.post(&finish, &[("credential", &answer), ("name", &"n".repeat(65))]).await;
    assert_eq!((page.status, page.problems()), (StatusCode::UNPROCESSABLE_ENTITY, vec!["name"]));
    let page = ada.post(&finish, &[("credential", &answer)]).await;
    assert_eq!(page.location(), "/account/passkeys?done=passkey_added");
    let page = ada.post(&finish, &[("credential", &answer)]).await;
    assert_refused(&page, StatusCode::FORBIDDEN, OVER);
    // Nobody, and somebody who signed in long ago.
    let page = server.visitor().post(&begin, &[]).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert!(page.html.contains("\"code\":\"not_signed_in\""), "{}", page.html);
    assert_eq!(server.visitor().post(&finish, &[]).await.location(), "/login?to=passkeys");
    server.clock.advance(Duration::from_hours(1));
    let page = ada.post(&begin, &[]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.html.contains("\"code\":\"sign_in_again\""), "{}", page.html);
    assert_eq!(page.header("content-type"), "application/problem+json");
    for path in ["/add", "/rename", "/remove"] {
        let page = ada.post(&format!("{PAGE}{path}"), &[]).await;
        assert_eq!(page.location(), "/login?to=passkeys", "{path}");
    }
    assert_eq!(ada.get(PAGE).await.location(), "/login?to=passkeys");
    assert_eq!(ada.get("/login?to=passkeys").await.status, StatusCode::OK, "to sign in again");
}

/// A credential that two say they have.
const ID: &[u8] = b"one credential for two";

#[tokio::test]
async fn a_passkey_is_one_persons_and_nobody_has_more_than_twenty() {
    let server = start(HERE).await;
    let (ada, device) = somebody(&server, "ada").await;
    let (begin, finish) = (format!("{PAGE}/begin"), format!("{PAGE}/add"));
    // The same credential for somebody else.
    let lie = Lie { id: Some(ID), ..NONE };
    let answer = device.create(&options(&ada, &begin).await, &lie);
    ada.post(&finish, &[("credential", &answer)]).await.location();
    let bob = server.signed_up("bob").await;
    let answer = device.create(&options(&bob, &begin).await, &lie);
    let page = bob.post(&finish, &[("credential", &answer)]).await;
    assert_refused(&page, StatusCode::CONFLICT, "This passkey is in use already.");
    // One device has one for each person: the browser is told which, and ours does not listen.
    let answer = device.create(&options(&ada, &begin).await, &lie);
    let page = ada.post(&finish, &[("credential", &answer)]).await;
    assert_refused(&page, StatusCode::FORBIDDEN, NOT_ACCEPTED);
    for _ in 2..19 {
        add(&ada, &device, "").await.location();
    }
    // Two browsers at the last one there is room for.
    let slow = server.visitor().sign_in("ada").await;
    let wanted = options(&slow, &begin).await;
    add(&ada, &device, "").await.location();
    assert_eq!(ids(&ada).await.len(), 20);
    let page = slow.post(&finish, &[("credential", &device.create(&wanted, &NONE))]).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.html.contains("You have 20 passkeys. Remove one first."), "{}", page.html);
    assert!(ada.get(PAGE).await.has("no-room"));
    let page = ada.post(&begin, &[]).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.html.contains("\"code\":\"too_many\""), "{}", page.html);
}

#[tokio::test]
async fn passkeys_are_renamed_and_removed_by_their_owner() {
    let server = start(HERE).await;
    let (ada, _) = somebody(&server, "ada").await;
    let bob = server.signed_up("bob").await;
    let id = ids(&ada).await.remove(0);
    let (rename, remove) = (format!("{PAGE}/rename"), format!("{PAGE}/remove"));
    for name in ["", "  ", &"n".repeat(65), "a\u{202e}b"] {
        let page = ada.post(&rename, &[("passkey", &id), ("name", name)]).await;
        assert_eq!(
            (page.status, page.problems()),
            (StatusCode::UNPROCESSABLE_ENTITY, vec!["passkeys"])
        );
    }
    let page = ada.post(&rename, &[("passkey", &id), ("name", " <b>Key</b> ")]).await;
    assert_eq!(page.location(), "/account/passkeys?done=passkey_renamed");
    assert!(ada.get(PAGE).await.by_id("passkey-1").starts_with("<b>Key</b>"));
    for path in [&rename, &remove] {
        let page = bob.post(path, &[("passkey", &id), ("name", "Mine")]).await;
        assert_eq!(page.location(), "/account/passkeys?done=passkey_removed_before");
        let page = ada.post(path, &[("passkey", "x"), ("name", "Mine")]).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{path}");
    }
    assert_eq!(ids(&ada).await, std::slice::from_ref(&id));
    let page = ada.post(&remove, &[("passkey", &id)]).await;
    assert_eq!(page.location(), "/account/passkeys?done=passkey_removed");
    assert!(ada.get(page.location()).await.has("notice"));
    assert!(ada.get(PAGE).await.has("no-passkeys"));
    let log = activity(&ada).await;
    assert!(log.contains("A passkey was removed") && log.contains("another name"), "{log}");
}

#[tokio::test]
async fn the_last_way_in_stays() {
    let server = start(HERE).await;
    let (ada, device) = somebody(&server, "ada").await;
    add(&ada, &device, "Key").await.location();
    server.state.store.set_password_hash(&ada.id, None).await.unwrap();
    let (one, two) = match &*ids(&ada).await {
        [one, two] => (one.clone(), two.clone()),
        other => panic!("{other:?}"),
    };
    let remove = format!("{PAGE}/remove");
    ada.post(&remove, &[("passkey", &one)]).await.location();
    let page = ada.post(&remove, &[("passkey", &two)]).await;
    assert_eq!((page.status, page.problems()), (StatusCode::CONFLICT, vec!["passkeys"]));
    // An identity is a way, too, and a passkey stands for one.
    let hash = vec![7; 32];
    let row = identity::ActiveModel {
        hash: Set(hash.clone()),
        issuer: Set("https://idp.example".into()),
        subject: Set("1".into()),
        user_id: Set(ada.id.as_str().into()),
        upstream: Set("idp".into()),
        label: Set(None),
        created_at: Set(0),
        last_used_at: Set(0),
        tokens: Set(None),
    };
    let database = server.state.store.database();
    identity::Entity::insert(row.clone()).exec_without_returning(database).await.unwrap();
    let (social, ways) = (&server.state.social, server.state.passkeys.ways());
    assert_eq!(social.unlink(&ada.id, hash.clone(), ways).await.unwrap(), Unlinked::Gone);
    identity::Entity::insert(row).exec_without_returning(database).await.unwrap();
    ada.post(&remove, &[("passkey", &two)]).await.location();
    assert_eq!(social.unlink(&ada.id, hash, ways).await.unwrap(), Unlinked::LastWay);
}

#[tokio::test]
async fn the_owner_is_told_by_letter_of_each_that_comes_or_goes() {
    for (language, added, removed) in [
        ("de", "Ein neuer Passkey für localhost:4999", "Ein Passkey weniger für localhost:4999"),
        ("en", "A new passkey for localhost:4999", "A passkey less for localhost:4999"),
        (
            "fr",
            "Une nouvelle clé d’accès pour localhost:4999",
            "Une clé d’accès de moins pour localhost:4999",
        ),
    ] {
        let server = start(&format!("{HERE}[mail]\nlanguage = {language:?}\n")).await;
        let ada = server.signed_up("ada").await;
        let _ = server.state.store.set_email(&ada.id, Some("ada@example.org"), true).await.unwrap();
        let wanted = options(&ada, &format!("{PAGE}/begin")).await;
        let answer = Authenticator::new().create(&wanted, &NONE);
        let form = [("credential", &*answer), ("name", "Old <phone>")];
        let finish = format!("{PAGE}/add");
        ada.post(&finish, &form).await.location();
        assert_refused(&ada.post(&finish, &form).await, StatusCode::FORBIDDEN, OVER);
        let id = ids(&ada).await.remove(0);
        let remove = format!("{PAGE}/remove");
        for done in ["passkey_removed", "passkey_removed_before"] {
            let page = ada.post(&remove, &[("passkey", &id)]).await;
            assert_eq!(page.location(), format!("{PAGE}?done={done}"));
        }
        let letters = server.letters().await;
        let subjects: Vec<_> = letters.iter().map(|letter| letter.subject.as_str()).collect();
        assert_eq!(subjects, [added, removed], "and none of what was refused");
        for letter in &letters {
            assert_eq!(letter.to, "ada@example.org");
            assert!(letter.html.contains(&format!("<html lang=\"{language}\">")));
            assert!(letter.text.contains("Old <phone>") && !letter.html.contains("Old <phone>"));
            let link = letter.link("/account/passkeys");
            assert_eq!(link, "http://localhost:4999/account/passkeys");
        }
    }
}

#[tokio::test]
async fn nobody_is_told_at_an_address_that_is_not_confirmed() {
    let server = start(HERE).await;
    let ada = server.signed_up("ada").await;
    let _ = server.state.store.set_email(&ada.id, Some("ada@example.org"), false).await.unwrap();
    add(&ada, &Authenticator::new(), "Phone").await.location();
    let id = ids(&ada).await.remove(0);
    ada.post(&format!("{PAGE}/remove"), &[("passkey", &id)]).await.location();
    assert!(server.letters().await.is_empty());
}

#[tokio::test]
async fn the_owner_is_told_of_each_that_the_operator_takes_away() {
    let server = start(HERE).await;
    let (ada, device) = somebody(&server, "ada").await;
    add(&ada, &device, "Key").await.location();
    let _ = server.state.store.set_email(&ada.id, Some("ada@example.org"), true).await.unwrap();
    for gone in [2, 0] {
        let deed = Deed::of_operator(What::PasskeyRemoved);
        assert_eq!(server.state.passkeys.remove_all(&ada.id, deed).await.unwrap(), gone);
    }
    let letters = server.letters().await;
    assert_eq!(letters.len(), 2);
    for name in ["Phone", "Key"] {
        let removed = format!("The passkey {name} was removed");
        assert_eq!(letters.iter().filter(|l| l.text.contains(&removed)).count(), 1, "{name}");
    }
}

#[tokio::test]
async fn what_is_kept_is_read_out_without_keys_and_goes_with_its_owner() {
    let server = start(HERE).await;
    let (ada, _) = somebody(&server, "ada").await;
    options(&ada, &format!("{PAGE}/begin")).await;
    let data = personal_data::export(&server.state, &ada.id).await.unwrap().unwrap();
    let passkeys = data["passkeys"].as_array().unwrap();
    assert_eq!((passkeys.len(), &passkeys[0]["name"]), (1, &json!("Phone")));
    assert!(!data.to_string().contains("cred_id") && !data.to_string().contains("ES256"));
    let deletion = personal_data::delete(&server.state, &ada.id).await.unwrap();
    assert_eq!(deletion, Deletion::Done);
    let database = server.state.store.database();
    assert_eq!(passkey::Entity::find().count(database).await.unwrap(), 0);
    assert_eq!(passkey_holder::Entity::find().count(database).await.unwrap(), 0);
    assert_eq!(ceremony::Entity::find().count(database).await.unwrap(), 0);
}

#[tokio::test]
async fn where_the_server_has_no_name_nobody_uses_passkeys_and_the_page_says_why() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let page = ada.get(PAGE).await;
    let why = page.by_id("passkeys-off");
    assert!(why.contains("server.public_url = \"http://localhost:4999\""), "{why}");
    assert!(!page.has("add-form") && !page.html.contains("<script"));
    let page = server.visitor().get("/login").await;
    assert!(!page.has("passkey-form") && !page.html.contains("webauthn"));
    assert!(!page.header("content-security-policy").contains("script-src"));
    for (who, path) in [(&*ada, "/account/passkeys/begin"), (&*ada, "/login/passkey/begin")] {
        let page = who.post(path, &[]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        assert!(page.html.contains("\"code\":\"off\""), "{}", page.html);
    }
    let page = server.visitor().post("/login/passkey", &[("credential", "{}")]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.html.contains("Passkeys cannot be used here."));
}

#[tokio::test]
async fn the_script_runs_where_it_is_needed_and_nowhere_else() {
    let server = start(HERE).await;
    let (ada, _) = somebody(&server, "ada").await;
    for (path, expected) in
        [(PAGE, true), ("/login?to=data", false), ("/account", false), ("/account/password", false)]
    {
        let page = ada.get(path).await;
        let policy = page.header("content-security-policy");
        assert_eq!(policy.contains("script-src 'self'"), expected, "{path}: {policy}");
        assert_eq!(page.html.contains("<script src=\"/static/passkeys."), expected, "{path}");
    }
    let page = server.visitor().get("/login").await;
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"));
    assert!(!policy.contains("unsafe"), "{policy}");
    let script = page.html.split("<script src=\"").nth(1).unwrap().split('"').next().unwrap();
    let script = server.get(script).await;
    assert_eq!(script.status(), StatusCode::OK);
    assert_eq!(script.headers()["content-type"], "text/javascript; charset=utf-8");
    assert!(text(script).await.contains("navigator.credentials"));
}

#[tokio::test]
async fn other_sites_neither_ask_nor_answer() {
    let server = start(HERE).await;
    let (ada, _) = somebody(&server, "ada").await;
    for path in [
        "/login/passkey/begin",
        "/login/passkey",
        "/account/passkeys/begin",
        "/account/passkeys/add",
    ] {
        let request = Request::post(path)
            .header("sec-fetch-site", "cross-site")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::empty())
            .unwrap();
        let page = ada.send(request).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
        assert!(page.html.contains("cross_site_request"), "{path}: {}", page.html);
    }
}

#[tokio::test]
async fn the_cookie_of_a_challenge_is_for_this_host_and_no_script() {
    let server = start("[server]\npublic_url = \"https://auth.example.org\"\n").await;
    let page = server.visitor().post("/login/passkey/begin", &[]).await;
    let cookie = page.header("set-cookie");
    let (name, rest) = cookie.split_once('=').unwrap();
    assert_eq!(name, "__Host-oauth_passkey");
    let (value, attributes) = rest.split_once("; ").unwrap();
    assert_eq!(value.len(), 43);
    assert_eq!(attributes, "Path=/; HttpOnly; SameSite=Strict; Max-Age=300; Secure");
    assert!(page.html.contains("\"rpId\":\"auth.example.org\""), "{}", page.html);
}

#[tokio::test]
async fn attempts_are_counted_for_the_address_and_in_the_metrics() {
    let toml = format!(
        "{HERE}[metrics]\nenabled = true\n[throttle]\naddress_attempts = 2\nfirst_delay = \"10m\""
    );
    let server = start(&toml).await;
    let (_ada, device) = somebody(&server, "ada").await;
    for _ in 0..5 {
        assert_eq!(enter(&server.visitor(), &device, &NONE, &[]).await.location(), "/");
    }
    let lie = Lie { signature: true, ..NONE };
    for _ in 0..3 {
        let page = enter(&server.visitor(), &device, &lie, &[]).await;
        assert_refused(&page, StatusCode::FORBIDDEN, NOT_ACCEPTED);
    }
    let page = enter(&server.visitor(), &device, &NONE, &[]).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS, "even with a good one");
    assert_eq!(page.header("retry-after"), "600");
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let counted = text(server.state.metrics.router().oneshot(request).await.unwrap()).await;
    for (outcome, times) in [("accepted", 5), ("refused", 3), ("throttled", 1)] {
        let line = format!("oauth_passkey_sign_ins_total{{outcome=\"{outcome}\"}} {times}");
        assert!(counted.contains(&line), "{line} is not in\n{counted}");
    }
}

#[tokio::test]
async fn a_passkey_may_answer_in_place_of_a_code_and_needs_none_after_it() {
    let server = start(HERE).await;
    let (ada, device) = somebody(&server, "ada").await;
    enrol(&ada).await;
    // Alone.
    assert_eq!(enter(&server.visitor(), &device, &NONE, &[]).await.location(), "/");
    // After the password.
    let visitor = server.visitor();
    let form = [("username", "ada"), ("password", PASSWORD), ("to", "account")];
    let page = visitor.post("/login", &form).await;
    let page = visitor.get(page.location()).await;
    assert!(page.has("passkey-form") && page.html.contains("value=\"second-factor\""));
    let more = [("to", "account"), ("step", "second-factor")];
    let lie = Lie { signature: true, ..NONE };
    let page = enter(&visitor, &device, &lie, &more).await;
    assert_refused(&page, StatusCode::FORBIDDEN, NOT_ACCEPTED);
    assert!(page.has("second-factor-form"), "the same page again");
    let page = enter(&visitor, &device, &NONE, &more).await;
    assert_eq!(page.location(), "/account");
    assert_eq!(visitor.cookie("oauth_half"), None);
    assert!(activity(&visitor).await.contains("With a password and a passkey"));
    // Somebody else's passkey says nothing about the password that was typed.
    let (_bob, other) = somebody(&server, "bob").await;
    let visitor = server.visitor();
    visitor.post("/login", &form).await.location();
    assert_eq!(enter(&visitor, &other, &NONE, &more).await.location(), "/account");
    assert_eq!(visitor.get("/account").await.by_id("who"), "bob");
    assert!(!activity(&visitor).await.contains("a password and a passkey"));
}

#[tokio::test]
async fn a_passkey_is_the_second_factor_that_is_demanded_and_a_password_puts_no_app_beside_it() {
    let server = start(HERE).await;
    let (_, device) = somebody(&server, "ada").await;
    let Server { folder, clock, .. } = server;
    let server = start_in(&format!("{HERE}{EVERYBODY}"), folder, clock).await;
    let visitor = server.visitor();
    assert_eq!(enter(&visitor, &device, &NONE, &[]).await.location(), "/");
    assert!(is_signed_in(&visitor).await);
    // With the password it has to be the passkey as well.
    let visitor = server.visitor();
    let form = [("username", "ada"), ("password", PASSWORD), ("to", "account")];
    let page = visitor.post("/login", &form).await;
    assert_eq!(page.location(), "/login/second-factor?to=account");
    assert_eq!(visitor.get(SET_UP).await.location(), "/login");
    assert_eq!(visitor.post(SET_UP, &[("code", "123456")]).await.location(), "/login");
    let page = visitor.get(page.location()).await;
    assert!(page.has("passkey-form") && !page.has("second-factor-form"), "{}", page.html);
    let page = visitor.post("/login/second-factor", &[("code", "123456")]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    let more = [("to", "account"), ("step", "second-factor")];
    let lie = Lie { signature: true, ..NONE };
    let page = enter(&visitor, &device, &lie, &more).await;
    assert_refused(&page, StatusCode::FORBIDDEN, NOT_ACCEPTED);
    assert!(page.has("passkey-alone"), "the same page again");
    assert_eq!(enter(&visitor, &device, &NONE, &more).await.location(), "/account");
    assert!(activity(&visitor).await.contains("With a password and a passkey"));
    // Where passkeys cannot be used, an app is set up.
    let Server { folder, clock, .. } = server;
    let server = start_in(EVERYBODY, folder, clock).await;
    let page = server.visitor().post("/login", &form).await;
    assert_eq!(page.location(), format!("{SET_UP}?to=account"));
}

#[tokio::test]
async fn another_password_leaves_passkeys_as_they_are() {
    let server = start(HERE).await;
    let (ada, device) = somebody(&server, "ada").await;
    let new = [("current_password", PASSWORD), ("new_password", "a lantern and ten lives")];
    assert_eq!(ada.post("/account/password", &new).await.location(), "/account?done=password");
    assert_eq!(enter(&server.visitor(), &device, &NONE, &[]).await.location(), "/");
}

/// Many who have the cookie and the answer, at two servers on one database; and many answers with one count.
#[tokio::test]
async fn one_challenge_answered_twice_at_once_wins_once() {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let more = format!("{HERE}[throttle]\naddress_attempts = 1000");
        let (one, two) = two_on(&database, &more).await;
        let (ada, device) = somebody(&one, "ada").await;
        let rivals = || {
            let rival = |i| if i % 2 == 0 { one.visitor() } else { two.visitor() };
            (0..6).map(rival).collect::<Vec<_>>()
        };
        // One challenge.
        let first = one.visitor();
        let wanted = options(&first, "/login/passkey/begin").await;
        let handle = first.cookie("oauth_passkey").unwrap();
        let many = rivals();
        for rival in &many {
            rival.plant("oauth_passkey", &handle);
        }
        let answers: Vec<_> = many.iter().map(|_| device.get(&wanted, &NONE)).collect();
        let pages = join_all(many.iter().zip(&answers).map(|(rival, answer)| async move {
            rival.post("/login/passkey", &[("credential", answer)]).await
        }))
        .await;
        one_wins(&pages, OVER);
        // One count, with a challenge each.
        let many = rivals();
        let mut answers = Vec::new();
        for rival in &many {
            let wanted = options(rival, "/login/passkey/begin").await;
            answers.push(device.get(&wanted, &Lie { count: Some(100), ..NONE }));
        }
        let pages = join_all(many.iter().zip(&answers).map(|(rival, answer)| async move {
            rival.post("/login/passkey", &[("credential", answer)]).await
        }))
        .await;
        one_wins(&pages, NOT_ACCEPTED);
        last_passkeys_removed_at_once(&one, &two, &ada).await;
    }
}

#[track_caller]
fn one_wins(pages: &[Page], why: &str) {
    let won = pages.iter().filter(|page| page.status == StatusCode::SEE_OTHER).count();
    assert_eq!(won, 1, "{pages:?}");
    for page in pages.iter().filter(|page| page.status != StatusCode::SEE_OTHER) {
        assert_refused(page, StatusCode::FORBIDDEN, why);
    }
}

/// Of somebody without a password, each of two browsers takes one of two passkeys away: one stays.
async fn last_passkeys_removed_at_once(one: &Server, two: &Server, ada: &SignedIn<'_>) {
    add(ada, &Authenticator::new(), "Key").await.location();
    let here = ada.cookie("oauth_session").unwrap();
    one.state.store.set_password_hash(&ada.id, None).await.unwrap();
    let elsewhere = two.visitor();
    elsewhere.plant("oauth_session", &here);
    let ids = ids(ada).await;
    let remove = format!("{PAGE}/remove");
    let forms = [[("passkey", &*ids[0])], [("passkey", &*ids[1])]];
    let (first, second) =
        tokio::join!(ada.post(&remove, &forms[0]), elsewhere.post(&remove, &forms[1]));
    let mut statuses = [first.status, second.status];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::SEE_OTHER, StatusCode::CONFLICT]);
}
