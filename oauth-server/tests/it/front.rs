//! `/auth`: browser sessions for front ends.

use crate::{
    pages_actors::{Anonymous, PASSWORD, Page, SignedIn, Visitor},
    support::{Server, start, two_on},
};
use axum::body::Body;
use futures_util::future::{join, join_all};
use http::{Request, StatusCode, header};
use oauth_core::{model::Timestamp, ports::Clock as _, testing::TestDatabase};
use oauth_server::{maintenance, revocations::DatabaseRevocations};
use resource_guard::Revocations as _;
use serde_json::Value;
use std::time::Duration;

const COOKIE: &str = "oauth_session";
/// What a page of this origin says of itself.
pub const HERE: (&str, &str) = ("sec-fetch-site", "same-origin");

/// A request of the page of a front end, with the cookies of its browser.
pub async fn call(
    visitor: &Visitor<'_>,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Page {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    visitor.send(request.body(Body::empty()).unwrap()).await
}

/// What an answer says.
pub fn body(page: &Page) -> Value {
    serde_json::from_str(&page.html).unwrap_or_else(|e| panic!("{e}: {}", page.html))
}

/// It is refused with this status and code, as a problem that nobody keeps.
#[track_caller]
pub fn refused(page: &Page, status: u16, code: &str) {
    assert_eq!((page.status.as_u16(), body(page)["code"].as_str()), (status, Some(code)));
    assert_eq!(page.header("content-type"), "application/problem+json");
    assert_eq!(page.header("cache-control"), "no-store");
}

async fn csrf_of(visitor: &Visitor<'_>) -> String {
    let page = visitor.get("/auth/session").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    body(&page)["csrf_token"].as_str().unwrap().to_owned()
}

async fn refresh(visitor: &Visitor<'_>, csrf: &str) -> Page {
    call(visitor, "POST", "/auth/refresh", &[HERE, ("x-csrf-token", csrf)]).await
}

async fn is_signed_in(visitor: &Visitor<'_>) -> bool {
    visitor.get("/auth/session").await.status == StatusCode::OK
}

#[tokio::test]
async fn s0_21_nobody_signed_in_is_a_401_problem() {
    let server = start("").await;
    let visitor = server.visitor();
    for (method, path) in
        [("GET", "/auth/session"), ("POST", "/auth/refresh"), ("POST", "/auth/logout")]
    {
        refused(&call(&visitor, method, path, &[]).await, 401, "not_signed_in");
    }
    refused(&call(&visitor, "POST", "/auth/session", &[]).await, 405, "method_not_allowed");
    visitor.plant(COOKIE, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    refused(&visitor.get("/auth/session").await, 401, "not_signed_in");
}

#[tokio::test]
async fn s0_20_the_page_is_told_who_is_signed_in_and_no_secret() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let page = ada.get("/auth/session").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("vary"), "cookie");
    let told = body(&page);
    assert_eq!(told["user"]["sub"], ada.id.as_str());
    assert_eq!(told["user"]["username"], "ada");
    assert_eq!(told["auth_time"], server.clock.now().unix());
    assert_eq!(told["csrf_token"].as_str().unwrap().len(), 43);
    let row = ada.server.state.sessions.list(&user_of(&ada).await).await.unwrap().remove(0);
    assert_eq!(told["expires_at"], row.expires_at.unix());
    for secret in [ada.cookie(COOKIE).unwrap(), row.id, row.login.sid.unwrap()] {
        assert!(!page.html.contains(&secret), "{}", page.html);
    }
    let names: Vec<&String> = told.as_object().unwrap().keys().collect();
    assert_eq!(names, ["auth_time", "csrf_header", "csrf_token", "expires_at", "user"]);
}

async fn user_of(who: &SignedIn<'_>) -> oauth_core::model::User {
    who.server.state.users.user(&who.id).await.unwrap().unwrap()
}

