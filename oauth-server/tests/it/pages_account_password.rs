//! `/account/password`.

use crate::{
    pages_actors::{Anonymous, PASSWORD, Page, SignedIn},
    support::{Server, form_request, json, start},
};
use http::StatusCode;
use oauth_core::{
    model::UserId,
    ports::{SignIn, Users as _},
    seaorm::{NewUser, new_user_id},
    testing::TestDatabase,
};
use oauth_server::activity::{Deed, What};

const PATH: &str = "/account/password";
const NEW: &str = "a lantern and ten lives";

async fn change(visitor: &SignedIn<'_>, current: &str, new: &str) -> Page {
    visitor.post(PATH, &[("current_password", current), ("new_password", new)]).await
}

/// Whether a password is the one of a user, asked without the throttle.
async fn fits(server: &Server, name: &str, password: &str) -> bool {
    matches!(server.state.store.sign_in(name, password).await.unwrap(), SignIn::Accepted(_))
}

/// Checks that a change was refused for one reason, and that nothing happened.
async fn assert_refused(ada: &SignedIn<'_>, page: &Page, status: StatusCode, at: &str, why: &str) {
    assert_eq!((page.status, page.problems()), (status, vec![at]), "{}", page.html);
    assert_eq!(page.by_id(&format!("{at}-problem")), why);
    assert!(!page.html.contains(NEW) && !page.html.contains(PASSWORD), "no password comes back");
    assert!(fits(ada.server, "ada", PASSWORD).await, "the password is the old one");
    assert!(ada.get("/").await.has("nav-logout"), "and the session too");
}

#[tokio::test]
async fn a_new_password_works_and_the_old_one_does_not() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let page = ada.get(PATH).await;
    assert!(page.html.contains("<title>Password – "));
    assert!(page.by_id("new_password-hint").starts_with("At least 8 characters."));
    assert_eq!(page.value("username"), "ada", "for the browser that keeps the password");
    let before = ada.cookie("oauth_session").unwrap();
    let page = change(&ada, PASSWORD, NEW).await;
    assert_eq!(page.location(), "/account?done=password");
    let after = ada.cookie("oauth_session").unwrap();
    assert_ne!(before, after, "the cookie is a fresh one");
    let page = ada.get(page.location()).await;
    assert!(page.by_id("notice").starts_with("Your password is changed."));
    assert!(fits(&server, "ada", NEW).await && !fits(&server, "ada", PASSWORD).await);
    let thief = server.visitor();
    thief.plant("oauth_session", &before);
    assert!(!thief.get("/").await.has("nav-logout"), "the old cookie is worth nothing");
}

#[tokio::test]
async fn it_ends_all_other_sessions_of_this_user_alone() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let eve = server.signed_up("eve").await;
    let other = server.visitor().sign_in("ada").await;
    change(&ada, PASSWORD, NEW).await;
    assert!(ada.get("/").await.has("nav-logout"));
    assert!(!other.get("/").await.has("nav-logout"));
    assert!(eve.get("/").await.has("nav-logout"));
    assert!(!ada.get("/account/sessions").await.has("session-2"));
}

#[tokio::test]
async fn it_revokes_what_applications_hold_of_this_user_alone() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let eve = server.signed_up("eve").await;
    let client = ada.create_client(&[("access_token_format", "opaque")]).await;
    let hers = client.exchange(&server, &ada.allow(&client.id).await).await;
    let eves = client.exchange(&server, &eve.allow(&client.id).await).await;
    let code = ada.allow(&client.id).await;
    change(&ada, PASSWORD, NEW).await;
    let basic = Some((&*client.id, client.secret.as_deref().unwrap()));
    let refresh = async |tokens: &serde_json::Value| {
        let token = tokens["refresh_token"].as_str().unwrap();
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        json(server.post("/oauth/token", basic, &form).await).await
    };
    assert_eq!(refresh(&hers).await["error"], "invalid_grant");
    assert_eq!(client.exchange(&server, &code).await["error"], "invalid_grant", "codes too");
    assert!(refresh(&eves).await["access_token"].is_string());
    assert!(ada.get("/account/applications").await.has("none"));
    let location = ada.authorize(&client.id, &[]).await;
    assert!(location.starts_with("/consent?"), "the consent is forgotten: {location}");
    assert!(eve.authorize(&client.id, &[]).await.contains("code="), "Eve's consent stays");
}

