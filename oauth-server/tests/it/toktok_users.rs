//! Users for the front ends of TokTok: changing, deleting, finding; and that nobody becomes more than it is.

use crate::{people_actors::Answer, support::Server, toktok_actors::toktok};
use http::StatusCode;
use oauth_core::{
    model::{Role, UserId},
    seaorm::entity::user,
};
use sea_orm::{ActiveValue::Set, EntityTrait as _};
use serde_json::{Value, json};
use std::time::Duration;

const NOT_YOURS: &str = "Admins or your own user only  !!! ";
const ADMINS_ONLY: &str = "Admins only !!! ";
const NOBODY: &str = "There are fields among these that nobody writes here";
const NOT_THERE: &str = "There is no such user, or not for you";

async fn set(server: &Server, token: &str, id: &UserId, field: &str, value: Value) -> Answer {
    let body = json!([{"field_to_update": field, "field_value": value}]);
    server.raw("PUT", &format!("/usr/edit/{id}"), token, Some(body)).await
}

async fn account(server: &Server, id: &UserId) -> oauth_core::seaorm::UserAccount {
    server.state.store.account(id).await.unwrap().unwrap()
}

#[tokio::test]
async fn s2_17_users_change_what_is_theirs() {
    let server = toktok("").await;
    let ada = server.member("ada").await;
    let token = server.member_token("ada").await;
    for (field, value) in [
        ("infos.name", json!("Ada")),
        ("infos.surname", json!("Lovelace")),
        ("infos.pseudo", json!("countess")),
        ("profile.lang", json!("fr")),
        ("profile.usr_view", json!("commons")),
    ] {
        let done = set(&server, &token, &ada, field, value.clone()).await;
        assert_eq!(done.status, StatusCode::OK, "{field}: {}", done.body);
        let at = format!("/data/{}", field.replace('.', "/"));
        assert_eq!(done.body.pointer(&at), Some(&value), "{}", done.body);
        assert_eq!(done.body["query"]["doc_id"], ada.as_str());
    }
    // Several at once, or none of them.
    let both = json!([
        {"field_to_update": "infos.name", "field_value": "Augusta", "doc_type": "usr"},
        {"field_to_update": "infos.surname", "field_value": null, "add_to_list": false},
    ]);
    let done = server.raw("PUT", &format!("/usr/edit/{ada}"), &token, Some(both)).await;
    assert_eq!(done.body["data"]["infos"]["name"], "Augusta");
    assert_eq!(done.body["data"]["infos"]["surname"], Value::Null);
    let half = json!([
        {"field_to_update": "infos.name", "field_value": "Eve"},
        {"field_to_update": "auth.role", "field_value": "admin"},
    ]);
    let refused = server.raw("PUT", &format!("/usr/edit/{ada}"), &token, Some(half)).await;
    refused.says(403, ADMINS_ONLY);
    let seen = server.raw("GET", &format!("/usr/infos/get_one/{ada}"), &token, None).await;
    assert_eq!(seen.body["data"]["infos"]["name"], "Augusta");
    for (field, value) in [
        ("infos.name", json!(1)),
        ("infos.name", json!("a\u{202e}b")),
        ("profile.lang", json!("a language")),
        ("profile.usr_view", json!("everybody")),
    ] {
        let refused = set(&server, &token, &ada, field, value).await;
        refused.says(400, "Input payload validation failed");
        assert_eq!(refused.wrong(), [field]);
    }
    for body in [json!({}), json!([1]), json!([{"field_to_update": "infos.name"}])] {
        let refused = server.raw("PUT", &format!("/usr/edit/{ada}"), &token, Some(body)).await;
        refused.says(400, "The request is not what this operation takes");
    }
}

