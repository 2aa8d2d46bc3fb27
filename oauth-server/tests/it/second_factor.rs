//! Second factors: setting one up, signing in with it, and everything that must not do instead.

use crate::{
    pages_actors::{PASSWORD, Page, SignedIn, Visitor, interaction},
    support::{Server, json, start, two_on},
};
use http::StatusCode;
use oauth_core::testing::TestDatabase;
use oauth_server::sign_in::{ACR_MULTI_FACTOR, ACR_PASSWORD};
use serde_json::json;
use std::time::Duration;
use totp_rs::{Algorithm, Builder, Secret};

const ADA: &str = "ada@example.org";
const PAGE: &str = "/account/second-factor";
const ASKED: &str = "/login/second-factor";
pub const STEP: Duration = Duration::from_secs(30);
const WRONG: &str = "This code is wrong, or was used before.";

/// An app, with the key that the page showed.
pub struct App(Secret);

impl App {
    /// An app that is given the key on this page.
    #[track_caller]
    pub fn given(page: &Page) -> Self {
        Self(Secret::try_from_base32(page.by_id("secret").replace(' ', "")).unwrap())
    }

    /// What it shows now.
    pub fn code(&self, server: &Server) -> String {
        use oauth_core::ports::Clock as _;
        let now = server.clock.now().unix();
        let totp = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_step_duration(30)
            .with_secret(self.0.clone())
            .build()
            .unwrap();
        totp.generate(now.try_into().unwrap()).to_string()
    }
}

/// Begins to set an app up; the app.
async fn begin(who: &SignedIn<'_>) -> App {
    assert_eq!(who.post(&format!("{PAGE}/begin"), &[]).await.location(), PAGE);
    App::given(&who.get(PAGE).await)
}

/// Sets an app up; the app and the recovery codes.
pub async fn enrol(who: &SignedIn<'_>) -> (App, Vec<String>) {
    let app = begin(who).await;
    let page = who.post(&format!("{PAGE}/confirm"), &[("code", &app.code(who.server))]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    let codes = page.by_id("recovery-codes");
    let codes = codes.split_ascii_whitespace().map(str::to_owned).collect();
    who.server.clock.advance(STEP);
    (app, codes)
}

/// Passes the first factor; the page that this leads to.
pub async fn first_factor(visitor: &Visitor<'_>, more: &[(&str, &str)]) -> Page {
    let form = [&[("username", "ada"), ("password", PASSWORD)], more].concat();
    visitor.post("/login", &form).await
}

pub async fn is_signed_in(visitor: &Visitor<'_>) -> bool {
    visitor.get("/").await.has("nav-logout")
}

#[track_caller]
pub fn assert_refused(page: &Page, status: StatusCode, why: &str) {
    assert_eq!((page.status, page.problems()), (status, vec!["code"]), "{}", page.html);
    assert_eq!(page.by_id("code-problem"), why);
    assert!(!page.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn after_the_password_the_app_is_asked_and_then_one_is_in() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let (app, codes) = enrol(&ada).await;
    assert_eq!(codes.len(), 10);
    let visitor = server.visitor();
    let page = first_factor(&visitor, &[("to", "account")]).await;
    assert_eq!(page.location(), "/login/second-factor?to=account");
    assert!(!is_signed_in(&visitor).await, "half a sign-in is none");
    let page = visitor.get(page.location()).await;
    assert_eq!((page.status, page.value("to")), (StatusCode::OK, "account".into()));
    let code = app.code(&server);
    let page = visitor.post(ASKED, &[("code", &code), ("to", "account")]).await;
    assert_eq!(page.location(), "/account");
    assert!(is_signed_in(&visitor).await);
    assert_eq!(visitor.cookie("oauth_half"), None, "the browser forgets the half one");
}

#[tokio::test]
async fn whoever_has_none_is_not_asked_and_a_key_that_is_not_confirmed_is_none() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    begin(&ada).await;
    let visitor = server.visitor();
    assert_eq!(first_factor(&visitor, &[]).await.location(), "/");
    assert!(is_signed_in(&visitor).await);
    assert_eq!(visitor.get(ASKED).await.location(), "/login", "nobody waits here");
    assert_eq!(visitor.post(ASKED, &[("code", "123456")]).await.location(), "/login");
}

#[tokio::test]
async fn a_wrong_code_a_used_code_and_no_code_are_refused() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let (app, _) = enrol(&ada).await;
    let code = app.code(&server);
    let other = if code == "000000" { "000001" } else { "000000" };
    let visitor = server.visitor();
    first_factor(&visitor, &[]).await;
    let page = visitor.post(ASKED, &[("code", other)]).await;
    assert_refused(&page, StatusCode::FORBIDDEN, WRONG);
    let page = visitor.post(ASKED, &[("code", " ")]).await;
    assert_refused(&page, StatusCode::UNPROCESSABLE_ENTITY, "Type the code.");
    let page = visitor.post(ASKED, &[("code", &"1".repeat(60_000))]).await;
    assert_refused(&page, StatusCode::FORBIDDEN, WRONG);
    assert_eq!(visitor.post(ASKED, &[("code", &code)]).await.location(), "/");
    let thief = server.visitor();
    first_factor(&thief, &[]).await;
    assert_refused(&thief.post(ASKED, &[("code", &code)]).await, StatusCode::FORBIDDEN, WRONG);
    // Not even while it is still shown, nor the one before it.
    server.clock.advance(STEP);
    assert_refused(&thief.post(ASKED, &[("code", &code)]).await, StatusCode::FORBIDDEN, WRONG);
    assert!(!is_signed_in(&thief).await);
}