#[tokio::test]
async fn s0_16_signing_in_leads_back_to_the_front_end() {
    let server = start("[bff]\nreturn_to = [\"https://app.example/done\"]").await;
    server.user("ada", PASSWORD).await;
    for to in ["/app?tab=1", "https://app.example/done"] {
        let visitor = server.visitor();
        let query =
            form_urlencoded::Serializer::new(String::new()).append_pair("return_to", to).finish();
        let begin = format!("/auth/login?{query}");
        let login = visitor.get(&begin).await.location().to_owned();
        assert!(login.starts_with("/login?to=front-"), "{login}");
        let word = login.split_once("to=").unwrap().1;
        let shown = visitor.get(&login).await;
        assert_eq!(shown.value("to"), word);
        let form = [("username", "ada"), ("password", PASSWORD), ("to", word)];
        let page = visitor.post("/login", &form).await;
        assert_eq!(page.location(), begin);
        assert_eq!(visitor.get(&begin).await.location(), to);
    }
}

#[tokio::test]
async fn s0_16_nobody_is_sent_anywhere_else() {
    let server = start("[bff]\nreturn_to = [\"https://app.example/done\"]").await;
    let ada = server.signed_up("ada").await;
    let visitor = server.visitor();
    for to in [
        "https://evil.example/",
        "//evil.example",
        "/%5Cevil.example/..//x\\",
        "https://app.example/done/x",
    ] {
        let query =
            form_urlencoded::Serializer::new(String::new()).append_pair("return_to", to).finish();
        for who in [&*ada, &*visitor] {
            let page = who.get(&format!("/auth/login?{query}")).await;
            refused(&page, 400, "invalid_return_to");
        }
    }
    refused(&ada.get("/auth/login?return_to=/&return_to=/").await, 400, "invalid_request");
    assert_eq!(ada.get("/auth/login").await.location(), "/");
    // What comes back from the page to sign in is looked at again.
    let planted = "front-aHR0cHM6Ly9ldmlsLmV4YW1wbGUv";
    let form = [("username", "ada"), ("password", PASSWORD), ("to", planted)];
    let to = visitor.post("/login", &form).await.location().to_owned();
    refused(&visitor.get(&to).await, 400, "invalid_return_to");
}

#[tokio::test]
async fn s0_24_what_changes_something_needs_the_value_of_the_session() {
    let server = start("").await;
    let (ada, bob) = (server.signed_up("ada").await, server.signed_up("bob").await);
    let (csrf, other) = (csrf_of(&ada).await, csrf_of(&bob).await);
    assert_ne!(csrf, other);
    let cookie = ada.cookie(COOKIE).unwrap();
    for path in ["/auth/refresh", "/auth/logout"] {
        for headers in [
            &[HERE][..],
            &[HERE, ("x-csrf-token", "")],
            &[HERE, ("x-csrf-token", &other)],
            &[HERE, ("x-csrf-token", &cookie)],
            &[("sec-fetch-site", "cross-site"), ("x-csrf-token", &csrf)],
            &[("sec-fetch-site", "same-site"), ("x-csrf-token", &csrf)],
            &[("origin", "https://evil.example"), ("x-csrf-token", &csrf)],
            &[("origin", "null"), ("x-csrf-token", &csrf)],
        ] {
            refused(&call(&ada, "POST", path, headers).await, 403, "csrf");
        }
    }
    assert!(is_signed_in(&ada).await);
    let page = call(&ada, "POST", "/auth/refresh", &[HERE, ("x-api-key", &csrf)]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    let page = call(
        &ada,
        "POST",
        "/auth/refresh",
        &[("origin", "http://127.0.0.1:4999"), ("x-csrf-token", &csrf)],
    )
    .await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
}

#[tokio::test]
async fn s0_27_beside_a_token_the_cookie_counts_for_nothing() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let csrf = csrf_of(&ada).await;
    for bearer in
        [("authorization", "Bearer x"), ("x-api-key", "bearer x"), ("x-api-key", "BEARER x")]
    {
        let page = call(&ada, "GET", "/auth/session", &[bearer]).await;
        refused(&page, 401, "not_signed_in");
        let sent = [bearer, HERE, ("x-csrf-token", &csrf)];
        refused(&call(&ada, "POST", "/auth/logout", &sent).await, 401, "not_signed_in");
    }
    assert!(is_signed_in(&ada).await);
}