#[tokio::test]
async fn s2_02_nobody_makes_itself_more_than_it_is_field_by_field() {
    let server = toktok("").await;
    let ada = server.member("ada").await;
    let token = server.member_token("ada").await;
    let hash = server.state.store.row_by_login("ada").await.unwrap().unwrap().password_hash;
    for (field, value) in [
        ("auth.role", json!("admin")),
        ("auth.role", json!("staff")),
        ("auth.role", json!("registred")),
        ("auth.conf_usr", json!(true)),
        ("auth.is_blacklisted", json!(false)),
        ("infos.email", json!("admin@example.org")),
    ] {
        let refused = set(&server, &token, &ada, field, value).await;
        refused.says(403, ADMINS_ONLY);
        assert_eq!(refused.wrong(), [field]);
    }
    for field in [
        "auth.pwd",
        "auth",
        "auth.refr_tok",
        "_id",
        "infos",
        "infos.role",
        "role",
        "is_admin",
        "log.created_by",
        "team",
        "profile.usr_profiles",
        "professional_infos",
        "$set",
        "password_hash",
        "username",
        "email_verified",
    ] {
        let refused = set(&server, &token, &ada, field, json!("admin")).await;
        refused.says(403, NOBODY);
        assert_eq!(refused.wrong(), [field]);
    }
    let list = json!([{"field_to_update": "infos.name", "field_value": "x", "add_to_list": true}]);
    let refused = server.raw("PUT", &format!("/usr/edit/{ada}"), &token, Some(list)).await;
    refused.says(403, NOBODY);
    let after = account(&server, &ada).await;
    assert_eq!((after.role(), &*after.email.unwrap()), (Role::Registered, "ada@example.org"));
    let row = server.state.store.row_by_login("ada").await.unwrap().unwrap();
    assert_eq!(row.password_hash, hash);
}

#[tokio::test]
async fn s2_17_a_guest_whose_address_is_not_confirmed_cannot_confirm_it_so() {
    let server = toktok("").await;
    let guest = server.anonymous().await;
    let form = json!({"email": "bob@example.org", "pwd": "nine lives and a lantern"});
    let made = server.raw("POST", "/usr/register/", &guest, Some(form)).await;
    let (id, token) = (UserId::new(made.text("_id")), made.token("access_token"));
    set(&server, &token, &id, "auth.conf_usr", json!(true)).await.says(403, ADMINS_ONLY);
    assert_eq!(account(&server, &id).await.role(), Role::Guest);
    let done = set(&server, &token, &id, "infos.name", json!("Bob")).await;
    assert_eq!(done.status, StatusCode::OK);
}

#[tokio::test]
async fn s2_17_others_are_for_administrators() {
    let server = toktok("").await;
    let ada = server.member("ada").await;
    let eve = server.member("eve").await;
    let staff = server.member("sam").await;
    server.state.store.set_staff(&staff, true).await.unwrap();
    let name = || json!("Eve");
    for token in [
        server.member_token("eve").await,
        server.member_token("sam").await,
        server.anonymous().await,
    ] {
        set(&server, &token, &ada, "infos.name", name()).await.says(403, NOT_YOURS);
        let path = format!("/usr/edit/{ada}");
        server.raw("DELETE", &path, &token, None).await.says(403, NOT_YOURS);
        // Whether there is somebody is nothing to learn.
        let nobody = UserId::new("nobody");
        set(&server, &token, &nobody, "infos.name", name()).await.says(403, NOT_YOURS);
    }
    set(&server, "", &ada, "infos.name", name()).await.says(401, "Missing Authorization Header");
    let (root, token) = server.admin_token("root").await;
    for (field, value) in [
        ("infos.name", json!("Ada")),
        ("infos.email", json!("lovelace@example.org")),
        ("auth.conf_usr", json!(true)),
        ("auth.role", json!("staff")),
        ("auth.is_blacklisted", json!(true)),
    ] {
        let done = set(&server, &token, &ada, field, value).await;
        assert_eq!(done.status, StatusCode::OK, "{field}: {}", done.body);
    }
    let after = account(&server, &ada).await;
    assert_eq!(
        (after.role(), after.disabled, after.email_verified, &*after.email.unwrap()),
        (Role::Staff, true, true, "lovelace@example.org")
    );
    set(&server, &token, &ada, "auth.pwd", json!("x")).await.says(403, NOBODY);
    for word in ["system", "guest", "anonymous", "registered!"] {
        let refused = set(&server, &token, &ada, "auth.role", json!(word)).await;
        refused.says(400, "Input payload validation failed");
    }
    let taken = set(&server, &token, &ada, "infos.email", json!("eve@example.org")).await;
    assert_eq!(taken.status, StatusCode::OK, "an address is a claim until it is confirmed");
    let taken = set(&server, &token, &ada, "auth.conf_usr", json!(true)).await;
    taken.says(409, "Another user has this address");
    let own = set(&server, &token, &root, "auth.role", json!("registred")).await;
    own.says(409, "Nobody does this to itself");
    let nobody = UserId::new("nobody");
    set(&server, &token, &nobody, "infos.name", name()).await.says(404, NOT_THERE);
    assert_eq!(account(&server, &eve).await.role(), Role::Registered);
}