#[tokio::test]
async fn the_present_password_must_be_right() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let page = change(&ada, "not the password", NEW).await;
    let why = "This is not your password.";
    assert_refused(&ada, &page, StatusCode::FORBIDDEN, "current_password", why).await;
    let page = change(&ada, "", NEW).await;
    let (status, why) = (StatusCode::UNPROCESSABLE_ENTITY, "Type your present password.");
    assert_refused(&ada, &page, status, "current_password", why).await;
    let page = ada.post(PATH, &[("new_password", NEW)]).await;
    assert_refused(&ada, &page, status, "current_password", why).await;
    server.signed_up("eve").await;
    let eves = ada
        .post(PATH, &[("current_password", "x"), ("new_password", NEW), ("username", "eve")])
        .await;
    assert_eq!(eves.status, StatusCode::FORBIDDEN);
    assert!(fits(&server, "eve", PASSWORD).await, "the name in the form says nothing");
}

#[tokio::test]
async fn the_new_password_keeps_the_rules_of_signing_up() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let long = "ä1b".repeat(400);
    for (new, why) in [
        ("", "Choose a password."),
        ("short", "Use at least 8 characters in the password."),
        (&*long, "Use at most 1024 bytes in the password."),
        ("password1", "This password is among the first that anybody tries. Choose another one."),
        (PASSWORD, "Choose a password that you do not have already."),
    ] {
        let page = change(&ada, PASSWORD, new).await;
        assert_refused(&ada, &page, status, "new_password", why).await;
    }
    let page = change(&ada, "", "short").await;
    assert_eq!((page.status, page.problems()), (status, vec!["current_password", "new_password"]));
    let lovelace = server.signed_up("ada.lovelace").await;
    let page = change(&lovelace, PASSWORD, "Ada.Lovelace").await;
    assert_eq!(page.by_id("new_password-problem"), "Choose a password that is not the user name.");
    let page = ada.post(PATH, &[("current_password", "a"), ("current_password", "b")]).await;
    assert_eq!(
        (page.status, &*page.by_id("error-code")),
        (StatusCode::BAD_REQUEST, "invalid_request")
    );
}

#[tokio::test]
async fn guessing_is_slowed_down_here_as_well() {
    let server = start("[throttle]\naccount_attempts = 2\nfirst_delay = \"30s\"").await;
    let ada = server.signed_up("ada").await;
    for _ in 0..3 {
        assert_eq!(change(&ada, "guess", NEW).await.status, StatusCode::FORBIDDEN);
    }
    let page = change(&ada, PASSWORD, NEW).await;
    let why = "There were too many attempts. Try again in 30 seconds.";
    assert_refused(&ada, &page, StatusCode::TOO_MANY_REQUESTS, "current_password", why).await;
    assert_eq!(page.header("retry-after"), "30");
    server.clock.advance(std::time::Duration::from_secs(30));
    assert_eq!(change(&ada, PASSWORD, NEW).await.location(), "/account?done=password");
}

#[tokio::test]
async fn of_two_changes_at_once_one_is_late() {
    const OTHER: &str = "yet another lantern";
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let server = start(&format!("[database]\nurl = {:?}", database.url())).await;
        let ada = server.signed_up("ada").await;
        let other = server.visitor().sign_in("ada").await;
        let (one, two) = tokio::join!(change(&ada, PASSWORD, NEW), change(&other, PASSWORD, OTHER));
        let done = |page: &Page| page.header("location") == "/account?done=password";
        assert!(done(&one) != done(&two), "{one:?} {two:?}");
        let (new, gone) = if done(&one) { (NEW, OTHER) } else { (OTHER, NEW) };
        assert!(fits(&server, "ada", new).await && !fits(&server, "ada", gone).await);
        let alive = [ada.get("/").await, other.get("/").await];
        assert_eq!(alive.iter().filter(|page| page.has("nav-logout")).count(), 1);
    }
}

