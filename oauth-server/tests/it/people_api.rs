//! `/api`: the user service as front ends see it.

use crate::{
    pages_actors::PASSWORD,
    people_actors::Answer,
    support::{self, Server, start},
};
use axum::body::Body;
use futures_util::future::join_all;
use http::{HeaderMap, Request, StatusCode};
use oauth_core::{
    model::{Role, UserId},
    ports::Users as _,
};
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::{Value, json};
use std::time::Duration;

const NEW: &str = "a new lantern for nine lives";

/// A user with a confirmed address, and a token of it.
async fn somebody(server: &Server, name: &str) -> (UserId, String) {
    let id = server.user(name, PASSWORD).await;
    let email = format!("{name}@example.org");
    let _ = server.state.store.set_email(&id, Some(&email), true).await.unwrap();
    let token = server.token_of(name, PASSWORD).await;
    (id, token)
}

async fn patch(server: &Server, path: &str, token: &str, tag: &str, body: Value) -> Answer {
    server.call("PATCH", path).token(token).header("if-match", tag).body(body).send().await
}

async fn account(server: &Server, id: &UserId) -> oauth_core::seaorm::UserAccount {
    server.state.store.account(id).await.unwrap().unwrap()
}

#[tokio::test]
async fn s2_01_from_a_guest_to_a_user_and_out_again() {
    let server = start("").await;
    let guest = server.call("POST", "/guest").send().await;
    assert_eq!((guest.status, &guest.body["role"]), (StatusCode::OK, &json!("anonymous")));
    assert_eq!(guest.headers["cache-control"], "no-store");
    let body = json!({
        "username": "ada", "email": "ada@example.org", "password": PASSWORD,
        "given_name": "Ada", "family_name": "Lovelace", "locale": "en-GB",
        "guest_token": guest.text("access_token"),
    });
    let made = server.tell("/register", body).await;
    assert_eq!((made.status, &made.body["confirmation"]), (StatusCode::ACCEPTED, &json!("sent")));
    assert!(made.text("guest").starts_with("guest:"));
    let refresh = json!({"refresh_token": guest.text("refresh_token")});
    server.tell("/refresh", refresh).await.refuses(401, "refresh_invalid");
    let login = server.tell("/login", json!({"username": "ada", "password": PASSWORD})).await;
    assert_eq!(
        (&login.body["token_type"], &login.body["role"]),
        (&json!("Bearer"), &json!("guest"))
    );
    let me = server.call("GET", "/users/me").token(&login.text("access_token")).send().await;
    assert_eq!(
        me.body["profile"],
        json!({
            "given_name": "Ada", "family_name": "Lovelace", "locale": "en-GB",
            "updated_at": server.state.now().unix(),
        })
    );
    let token = server.token_in_letter("ada@example.org", "/confirm-email", 0).await;
    let confirmed = server.tell("/confirm-email", json!({"token": token})).await;
    assert_eq!(confirmed.status, StatusCode::NO_CONTENT);
    server.clock.advance(Duration::from_mins(1));
    let again = json!({"refresh_token": login.text("refresh_token")});
    let again = server.tell("/refresh", again).await;
    assert_eq!(again.body["role"], "registered");
    let access = again.text("access_token");
    let out = server.call("POST", "/logout").token(&access).send().await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    server.call("GET", "/users/me").token(&access).send().await.refuses(401, "token_invalid");
}