#[tokio::test]
async fn codes_are_throttled_for_the_user_wherever_they_are_tried() {
    let server = start("[throttle]\naccount_attempts = 3\nfirst_delay = \"10m\"").await;
    let ada = server.signed_up("ada").await;
    let (app, codes) = enrol(&ada).await;
    let visitor = server.visitor();
    first_factor(&visitor, &[]).await;
    for _ in 0..4 {
        let page = visitor.post(ASKED, &[("code", "12345")]).await;
        assert_refused(&page, StatusCode::FORBIDDEN, WRONG);
    }
    let other = server.visitor();
    first_factor(&other, &[]).await;
    for code in [&app.code(&server), &codes[0]] {
        let page = other.post(ASKED, &[("code", code)]).await;
        assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS, "even a good one");
        assert_eq!(page.header("retry-after"), "600");
    }
    let page = ada.post(&format!("{PAGE}/remove"), &[("code", &codes[0])]).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS, "on the account page, too");
}

#[tokio::test]
async fn half_a_sign_in_is_of_one_browser_for_five_minutes_and_once() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let (app, _) = enrol(&ada).await;
    let visitor = server.visitor();
    first_factor(&visitor, &[]).await;
    let half = visitor.cookie("oauth_half").unwrap();
    let elsewhere = server.visitor();
    let code = app.code(&server);
    assert_eq!(elsewhere.post(ASKED, &[("code", &code)]).await.location(), "/login");
    elsewhere.plant("oauth_half", "x");
    assert_eq!(elsewhere.post(ASKED, &[("code", &code)]).await.location(), "/login");
    visitor.post(ASKED, &[("code", &code)]).await;
    // The same half with another good code: used up.
    server.clock.advance(STEP);
    elsewhere.plant("oauth_half", &half);
    let page = elsewhere.post(ASKED, &[("code", &app.code(&server))]).await;
    assert_eq!(page.location(), "/login");
    // One that took too long.
    let late = server.visitor();
    first_factor(&late, &[]).await;
    server.clock.advance(Duration::from_mins(5));
    assert_eq!(late.get(ASKED).await.location(), "/login");
    let page = late.post(ASKED, &[("code", &app.code(&server))]).await;
    assert_eq!(page.location(), "/login");
    assert!(!is_signed_in(&late).await && !is_signed_in(&elsewhere).await);
    assert!(oauth_server::maintenance::sweep(&server.state).await.unwrap() > 0, "it is swept");
}

