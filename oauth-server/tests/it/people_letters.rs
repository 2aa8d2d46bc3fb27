//! Signing up, forgotten passwords and other addresses: the whole loop through letters, on the pages and in the API.

use crate::{
    pages_actors::PASSWORD,
    support::{logged, start},
};
use futures_util::future::join_all;
use http::StatusCode;
use oauth_core::{model::Role, testing::TestDatabase};
use oauth_server::maintenance;
use serde_json::json;
use std::time::Duration;

const ADA: &str = "ada@example.org";
const NEW: &str = "a new lantern for nine lives";

/// What two processes on one database share.
fn shared(database: &TestDatabase) -> String {
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    format!("[database]\nurl = {:?}\n[keys]\nsealing_key = {key:?}\n", database.url())
}

#[tokio::test]
async fn s2_08_letters_are_in_the_language_of_the_profile() {
    let server = start("[mail]\nlanguage = \"de\"\n").await;
    for (name, locale, subject) in [
        ("ann", Some("fr-CA"), "Confirmez votre adresse"),
        ("ben", Some("en"), "Confirm your address"),
        ("cem", Some("pt-BR"), "Bestätigen Sie Ihre Adresse"),
        ("dee", None, "Bestätigen Sie Ihre Adresse"),
    ] {
        let address = format!("{name}@example.org");
        let mut body = json!({"username": name, "email": address, "password": PASSWORD});
        if let Some(locale) = locale {
            body["locale"] = locale.into();
        }
        let made = server.tell("/register", body).await;
        assert!(made.status.is_success(), "{name}: {}", made.body);
        let letter = server.letter_to(&address).await;
        assert!(letter.subject.starts_with(subject), "{name}: {}", letter.subject);
    }
}

#[tokio::test]
async fn s2_13_the_whole_loop_on_the_pages() {
    let server = start("").await;
    let ada = server.visitor();
    let form = [("username", "ada"), ("email", ADA), ("password", PASSWORD)];
    assert_eq!(ada.post("/signup", &form).await.location(), "/");
    let account = server.state.store.account_by_name("ada").await.unwrap().unwrap();
    assert_eq!((account.role(), account.email_verified), (Role::Guest, false));
    let token = server.token_in_letter(ADA, "/confirm-email", 0).await;
    let letter = server.letter_to(ADA).await;
    assert!(letter.html.contains("<strong>ada</strong>") && letter.html.contains(&token));
    // Whatever follows the link changes nothing; the button does.
    let path = format!("/confirm-email?token={token}");
    for _ in 0..2 {
        let page = server.visitor().get(&path).await;
        assert_eq!((page.status, &*page.by_id("account")), (StatusCode::OK, "ada"));
        assert_eq!(
            (page.header("referrer-policy"), &*page.value("token")),
            ("no-referrer", &*token)
        );
    }
    assert!(!server.state.store.account(&account.id).await.unwrap().unwrap().email_verified);
    let page = server.visitor().post("/confirm-email", &[("token", &token)]).await;
    assert_eq!(page.by_id("done"), "Your address is confirmed");
    assert_eq!((page.header("set-cookie"), page.header("referrer-policy")), ("", "no-referrer"));
    let account = server.state.store.account(&account.id).await.unwrap().unwrap();
    assert_eq!((account.role(), account.email_verified), (Role::Registered, true));
    for again in [
        server.visitor().post("/confirm-email", &[("token", &token)]).await,
        server.visitor().get(&path).await,
        server.visitor().get("/confirm-email").await,
        server.visitor().post("/reset-password", &[("token", &token), ("password", NEW)]).await,
    ] {
        assert_eq!(
            (again.status, &*again.by_id("error-code")),
            (StatusCode::BAD_REQUEST, "link_invalid")
        );
    }
    // The address is good for signing in.
    let page = server.visitor().post("/login", &[("username", ADA), ("password", PASSWORD)]).await;
    assert_eq!(page.location(), "/");
}