#[tokio::test]
async fn s2_01_every_refusal_is_a_problem_of_the_standard_form() {
    let server = start("").await;
    let (_, token) = somebody(&server, "ada").await;
    let get = |path: &str| server.call("GET", path);
    let none = get("/users/me").send().await;
    none.refuses(401, "token_missing");
    assert_eq!(none.headers["www-authenticate"], "Bearer realm=\"api\"");
    let bad = get("/users/me").token("x").send().await;
    bad.refuses(401, "token_invalid");
    assert!(bad.headers["www-authenticate"].to_str().unwrap().contains("error=\"invalid_token\""));
    get("/users/me").header("authorization", &token).send().await.refuses(401, "token_missing");
    get("/users/me").token(&token).token(&token).send().await.refuses(401, "token_invalid");
    let guest = server.call("POST", "/guest").send().await.text("access_token");
    get("/users/me").token(&guest).send().await.refuses(403, "not_allowed");
    server.call("PUT", "/users/me").token(&token).send().await.refuses(405, "method_not_allowed");
    get("/users/nobody").token(&token).send().await.refuses(404, "not_found");
    get("/users/a%00b").token(&token).send().await.refuses(404, "not_found");
    get("/users?limit=0").token(&token).send().await.refuses(400, "malformed");
    get("/users?limit=101").token(&token).send().await.refuses(400, "malformed");
    get("/users?is_admin=true").token(&token).send().await.refuses(400, "malformed");
    server.clock.advance(Duration::from_mins(11));
    get("/users/me").token(&token).send().await.refuses(401, "token_expired");
    for body in [
        json!({}),
        json!([]),
        json!({"username": "ada"}),
        json!({"username": 1, "password": "x"}),
        json!({"username": "ada", "password": "x", "role": "admin"}),
    ] {
        server.tell("/login", body).await.refuses(400, "malformed");
    }
    for extra in ["role", "is_admin", "auth", "email_verified", "rights", "id", "_id"] {
        let mut body = json!({"username": "eve", "password": PASSWORD});
        body[extra] = json!(true);
        server.tell("/register", body).await.refuses(400, "malformed");
    }
    let sent = |kind: &str, body: String| {
        let request = Request::post("/api/login").header("content-type", kind);
        server.send(request.body(Body::from(body)).unwrap())
    };
    let form = sent("application/x-www-form-urlencoded", "username=a&password=b".into()).await;
    assert_eq!(form.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    // Above the limit of the API, and above that of the server.
    for size in [17_000, 2_000_000] {
        let large = sent("application/json", format!("\"{}\"", "x".repeat(size))).await;
        assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(large.headers()["content-type"], "application/problem+json");
        assert_eq!(support::json(large).await["code"], "too_large");
    }
    let cut = sent("application/json", "{\"username\":".into()).await;
    assert_eq!(cut.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn s2_12_what_is_wrong_is_said_field_by_field() {
    let server = start("[accounts]\nterms_url = \"https://example.org/terms\"\n").await;
    let body = json!({"username": "a b", "email": "x", "password": "short", "locale": "en_GB"});
    let refused = server.tell("/register", body).await;
    refused.refuses(422, "invalid");
    assert_eq!(refused.fields(), ["username", "email", "password", "agreement", "locale"]);
    let nothing = server.tell("/register", json!({"password": PASSWORD, "agreement": true})).await;
    nothing.refuses(422, "invalid");
    assert_eq!(nothing.fields(), ["username"]);
    // Without a name, one is made up, and people sign in with the address.
    let body = json!({"email": "ada@example.org", "password": PASSWORD, "agreement": true});
    let made = server.tell("/register", body).await;
    assert!(made.text("username").starts_with("user-"), "{}", made.body);
    let token = server.token_in_letter("ada@example.org", "/confirm-email", 0).await;
    server.tell("/confirm-email", json!({"token": token})).await;
    server.token_of("ada@example.org", PASSWORD).await;
    let body = json!({"username": made.text("username"), "password": PASSWORD, "agreement": true});
    server.tell("/register", body).await.refuses(409, "username_taken");
    let closed = start("[signup]\nopen = false\n").await;
    let body = json!({"username": "ada", "password": PASSWORD});
    closed.tell("/register", body).await.refuses(403, "closed");
}

#[tokio::test]
async fn s2_17_one_edits_oneself_as_far_as_one_may_and_not_what_somebody_changed_meanwhile() {
    let server = start("").await;
    let (id, token) = somebody(&server, "ada").await;
    let me = server.call("GET", "/users/me").token(&token).send().await;
    let body = json!({"profile": {"name": "Ada Lovelace", "address": {"country": "UK"}},
                      "visibility": {"name": "commons"}});
    let missing = server.call("PATCH", "/users/me").token(&token).body(body.clone()).send().await;
    missing.refuses(428, "precondition_missing");
    let edited = patch(&server, "/users/me", &token, &me.tag(), body.clone()).await;
    assert_eq!(edited.status, StatusCode::OK, "{}", edited.body);
    assert_eq!(edited.body["profile"]["name"], "Ada Lovelace");
    assert_eq!(edited.body["visibility"], json!({"name": "commons"}));
    assert_ne!(edited.tag(), me.tag());
    patch(&server, "/users/me", &token, &me.tag(), body.clone()).await.refuses(412, "stale");
    patch(&server, "/users/me", &token, "W/\"x\"", body).await.refuses(412, "stale");
    let gone = json!({"profile": {"name": null, "address": null}, "visibility": {"name": null}});
    let gone = patch(&server, "/users/me", &token, &edited.tag(), gone).await;
    assert_eq!(
        (gone.body["profile"].get("name"), gone.body["profile"].get("address")),
        (None, None)
    );
    let wrong = json!({"profile": {"locale": "en_GB", "website": "x"}});
    let wrong = patch(&server, "/users/me", &token, "*", wrong).await;
    wrong.refuses(422, "invalid");
    assert_eq!(wrong.fields(), ["profile.website", "profile.locale"]);
    assert_eq!(account(&server, &id).await.email.as_deref(), Some("ada@example.org"));
}

/// The original let everybody write every field of the own record, the role among them.
#[tokio::test]
async fn s2_17_nobody_makes_itself_more_than_it_is() {
    let server = start("").await;
    let (id, token) = somebody(&server, "ada").await;
    let before = account(&server, &id).await;
    for (field, value) in [
        ("role", json!("admin")),
        ("role", json!("staff")),
        ("disabled", json!(false)),
        ("email", json!("eve@example.org")),
        ("email_verified", json!(true)),
    ] {
        let body = Value::Object([(field.to_owned(), value)].into_iter().collect());
        let refused = patch(&server, "/users/me", &token, "*", body.clone()).await;
        refused.refuses(403, "field_not_allowed");
        assert_eq!(refused.fields(), [field]);
        // Nor by the other way to oneself, nor together with what one may write.
        let path = format!("/users/{id}");
        patch(&server, &path, &token, "*", body.clone()).await.refuses(403, "field_not_allowed");
        let mut both = body;
        both["profile"] = json!({"name": "x"});
        patch(&server, "/users/me", &token, "*", both).await.refuses(403, "field_not_allowed");
    }
    for field in [
        "is_admin",
        "is_staff",
        "auth.role",
        "auth",
        "password",
        "password_hash",
        "username",
        "id",
        "created_at",
        "rights",
        "field_to_update",
        "field_value",
    ] {
        let mut body = json!({});
        body[field] = json!("admin");
        let refused = patch(&server, "/users/me", &token, "*", body).await;
        refused.refuses(422, "invalid");
        assert_eq!(refused.fields(), [field]);
    }
    assert_eq!(account(&server, &id).await, before);
    assert!(server.state.store.profile(&id).await.unwrap().get("name").is_none());
}

#[tokio::test]
async fn s2_17_staff_and_administrators_write_what_is_theirs() {
    let server = start("").await;
    let (ada, ada_token) = somebody(&server, "ada").await;
    let (staff, staff_token) = somebody(&server, "stan").await;
    let (admin, admin_token) = somebody(&server, "root").await;
    server.state.store.set_staff(&staff, true).await.unwrap();
    server.state.store.set_admin(&admin, true).await.unwrap();
    let path = |id: &UserId| format!("/users/{id}");
    let disabled = json!({"disabled": true});
    // Others are not there for an ordinary user.
    patch(&server, &path(&staff), &ada_token, "*", json!({"profile": {}}))
        .await
        .refuses(404, "not_found");
    for body in [
        json!({"role": "admin"}),
        json!({"email": "x@example.org"}),
        json!({"profile": {"name": "x"}}),
        json!({"email_verified": false}),
        json!({"visibility": {"name": "opendata"}}),
    ] {
        patch(&server, &path(&ada), &staff_token, "*", body)
            .await
            .refuses(403, "field_not_allowed");
    }
    patch(&server, &path(&admin), &staff_token, "*", disabled.clone())
        .await
        .refuses(403, "not_allowed");
    patch(&server, "/users/me", &staff_token, "*", disabled.clone())
        .await
        .refuses(403, "field_not_allowed");
    let done = patch(&server, &path(&ada), &staff_token, "*", disabled.clone()).await;
    assert_eq!((done.status, &done.body["disabled"]), (StatusCode::OK, &json!(true)));
    server.call("GET", "/users/me").token(&ada_token).send().await.refuses(401, "token_invalid");
    let enabled = json!({"disabled": false});
    let back = patch(&server, &path(&ada), &admin_token, &done.tag(), enabled.clone()).await;
    assert_eq!((back.status, &back.body["disabled"]), (StatusCode::OK, &json!(false)));
    patch(&server, &path(&ada), &admin_token, &done.tag(), enabled).await.refuses(412, "stale");
    // An administrator sees more, but it is the same user at the same state.
    let seen = server.call("GET", &path(&ada)).token(&admin_token).send().await;
    let edit = json!({"disabled": false, "role": "staff", "email": "a@example.org", "email_verified": true,
                      "profile": {"name": "Ada"}, "visibility": {"name": "opendata"}});
    let edited = patch(&server, &path(&ada), &admin_token, &seen.tag(), edit).await;
    assert_eq!(edited.status, StatusCode::OK, "{}", edited.body);
    assert_eq!(account(&server, &ada).await.role(), Role::Staff);
    assert_eq!(
        (&edited.body["email"], &edited.body["email_verified"]),
        (&json!("a@example.org"), &json!(true))
    );
    let taken = json!({"email": "stan@example.org", "email_verified": true, "role": "admin"});
    patch(&server, &path(&ada), &admin_token, "*", taken).await.refuses(409, "email_taken");
    assert_eq!(account(&server, &ada).await.role(), Role::Staff, "all or nothing");
    for body in [disabled, json!({"role": "registered"}), json!({"role": "staff"})] {
        patch(&server, &path(&admin), &admin_token, "*", body).await.refuses(409, "own_account");
    }
}

#[tokio::test]
async fn s2_30_everybody_sees_what_is_shared_with_it_and_finds_nothing_else() {
    let server = start("").await;
    let (ada, ada_token) = somebody(&server, "ada").await;
    let (_, bob_token) = somebody(&server, "bob").await;
    let (staff, staff_token) = somebody(&server, "stan").await;
    let (admin, admin_token) = somebody(&server, "root").await;
    server.state.store.set_staff(&staff, true).await.unwrap();
    server.state.store.set_admin(&admin, true).await.unwrap();
    let guest = server.call("POST", "/guest").send().await.text("access_token");
    let path = format!("/users/{ada}");
    for token in [&bob_token, &guest] {
        server.call("GET", &path).token(token).send().await.refuses(404, "not_found");
        let list = server.call("GET", "/users?q=ada").token(token).send().await;
        assert_eq!(list.body, json!({"users": []}));
    }
    let edit = json!({
        "profile": {"name": "Ada Lovelace", "nickname": "Countess", "gender": "female", "website": "https://ada.example"},
        "visibility": {"name": "opendata", "nickname": "commons", "website": "collective", "email": "commons"},
    });
    assert_eq!(patch(&server, "/users/me", &ada_token, "*", edit).await.status, StatusCode::OK);
    let seen = async |token: &str| {
        let answer = server.call("GET", &path).token(token).send().await;
        assert_eq!(answer.status, StatusCode::OK);
        (
            answer.body["profile"].clone(),
            answer.body["email"].clone(),
            answer.body["username"].clone(),
        )
    };
    let open = json!({"name": "Ada Lovelace"});
    assert_eq!(seen(&guest).await, (open, Value::Null, Value::Null));
    let common = json!({"name": "Ada Lovelace", "nickname": "Countess"});
    assert_eq!(seen(&bob_token).await, (common, json!("ada@example.org"), Value::Null));
    let collective =
        json!({"name": "Ada Lovelace", "nickname": "Countess", "website": "https://ada.example"});
    assert_eq!(seen(&staff_token).await, (collective, json!("ada@example.org"), json!("ada")));
    assert_eq!(seen(&admin_token).await.0["gender"], "female");
    assert_eq!(seen(&ada_token).await.0["gender"], "female");
    // What is not seen is not found either.
    for (token, text, found) in [
        (&guest, "lovelace", 1),
        (&guest, "countess", 0),
        (&bob_token, "COUNTESS", 1),
        (&bob_token, "female", 0),
        (&bob_token, "ada.example", 0),
        (&staff_token, "ada.example", 1),
        (&staff_token, "female", 0),
        (&admin_token, "female", 1),
        (&guest, "ada@", 0),
        (&bob_token, "ada@", 1),
    ] {
        let list = server.call("GET", &format!("/users?q={text}")).token(token).send().await;
        assert_eq!(list.body["users"].as_array().unwrap().len(), found, "{text}");
    }
    server.state.store.set_disabled(&ada, true).await.unwrap();
    server.call("GET", &path).token(&bob_token).send().await.refuses(404, "not_found");
    assert_eq!(server.call("GET", &path).token(&staff_token).send().await.status, StatusCode::OK);
}

#[tokio::test]
async fn s2_01_a_list_goes_on_where_it_ended() {
    let server = start("").await;
    let (admin, token) = somebody(&server, "root").await;
    server.state.store.set_admin(&admin, true).await.unwrap();
    for n in 0..7 {
        server.user(&format!("u{n}"), PASSWORD).await;
    }
    let (mut names, mut after) = (Vec::new(), String::new());
    loop {
        let page = server.call("GET", &format!("/users?limit=3{after}")).token(&token).send().await;
        let users = page.body["users"].as_array().unwrap().clone();
        names.extend(users.iter().map(|u| u["username"].as_str().unwrap().to_owned()));
        let Some(next) = page.body["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    names.sort();
    assert_eq!(names, ["root", "u0", "u1", "u2", "u3", "u4", "u5", "u6"]);
}

#[tokio::test]
async fn s2_09_devices_are_listed_and_ended_one_by_one_or_all_the_others() {
    let server = start("").await;
    let (_, here) = somebody(&server, "ada").await;
    let login = async |agent: &str| {
        let call = server.call("POST", "/login").header("user-agent", agent);
        call.body(json!({"username": "ada", "password": PASSWORD}))
            .send()
            .await
            .text("access_token")
    };
    let (phone, tablet) = (login("Phone/1").await, login("Tablet/1").await);
    let browser = server.visitor().sign_in("ada").await;
    let sessions = async |token: &str| {
        let answer = server.call("GET", "/users/me/sessions").token(token).send().await;
        answer.body["sessions"].as_array().cloned().unwrap_or_default()
    };
    let all = sessions(&here).await;
    assert_eq!(all.len(), 4);
    assert_eq!(all.iter().filter(|s| s["current"] == true).count(), 1);
    assert_eq!(all.iter().filter(|s| s["kind"] == "browser").count(), 1);
    let id = all.iter().find(|s| s["user_agent"] == "Phone/1").unwrap()["id"].as_str().unwrap();
    let path = format!("/users/me/sessions/{id}");
    // Somebody else's, and what is none.
    let (_, eve) = somebody(&server, "eve").await;
    server.call("DELETE", &path).token(&eve).send().await.refuses(404, "not_found");
    server
        .call("DELETE", "/users/me/sessions/x")
        .token(&here)
        .send()
        .await
        .refuses(404, "not_found");
    assert_eq!(
        server.call("DELETE", &path).token(&here).send().await.status,
        StatusCode::NO_CONTENT
    );
    server.call("GET", "/users/me").token(&phone).send().await.refuses(401, "token_invalid");
    server.call("DELETE", &path).token(&here).send().await.refuses(404, "not_found");
    let ended = server.call("DELETE", "/users/me/sessions").token(&here).send().await;
    assert_eq!(ended.body, json!({"ended": 2}));
    server.call("GET", "/users/me").token(&tablet).send().await.refuses(401, "token_invalid");
    assert_eq!(browser.get("/account").await.location(), "/login?to=account");
    assert_eq!(sessions(&here).await.len(), 1);
}

#[tokio::test]
async fn s2_09_all_the_others_are_ended_however_many_there_are() {
    const BROWSERS: u64 = 120;
    let server = start("").await;
    let (id, here) = somebody(&server, "ada").await;
    let program = server.token_of("ada", PASSWORD).await;
    let sessions = &server.state.sessions;
    for _ in 0..BROWSERS {
        sessions.start(&HeaderMap::new(), &id, &["pwd"], None).await.unwrap();
    }
    let ended = server.call("DELETE", "/users/me/sessions").token(&here).send().await;
    assert_eq!(ended.body, json!({"ended": BROWSERS + 1}));
    assert_eq!(sessions.count(&id).await.unwrap(), 0);
    server.call("GET", "/users/me").token(&program).send().await.refuses(401, "token_invalid");
    let again = server.call("DELETE", "/users/me/sessions").token(&here).send().await;
    assert_eq!(again.body, json!({"ended": 0}));
    // Whoever asks in a browser stays in it.
    let own = sessions.start(&HeaderMap::new(), &id, &["pwd"], None).await.unwrap();
    sessions.start(&HeaderMap::new(), &id, &["pwd"], None).await.unwrap();
    assert_eq!(sessions.end_all_but(&id, own.login.sid.as_deref()).await.unwrap(), 1);
    assert_eq!(sessions.count(&id).await.unwrap(), 1);
}

#[tokio::test]
async fn s2_11_another_password_ends_everything_but_the_answer() {
    let server = start("").await;
    let (_, token) = somebody(&server, "ada").await;
    let other = server.token_of("ada", PASSWORD).await;
    let change = async |current: &str, new: &str| {
        let body = json!({"current_password": current, "new_password": new});
        server.call("POST", "/users/me/password").token(&token).body(body).send().await
    };
    change("wrong", NEW).await.refuses(401, "wrong_credentials");
    change(PASSWORD, "short").await.refuses(422, "invalid");
    change(PASSWORD, PASSWORD).await.refuses(422, "invalid");
    let changed = change(PASSWORD, NEW).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    for old in [&token, &other] {
        server.call("GET", "/users/me").token(old).send().await.refuses(401, "token_invalid");
    }
    let me = server.call("GET", "/users/me").token(&changed.text("access_token")).send().await;
    assert_eq!(me.body["username"], "ada");
    assert!(server.letter_to("ada@example.org").await.subject.contains("was replaced"));
    server.token_of("ada", NEW).await;
}

#[tokio::test]
async fn s2_01_an_account_goes_with_everything_it_had() {
    let server = start("").await;
    let (id, token) = somebody(&server, "ada").await;
    let refresh = server.tell("/login", json!({"username": "ada", "password": PASSWORD})).await;
    let browser = server.visitor().sign_in("ada").await;
    server.tell("/forgot-password", json!({"email": "ada"})).await;
    let link = server.token_in_letter("ada@example.org", "/reset-password", 0).await;
    server.clock.advance(Duration::from_mins(10) + Duration::from_secs(1));
    let remove = async |token: &str, body: Value| {
        server.call("DELETE", "/users/me").token(token).body(body).send().await
    };
    remove(&token, json!({})).await.refuses(401, "token_expired");
    let again = json!({"refresh_token": refresh.text("refresh_token")});
    let again = server.tell("/refresh", again).await.text("access_token");
    remove(&again, json!({})).await.refuses(403, "sign_in_again");
    remove(&again, json!({"password": "wrong"})).await.refuses(401, "wrong_credentials");
    assert_eq!(remove(&again, json!({"password": PASSWORD})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(server.state.store.account(&id).await.unwrap(), None);
    server.call("GET", "/users/me").token(&again).send().await.refuses(401, "token_invalid");
    assert_eq!(browser.get("/account").await.location(), "/login?to=account");
    server
        .tell("/reset-password", json!({"token": link, "password": NEW}))
        .await
        .refuses(400, "link_invalid");
    let body = json!({"username": "ada", "password": PASSWORD});
    server.tell("/login", body).await.refuses(401, "wrong_credentials");
    let database = server.state.store.database();
    for table in [
        "oauth_session",
        "oauth_device",
        "oauth_mail_token",
        "oauth_unconfirmed",
        "oauth_token",
        "oauth_authorization",
    ] {
        let sql = format!("SELECT count(*) AS n FROM {table} WHERE user_id = '{id}'");
        let row =
            database.query_one_raw(Statement::from_string(database.get_database_backend(), sql));
        let left: i64 = row.await.unwrap().unwrap().try_get("", "n").unwrap();
        assert_eq!(left, 0, "{table}");
    }
}

#[tokio::test]
async fn s2_01_administrators_remove_others_and_never_the_last_of_themselves() {
    let server = start("").await;
    let (admin, token) = somebody(&server, "root").await;
    let (ada, ada_token) = somebody(&server, "ada").await;
    let path = |id: &UserId| format!("/users/{id}");
    server.call("DELETE", &path(&admin)).token(&ada_token).send().await.refuses(403, "not_allowed");
    server.state.store.set_admin(&admin, true).await.unwrap();
    server.call("DELETE", &path(&admin)).token(&token).send().await.refuses(409, "own_account");
    let own = server.call("DELETE", "/users/me").token(&token).body(json!({})).send().await;
    own.refuses(409, "last_admin");
    assert_eq!(
        server.call("DELETE", &path(&ada)).token(&token).send().await.status,
        StatusCode::NO_CONTENT
    );
    server.call("DELETE", &path(&ada)).token(&token).send().await.refuses(404, "not_found");
    let other = server.user("other", PASSWORD).await;
    server.state.store.set_admin(&other, true).await.unwrap();
    let own = server.call("DELETE", "/users/me").token(&token).body(json!({})).send().await;
    assert_eq!(own.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn s2_10_guests_are_counted_for_each_address_and_gone_after_a_while() {
    let server = start("[throttle]\nguest_attempts = 3\n").await;
    let asked = join_all((0..6).map(|_| server.call("POST", "/guest").send())).await;
    let given = asked.iter().filter(|a| a.status == StatusCode::OK).count();
    assert_eq!(given, 4);
    for answer in asked.iter().filter(|a| a.status != StatusCode::OK) {
        answer.refuses(429, "too_many_attempts");
    }
    let none = start("[accounts]\nguest_tokens = false\n").await;
    none.call("POST", "/guest").send().await.refuses(403, "closed");
}

#[tokio::test]
async fn s2_01_front_ends_of_other_origins_may_call_and_cookies_count_for_nothing() {
    let server = start("").await;
    server.user("ada", PASSWORD).await;
    let preflight = Request::builder()
        .method("OPTIONS")
        .uri("/api/users/me")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "PATCH");
    let answer = server.send(preflight.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    assert!(answer.headers()["access-control-allow-methods"].to_str().unwrap().contains("PATCH"));
    assert!(!answer.headers().contains_key("access-control-allow-credentials"));
    let browser = server.visitor().sign_in("ada").await;
    let page = browser.get("/api/users/me").await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
}
