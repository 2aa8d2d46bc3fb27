//! `/account/activity`, `/account/data` and `/account/delete`: what is kept about a person.

use crate::{
    pages_actors::{PASSWORD, Page, SignedIn},
    support::{Server, json as body_of, start, two_on},
};
use axum::body::Body;
use futures_util::future::join_all;
use http::{Request, StatusCode};
use oauth_core::{
    ports::{ClientStore as _, GrantStore as _},
    testing::TestDatabase,
};
use oauth_server::{
    activity::{self, Deed, What},
    entity::agreement,
    maintenance,
    personal_data::{self, Deletion},
};
use sea_orm::{EntityTrait as _, PaginatorTrait as _};
use std::time::Duration;

const ACTIVITY: &str = "/account/activity";
const DATA: &str = "/account/data";
const EXPORT: &str = "/account/data/export";
const DELETE: &str = "/account/delete";

/// What the page of activity says, the latest first.
async fn deeds(who: &SignedIn<'_>) -> Vec<String> {
    let page = who.get(ACTIVITY).await;
    assert_eq!(page.status, StatusCode::OK);
    (1..=200)
        .map(|n| format!("deed-{n}"))
        .take_while(|id| page.has(id))
        .map(|id| page.by_id(&id))
        .collect()
}

async fn export(who: &SignedIn<'_>) -> serde_json::Value {
    let page = who.post(EXPORT, &[]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    assert_eq!(page.header("content-type"), "application/json");
    assert_eq!(page.header("content-disposition"), "attachment; filename=\"account.json\"");
    assert_eq!(page.header("cache-control"), "no-store");
    serde_json::from_str(&page.html).unwrap()
}

#[tokio::test]
async fn activity_names_sign_ins_and_changes_and_nothing_of_others() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let eve = server.signed_up("eve").await;
    assert_eq!(deeds(&ada).await, ["Signed in"]);
    let form = [("current_password", PASSWORD), ("new_password", "another lantern of nine")];
    assert_eq!(ada.post("/account/password", &form).await.location(), "/account?done=password");
    let made = ada.create_client(&[]).await;
    ada.allow(&made.id).await;
    ada.post("/account/applications/revoke", &[("client_id", &made.id)]).await;
    ada.post("/account/sessions/end_others", &[]).await;
    assert_eq!(
        deeds(&ada).await,
        [
            "You signed other browsers out",
            "You took back what an application may do",
            "You allowed an application to act for you",
            "Your password was changed",
            "Signed in",
        ]
    );
    let page = ada.get(ACTIVITY).await;
    assert!(page.html.contains("With a password"));
    assert!(page.by_id("kept").contains("180 days"));
    assert_eq!(deeds(&eve).await, ["Signed in"]);
}

#[tokio::test]
async fn a_wrong_password_changes_nothing_and_is_no_deed() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let form = [("current_password", "wrong"), ("new_password", "another lantern of nine")];
    assert_eq!(ada.post("/account/password", &form).await.status, StatusCode::FORBIDDEN);
    assert_eq!(deeds(&ada).await, ["Signed in"]);
}

#[tokio::test]
async fn activity_goes_when_it_is_old() {
    let server =
        start("[activity]\nkeep = \"30d\"\n[sessions]\nidle_timeout = \"90d\"\nmax_age = \"90d\"")
            .await;
    let ada = server.signed_up("ada").await;
    server.clock.advance(Duration::from_hours(29 * 24));
    let headers = http::HeaderMap::new();
    activity::note(&server.state, &ada.id, Deed::of(What::ProfileChanged, &headers)).await;
    maintenance::sweep(&server.state).await.unwrap();
    assert_eq!(deeds(&ada).await.len(), 2);
    server.clock.advance(Duration::from_hours(2 * 24));
    maintenance::sweep(&server.state).await.unwrap();
    assert_eq!(deeds(&ada).await, ["Your profile was changed"]);
}

#[tokio::test]
async fn strangers_see_none_of_it() {
    let server = start("").await;
    let nobody = server.visitor();
    for (path, to) in
        [(ACTIVITY, "/login?to=activity"), (DATA, "/login?to=data"), (DELETE, "/login?to=data")]
    {
        assert_eq!(nobody.get(path).await.location(), to);
    }
    for path in [EXPORT, DELETE] {
        assert_eq!(nobody.post(path, &[("username", "ada")]).await.location(), "/login?to=data");
    }
}