#[tokio::test]
async fn s0_18_refresh_replaces_the_cookie_and_for_a_moment_gives_it_again() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let (csrf, old) = (csrf_of(&ada).await, ada.cookie(COOKIE).unwrap());
    let page = refresh(&ada, &csrf).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    let new = ada.cookie(COOKIE).unwrap();
    assert_ne!(old, new);
    assert!(!page.html.contains(&new), "{}", page.html);
    assert_eq!(body(&page)["csrf_token"], csrf.as_str(), "other tabs go on with theirs");
    // Another tab, whose request was under way with the old one.
    let tab = server.visitor();
    tab.plant(COOKIE, &old);
    assert!(is_signed_in(&tab).await);
    assert_eq!(refresh(&tab, &csrf).await.status, StatusCode::OK);
    assert_eq!(tab.cookie(COOKIE).unwrap(), new, "there are not two sessions now");
    // And through two replacements.
    assert_eq!(refresh(&ada, &csrf).await.status, StatusCode::OK);
    let newest = ada.cookie(COOKIE).unwrap();
    tab.plant(COOKIE, &old);
    assert_eq!(refresh(&tab, &csrf).await.status, StatusCode::OK);
    assert_eq!(tab.cookie(COOKIE).unwrap(), newest);
    assert_eq!(server.state.sessions.count(&ada.id).await.unwrap(), 1);
}

#[tokio::test]
async fn s0_18_a_cookie_that_comes_back_later_ends_the_session() {
    for path in ["/auth/session", "/auth/refresh", "/"] {
        let server = start("[bff]\nrotation_grace = \"10s\"").await;
        let ada = server.signed_up("ada").await;
        let other = server.visitor().sign_in("ada").await;
        let (csrf, old) = (csrf_of(&ada).await, ada.cookie(COOKIE).unwrap());
        assert_eq!(refresh(&ada, &csrf).await.status, StatusCode::OK);
        let thief = server.visitor();
        thief.plant(COOKIE, &old);
        server.clock.advance(Duration::from_secs(9));
        assert!(is_signed_in(&thief).await && is_signed_in(&ada).await);
        server.clock.advance(Duration::from_secs(1));
        let method = if path == "/auth/refresh" { "POST" } else { "GET" };
        call(&thief, method, path, &[HERE, ("x-csrf-token", &csrf)]).await;
        refused(&thief.get("/auth/session").await, 401, "not_signed_in");
        refused(&ada.get("/auth/session").await, 401, "not_signed_in");
        assert!(is_signed_in(&other).await, "another browser of hers is another session");
    }
}

#[tokio::test]
async fn s0_18_refreshing_keeps_a_session_alive_but_not_for_ever() {
    let server = start("[sessions]\nidle_timeout = \"1h\"\nmax_age = \"3h\"").await;
    let ada = server.signed_up("ada").await;
    let csrf = csrf_of(&ada).await;
    for _ in 0..3 {
        server.clock.advance(Duration::from_mins(55));
        assert_eq!(refresh(&ada, &csrf).await.status, StatusCode::OK);
    }
    server.clock.advance(Duration::from_mins(16));
    refused(&refresh(&ada, &csrf).await, 401, "not_signed_in");
}

