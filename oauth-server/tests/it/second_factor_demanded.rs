//! Second factors that the operator demands: nobody is in without one, whichever way they come.

use crate::{
    pages_actors::{CALLBACK, PASSWORD, Page, VERIFIER, Visitor, interaction, parameter},
    second_factor::{App, STEP, assert_refused, enrol, first_factor, is_signed_in},
    support::{Server, json, start, start_in, two_on},
    toktok_actors::TOKTOK,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use http::StatusCode;
use oauth_core::{model::UserId, testing::TestDatabase};
use oauth_server::sign_in::ACR_MULTI_FACTOR;
use serde_json::{Value, json};

pub const EVERYBODY: &str = "[second_factor]\nrequired = \"everybody\"\n";
const ADMINISTRATORS: &str = "[second_factor]\nrequired = \"administrators\"\n";
pub const SET_UP: &str = "/login/second-factor/set-up";
const PICTURE: &str = "/login/second-factor/set-up/picture";
const ASKED: &str = "/login/second-factor";
const PAGE: &str = "/account/second-factor";
const WRONG: &str = "This is not the code that the app shows now.";
const SESSION: &str = "oauth_session";
const HALF: &str = "oauth_half";

/// Sets up the app whose key the browser is shown after the first factor; the app, and the page that follows.
async fn set_up(visitor: &Visitor<'_>, more: &[(&str, &str)]) -> (App, Page) {
    let app = App::given(&visitor.get(SET_UP).await);
    let code = app.code(visitor.server);
    let page = visitor.post(SET_UP, &[&[("code", &*code)], more].concat()).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    visitor.server.clock.advance(STEP);
    (app, page)
}

/// The same server after the operator changed the configuration.
async fn again(server: Server, toml: &str) -> Server {
    let Server { folder, clock, .. } = server;
    start_in(toml, folder, clock).await
}

async fn administrator(server: &Server, name: &str) -> UserId {
    let id = server.user(name, PASSWORD).await;
    server.state.store.set_admin(&id, true).await.unwrap();
    id
}

#[tokio::test]
async fn nobody_is_asked_unless_the_operator_says_so() {
    for toml in ["", "[second_factor]\nrequired = \"nobody\"\n"] {
        let server = start(toml).await;
        let ada = server.signed_up("ada").await;
        server.state.store.set_admin(&ada.id, true).await.unwrap();
        let visitor = server.visitor();
        assert_eq!(first_factor(&visitor, &[]).await.location(), "/");
        assert!(is_signed_in(&visitor).await);
        assert_eq!(visitor.get(SET_UP).await.location(), "/login", "nobody waits here");
        assert_eq!(visitor.post(SET_UP, &[("code", "123456")]).await.location(), "/login");
        assert_eq!(visitor.get(PICTURE).await.status, StatusCode::NOT_FOUND);
        let (_, codes) = enrol(&ada).await;
        let page = ada.get(PAGE).await;
        assert!(page.has("remove-second-factor") && !page.has("demanded"));
        let page = ada.post(&format!("{PAGE}/remove"), &[("code", &codes[0])]).await;
        assert_eq!(page.location(), "/account/second-factor?done=second_factor_removed");
    }
}

#[tokio::test]
async fn a_password_leads_to_setting_an_app_up_and_its_code_to_the_application() {
    let server = start(EVERYBODY).await;
    server.relying_party("rp", &[]).await;
    server.user("ada", PASSWORD).await;
    let visitor = server.visitor();
    let asked = visitor.authorize("rp", &[("scope", "openid"), ("nonce", "n")]).await;
    let id = interaction(&asked);
    let more = [("interaction", &*id)];
    let page = first_factor(&visitor, &more).await;
    assert_eq!(page.location(), format!("{SET_UP}?interaction={id}"));
    assert!(page.header("set-cookie").starts_with(HALF));
    assert_eq!(visitor.cookie(SESSION), None, "half a sign-in is none");
    let page = visitor.get(page.location()).await;
    assert_eq!((page.status, page.value("interaction")), (StatusCode::OK, id.clone()));
    assert_eq!(page.attribute("qr", "src"), PICTURE);
    let picture = visitor.get(PICTURE).await;
    assert_eq!(picture.header("content-type"), "image/svg+xml");
    assert_eq!(picture.header("cache-control"), "no-store");
    let app = App::given(&page);
    let code = app.code(&server);
    let other = if code == "000000" { "000001" } else { "000000" };
    let page = visitor.post(SET_UP, &[("code", other), ("interaction", &id)]).await;
    assert_refused(&page, StatusCode::FORBIDDEN, WRONG);
    assert_eq!(page.by_id("secret"), visitor.get(SET_UP).await.by_id("secret"), "the same key");
    let page = visitor.post(SET_UP, &[("code", " "), ("interaction", &id)]).await;
    assert_refused(&page, StatusCode::UNPROCESSABLE_ENTITY, "Type the code.");
    assert!(!is_signed_in(&visitor).await);
    let page = visitor.post(SET_UP, &[("code", &*code), ("interaction", &id)]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    assert_eq!(page.by_id("recovery-codes").split_ascii_whitespace().count(), 10);
    assert_eq!(visitor.cookie(HALF), None, "the browser forgets the half one");
    assert!(visitor.cookie(SESSION).is_some());
    // The button on that page.
    let (going, name) = (page.value("interaction"), page.value("continue"));
    let form = [("interaction", &*going), ("continue", &*name)];
    let page = visitor.post("/login", &form).await;
    let consent = page.header("location").to_owned();
    assert!(consent.starts_with("/consent?"), "{page:?}");
    let claims = id_token(&visitor, &consent).await;
    assert_eq!(claims["amr"], json!(["pwd", "otp", "mfa"]));
    assert_eq!(claims["acr"], ACR_MULTI_FACTOR);
    let log = visitor.get("/account/activity").await.html;
    assert!(log.contains("A second factor was set up") && log.contains("Signed in"), "{log}");
    // From now on the app is asked.
    server.clock.advance(STEP);
    let visitor = server.visitor();
    assert_eq!(first_factor(&visitor, &[]).await.location(), ASKED);
    let page = visitor.post(ASKED, &[("code", &app.code(&server))]).await;
    assert_eq!(page.location(), "/");
}

/// What the application is told after a yes on the page of consent.
pub async fn id_token(visitor: &Visitor<'_>, consent: &str) -> Value {
    let form = [("interaction", &*interaction(consent)), ("decision", "allow")];
    let page = visitor.post("/consent", &form).await;
    let code = parameter(page.header("location"), "code").expect("there is a code");
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let basic = Some(("rp", "secret"));
    let tokens = json(visitor.server.post("/oauth/token", basic, &form).await).await;
    let payload = tokens["id_token"].as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn the_code_of_the_app_was_used_and_wrong_ones_are_counted() {
    let server =
        start(&format!("{EVERYBODY}[throttle]\naccount_attempts = 3\nfirst_delay = \"10m\"")).await;
    server.user("ada", PASSWORD).await;
    let visitor = server.visitor();
    first_factor(&visitor, &[]).await;
    let app = App::given(&visitor.get(SET_UP).await);
    let code = app.code(&server);
    let page = visitor.post(SET_UP, &[("code", &*code)]).await;
    assert_eq!(page.href("kept"), "/", "{}", page.html);
    let thief = server.visitor();
    assert_eq!(first_factor(&thief, &[]).await.location(), ASKED);
    let page = thief.post(ASKED, &[("code", &*code)]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "it is used up");
    // Somebody else, who guesses.
    server.user("eve", PASSWORD).await;
    let eve = server.visitor();
    let form = [("username", "eve"), ("password", PASSWORD)];
    assert_eq!(eve.post("/login", &form).await.location(), SET_UP);
    for _ in 0..4 {
        let page = eve.post(SET_UP, &[("code", "12345")]).await;
        assert_refused(&page, StatusCode::FORBIDDEN, WRONG);
    }
    let code = App::given(&eve.get(SET_UP).await).code(&server);
    let page = eve.post(SET_UP, &[("code", &*code)]).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS, "even a good one");
    assert_eq!(page.header("retry-after"), "600");
}

#[tokio::test]
async fn each_browser_has_a_key_of_its_own_and_its_half_sign_in_is_used_once() {
    let server = start(EVERYBODY).await;
    let id = server.user("ada", PASSWORD).await;
    // Somebody who knows the password comes first, and looks.
    let thief = server.visitor();
    first_factor(&thief, &[]).await;
    let seen = thief.get(SET_UP).await;
    let known = App::given(&seen).code(&server);
    let visitor = server.visitor();
    first_factor(&visitor, &[]).await;
    let half = visitor.cookie(HALF).unwrap();
    let page = visitor.get(SET_UP).await;
    assert_ne!(page.by_id("secret"), seen.by_id("secret"));
    let app = App::given(&page);
    let code = app.code(&server);
    let page = visitor.post(SET_UP, &[("code", &*known)]).await;
    assert_refused(&page, StatusCode::FORBIDDEN, WRONG);
    let page = visitor.post(SET_UP, &[("code", &*code), ("to", "account")]).await;
    assert_eq!(page.href("kept"), "/account", "{}", page.html);
    // What the others have is worth nothing now.
    assert_eq!(thief.get(SET_UP).await.location(), "/login");
    assert_eq!(thief.get(PICTURE).await.status, StatusCode::NOT_FOUND);
    assert_eq!(thief.post(SET_UP, &[("code", &*known)]).await.location(), "/login");
    let elsewhere = server.visitor();
    elsewhere.plant(HALF, &half);
    server.clock.advance(STEP);
    let code = app.code(&server);
    assert_eq!(elsewhere.post(SET_UP, &[("code", &*code)]).await.location(), "/login");
    assert_eq!(elsewhere.post(ASKED, &[("code", &*code)]).await.location(), "/login");
    assert!(!is_signed_in(&thief).await && !is_signed_in(&elsewhere).await);
    assert!(is_signed_in(&visitor).await);
    // One that took too long, and one whose owner is locked out.
    server.state.second_factor.remove(&id).await.unwrap();
    for late in [true, false] {
        let visitor = server.visitor();
        first_factor(&visitor, &[]).await;
        let app = App::given(&visitor.get(SET_UP).await);
        if late {
            server.clock.advance(std::time::Duration::from_mins(5));
        } else {
            server.state.store.set_disabled(&id, true).await.unwrap();
        }
        let page = visitor.post(SET_UP, &[("code", &app.code(&server))]).await;
        assert_eq!(page.location(), "/login");
        assert!(!server.state.second_factor.is_needed(&id).await.unwrap(), "nothing is set up");
    }
}

#[tokio::test]
async fn of_administrators_alone() {
    let server = start(ADMINISTRATORS).await;
    let bob = server.signed_up("bob").await;
    let form = [("username", "bob"), ("password", PASSWORD)];
    assert_eq!(server.visitor().post("/login", &form).await.location(), "/");
    let (_, codes) = enrol(&bob).await;
    let page = bob.post(&format!("{PAGE}/remove"), &[("code", &codes[0])]).await;
    assert_eq!(page.location(), "/account/second-factor?done=second_factor_removed");
    administrator(&server, "ada").await;
    let visitor = server.visitor();
    assert_eq!(
        first_factor(&visitor, &[("to", "admin")]).await.location(),
        format!("{SET_UP}?to=admin")
    );
    assert_eq!(visitor.get("/admin").await.location(), "/login?to=admin", "not yet");
    let (_, page) = set_up(&visitor, &[("to", "admin")]).await;
    assert_eq!(page.href("kept"), "/admin");
    assert_eq!(visitor.get("/admin").await.status, StatusCode::OK);
    // Whoever becomes one has to sign in again.
    let carol = server.signed_up("carol").await;
    assert!(is_signed_in(&carol).await);
    server.state.store.set_admin(&carol.id, true).await.unwrap();
    assert!(!is_signed_in(&carol).await);
    let form = [("username", "carol"), ("password", PASSWORD)];
    assert_eq!(carol.post("/login", &form).await.location(), SET_UP);
}

#[tokio::test]
async fn whoever_signs_up_sets_an_app_up_first() {
    let server = start(EVERYBODY).await;
    let visitor = server.visitor();
    let form = [("username", "ada"), ("password", PASSWORD), ("to", "account")];
    let page = visitor.post("/signup", &form).await;
    assert_eq!(page.location(), format!("{SET_UP}?to=account"), "{}", page.html);
    assert_eq!(visitor.cookie(SESSION), None);
    set_up(&visitor, &[]).await;
    assert_eq!(visitor.get("/account").await.by_id("who"), "ada");
}

#[tokio::test]
async fn programs_get_nothing_for_a_password_alone() {
    let client = "[grants]\ndanger_password = true\n[[client]]\nid = \"old\"\nsecret = \"fN3kqv8zR1w0YcTt5LxJm2Ph7UeSbGaD\"\ngrant_types = [\"password\"]\nscope = \"profile\"\n";
    let server = start(client).await;
    server.user("ada", PASSWORD).await;
    let basic = Some(("old", "fN3kqv8zR1w0YcTt5LxJm2Ph7UeSbGaD"));
    let form = [("grant_type", "password"), ("username", "ada"), ("password", PASSWORD)];
    assert_eq!(server.post("/oauth/token", basic, &form).await.status(), StatusCode::OK);
    let token = server.token_of("ada", PASSWORD).await;
    let server = again(server, &format!("{EVERYBODY}{client}")).await;
    let answer = server.post("/oauth/token", basic, &form).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_eq!(json(answer).await["error"], "invalid_grant");
    let body = json!({"username": "ada", "password": PASSWORD});
    server.tell("/login", body).await.refuses(403, "second_factor_needed");
    // Nor does another password come with tokens, for one of before.
    let body = json!({"current_password": PASSWORD, "new_password": "a lantern and ten lives"});
    let call = server.call("POST", "/users/me/password").token(&token).body(body);
    call.send().await.refuses(403, "second_factor_needed");
    // With a second factor it is the same.
    let visitor = server.visitor();
    first_factor(&visitor, &[]).await;
    set_up(&visitor, &[]).await;
    let body = json!({"username": "ada", "password": PASSWORD});
    server.tell("/login", body).await.refuses(403, "second_factor_needed");
}

#[tokio::test]
async fn front_ends_of_toktok_get_nothing_for_a_password_alone() {
    const ADDRESS: &str = "ada@example.org";
    for (more, given) in [("", true), (EVERYBODY, false)] {
        let server = start(&format!("{TOKTOK}{more}[forms]\nanojwt = true\n")).await;
        let guest = server.anonymous().await;
        let body = json!({"email": ADDRESS, "pwd": PASSWORD, "agreement": true});
        let made = server.raw("POST", "/usr/register/", &guest, Some(body)).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.body);
        assert_eq!(made.body["tokens"].get("access_token").is_some(), given, "{}", made.body);
        server.member("bob").await;
        let answer = server.enter("bob@example.org", PASSWORD).await;
        if given {
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        } else {
            answer.says(403, "This account signs in on the page, with its second factor");
        }
    }
}

#[tokio::test]
async fn the_app_stays_until_the_operator_takes_it_away_and_then_another_is_set_up() {
    let server = start(EVERYBODY).await;
    let id = server.user("ada", PASSWORD).await;
    let visitor = server.visitor();
    first_factor(&visitor, &[]).await;
    let (old, page) = set_up(&visitor, &[]).await;
    let codes = page.by_id("recovery-codes");
    let code = codes.split_ascii_whitespace().next().unwrap();
    let page = visitor.get(PAGE).await;
    assert!(page.has("demanded") && page.has("renew-codes"), "{}", page.html);
    assert!(!page.has("remove-second-factor"));
    let page = visitor.post(&format!("{PAGE}/remove"), &[("code", code)]).await;
    let why = "A second factor is demanded of you here, so it stays. Whoever runs this server can take it away.";
    assert_refused(&page, StatusCode::FORBIDDEN, why);
    assert!(server.state.second_factor.is_needed(&id).await.unwrap());
    assert!(page.by_id("second-factor-status").contains("10 recovery codes"), "none is used up");
    // The operator.
    assert!(server.state.second_factor.remove(&id).await.unwrap());
    let visitor = server.visitor();
    assert_eq!(first_factor(&visitor, &[]).await.location(), SET_UP);
    let page = visitor.post(SET_UP, &[("code", &old.code(&server))]).await;
    assert_refused(&page, StatusCode::FORBIDDEN, WRONG);
    set_up(&visitor, &[]).await;
    assert!(is_signed_in(&visitor).await);
}

#[tokio::test]
async fn a_session_of_before_that_a_password_alone_began_counts_no_more() {
    let server = start("").await;
    server.relying_party("rp", &[]).await;
    let ada = server.signed_up("ada").await;
    let password = ada.cookie(SESSION).unwrap();
    let bob = server.signed_up("bob").await;
    enrol(&bob).await;
    let both = bob.cookie(SESSION).unwrap();
    let headers = http::HeaderMap::new();
    let started = server.state.sessions.start(&headers, &ada.id, &["fed"], None).await.unwrap();
    let mut set = http::HeaderMap::new();
    started.cookies.put(&mut set);
    let of_provider = set.get_all("set-cookie").iter().find_map(|cookie| {
        let cookie = cookie.to_str().unwrap().strip_prefix("oauth_session=")?;
        Some(cookie.split(';').next().unwrap().to_owned())
    });
    let of_provider = of_provider.unwrap();
    drop((ada, bob));
    let mut server = server;
    let sessions = [(&password, false), (&both, true), (&of_provider, true)];
    for (toml, alive) in [(EVERYBODY, sessions), ("", sessions.map(|(s, _)| (s, true)))] {
        server = again(server, toml).await;
        for (cookie, expected) in alive {
            let visitor = server.visitor();
            visitor.plant(SESSION, cookie);
            assert_eq!(is_signed_in(&visitor).await, expected, "{toml}");
            let asked = visitor.authorize("rp", &[("scope", "openid"), ("nonce", "n")]).await;
            assert_eq!(asked.starts_with("/consent?"), expected, "{asked}");
            assert_eq!(visitor.get("/auth/session").await.status == StatusCode::OK, expected);
        }
    }
}

/// Many who have the password, at two servers on one database: each with a half sign-in of its own, and all with one.
#[tokio::test]
async fn one_app_is_set_up_once_by_many_at_once() {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let more = format!("{EVERYBODY}[throttle]\naccount_attempts = 1000");
        let (one, two) = two_on(&database, &more).await;
        for (name, shared) in [("ada", false), ("bob", true)] {
            one.user(name, PASSWORD).await;
            let form = [("username", name), ("password", PASSWORD)];
            let first = one.visitor();
            assert_eq!(first.post("/login", &form).await.location(), SET_UP);
            let half = first.cookie(HALF).unwrap();
            let rivals: Vec<_> =
                (0..6).map(|i| if i % 2 == 0 { one.visitor() } else { two.visitor() }).collect();
            let mut codes = Vec::new();
            for rival in &rivals {
                if shared {
                    rival.plant(HALF, &half);
                } else {
                    assert_eq!(rival.post("/login", &form).await.location(), SET_UP);
                }
                codes.push(App::given(&rival.get(SET_UP).await).code(&one));
            }
            let pages = join_all(rivals.iter().zip(&codes).map(|(rival, code)| async move {
                rival.post(SET_UP, &[("code", &**code)]).await
            }))
            .await;
            let won = pages.iter().filter(|page| page.status == StatusCode::OK).count();
            assert_eq!(won, 1, "{name}: {pages:?}");
            for (page, rival) in pages.iter().zip(&rivals) {
                let has_won = page.status == StatusCode::OK;
                assert_eq!(is_signed_in(rival).await, has_won, "{name}");
                if !has_won {
                    assert_eq!(page.location(), "/login");
                }
            }
        }
    }
}