#[tokio::test]
async fn s2_12_which_terms_somebody_agreed_to_is_kept_as_long_as_the_account() {
    let server = start("[accounts]\nterms_url = \"https://example.org/terms\"\n").await;
    let visitor = server.visitor();
    let form = [("username", "ada"), ("password", PASSWORD)];
    let page = visitor.post("/signup", &form).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(page.problems(), ["agreement"]);
    let agreed = [form[0], form[1], ("agreement", "yes")];
    assert_eq!(visitor.post("/signup", &agreed).await.location(), "/");
    let ada = server.state.store.account_by_name("ada").await.unwrap().unwrap();
    let kept = async || personal_data::export(&server.state, &ada.id).await.unwrap();
    let data = kept().await.unwrap();
    assert_eq!(data["agreements"][0]["terms"], "https://example.org/terms");
    assert_eq!(data["agreements"][0]["at"], data["account"]["created_at"]);
    assert_eq!(personal_data::delete(&server.state, &ada.id).await.unwrap(), Deletion::Done);
    assert_eq!(agreement::Entity::find().count(server.state.store.database()).await.unwrap(), 0);
}

#[tokio::test]
async fn what_is_exported_is_everything_but_secrets() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    ada.post("/account/profile", &[("name", "Ada Lovelace")]).await;
    let made = ada.create_client(&[]).await;
    ada.allow(&made.id).await;
    let data = export(&ada).await;
    assert_eq!(data["account"]["username"], "ada");
    assert_eq!(data["account"]["sub"], ada.id.as_str());
    assert_eq!(data["profile"]["name"], "Ada Lovelace");
    assert_eq!(data["clients"][0]["client_id"], *made.id);
    assert_eq!(data["consents"][0]["client_id"], *made.id);
    assert_eq!(data["sessions"][0]["how"], "pwd");
    assert_eq!(data["activity"][0]["what"], "data_exported");
    let text = data.to_string();
    let cookie = ada.cookie("oauth_session").unwrap();
    for secret in [PASSWORD, "argon2", &*cookie, made.secret.as_deref().unwrap()] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn a_browser_left_open_is_not_enough_for_any_of_it() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    server.clock.advance(Duration::from_mins(16));
    for path in [DATA, DELETE] {
        assert_eq!(ada.get(path).await.location(), "/login?to=data", "{path}");
    }
    assert_eq!(ada.post(EXPORT, &[]).await.location(), "/login?to=data");
    assert_eq!(ada.post(DELETE, &[("username", "ada")]).await.location(), "/login?to=data");
    assert!(server.state.store.account(&ada.id).await.unwrap().is_some());
    let page = ada.get("/login?to=data").await;
    assert!(page.has("again"), "{}", page.html);
    let form = [("username", "ada"), ("password", PASSWORD), ("to", "data")];
    assert_eq!(ada.post("/login", &form).await.location(), DATA);
    assert_eq!(ada.get(DATA).await.status, StatusCode::OK);
}

#[tokio::test]
async fn how_recent_a_sign_in_has_to_be_is_configured_up_to_a_quarter_of_an_hour() {
    for (fresh_for, minutes) in [("1m", 1), ("1h", 15)] {
        let server = start(&format!("[accounts]\nfresh_for = {fresh_for:?}\n")).await;
        let ada = server.signed_up("ada").await;
        server.clock.advance(Duration::from_mins(minutes));
        assert_eq!(ada.get(DELETE).await.status, StatusCode::OK, "{fresh_for}");
        assert_eq!(ada.get("/login?to=data").await.location(), DATA, "{fresh_for}");
        server.clock.advance(Duration::from_mins(1));
        assert_eq!(ada.get(DELETE).await.location(), "/login?to=data", "{fresh_for}");
        assert!(ada.get("/login?to=data").await.has("again"), "{fresh_for}");
    }
}