#[tokio::test]
async fn half_a_sign_in_ends_with_the_password_and_with_the_right_to_sign_in() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let (app, _) = enrol(&ada).await;
    let visitor = server.visitor();
    first_factor(&visitor, &[]).await;
    let new = [("current_password", PASSWORD), ("new_password", "a lantern and ten lives")];
    assert_eq!(ada.post("/account/password", &new).await.location(), "/account?done=password");
    let page = visitor.post(ASKED, &[("code", &app.code(&server))]).await;
    assert_eq!(page.location(), "/login");
    assert!(!is_signed_in(&visitor).await);
    let visitor = server.visitor();
    let form = [("username", "ada"), ("password", "a lantern and ten lives")];
    assert_eq!(visitor.post("/login", &form).await.location(), ASKED);
    server.state.store.set_disabled(&ada.id, true).await.unwrap();
    server.clock.advance(STEP);
    let page = visitor.post(ASKED, &[("code", &app.code(&server))]).await;
    assert_eq!(page.location(), "/login");
    assert!(!is_signed_in(&visitor).await);
}

#[tokio::test]
async fn a_recovery_code_signs_in_once() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let (_, codes) = enrol(&ada).await;
    let typed = codes[3].to_uppercase().replace('-', " ");
    let visitor = server.visitor();
    first_factor(&visitor, &[]).await;
    assert_eq!(visitor.post(ASKED, &[("code", &typed)]).await.location(), "/");
    assert!(visitor.get(PAGE).await.by_id("second-factor-status").contains("9 recovery codes"));
    let thief = server.visitor();
    first_factor(&thief, &[]).await;
    assert_refused(&thief.post(ASKED, &[("code", &typed)]).await, StatusCode::FORBIDDEN, WRONG);
    let eve = server.signed_up("eve").await;
    let (_, eves) = enrol(&eve).await;
    let page = thief.post(ASKED, &[("code", &eves[0])]).await;
    assert_refused(&page, StatusCode::FORBIDDEN, WRONG);
}

#[tokio::test]
async fn to_change_it_takes_a_recent_sign_in_and_a_code() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let (app, codes) = enrol(&ada).await;
    for path in ["codes", "remove"] {
        let path = format!("{PAGE}/{path}");
        let page = ada.post(&path, &[("code", "12345")]).await;
        assert_refused(&page, StatusCode::FORBIDDEN, WRONG);
        assert_refused(&ada.post(&path, &[]).await, StatusCode::FORBIDDEN, WRONG);
    }
    let page = ada.post(&format!("{PAGE}/codes"), &[("code", &codes[0])]).await;
    let fresh = page.by_id("recovery-codes");
    assert!(!fresh.contains(&*codes[1]), "they are others");
    let page = ada.post(&format!("{PAGE}/remove"), &[("code", &codes[1])]).await;
    assert_refused(&page, StatusCode::FORBIDDEN, WRONG);
    // A second one is not begun while there is one.
    ada.post(&format!("{PAGE}/begin"), &[]).await;
    assert!(!ada.get(PAGE).await.has("secret"));
    assert_eq!(ada.get(&format!("{PAGE}/picture")).await.status, StatusCode::NOT_FOUND);
    let code = app.code(&server);
    server.clock.advance(Duration::from_hours(1));
    for (method, path) in [
        ("get", ""),
        ("post", "/codes"),
        ("post", "/remove"),
        ("post", "/begin"),
        ("get", "/picture"),
    ] {
        let path = format!("{PAGE}{path}");
        let page = if method == "get" {
            ada.get(&path).await
        } else {
            ada.post(&path, &[("code", &code)]).await
        };
        assert_eq!(page.location(), "/login?to=second-factor", "{path}");
    }
    let ada = server.visitor();
    first_factor(&ada, &[]).await;
    ada.post(ASKED, &[("code", &app.code(&server))]).await;
    server.clock.advance(STEP);
    let page = ada.post(&format!("{PAGE}/remove"), &[("code", &app.code(&server))]).await;
    assert_eq!(page.location(), "/account/second-factor?done=second_factor_removed");
    assert!(ada.get(page.location()).await.has("notice"));
    assert_eq!(first_factor(&server.visitor(), &[]).await.location(), "/");
}