#[tokio::test]
async fn s2_17_users_and_administrators_delete() {
    let server = toktok("").await;
    let (ada, eve) = (server.member("ada").await, server.member("eve").await);
    let (root, admin) = server.admin_token("root").await;
    let token = server.member_token("ada").await;
    let remove = async |token: &str, id: &UserId| {
        server.raw("DELETE", &format!("/usr/edit/{id}"), token, None).await
    };
    remove("", &ada).await.says(401, "Missing Authorization Header");
    let done = remove(&token, &ada).await;
    assert_eq!(
        (done.status, &done.body["query"]["doc_id"]),
        (StatusCode::OK, &json!(ada.as_str()))
    );
    assert!(server.state.store.account(&ada).await.unwrap().is_none());
    remove(&token, &ada).await.says(401, "The token has been revoked");
    let done = remove(&admin, &eve).await;
    assert_eq!(done.status, StatusCode::OK);
    remove(&admin, &eve).await.says(404, NOT_THERE);
    remove(&admin, &root).await.says(409, "The last administrator cannot go");
    server.clock.advance(Duration::from_mins(11));
    let late = "Fresh token required: the sign-in was too long ago, log in again";
    remove(&admin, &root).await.says(401, late);
}

#[tokio::test]
async fn s2_30_a_user_is_seen_as_far_as_it_shares() {
    let server = toktok("").await;
    let ada = server.member("ada").await;
    let token = server.member_token("ada").await;
    set(&server, &token, &ada, "infos.name", json!("Ada")).await;
    server.member("eve").await;
    let (_, admin) = server.admin_token("root").await;
    let (eve, guest) = (server.member_token("eve").await, server.anonymous().await);
    let see = async |token: &str| {
        server.raw("GET", &format!("/usr/infos/get_one/{ada}"), token, None).await
    };
    for stranger in ["", &guest, &eve] {
        see(stranger).await.says(404, NOT_THERE);
        let nobody = server.raw("GET", "/usr/infos/get_one/nobody", stranger, None).await;
        nobody.says(404, NOT_THERE);
    }
    for whole in [&token, &admin] {
        assert_eq!(see(whole).await.body["data"]["infos"]["email"], "ada@example.org");
    }
    set(&server, &token, &ada, "profile.usr_view", json!("commons")).await;
    see(&guest).await.says(404, NOT_THERE);
    let shared = json!({"_id": ada.as_str(), "infos": {"name": "Ada"}, "profile": {}});
    assert_eq!(see(&eve).await.body["data"], shared);
    set(&server, &token, &ada, "profile.usr_view", json!("opendata")).await;
    for stranger in ["", &guest] {
        let seen = see(stranger).await;
        assert_eq!(
            (&seen.body["data"], &seen.body["query"]["user_role"]),
            (&shared, &json!("anonymous"))
        );
    }
    see("x").await.says(422, "This is no token of this server");
    server.clock.advance(Duration::from_mins(61));
    see(&eve).await.says_expired();
}

