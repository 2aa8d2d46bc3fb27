//! Whoever got hold of a password or a session, and what of that outlasts the owner's answer: letters that are under way,
//! other addresses, tokens.

use crate::{
    pages_actors::PASSWORD,
    support::{self, Server, start},
};
use http::{HeaderMap, StatusCode};
use oauth_core::{model::UserId, testing::TestDatabase};
use oauth_server::{administration::users, profile};
use serde_json::{Map, Value, json};
use std::time::Duration;

const NEW: &str = "a new lantern for nine lives";

/// Somebody with a confirmed address.
async fn somebody(server: &Server, name: &str) -> UserId {
    let user = server.user(name, PASSWORD).await;
    let address = format!("{name}@example.org");
    let _ = server.state.store.set_email(&user, Some(&address), true).await.unwrap();
    user
}

/// The address of a user.
async fn address(server: &Server, user: &UserId) -> String {
    server.state.store.account(user).await.unwrap().unwrap().email.unwrap()
}

/// Checks that the token of a letter is worth nothing.
async fn is_invalid(server: &Server, path: &str, token: &str) {
    let body = json!({"token": token});
    server.tell(path, body).await.refuses(400, "link_invalid");
}

/// Takes another address by answering the letter to it.
async fn change(server: &Server, name: &str, to: &str) {
    let token = begin_change(server, name, to).await;
    let answer = server.tell("/confirm-new-email", json!({"token": token})).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.body);
}

/// Asks for another address, by whoever knows the password; the token of the letter to it.
async fn begin_change(server: &Server, name: &str, to: &str) -> String {
    let before = server.letters().await.len();
    let token = server.token_of(name, PASSWORD).await;
    let call = server.call("POST", "/users/me/email").token(&token);
    let asked = call.body(json!({"email": to})).send().await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.body);
    server.token_in_letter(to, "/confirm-new-email", before).await
}

#[tokio::test]
async fn s2_18_a_change_of_the_address_that_is_under_way_ends_with_the_password() {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let server = start(&format!("[database]\nurl = {:?}", database.url())).await;
        for way in ["page", "api", "operator", "locked-out"] {
            let user = somebody(&server, way).await;
            let owner = server.visitor().sign_in(way).await;
            let token = server.token_of(way, PASSWORD).await;
            let change = begin_change(&server, way, &format!("{way}@evil.example")).await;
            let passwords = [("current_password", PASSWORD), ("new_password", NEW)];
            match way {
                "page" => {
                    let page = owner.post("/account/password", &passwords).await;
                    assert_eq!(page.location(), "/account?done=password");
                }
                "api" => {
                    let call = server.call("POST", "/users/me/password").token(&token);
                    let body = json!({"current_password": PASSWORD, "new_password": NEW});
                    assert_eq!(call.body(body).send().await.status, StatusCode::OK);
                }
                "operator" => {
                    let hash = server.state.passwords.hash(NEW).await.unwrap();
                    let ended = users::set_password(&server.state, &user, hash).await.unwrap();
                    assert_eq!(ended, 1);
                }
                _ => {
                    assert_eq!(users::disable(&server.state, &user).await.unwrap(), 1);
                    assert!(server.state.store.set_disabled(&user, false).await.unwrap());
                }
            }
            is_invalid(&server, "/confirm-new-email", &change).await;
            assert_eq!(address(&server, &user).await, format!("{way}@example.org"));
        }
    }
}

#[tokio::test]
async fn s2_18_the_first_address_can_take_back_whatever_came_after_it() {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let server = start(&format!("[database]\nurl = {:?}", database.url())).await;
        let ada = somebody(&server, "ada").await;
        change(&server, "ada", "b@evil.example").await;
        let undo = server.token_in_letter("ada@example.org", "/undo-email", 0).await;
        change(&server, "ada", "c@evil.example").await;
        // The address in between is told, and gets no such power.
        let letter = server.letter_to("b@evil.example").await;
        assert_eq!(letter.subject, "Your address for 127.0.0.1:4999 was replaced again");
        assert!(!letter.text.contains("token=") && !letter.html.contains("token="), "{letter:?}");
        assert_eq!(letter.link("/account/"), "http://127.0.0.1:4999/account/password");
        let back = server.tell("/undo-email", json!({"token": undo})).await;
        assert_eq!(back.status, StatusCode::NO_CONTENT, "{}", back.body);
        assert_eq!(address(&server, &ada).await, "ada@example.org");
        is_invalid(&server, "/undo-email", &undo).await;
    }
}

#[tokio::test]
async fn s2_18_the_power_to_take_a_change_back_passes_on_when_it_is_over() {
    let server = start("").await;
    let ada = somebody(&server, "ada").await;
    change(&server, "ada", "b@example.org").await;
    let old = server.token_in_letter("ada@example.org", "/undo-email", 0).await;
    server.clock.advance(Duration::from_hours(7 * 24));
    change(&server, "ada", "c@example.org").await;
    is_invalid(&server, "/undo-email", &old).await;
    let undo = server.token_in_letter("b@example.org", "/undo-email", 0).await;
    // And whoever has an address again has the whole week again.
    change(&server, "ada", "b@example.org").await;
    let before = server.letters().await.len();
    change(&server, "ada", "d@example.org").await;
    let again = server.token_in_letter("b@example.org", "/undo-email", before).await;
    is_invalid(&server, "/undo-email", &undo).await;
    let back = server.tell("/undo-email", json!({"token": again})).await;
    assert_eq!(back.status, StatusCode::NO_CONTENT, "{}", back.body);
    assert_eq!(address(&server, &ada).await, "b@example.org");
}