#[tokio::test]
async fn s0_15_logout_ends_the_session_whichever_cookie_it_comes_with() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let csrf = csrf_of(&ada).await;
    let old = ada.cookie(COOKIE).unwrap();
    assert_eq!(refresh(&ada, &csrf).await.status, StatusCode::OK);
    let new = ada.cookie(COOKIE).unwrap();
    ada.plant(COOKIE, &old);
    let page = call(&ada, "POST", "/auth/logout", &[HERE, ("x-csrf-token", &csrf)]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    let told = body(&page);
    assert_eq!(
        (&told["signed_out"], &told["frontchannel_logout_uris"]),
        (&true.into(), &Value::Array(vec![]))
    );
    let set: Vec<_> = page.headers.get_all(header::SET_COOKIE).iter().collect();
    assert!(set.iter().any(|c| c.to_str().unwrap().starts_with("oauth_session=; ")), "{set:?}");
    for cookie in [old, new] {
        ada.plant(COOKIE, &cookie);
        refused(&ada.get("/auth/session").await, 401, "not_signed_in");
        refused(&refresh(&ada, &csrf).await, 401, "not_signed_in");
    }
}

#[tokio::test]
async fn s0_18_signing_in_again_with_a_replaced_cookie_leaves_one_session() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let csrf = csrf_of(&ada).await;
    let old = ada.cookie(COOKIE).unwrap();
    assert_eq!(refresh(&ada, &csrf).await.status, StatusCode::OK);
    let replaced = ada.cookie(COOKIE).unwrap();
    ada.plant(COOKIE, &old);
    let form = [("username", "ada"), ("password", PASSWORD)];
    assert_eq!(ada.post("/login", &form).await.location(), "/");
    assert_eq!(server.state.sessions.count(&ada.id).await.unwrap(), 1);
    // Who has a cookie of before has no part in this sign-in, and cannot end it.
    for before in [old, replaced] {
        let tab = server.visitor();
        tab.plant(COOKIE, &before);
        refused(&tab.get("/auth/session").await, 401, "not_signed_in");
        server.clock.advance(Duration::from_mins(1));
        refused(&refresh(&tab, &csrf).await, 401, "not_signed_in");
    }
    assert!(is_signed_in(&ada).await);
}

#[tokio::test]
async fn s0_23_over_https_the_cookie_is_bound_to_the_host() {
    let toml = "[server]\npublic_url = \"https://auth.example\"\n";
    let server = start(toml).await;
    let ada = server.signed_up("ada").await;
    let csrf = csrf_of(&ada).await;
    let page = refresh(&ada, &csrf).await;
    let set = page.header("set-cookie");
    assert!(set.starts_with("__Host-oauth_session="), "{set}");
    let attributes = set.split_once(';').unwrap().1;
    assert_eq!(attributes, " Path=/; HttpOnly; SameSite=Lax; Secure");
}

#[tokio::test]
async fn s0_24_every_method_where_that_is_configured_but_for_the_one_that_tells_the_value() {
    let server = start("[bff]\ncsrf_methods = \"all\"").await;
    let ada = server.signed_up("ada").await;
    let csrf = csrf_of(&ada).await;
    assert_eq!(refresh(&ada, &csrf).await.status, StatusCode::OK);
    refused(&refresh(&ada, "x").await, 403, "csrf");
}

#[tokio::test]
async fn s0_19_front_ends_can_be_switched_off() {
    let server = start("[bff]\nenabled = false").await;
    let ada = server.signed_up("ada").await;
    for path in ["/auth/session", "/auth/login"] {
        assert_eq!(ada.get(path).await.status, StatusCode::NOT_FOUND);
    }
}

/// A browser at this server with that cookie.
fn browser<'s>(server: &'s Server, cookie: &str) -> Anonymous<'s> {
    let visitor = server.visitor();
    visitor.plant(COOKIE, cookie);
    visitor
}