#[tokio::test]
async fn a_key_is_confirmed_by_its_own_code_and_shown_until_then() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let path = format!("{PAGE}/confirm");
    let page = ada.post(&path, &[("code", "123456")]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "nothing was begun");
    let old = begin(&ada).await;
    let app = begin(&ada).await;
    let page = ada.post(&path, &[("code", &old.code(&server))]).await;
    assert_refused(&page, StatusCode::FORBIDDEN, "This is not the code that the app shows now.");
    let picture = ada.get(&format!("{PAGE}/picture")).await;
    assert_eq!(picture.header("content-type"), "image/svg+xml");
    assert_eq!(picture.header("cache-control"), "no-store");
    let other = server.visitor().sign_in("ada").await;
    let page = ada.post(&path, &[("code", &app.code(&server))]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.html.contains("id=\"secret\""));
    assert!(is_signed_in(&ada).await && !is_signed_in(&other).await, "others are signed out");
    let page = ada.post(&path, &[("code", &app.code(&server))]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "it is confirmed already");
}

#[tokio::test]
async fn the_owner_is_told_by_letter_of_one_that_comes_or_goes() {
    for (language, added, removed) in [
        (
            "de",
            "Ein zweiter Faktor für 127.0.0.1:4999 wurde eingerichtet",
            "Ihr zweiter Faktor für 127.0.0.1:4999 wurde entfernt",
        ),
        (
            "en",
            "A second factor for 127.0.0.1:4999 was set up",
            "Your second factor for 127.0.0.1:4999 was taken away",
        ),
        (
            "fr",
            "Un second facteur pour 127.0.0.1:4999 a été mis en place",
            "Votre second facteur pour 127.0.0.1:4999 a été retiré",
        ),
    ] {
        let server = start(&format!("[mail]\nlanguage = {language:?}\n")).await;
        let ada = server.signed_up("ada").await;
        let _ = server.state.store.set_email(&ada.id, Some(ADA), true).await.unwrap();
        begin(&ada).await;
        let page = ada.post(&format!("{PAGE}/confirm"), &[("code", "12345")]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        assert!(server.letters().await.is_empty(), "nothing was set up");
        let (app, codes) = enrol(&ada).await;
        let remove = format!("{PAGE}/remove");
        let page = ada.post(&remove, &[("code", "12345")]).await;
        assert_refused(&page, StatusCode::FORBIDDEN, WRONG);
        let page = ada.post(&format!("{PAGE}/codes"), &[("code", &codes[0])]).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.html);
        assert_eq!(server.letters().await.len(), 1, "neither a refusal nor new codes");
        let page = ada.post(&remove, &[("code", &app.code(&server))]).await;
        assert_eq!(page.location(), format!("{PAGE}?done=second_factor_removed"));
        let letters = server.letters().await;
        let subjects: Vec<_> = letters.iter().map(|letter| letter.subject.as_str()).collect();
        assert_eq!(subjects, [added, removed]);
        for (letter, path) in letters.iter().zip(["/forgot-password", PAGE]) {
            assert_eq!(letter.to, ADA);
            assert!(letter.html.contains(&format!("<html lang=\"{language}\">")));
            assert_eq!(letter.link(path), format!("http://127.0.0.1:4999{path}"));
        }
    }
}

#[tokio::test]
async fn nobody_is_told_at_an_address_that_is_not_confirmed_or_where_no_letters_leave() {
    for (toml, confirmed) in [("", false), ("[mail]\ntransport = \"none\"\n", true)] {
        let server = start(toml).await;
        let ada = server.signed_up("ada").await;
        let _ = server.state.store.set_email(&ada.id, Some(ADA), confirmed).await.unwrap();
        let (app, _) = enrol(&ada).await;
        let code = app.code(&server);
        let page = ada.post(&format!("{PAGE}/remove"), &[("code", &code)]).await;
        assert_eq!(page.location(), format!("{PAGE}?done=second_factor_removed"));
        assert_eq!(server.state.mail.waiting().await.unwrap().count, 0);
    }
}

#[tokio::test]
async fn what_was_begun_and_not_confirmed_goes_without_a_letter() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let _ = server.state.store.set_email(&ada.id, Some(ADA), true).await.unwrap();
    begin(&ada).await;
    assert!(!server.state.second_factor.remove(&ada.id).await.unwrap(), "there was none");
    assert!(!ada.get(PAGE).await.has("secret"));
    assert!(server.letters().await.is_empty());
    enrol(&ada).await;
    for had in [true, false] {
        assert_eq!(server.state.second_factor.remove(&ada.id).await.unwrap(), had);
    }
    assert_eq!(server.letters().await.len(), 2, "one that it came, and one that it went");
}