#[tokio::test]
async fn s2_18_no_letter_undoes_the_word_of_an_administrator() {
    let server = start("").await;
    let root = somebody(&server, "root").await;
    server.state.store.set_admin(&root, true).await.unwrap();
    let token = server.token_of("root", PASSWORD).await;
    for way in ["api", "command-line"] {
        let user = somebody(&server, way).await;
        let (own, other) = (format!("{way}@example.org"), format!("{way}@evil.example"));
        change(&server, way, &other).await;
        let undo = server.token_in_letter(&own, "/undo-email", 0).await;
        let pending = begin_change(&server, way, &format!("{way}@more.example")).await;
        let before = server.letters().await.len();
        server.tell("/forgot-password", json!({"email": way})).await;
        let reset = server.token_in_letter(&other, "/reset-password", before).await;
        if way == "api" {
            let call = server.call("PATCH", &format!("/users/{user}")).token(&token);
            let body = json!({"email": own, "email_verified": true});
            let put = call.header("if-match", "*").body(body).send().await;
            assert_eq!(put.status, StatusCode::OK, "{}", put.body);
        } else {
            let claims = (json!(own), json!(true));
            let with = move |profile: &Map<String, Value>| {
                let mut profile = profile.clone();
                profile.insert("email".into(), claims.0);
                profile.insert("email_verified".into(), claims.1);
                Some(profile)
            };
            let put = profile::change(&server.state.store, &user, with).await.unwrap();
            assert!(put.unwrap().is_some());
        }
        is_invalid(&server, "/undo-email", &undo).await;
        is_invalid(&server, "/confirm-new-email", &pending).await;
        let body = json!({"token": reset, "password": NEW});
        server.tell("/reset-password", body).await.refuses(400, "link_invalid");
        assert_eq!(address(&server, &user).await, own);
    }
}

/// That an address is not verified, or is, gives nobody another one.
#[tokio::test]
async fn s2_18_a_word_about_the_same_address_leaves_the_power_where_it_is() {
    let server = start("").await;
    let root = somebody(&server, "root").await;
    server.state.store.set_admin(&root, true).await.unwrap();
    let token = server.token_of("root", PASSWORD).await;
    let ada = somebody(&server, "ada").await;
    change(&server, "ada", "b@evil.example").await;
    let undo = server.token_in_letter("ada@example.org", "/undo-email", 0).await;
    let call = server.call("PATCH", &format!("/users/{ada}")).token(&token);
    let body = json!({"email_verified": false});
    let put = call.header("if-match", "*").body(body).send().await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.body);
    let back = server.tell("/undo-email", json!({"token": undo})).await;
    assert_eq!(back.status, StatusCode::NO_CONTENT, "{}", back.body);
    assert_eq!(address(&server, &ada).await, "ada@example.org");
}

/// Does something until the sessions of a user are over, and does not wait for the rest of it.
async fn impatiently<T>(server: &Server, user: &UserId, work: impl Future<Output = T>) {
    let over = async {
        while server.state.sessions.count(user).await.unwrap() > 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = over => {}
        _ = work => {}
    }
}

#[tokio::test]
async fn s2_11_tokens_end_with_the_password_whether_or_not_anybody_waits_for_the_answer() {
    const SESSIONS: usize = 40;
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let server = start(&format!("[database]\nurl = {:?}", database.url())).await;
        for way in ["page", "api", "locked-out"] {
            let owner = server.signed_up(way).await;
            let client = owner.create_client(&[]).await;
            let tokens = client.exchange(&server, &owner.allow(&client.id).await).await;
            let body = json!({"username": way, "password": PASSWORD});
            let program = server.tell("/login", body).await;
            for _ in 0..SESSIONS {
                let sessions = &server.state.sessions;
                sessions.start(&HeaderMap::new(), &owner.id, &["pwd"], None).await.unwrap();
            }
            match way {
                "page" => {
                    let form = [("current_password", PASSWORD), ("new_password", NEW)];
                    let post = owner.post("/account/password", &form);
                    impatiently(&server, &owner.id, post).await;
                }
                "api" => {
                    let body = json!({"current_password": PASSWORD, "new_password": NEW});
                    let call = server.call("POST", "/users/me/password");
                    let call = call.token(&program.text("access_token")).body(body);
                    impatiently(&server, &owner.id, call.send()).await;
                }
                _ => {
                    let disable = Box::pin(users::disable(&server.state, &owner.id));
                    impatiently(&server, &owner.id, disable).await;
                    assert!(server.state.store.set_disabled(&owner.id, false).await.unwrap());
                }
            }
            let refresh = json!({"refresh_token": program.text("refresh_token")});
            server.tell("/refresh", refresh).await.refuses(401, "refresh_invalid");
            let basic = Some((&*client.id, client.secret.as_deref().unwrap()));
            let refresh = tokens["refresh_token"].as_str().unwrap();
            let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
            let refused = support::json(server.post("/oauth/token", basic, &form).await).await;
            assert_eq!(refused["error"], "invalid_grant", "{way}");
            let consents = server.state.provider.env().grants.consents(&owner.id).await.unwrap();
            assert!(consents.is_empty(), "{way}: it is asked again");
        }
    }
}