#[tokio::test]
async fn what_ends_every_session_ends_what_is_half_done() {
    let server = start(EVERYBODY).await;
    let thief = server.visitor();
    let form = [("username", "ada"), ("password", PASSWORD)];
    let page = thief.post("/signup", &form).await;
    assert_eq!(page.location(), SET_UP, "{}", page.html);
    let app = App::given(&thief.get(SET_UP).await);
    let ada = server.state.store.account_by_name("ada").await.unwrap().unwrap();
    // As another password by letter, and the undoing of another address, do.
    let ended =
        server.state.sessions.end_all_after(&ada.id, |_| Box::pin(async { Ok(true) })).await;
    assert_eq!(ended.unwrap(), Some(0));
    let page = thief.post(SET_UP, &[("code", &*app.code(&server))]).await;
    assert_eq!(page.location(), "/login");
    assert!(!is_signed_in(&thief).await);
}

#[tokio::test]
async fn tokens_of_a_password_alone_are_not_refreshed_for_whom_it_is_not_enough_any_more() {
    let server = start(ADMINISTRATORS).await;
    let ada = server.user("ada", PASSWORD).await;
    let log_in = json!({"username": "ada", "password": PASSWORD});
    let refresh =
        async |token: &str| server.tell("/refresh", json!({"refresh_token": token})).await;
    let first = server.tell("/login", log_in).await.text("refresh_token");
    let second = refresh(&first).await.text("refresh_token");
    server.state.store.set_admin(&ada, true).await.unwrap();
    refresh(&second).await.refuses(401, "refresh_invalid");
}

#[tokio::test]
async fn setting_an_app_up_ends_the_session_of_somebody_else_in_that_browser() {
    let server = start(EVERYBODY).await;
    let shared = server.visitor();
    shared.post("/signup", &[("username", "eve"), ("password", PASSWORD)]).await;
    set_up(&shared, &[]).await;
    let eve = server.state.store.account_by_name("eve").await.unwrap().unwrap();
    let eve = server.state.users.user(&eve.id).await.unwrap().unwrap();
    assert_eq!(server.state.sessions.list(&eve).await.unwrap().len(), 1);
    server.user("ada", PASSWORD).await;
    assert_eq!(first_factor(&shared, &[]).await.location(), SET_UP);
    set_up(&shared, &[]).await;
    assert!(is_signed_in(&shared).await);
    assert_eq!(server.state.sessions.list(&eve).await.unwrap().len(), 0, "nobody comes back to it");
}