#[tokio::test(flavor = "multi_thread")]
async fn s0_18_parallel_refreshes_on_two_pools_give_one_cookie() {
    let database = TestDatabase::empty_postgres().await;
    let (a, b) = two_on(&database, "").await;
    let ada = a.signed_up("ada").await;
    let csrf = csrf_of(&ada).await;
    let mut cookie = ada.cookie(COOKIE).unwrap();
    for round in 0..8 {
        let tabs: Vec<_> =
            (0..8).map(|i| browser(if i % 2 == 0 { &a } else { &b }, &cookie)).collect();
        let pages = join_all(tabs.iter().map(|tab| refresh(tab, &csrf))).await;
        for page in &pages {
            assert_eq!(page.status, StatusCode::OK, "round {round}: {}", page.html);
        }
        let mut cookies: Vec<_> = tabs.iter().map(|tab| tab.cookie(COOKIE).unwrap()).collect();
        cookies.dedup();
        assert_eq!(cookies.len(), 1, "round {round}");
        assert_ne!(cookies[0], cookie);
        assert_eq!(a.state.sessions.count(&ada.id).await.unwrap(), 1);
        cookie = cookies.remove(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s0_15_logout_racing_refresh_leaves_nothing_alive() {
    let database = TestDatabase::empty_postgres().await;
    let (a, b) = two_on(&database, "").await;
    a.user("ada", PASSWORD).await;
    let mut refreshed = 0;
    for round in 0..24 {
        let ada = a.visitor().sign_in("ada").await;
        let csrf = csrf_of(&ada).await;
        let cookie = ada.cookie(COOKIE).unwrap();
        let (leaving, renewing) = (browser(&a, &cookie), browser(&b, &cookie));
        let headers = [HERE, ("x-csrf-token", csrf.as_str())];
        let leave = call(&leaving, "POST", "/auth/logout", &headers);
        let renew = refresh(&renewing, &csrf);
        let (left, renewed) = if round % 2 == 0 {
            join(leave, renew).await
        } else {
            let (renewed, left) = join(renew, leave).await;
            (left, renewed)
        };
        assert_eq!(left.status, StatusCode::OK, "round {round}: {}", left.html);
        if renewed.status == StatusCode::OK {
            refreshed += 1;
        } else {
            refused(&renewed, 401, "not_signed_in");
        }
        let last = renewing.cookie(COOKIE).unwrap_or_default();
        for cookie in [cookie, last] {
            assert!(!is_signed_in(&browser(&b, &cookie)).await, "round {round}");
            assert!(!is_signed_in(&browser(&a, &cookie)).await, "round {round}");
        }
        assert_eq!(b.state.sessions.count(&ada.id).await.unwrap(), 0, "round {round}");
    }
    println!("{refreshed} of 24 refreshes came first");
}

#[tokio::test]
async fn s0_15_the_list_is_shared_through_the_database_and_forgets_what_is_dead() {
    let database = TestDatabase::empty_postgres().await;
    let (a, b) = two_on(&database, "").await;
    let now = a.clock.now();
    let at = |seconds: u64| now.plus(Duration::from_secs(seconds));
    let (one, two) = (&a.state.revocations, &b.state.revocations);
    let long = "x".repeat(5000);
    for id in ["jti", "sid:s", &long] {
        assert!(!two.is_any_revoked(&["other", id], now).await.unwrap());
        one.revoke(id, at(60)).await.unwrap();
        one.revoke(id, at(30)).await.unwrap();
        assert!(two.is_any_revoked(&["other", id], at(59)).await.unwrap(), "{}", id.len());
        assert!(!two.is_any_revoked(&["other", id], at(60)).await.unwrap());
        assert!(!two.is_any_revoked(&["other", "JTI"], now).await.unwrap());
    }
    assert!(!two.is_any_revoked(&[], now).await.unwrap());
    // Two at once are no error.
    let both = join(one.revoke("both", at(60)), two.revoke("both", at(90))).await;
    both.0.unwrap();
    both.1.unwrap();
    assert!(one.is_any_revoked(&["both"], at(89)).await.unwrap());
    a.clock.advance(Duration::from_mins(1));
    maintenance::sweep(&b.state).await.unwrap();
    let list = DatabaseRevocations::new(a.state.store.clone());
    let long_ago = Timestamp::from_unix(0);
    assert!(!list.is_any_revoked(&["jti", "sid:s", &long], long_ago).await.unwrap(), "swept");
    assert!(list.is_any_revoked(&["both"], long_ago).await.unwrap());
}