#[tokio::test]
async fn s2_14_s2_15_a_forgotten_password_on_the_pages() {
    let server = start("").await;
    let user = server.user("ada", PASSWORD).await;
    let _ = server.state.store.set_email(&user, Some(ADA), true).await.unwrap();
    let ada = server.visitor().sign_in("ada").await;
    let device = server.token_of("ada", PASSWORD).await;
    assert!(server.visitor().get("/login").await.has("forgot"));
    let asked = |whom: &'static str| {
        let server = &server;
        async move { server.visitor().post("/forgot-password", &[("email", whom)]).await }
    };
    let (known, unknown) = (asked(ADA).await, asked("nobody@example.org").await);
    assert_eq!(
        (known.status, &known.html),
        (unknown.status, &unknown.html),
        "nobody learns who is here"
    );
    assert_eq!(known.by_id("done"), "Look into your mailbox");
    let token = server.token_in_letter(ADA, "/reset-password", 0).await;
    assert_eq!(server.letters().await.len(), 1);
    let page = server.visitor().get(&format!("/reset-password?token={token}")).await;
    assert_eq!((&*page.by_id("account"), page.header("referrer-policy")), ("ada", "no-referrer"));
    for bad in ["short", "ada", ADA, "Password1!"] {
        let page =
            server.visitor().post("/reset-password", &[("token", &token), ("password", bad)]).await;
        assert_eq!(
            (page.status, page.problems()),
            (StatusCode::UNPROCESSABLE_ENTITY, vec!["password"]),
            "{bad}"
        );
    }
    let page =
        server.visitor().post("/reset-password", &[("token", &token), ("password", NEW)]).await;
    assert_eq!(
        (&*page.by_id("done"), page.header("set-cookie")),
        ("Your password is replaced", "")
    );
    // Every session and token has ended, the old password is none, the owner is told.
    assert_eq!(ada.get("/account").await.location(), "/login?to=account");
    server.call("GET", "/users/me").token(&device).send().await.refuses(401, "token_invalid");
    let old = server.tell("/login", json!({"username": "ada", "password": PASSWORD})).await;
    old.refuses(401, "wrong_credentials");
    server.token_of("ada", NEW).await;
    let notice = server.letter_to(ADA).await;
    assert!(
        notice.subject.contains("was replaced") && !notice.text.contains("token="),
        "{notice:?}"
    );
    let page = server
        .visitor()
        .post("/reset-password", &[("token", &token), ("password", PASSWORD)])
        .await;
    assert_eq!(page.by_id("error-code"), "link_invalid");
}