/// Somebody who knows the old password signs in all the time while it is changed.
#[tokio::test]
async fn no_sign_in_with_the_old_password_outlives_the_change() {
    const MOST: usize = 100;
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let server = start(&format!("[database]\nurl = {:?}", database.url())).await;
        let ada = server.signed_up("ada").await;
        let form = [("username", "ada"), ("password", PASSWORD)];
        let first = server.visitor();
        assert_eq!(first.post("/login", &form).await.location(), "/");
        let intruding = async {
            let mut sessions = vec![first];
            for _ in 0..MOST {
                let thief = server.visitor();
                let page = thief.post("/login", &form).await;
                if page.status == StatusCode::FORBIDDEN {
                    let why = "The user name or the password is wrong.";
                    assert_eq!(page.by_id("password-problem"), why);
                    break;
                }
                sessions.push(thief);
            }
            sessions
        };
        let (page, sessions) = tokio::join!(change(&ada, PASSWORD, NEW), intruding);
        assert_eq!(page.location(), "/account?done=password");
        assert!(sessions.len() <= MOST, "none after");
        for thief in sessions {
            assert!(!thief.get("/").await.has("nav-logout"));
        }
        assert!(!ada.get("/account/sessions").await.has("session-2"));
    }
}

#[tokio::test]
async fn no_other_site_changes_a_password() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let mut request =
        form_request(PATH, None, &[("current_password", PASSWORD), ("new_password", NEW)]);
    request.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
    request.headers_mut().insert("host", "127.0.0.1:4999".parse().unwrap());
    let page = ada.send(request).await;
    assert_eq!(
        (page.status, &*page.by_id("error-code")),
        (StatusCode::FORBIDDEN, "cross_site_request")
    );
    assert!(fits(&server, "ada", PASSWORD).await);
}

/// Somebody who came without a password.
async fn without_password(server: &Server) -> (UserId, Anonymous<'_>) {
    let now = server.state.now();
    let random = &*server.state.provider.env().random;
    let new = NewUser::new(new_user_id(now, random), "ada", now);
    let id = server.state.store.create_user(new).await.unwrap().unwrap();
    let headers = http::HeaderMap::new();
    let started = server.state.sessions.start(&headers, &id, &["fed"], None).await.unwrap();
    let visitor = server.visitor();
    let cookie = started.cookies.session.to_str().unwrap().split(';').next().unwrap().to_owned();
    visitor.plant("oauth_session", cookie.split_once('=').unwrap().1);
    (id, visitor)
}

#[tokio::test]
async fn whoever_came_without_a_password_chooses_one() {
    let server = start("").await;
    let (id, ada) = without_password(&server).await;
    let _ = server.state.store.set_email(&id, Some("ada@example.org"), true).await.unwrap();
    let page = ada.get(PATH).await;
    assert!(page.has("first") && !page.html.contains("current_password"), "{}", page.html);
    for (typed, why) in [
        ("", "Choose a password."),
        ("short", "Use at least 8 characters in the password."),
        ("password1", "This password is among the first that anybody tries. Choose another one."),
    ] {
        let page = ada.post(PATH, &[("new_password", typed)]).await;
        assert_eq!(
            (page.status, page.problems()),
            (StatusCode::UNPROCESSABLE_ENTITY, vec!["new_password"])
        );
        assert_eq!(page.by_id("new_password-problem"), why);
    }
    assert_eq!(
        ada.post(PATH, &[("new_password", NEW)]).await.location(),
        "/account?done=password_set"
    );
    assert!(ada.get("/account?done=password_set").await.has("notice"), "the session goes on");
    assert!(fits(&server, "ada", NEW).await);
    assert!(ada.get("/account/activity").await.html.contains("A password was set"));
    let letters = server.letters().await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].subject, "Your account at 127.0.0.1:4999 has a password now");
    assert_eq!(letters[0].link("/account"), "http://127.0.0.1:4999/account/sessions");
    assert!(!letters[0].raw.contains(NEW));
    // From now on it takes the present one.
    let page = ada.post(PATH, &[("new_password", "another lantern of nine")]).await;
    assert_eq!(page.problems(), ["current_password"]);
    assert!(fits(&server, "ada", NEW).await);
    assert_eq!(server.letters().await.len(), 1, "nothing was changed");
}

#[tokio::test]
async fn a_first_password_is_told_in_the_language_that_is_configured_to_a_confirmed_address() {
    for (language, subject) in [
        ("de", Some("Ihr Konto bei 127.0.0.1:4999 hat jetzt ein Passwort")),
        ("fr", Some("Votre compte chez 127.0.0.1:4999 a maintenant un mot de passe")),
        ("en", None),
    ] {
        let server = start(&format!("[mail]\nlanguage = {language:?}\n")).await;
        let (id, ada) = without_password(&server).await;
        let (email, confirmed) = (Some("ada@example.org"), subject.is_some());
        let _ = server.state.store.set_email(&id, email, confirmed).await.unwrap();
        let page = ada.post(PATH, &[("new_password", NEW)]).await;
        assert_eq!(page.location(), "/account?done=password_set");
        let letters = server.letters().await;
        let subjects: Vec<_> = letters.iter().map(|letter| letter.subject.as_str()).collect();
        assert_eq!(subjects, subject.as_slice(), "{language}");
    }
}