#[tokio::test]
async fn deleting_takes_everything_along_and_signs_out() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let eve = server.signed_up("eve").await;
    let made = ada.create_client(&[]).await;
    let code = ada.allow(&made.id).await;
    let refused = ada.post(DELETE, &[("username", "adA")]).await;
    assert_eq!(
        (refused.status, &*refused.problems()),
        (StatusCode::UNPROCESSABLE_ENTITY, &["username"][..])
    );
    assert!(
        ada.get(DELETE).await.by_id("consequence").contains("The client that you made goes too.")
    );
    let page = ada.post(DELETE, &[("username", "ada")]).await;
    assert_eq!(page.location(), "/?done=account_deleted");
    assert!(ada.cookie("oauth_session").is_none());
    assert_eq!(
        ada.get(page.location()).await.by_id("notice"),
        "Your account is deleted, with everything that was kept about you."
    );
    let store = &server.state.store;
    assert!(store.account(&ada.id).await.unwrap().is_none());
    assert!(store.client(&made.client_id()).await.unwrap().is_none());
    assert!(store.consents(&ada.id).await.unwrap().is_empty());
    assert!(activity::latest(&server.state, &ada.id, 9).await.unwrap().is_empty());
    assert_eq!(server.state.sessions.count(&ada.id).await.unwrap(), 0);
    let basic = (&*made.id, made.secret.as_deref().unwrap());
    let form = [("grant_type", "authorization_code"), ("code", &*code)];
    // What the provider remembers of a client it remembers for five seconds.
    server.clock.advance(Duration::from_secs(6));
    let answer = body_of(server.post("/oauth/token", Some(basic), &form).await).await;
    assert_eq!(answer["error"], "invalid_client");
    let login = [("username", "ada"), ("password", PASSWORD)];
    assert_eq!(server.visitor().post("/login", &login).await.status, StatusCode::FORBIDDEN);
    assert_eq!(eve.get(ACTIVITY).await.status, StatusCode::OK, "others stay");
    assert_eq!(personal_data::delete(&server.state, &ada.id).await.unwrap(), Deletion::Unknown);
}

#[tokio::test]
async fn the_last_administrator_cannot_go() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let eve = server.signed_up("eve").await;
    server.state.store.set_admin(&ada.id, true).await.unwrap();
    let page: Page = ada.post(DELETE, &[("username", "ada")]).await;
    assert_eq!((page.status, &*page.problems()), (StatusCode::CONFLICT, &["username"][..]));
    assert_eq!(ada.get(ACTIVITY).await.status, StatusCode::OK, "and stays signed in");
    server.state.store.set_admin(&eve.id, true).await.unwrap();
    server.state.store.set_disabled(&eve.id, true).await.unwrap();
    let page = ada.post(DELETE, &[("username", "ada")]).await;
    assert_eq!(page.status, StatusCode::CONFLICT, "who is locked out cannot look after anything");
    server.state.store.set_disabled(&eve.id, false).await.unwrap();
    let page = ada.post(DELETE, &[("username", "ada")]).await;
    assert_eq!(page.location(), "/?done=account_deleted");
}

#[tokio::test]
async fn no_other_site_exports_or_deletes() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    for path in [EXPORT, DELETE] {
        let mut request = crate::support::form_request(path, None, &[("username", "ada")]);
        request.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
        let page = ada.send(request).await;
        assert_eq!(
            (page.status, &*page.by_id("error-code")),
            (StatusCode::FORBIDDEN, "cross_site_request")
        );
    }
    let page = ada.send(Request::get(EXPORT).body(Body::empty()).unwrap()).await;
    assert_eq!(
        (page.status, &*page.by_id("error-code")),
        (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
    );
    assert!(server.state.store.account(&ada.id).await.unwrap().is_some());
}

/// Two servers on one database, and on it two administrators who both go at the same moment.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_administrators_who_go_at_once_one_stays() {
    let database = TestDatabase::postgres().await;
    let servers: [Server; 2] = two_on(&database, "").await.into();
    for round in 0..8 {
        let mut ids = Vec::new();
        for n in 0..2 {
            let id = servers[0].user(&format!("admin-{round}-{n}"), PASSWORD).await;
            servers[0].state.store.set_admin(&id, true).await.unwrap();
            ids.push(id);
        }
        let gone =
            join_all((0..2).map(|i| personal_data::delete(&servers[i].state, &ids[i]))).await;
        let mut gone: Vec<_> = gone.into_iter().map(Result::unwrap).collect();
        gone.sort_by_key(|d| *d != Deletion::Done);
        assert_eq!(gone, [Deletion::Done, Deletion::LastAdministrator], "round {round}");
        for id in ids {
            servers[0].state.store.remove_user(&id).await.unwrap();
        }
    }
}