#[tokio::test]
async fn s2_14_a_link_is_short_lived_and_a_newer_one_takes_its_place() {
    let server = start("[throttle]\nletter_attempts = 9\n").await;
    let user = server.user("ada", PASSWORD).await;
    let _ = server.state.store.set_email(&user, Some(ADA), true).await.unwrap();
    let ask = async |before| {
        let answer = server.tell("/forgot-password", json!({"email": "ADA"})).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        server.token_in_letter(ADA, "/reset-password", before).await
    };
    let reset = async |token: &str| {
        server.tell("/reset-password", json!({"token": token, "password": NEW})).await
    };
    let (first, second) = (ask(0).await, ask(1).await);
    reset(&first).await.refuses(400, "link_invalid");
    server.clock.advance(Duration::from_mins(45));
    reset(&second).await.refuses(400, "link_invalid");
    let third = ask(2).await;
    // It went to an address that is no longer this user's.
    let other = Some("other@example.org");
    let _ = server.state.store.set_email(&user, other, true).await.unwrap();
    reset(&third).await.refuses(400, "link_invalid");
    let _ = server.state.store.set_email(&user, Some(ADA), true).await.unwrap();
    let fourth = ask(3).await;
    server.state.store.set_disabled(&user, true).await.unwrap();
    reset(&fourth).await.refuses(400, "link_invalid");
    server.state.store.set_disabled(&user, false).await.unwrap();
    assert_eq!(reset(&fourth).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn s2_14_nobody_gets_a_letter_at_an_address_that_nobody_confirmed() {
    let server = start("").await;
    let user = server.user("ada", PASSWORD).await;
    let _ = server.state.store.set_email(&user, Some(ADA), false).await.unwrap();
    let owner = server.user("owner", PASSWORD).await;
    let _ = server.state.store.set_email(&owner, Some("owner@example.org"), true).await.unwrap();
    for whom in [ADA, "ada", "owner"] {
        server.tell("/forgot-password", json!({"email": whom})).await;
    }
    server.token_in_letter("owner@example.org", "/reset-password", 0).await;
    assert_eq!(server.letters().await.len(), 1);
}

#[tokio::test]
async fn s2_12_a_taken_address_is_told_to_its_owner_and_to_nobody_else() {
    let server = start("").await;
    let owner = server.user("owner", PASSWORD).await;
    let _ = server.state.store.set_email(&owner, Some(ADA), true).await.unwrap();
    let register = async |name: &str, email: &str| {
        let body = json!({"username": name, "email": email, "password": NEW});
        server.tell("/register", body).await
    };
    let (taken, free) =
        (register("eve", "Ada@Example.org").await, register("bob", "bob@example.org").await);
    assert_eq!(
        (taken.status, &taken.body["confirmation"]),
        (free.status, &free.body["confirmation"])
    );
    // Nor does signing in, or one's own account, tell.
    for name in ["eve", "bob"] {
        let token = server.token_of(name, NEW).await;
        let me = server.call("GET", "/users/me").token(&token).send().await;
        assert_eq!(
            (&me.body["email_verified"], &me.body["role"]),
            (&json!(false), &json!("guest"))
        );
        assert!(me.body["email"].is_string());
    }
    for email in [ADA, "bob@example.org"] {
        let body = json!({"username": email, "password": NEW});
        server.tell("/login", body).await.refuses(401, "wrong_credentials");
    }
    let letter = server.letter_to(ADA).await;
    assert!(letter.subject.contains("You have an account") && letter.text.contains("owner"));
    assert!(!letter.text.contains("token="), "{}", letter.text);
    // A name that is an address is none, whoever has it.
    for (name, email) in [
        (ADA, ADA),
        ("dora@example.org", "dora@example.org"),
        ("fritz@example.org", "g@example.org"),
    ] {
        let refused = register(name, email).await;
        refused.refuses(422, "invalid");
        assert_eq!(refused.fields(), ["username"]);
        let form = [("username", name), ("password", NEW)];
        let page = server.visitor().post("/signup", &form).await;
        assert_eq!(
            (page.status, page.problems()),
            (StatusCode::UNPROCESSABLE_ENTITY, vec!["username"])
        );
        assert!(page.by_id("username-problem").starts_with("A user name is no address."));
        let body = json!({"username": name, "password": NEW});
        server.tell("/login", body).await.refuses(401, "wrong_credentials");
    }
    assert_eq!(server.letters().await.len(), 2, "one for each who signed up");
}

#[tokio::test]
async fn s2_12_a_free_and_a_taken_address_get_as_many_letters() {
    let server = start("[throttle]\nletter_attempts = 3\n").await;
    let owner = server.user("owner", PASSWORD).await;
    let _ = server.state.store.set_email(&owner, Some(ADA), true).await.unwrap();
    for address in [ADA, "bob@example.org"] {
        for _ in 0..6 {
            let body = json!({"email": address, "password": NEW});
            assert_eq!(server.tell("/register", body).await.status, StatusCode::ACCEPTED);
        }
        let letters = server.letters().await;
        let letters = letters.iter().filter(|letter| letter.to == address).count();
        assert_eq!(letters, 4, "{address}: three for nothing, and the one that begins to wait");
    }
}

#[tokio::test]
async fn s2_13_nobody_keeps_the_owner_of_an_address_out_by_taking_it_for_a_name() {
    let server = start("").await;
    for name in [ADA, " Ada@Example.ORG "] {
        let body = json!({"username": name, "password": NEW});
        server.tell("/register", body).await.refuses(422, "invalid");
    }
    let body = json!({"email": ADA, "password": PASSWORD});
    assert_eq!(server.tell("/register", body).await.status, StatusCode::ACCEPTED);
    let token = server.token_in_letter(ADA, "/confirm-email", 0).await;
    let confirmed = server.tell("/confirm-email", json!({"token": token})).await;
    assert_eq!(confirmed.status, StatusCode::NO_CONTENT);
    server.token_of(ADA, PASSWORD).await;
}

#[tokio::test]
async fn s2_13_whoever_confirms_first_has_the_address() {
    let server = start("").await;
    let mut tokens = Vec::new();
    for name in ["one", "two"] {
        let body = json!({"username": name, "email": ADA, "password": PASSWORD});
        assert_eq!(server.tell("/register", body).await.status, StatusCode::ACCEPTED);
        let before = tokens.len();
        tokens.push(server.token_in_letter(ADA, "/confirm-email", before).await);
    }
    let confirm = async |token: &str| server.tell("/confirm-email", json!({"token": token})).await;
    assert_eq!(confirm(&tokens[1]).await.status, StatusCode::NO_CONTENT);
    confirm(&tokens[0]).await.refuses(409, "email_taken");
    let owner = server.state.store.account_by_email(ADA).await.unwrap().unwrap();
    assert_eq!(owner.username, "two");
}

#[tokio::test]
async fn s2_13_what_nobody_confirms_is_forgotten() {
    for (mode, stays) in [("optional", true), ("required", false)] {
        let server = start(&format!("[accounts]\nemail = \"{mode}\"\n")).await;
        for (name, confirms) in [("ada", false), ("bob", true)] {
            let email = format!("{name}@example.org");
            let body = json!({"username": name, "email": email, "password": PASSWORD});
            server.tell("/register", body).await;
            if confirms {
                let token = server.token_in_letter(&email, "/confirm-email", 0).await;
                server.tell("/confirm-email", json!({"token": token})).await;
            }
        }
        let none = json!({"username": "carol", "password": PASSWORD});
        let answer = server.tell("/register", none).await;
        if stays {
            assert_eq!(answer.status, StatusCode::ACCEPTED);
        } else {
            answer.refuses(422, "invalid");
            assert_eq!(answer.fields(), ["email"]);
        }
        server.clock.advance(Duration::from_hours(24 * 7));
        maintenance::sweep(&server.state).await.unwrap();
        let ada = server.state.store.account_by_name("ada").await.unwrap();
        assert_eq!(ada.is_some(), stays, "{mode}");
        assert!(ada.is_none_or(|ada| ada.email.is_none()));
        let bob = server.state.store.account_by_name("bob").await.unwrap().unwrap();
        assert!(bob.email_verified);
    }
}

#[tokio::test]
async fn s2_18_another_address_is_confirmed_first_and_can_be_taken_back() {
    let server = start("").await;
    let user = server.user("ada", PASSWORD).await;
    let _ = server.state.store.set_email(&user, Some(ADA), true).await.unwrap();
    let ada = server.visitor().sign_in("ada").await;
    let new = "new@example.org";
    let page =
        ada.post("/account/email", &[("new_email", new), ("current_password", "wrong")]).await;
    assert_eq!((page.status, page.problems()), (StatusCode::FORBIDDEN, vec!["current_password"]));
    for bad in ["", "new", ADA] {
        let page =
            ada.post("/account/email", &[("new_email", bad), ("current_password", PASSWORD)]).await;
        assert_eq!(
            (page.status, page.problems()),
            (StatusCode::UNPROCESSABLE_ENTITY, vec!["new_email"]),
            "{bad}"
        );
    }
    let form = [("new_email", new), ("current_password", PASSWORD)];
    assert_eq!(
        ada.post("/account/email", &form).await.location(),
        "/account/email?done=letter_sent"
    );
    let email = async || server.state.store.account(&user).await.unwrap().unwrap().email.unwrap();
    assert_eq!(email().await, ADA, "not before it is confirmed");
    let token = server.token_in_letter(new, "/confirm-new-email", 0).await;
    let page = server.visitor().post("/confirm-new-email", &[("token", &token)]).await;
    assert_eq!(page.by_id("done"), "Your new address is confirmed");
    assert_eq!(email().await, new);
    // The old address takes it back, and whoever is signed in is not any more.
    let undo = server.token_in_letter(ADA, "/undo-email", 0).await;
    assert_eq!(ada.get("/account").await.status, StatusCode::OK);
    let page = server.visitor().get(&format!("/undo-email?token={undo}")).await;
    assert_eq!((&*page.by_id("address"), &*email().await), (ADA, new));
    let page = server.visitor().post("/undo-email", &[("token", &undo)]).await;
    assert_eq!((&*page.by_id("done"), &*email().await), ("Your old address is back", ADA));
    assert_eq!(ada.get("/account").await.location(), "/login?to=account");
    let page = server.visitor().post("/undo-email", &[("token", &undo)]).await;
    assert_eq!(page.by_id("error-code"), "link_invalid");
}

#[tokio::test]
async fn s2_18_an_address_of_somebody_else_is_not_to_be_had_and_nobody_is_told() {
    let server = start("").await;
    let user = server.user("ada", PASSWORD).await;
    let other = server.user("bob", PASSWORD).await;
    let _ = server.state.store.set_email(&other, Some("bob@example.org"), true).await.unwrap();
    let token = server.token_of("ada", PASSWORD).await;
    let change = async |email: &str| {
        let call = server.call("POST", "/users/me/email").token(&token);
        call.body(json!({"email": email})).send().await
    };
    let (taken, free) = (change("bob@example.org").await, change("free@example.org").await);
    assert_eq!((taken.status, &taken.body), (free.status, &free.body));
    assert!(server.letter_to("bob@example.org").await.text.contains("bob"));
    let confirm = server.token_in_letter("free@example.org", "/confirm-new-email", 0).await;
    let _ = server.state.store.set_email(&other, Some("free@example.org"), true).await.unwrap();
    server.tell("/confirm-new-email", json!({"token": confirm})).await.refuses(409, "email_taken");
    assert_eq!(server.state.store.account(&user).await.unwrap().unwrap().email, None);
    // Whoever signed in a while ago says the password again.
    server.clock.advance(Duration::from_mins(9) + Duration::from_secs(59));
    assert_eq!(change("third@example.org").await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn s2_13_one_token_is_used_once_by_however_many_at_once() {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let toml = shared(&database);
        let (server, other) = (start(&toml).await, start(&toml).await);
        let user = server.user("ada", PASSWORD).await;
        let _ = server.state.store.set_email(&user, Some(ADA), true).await.unwrap();
        server.tell("/forgot-password", json!({"email": ADA})).await;
        let token = server.token_in_letter(ADA, "/reset-password", 0).await;
        let resets = (0..8).map(|n| {
            let at = if n % 2 == 0 { &server } else { &other };
            let body = json!({"token": token, "password": format!("{NEW} {n}")});
            async move { at.tell("/reset-password", body).await }
        });
        let answers = join_all(resets).await;
        let done = answers.iter().filter(|a| a.status == StatusCode::NO_CONTENT).count();
        assert_eq!(done, 1);
        for answer in answers.iter().filter(|a| a.status != StatusCode::NO_CONTENT) {
            answer.refuses(400, "link_invalid");
        }
        // Two of one address: each letter confirms, and one of them wins.
        let mut tokens = Vec::new();
        for name in ["one", "two"] {
            let email = "shared@example.org";
            let before = server.letters().await.len();
            let body = json!({"username": name, "email": email, "password": PASSWORD});
            server.tell("/register", body).await;
            tokens.push(server.token_in_letter(email, "/confirm-email", before).await);
        }
        let answers = join_all(tokens.iter().zip([&server, &other]).map(|(token, at)| {
            let body = json!({"token": token});
            async move { at.tell("/confirm-email", body).await.status.as_u16() }
        }));
        let mut statuses = answers.await;
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 409]);
    }
}

#[tokio::test]
async fn s2_14_letters_to_one_person_are_few_whichever_process_is_asked() {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let toml = format!("{}[throttle]\nletter_attempts = 3\n", shared(&database));
        let (server, other) = (start(&toml).await, start(&toml).await);
        let asked = join_all((0..12).map(|n| {
            let at = if n % 2 == 0 { &server } else { &other };
            async move { at.tell("/forgot-password", json!({"email": ADA})).await }
        }));
        let answers = asked.await;
        let let_in = answers.iter().filter(|a| a.status == StatusCode::ACCEPTED).count();
        assert_eq!(let_in, 4, "three for nothing, and the one that begins to wait");
        for answer in answers.iter().filter(|a| a.status != StatusCode::ACCEPTED) {
            answer.refuses(429, "too_many_attempts");
            assert!(answer.headers.contains_key("retry-after"));
        }
    }
}