#[tokio::test]
async fn the_password_grant_does_not_go_around_it() {
    let grants = "[grants]\ndanger_password = true\n[[client]]\nid = \"old\"\nsecret = \"fN3kqv8zR1w0YcTt5LxJm2Ph7UeSbGaD\"\ngrant_types = [\"password\"]\nscope = \"profile\"";
    let server = start(grants).await;
    let ada = server.signed_up("ada").await;
    let basic = Some(("old", "fN3kqv8zR1w0YcTt5LxJm2Ph7UeSbGaD"));
    let form = [("grant_type", "password"), ("username", "ada"), ("password", PASSWORD)];
    assert_eq!(server.post("/oauth/token", basic, &form).await.status(), StatusCode::OK);
    enrol(&ada).await;
    let answer = server.post("/oauth/token", basic, &form).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_eq!(json(answer).await["error"], "invalid_grant");
}

#[tokio::test]
async fn the_log_in_of_programs_does_not_go_around_it() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let body = json!({"username": "ada", "password": PASSWORD});
    assert_eq!(server.tell("/login", body.clone()).await.status, StatusCode::OK);
    enrol(&ada).await;
    server.tell("/login", body).await.refuses(403, "second_factor_needed");
    let body = json!({"username": "ada", "password": "a wrong guess"});
    server.tell("/login", body).await.refuses(401, "wrong_credentials");
}

/// What an application demands of a sign-in.
fn demand(acr: &str) -> String {
    json!({"id_token": {"acr": {"essential": true, "values": [acr]}}}).to_string()
}

#[tokio::test]
async fn an_application_may_demand_it_and_hears_what_was_proven() {
    let server = start("").await;
    server.relying_party("rp", &[]).await;
    let ada = server.signed_up("ada").await;
    let claims = demand(ACR_MULTI_FACTOR);
    let ask = [("scope", "openid"), ("claims", &*claims), ("nonce", "n")];
    let page = ada.authorize("rp", &ask).await;
    assert!(page.starts_with("/login?"), "a password is not enough: {page}");
    let (app, _) = enrol(&ada).await;
    let visitor = server.visitor();
    let asked = visitor.authorize("rp", &ask).await;
    let interaction_id = interaction(&asked);
    let page = first_factor(&visitor, &[("interaction", &interaction_id)]).await;
    assert!(page.location().starts_with("/login/second-factor?interaction="));
    assert!(visitor.get(page.location()).await.has("second-factor-form"));
    let form = [("code", &*app.code(&server)), ("interaction", &interaction_id)];
    let page = visitor.post(ASKED, &form).await;
    assert!(page.header("location").starts_with("/consent?"), "{}", page.header("location"));
    // Whoever proved more has proven less, too.
    let claims = demand(ACR_PASSWORD);
    let ask = [("scope", "openid"), ("claims", &*claims), ("nonce", "n")];
    assert!(visitor.authorize("rp", &ask).await.starts_with("/consent?"));
    let metadata = json(server.get("/.well-known/openid-configuration").await).await;
    assert_eq!(metadata["acr_values_supported"], json!([ACR_PASSWORD, ACR_MULTI_FACTOR]));
}

/// Many who have the password and see the phone, at two servers on one database.
#[tokio::test]
async fn one_code_used_twice_at_once_wins_once() {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let (one, two) = two_on(&database, "[throttle]\naccount_attempts = 1000").await;
        let ada = one.signed_up("ada").await;
        let (app, codes) = enrol(&ada).await;
        for code in [app.code(&one), codes[0].clone()] {
            let rivals: Vec<_> =
                (0..6).map(|i| if i % 2 == 0 { one.visitor() } else { two.visitor() }).collect();
            for rival in &rivals {
                assert_eq!(first_factor(rival, &[]).await.location(), ASKED);
            }
            let form = [("code", &*code)];
            let pages =
                futures_util::future::join_all(rivals.iter().map(|r| r.post(ASKED, &form))).await;
            let won = pages.iter().filter(|page| page.status == StatusCode::SEE_OTHER).count();
            assert_eq!(won, 1, "{pages:?}");
            for page in pages.iter().filter(|page| page.status != StatusCode::SEE_OTHER) {
                assert_refused(page, StatusCode::FORBIDDEN, WRONG);
            }
        }
    }
}