#[tokio::test]
async fn s2_30_lists_have_pages_and_nothing_that_is_not_shared() {
    let server = toktok("").await;
    let (root, admin) = server.admin_token("root").await;
    for n in 0..12 {
        // So that they come in this order.
        server.clock.advance(Duration::from_secs(1));
        let name = format!("user{n:02}");
        let id = server.member(&name).await;
        set(&server, &admin, &id, "infos.name", json!(format!("Name {n:02}"))).await;
        if n < 7 {
            set(&server, &admin, &id, "profile.usr_view", json!("opendata")).await;
        }
    }
    let list = async |token: &str, query: &str| {
        server.raw("GET", &format!("/usr/infos/list?{query}"), token, None).await
    };
    let names = |answer: &Answer| -> Vec<String> {
        let users = answer.body["data"].as_array().unwrap().iter();
        users.map(|user| user["infos"]["name"].as_str().unwrap_or("-").to_owned()).collect()
    };
    let page = list("", "ignore_teams=true&per_page=5").await;
    assert_eq!(names(&page), (0..5).map(|n| format!("Name {n:02}")).collect::<Vec<_>>());
    assert_eq!(
        names(&list("", "ignore_teams=true&per_page=5&page=2").await),
        ["Name 05", "Name 06"]
    );
    assert!(names(&list("", "ignore_teams=true&per_page=5&page=3").await).is_empty());
    assert_eq!(names(&list("", "ignore_teams=true&per_page=0").await).len(), 7);
    // How many there are is for those who look after them.
    let counts = json!({"all_docs_in_db": 7, "docs_you_can_access": 7, "docs_you_are_in_team": 0,
        "docs_you_are_not_in_team": 7});
    assert_eq!(page.body["counts"], counts);
    assert!(!page.body.to_string().contains("example.org"), "{}", page.body);
    let all = list(&admin, "only_stats=true").await;
    assert_eq!(
        (&all.body["counts"]["all_docs_in_db"], &all.body["data"]),
        (&json!(13), &Value::Null)
    );
    let teams = list(&admin, "").await;
    assert_eq!(teams.body["data"]["docs_user_is_in_team"], json!([]));
    assert_eq!(teams.body["data"]["docs_user_not_in_team"].as_array().unwrap().len(), 10);
    // A search finds what is seen, and cannot guess at the rest.
    assert_eq!(names(&list("", "ignore_teams=true&search_for=name%2003").await), ["Name 03"]);
    for hidden in ["name%2009", "user03@example.org", "user03"] {
        let none = list("", &format!("ignore_teams=true&search_for={hidden}")).await;
        assert!(names(&none).is_empty(), "{hidden}");
    }
    let one = list(&admin, &format!("ignore_teams=true&oids={root},nobody")).await;
    assert_eq!(names(&one), ["-"]);
    let rows = list("", "ignore_teams=true&normalize=true&per_page=2").await;
    assert_eq!(rows.body["data"][0]["infos.name"], "Name 00");
    for (bad, field) in [
        ("per_page=3", "per_page"),
        ("per_page=1000", "per_page"),
        ("page=0", "page"),
        ("only_stats=perhaps", "only_stats"),
    ] {
        let refused = list("", bad).await;
        refused.says(400, "Input payload validation failed");
        assert_eq!(refused.wrong(), [field]);
    }
    list("x", "").await.says(422, "This is no token of this server");
}

/// Somebody who shows a name to everybody, as a row.
fn somebody(id: &str, name: &str) -> user::ActiveModel {
    user::ActiveModel {
        id: Set(id.to_owned()),
        username: Set(id.to_owned()),
        username_key: Set(id.to_owned()),
        password_hash: Set(None),
        is_admin: Set(false),
        disabled: Set(false),
        created_at: Set(0),
        profile: Set(Some(json!({"name": name}).to_string())),
        email: Set(None),
        email_key: Set(None),
        email_verified: Set(false),
        is_staff: Set(false),
        visibility: Set(Some(json!({"name": "opendata"}).to_string())),
    }
}

#[tokio::test]
async fn s2_30_a_list_looks_through_so_many_users_and_no_more() {
    let server = toktok("").await;
    let rows: Vec<_> = (0..5_000).map(|n| somebody(&format!("user-{n:04}"), "Ada")).collect();
    let last = [somebody("user-5000", "Zed")];
    for some in rows.chunks(500).chain([&last[..]]) {
        let database = server.state.store.database();
        user::Entity::insert_many(some.to_vec()).exec_without_returning(database).await.unwrap();
    }
    let count = async |query: &str| {
        let path = format!("/usr/infos/list?only_stats=true&{query}");
        let answer = server.raw("GET", &path, "", None).await;
        answer.body["counts"]["docs_you_can_access"].as_u64().unwrap()
    };
    assert_eq!(count("search_for=zed").await, 0, "it comes after the last that is looked at");
    assert_eq!(count("search_for=ada").await, 2_000);
    // The twin: one fewer before it.
    user::Entity::delete_by_id("user-0000").exec(server.state.store.database()).await.unwrap();
    assert_eq!(count("search_for=zed").await, 1);
}

#[tokio::test]
async fn s2_30_lists_without_a_token_are_counted_for_the_address() {
    let server = toktok("[throttle]\nguest_attempts = 3\nfirst_delay = \"1m\"\n").await;
    let guest = server.anonymous().await;
    let list = async |token: &str| server.raw("GET", "/usr/infos/list", token, None).await;
    for _ in 0..4 {
        assert_eq!(list("").await.status, StatusCode::OK);
    }
    let refused = list("").await;
    refused.says(429, "There were too many attempts");
    assert_eq!(refused.headers["retry-after"], "60");
    assert_eq!(list(&guest).await.status, StatusCode::OK, "whoever has a token is known by it");
    server.clock.advance(Duration::from_mins(1));
    assert_eq!(list("").await.status, StatusCode::OK);
}