#[tokio::test]
async fn s2_21_where_no_letters_leave_nothing_offers_one() {
    let server = start("[mail]\ntransport = \"none\"\n").await;
    assert!(!server.visitor().get("/login").await.has("forgot"));
    let page = server.visitor().get("/forgot-password").await;
    assert_eq!((page.status, &*page.by_id("error-code")), (StatusCode::FORBIDDEN, "no_letters"));
    let ada = server.signed_up("ada").await;
    let form = [("new_email", ADA), ("current_password", PASSWORD)];
    assert_eq!(ada.post("/account/email", &form).await.by_id("error-code"), "no_letters");
}

#[tokio::test]
async fn s2_14_nothing_of_it_is_in_the_log() {
    let server = start("").await;
    let log = logged(async {
        let body = json!({"username": "ada", "email": ADA, "password": PASSWORD});
        server.tell("/register", body).await;
        let token = server.token_in_letter(ADA, "/confirm-email", 0).await;
        server.tell("/confirm-email", json!({"token": token})).await;
        server.tell("/forgot-password", json!({"email": ADA})).await;
        let token = server.token_in_letter(ADA, "/reset-password", 1).await;
        server.tell("/reset-password", json!({"token": token, "password": NEW})).await;
        server.token_of(ADA, NEW).await;
        for letter in server.letters().await {
            let link = letter.text.split_whitespace().find(|w| w.contains("token="));
            LINKS.with_borrow_mut(|links| links.extend(link.map(str::to_owned)));
        }
    })
    .await;
    for secret in [ADA, PASSWORD, NEW] {
        assert!(!log.contains(secret), "{secret}");
    }
    for link in LINKS.take() {
        assert!(!log.contains(link.split_once('=').unwrap().1));
    }
}

thread_local! {
    static LINKS: std::cell::RefCell<Vec<String>> = const { std::cell::RefCell::new(Vec::new()) };
}
