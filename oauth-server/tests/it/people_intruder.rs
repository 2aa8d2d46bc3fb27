//! Whoever got hold of a password or a session, and what of that outlasts the owner's answer: letters that are under way,
//! other addresses, tokens.

use crate::{
    pages_actors::PASSWORD,
    support::{Server, start},
};
use http::StatusCode;
use oauth_core::{model::UserId, testing::TestDatabase};
use oauth_server::administration::users;
use serde_json::json;

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
            let confirm = server.tell("/confirm-new-email", json!({"token": change})).await;
            confirm.refuses(400, "link_invalid");
            assert_eq!(address(&server, &user).await, format!("{way}@example.org"));
        }
    }
}