#[tokio::test]
async fn a_first_password_takes_a_recent_sign_in_and_a_user_who_may_sign_in() {
    let server = start("").await;
    let (id, ada) = without_password(&server).await;
    server.clock.advance(std::time::Duration::from_hours(1));
    for page in [ada.get(PATH).await, ada.post(PATH, &[("new_password", NEW)]).await] {
        assert_eq!(page.location(), "/login?to=password");
    }
    let page = ada.get("/login?to=password").await;
    assert_eq!(page.status, StatusCode::OK, "one signs in again there");
    assert_eq!(ada.get("/login?to=email").await.status, StatusCode::OK, "and there");
    assert!(!fits(&server, "ada", NEW).await);
    // Of two at once the second finds that there is one.
    let _ = server.state.store.set_email(&id, Some("ada@example.org"), true).await.unwrap();
    let people = server.state.people();
    let deed = || Deed::of(What::PasswordSet, &http::HeaderMap::new());
    assert!(people.choose_password(&id, NEW, deed()).await.unwrap());
    assert!(!people.choose_password(&id, PASSWORD, deed()).await.unwrap());
    assert!(fits(&server, "ada", NEW).await);
    assert_eq!(server.letters().await.len(), 1);
}

#[tokio::test]
async fn whoever_has_no_password_signs_in_again_before_another_address_is_asked_for() {
    let server = start("").await;
    let (_, ada) = without_password(&server).await;
    let form = [("new_email", "ada@example.org")];
    server.clock.advance(std::time::Duration::from_mins(10));
    let page = ada.post("/account/email", &form).await;
    assert_eq!(page.location(), "/account/email?done=letter_sent");
    server.clock.advance(std::time::Duration::from_mins(2));
    let page = ada.post("/account/email", &form).await;
    assert_eq!(page.location(), "/login?to=email");
    let page = ada.get(page.location()).await;
    assert_eq!((page.status, page.has("login-form")), (StatusCode::OK, true), "{}", page.html);
    assert_eq!(server.letters().await.len(), 1);
}

#[tokio::test]
async fn the_owner_is_told_that_the_password_was_changed() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    change(&ada, PASSWORD, NEW).await.location();
    assert!(server.letters().await.is_empty(), "nobody has confirmed an address");
    let _ = server.state.store.set_email(&ada.id, Some("ada@example.org"), true).await.unwrap();
    assert_eq!(change(&ada, "a wrong one", PASSWORD).await.status, StatusCode::FORBIDDEN);
    assert!(server.letters().await.is_empty(), "nothing was changed");
    change(&ada, NEW, PASSWORD).await.location();
    let letters = server.letters().await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].to, "ada@example.org");
    assert_eq!(letters[0].subject, "Your password for 127.0.0.1:4999 was replaced");
}

#[tokio::test]
async fn where_every_password_is_accepted_there_is_none_to_change() {
    let server = start("authenticator = \"any\"").await;
    server.user("ada", PASSWORD).await;
    let ada = server.visitor().sign_in("ada").await;
    let page = ada.get(PATH).await;
    assert_eq!(
        page.by_id("no-password"),
        "This demonstration lets everybody in with any password, so there is none to change."
    );
    assert_eq!(change(&ada, "whatever", NEW).await.status, StatusCode::FORBIDDEN);
    assert!(fits(&server, "ada", PASSWORD).await);
}

#[tokio::test]
async fn no_password_is_logged() {
    let log = crate::support::logged(Box::pin(async {
        let server = start("").await;
        let ada = server.signed_up("ada").await;
        change(&ada, "a wrong one", NEW).await;
        change(&ada, PASSWORD, NEW).await;
    }))
    .await;
    assert!(log.contains("user changed the password"), "{log}");
    for secret in [PASSWORD, NEW, "a wrong one"] {
        assert!(!log.contains(secret), "{log}");
    }
}
