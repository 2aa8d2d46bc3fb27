//! `/admin`: who gets in, and what a change needs.

use crate::{
    pages_actors::{PASSWORD, Page, SignedIn, Visitor},
    support::{Server, form_request, start},
};
use axum::body::Body;
use http::{Method, Request, StatusCode};
use std::time::Duration;

/// Somebody who signed up and was made an administrator since.
pub async fn administrator<'s>(server: &'s Server, name: &str) -> SignedIn<'s> {
    let somebody = server.signed_up(name).await;
    assert!(server.state.store.set_admin(&somebody.id, true).await.unwrap());
    somebody
}

/// A form of ours that another site sends.
pub async fn from_elsewhere(visitor: &Visitor<'_>, path: &str, form: &[(&str, &str)]) -> Page {
    let mut request = form_request(path, None, form);
    request.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
    request.headers_mut().insert("host", "127.0.0.1:4999".parse().unwrap());
    visitor.send(request).await
}

/// What a page refuses with.
#[track_caller]
pub fn refused(page: &Page, status: StatusCode, code: &str) {
    assert_eq!((page.status, &*page.by_id("error-code")), (status, code));
}

/// The mark of the form that asks.
pub async fn once(admin: &SignedIn<'_>, question: &str) -> String {
    let page = admin.get(question).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    page.value("once")
}

/// Pages that only show something, and where somebody comes back to after signing in.
fn looking(id: &str) -> Vec<(String, String)> {
    [
        ("/admin".to_owned(), "admin".to_owned()),
        ("/admin/keys".into(), "admin-keys".into()),
        ("/admin/registration".into(), "admin-registration".into()),
        ("/admin/pending".into(), "admin-pending".into()),
        ("/admin/audit".into(), "admin-audit".into()),
        ("/admin/users".into(), "admin-users".into()),
        (format!("/admin/users/{id}"), format!("admin-user-{id}")),
    ]
    .into()
}

/// Pages that ask before something is changed.
fn asking(id: &str) -> Vec<(String, String)> {
    let user = format!("admin-user-{id}");
    [
        ("/admin/keys/rotate_now?algorithm=ES256".to_owned(), "admin-keys".to_owned()),
        ("/admin/keys/retire?kid=x".into(), "admin-keys".into()),
        ("/admin/registration/delete?client_id=x".into(), "admin-registration".into()),
        ("/admin/pending/refuse?client_id=x&asked_at=1".into(), "admin-pending".into()),
        (format!("/admin/users/{id}/disable"), user.clone()),
        (format!("/admin/users/{id}/promote"), user.clone()),
        (format!("/admin/users/{id}/demote"), user),
    ]
    .into()
}

/// Forms that change something.
fn changing(id: &str) -> Vec<(String, String)> {
    let user = format!("admin-user-{id}");
    let of_user = ["disable", "enable", "promote", "demote", "sign_out", "verified", "rights"];
    let of_user = of_user.map(|act| (format!("/admin/users/{id}/{act}"), user.clone()));
    let others = [
        ("/admin/keys/rotate", "admin-keys"),
        ("/admin/keys/rotate_now", "admin-keys"),
        ("/admin/keys/retire", "admin-keys"),
        ("/admin/registration/invite", "admin-registration"),
        ("/admin/registration/revoke", "admin-registration"),
        ("/admin/registration/delete", "admin-registration"),
        ("/admin/pending/approve", "admin-pending"),
        ("/admin/pending/refuse", "admin-pending"),
    ];
    let others = others.map(|(path, word)| (path.to_owned(), word.to_owned()));
    of_user.into_iter().chain(others).collect()
}

/// A page without what differs from request to request.
fn constant(page: &Page) -> String {
    let number = page.by_id("request-id");
    page.html.replace(&number, "")
}

#[tokio::test]
async fn for_everybody_else_it_does_not_exist_whatever_the_method() {
    let server = start("").await;
    let eve = server.signed_up("eve").await;
    let nothing = eve.get("/nothing").await;
    refused(&nothing, StatusCode::NOT_FOUND, "not_found");
    let id = eve.id.as_str();
    let known = [looking(id), asking(id), changing(id)].concat();
    let unknown =
        ["/admin/", "/admin/nothing", "/admin/users/a/b"].map(|p| (p.to_owned(), String::new()));
    let bad = [("/admin/keys?a=1&a=1".to_owned(), String::new())];
    for (path, _) in known.into_iter().chain(unknown).chain(bad) {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request = Request::builder().method(&method).uri(&*path);
            let request = request.header("sec-fetch-site", "same-origin");
            let page = eve.send(request.body(Body::empty()).unwrap()).await;
            refused(&page, StatusCode::NOT_FOUND, "not_found");
            assert_eq!(constant(&page), constant(&nothing), "{method} {path}");
        }
        let page = eve.send(Request::head(&*path).body(Body::empty()).unwrap()).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "HEAD {path}");
    }
    for (path, _) in changing(id) {
        let page = from_elsewhere(&eve, &path, &[]).await;
        refused(&page, StatusCode::NOT_FOUND, "not_found");
    }
    assert!(!eve.get("/account").await.has("to-admin"), "nothing leads there");
}

#[tokio::test]
async fn an_administrator_finds_and_sees_everything() {
    let server = start("").await;
    let ada = administrator(&server, "ada").await;
    assert_eq!(ada.get("/account").await.href("to-admin"), "/admin");
    for (path, _) in looking(ada.id.as_str()) {
        let page = ada.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        for (id, to) in [
            ("admin-overview", "/admin"),
            ("admin-keys", "/admin/keys"),
            ("admin-registration", "/admin/registration"),
            ("admin-users", "/admin/users"),
        ] {
            assert_eq!(page.href(id), to, "{path}");
        }
        assert_eq!(page.header("cache-control"), "no-store");
        assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    }
    for path in ["/admin/keys/rotate", "/admin/registration/invite"] {
        refused(&ada.get(path).await, StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
    }
    refused(&ada.post("/admin", &[]).await, StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
}

#[tokio::test]
async fn what_somebody_is_counts_at_this_very_request() {
    let server = start("").await;
    let ada = administrator(&server, "ada").await;
    assert_eq!(ada.get("/admin").await.status, StatusCode::OK);
    server.state.store.set_admin(&ada.id, false).await.unwrap();
    refused(&ada.get("/admin").await, StatusCode::NOT_FOUND, "not_found");
    let page = ada.post("/admin/keys/rotate", &[("algorithm", "ES256")]).await;
    refused(&page, StatusCode::NOT_FOUND, "not_found");
    server.state.store.set_admin(&ada.id, true).await.unwrap();
    assert_eq!(ada.get("/admin").await.status, StatusCode::OK);
    server.state.store.set_disabled(&ada.id, true).await.unwrap();
    assert_eq!(ada.get("/admin").await.location(), "/login?to=admin");
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_sent_to_sign_in_and_comes_back() {
    let server = start("").await;
    let ada = administrator(&server, "ada").await;
    let id = ada.id.as_str();
    for (path, word) in looking(id) {
        let visitor = server.visitor();
        assert_eq!(visitor.get(&path).await.location(), format!("/login?to={word}"));
        let form = [("username", "ada"), ("password", PASSWORD), ("to", &*word)];
        assert_eq!(visitor.post("/login", &form).await.location(), path);
        assert_eq!(visitor.get(&path).await.status, StatusCode::OK);
    }
    for (path, word) in asking(id) {
        assert_eq!(server.visitor().get(&path).await.location(), format!("/login?to={word}"));
    }
    for (path, word) in changing(id) {
        let page = server.visitor().post(&path, &[]).await;
        assert_eq!(page.location(), format!("/login?to={word}"), "{path}");
    }
}

#[tokio::test]
async fn a_change_needs_a_sign_in_of_the_last_quarter_of_an_hour() {
    let server = start("").await;
    let ada = administrator(&server, "ada").await;
    let id = ada.id.as_str();
    let kids = async || ada.get("/admin/keys").await.html.matches("id=\"retire-").count();
    let form = [("algorithm", "ES256")];
    server.clock.advance(Duration::from_mins(15));
    assert_eq!(ada.post("/admin/keys/rotate", &form).await.location(), "/admin/keys?done=rotated");
    assert_eq!(kids().await, 2);
    server.clock.advance(Duration::from_secs(1));
    for (path, word) in asking(id) {
        assert_eq!(ada.get(&path).await.location(), format!("/login?to={word}"), "{path}");
    }
    for (path, word) in changing(id) {
        let yes = [("confirm", "yes"), ("once", "x"), ("algorithm", "ES256"), ("days", "1")];
        assert_eq!(ada.post(&path, &yes).await.location(), format!("/login?to={word}"), "{path}");
    }
    assert_eq!(kids().await, 2, "looking needs no new sign-in, and nothing was changed");
    assert_eq!(server.state.registrars.invitations().await.unwrap(), []);
    let page = ada.get("/login?to=admin-keys").await;
    assert!(page.by_id("again").contains("Type your password again before you change anything."));
    assert_eq!(page.value("username"), "ada");
    let wrong = [("username", "ada"), ("password", "a guess"), ("to", "admin-keys")];
    assert_eq!(ada.post("/login", &wrong).await.status, StatusCode::FORBIDDEN);
    assert!(ada.post("/admin/keys/rotate", &form).await.location().starts_with("/login"));
    let right = [("username", "ada"), ("password", PASSWORD), ("to", "admin-keys")];
    assert_eq!(ada.post("/login", &right).await.location(), "/admin/keys");
    assert_eq!(ada.get("/login?to=admin-keys").await.location(), "/admin/keys", "once is enough");
    assert_eq!(ada.post("/admin/keys/rotate", &form).await.location(), "/admin/keys?done=rotated");
    assert_eq!(kids().await, 3);
}

#[tokio::test]
async fn forms_of_other_sites_change_nothing() {
    let server = start("").await;
    let ada = administrator(&server, "ada").await;
    for (path, _) in changing(ada.id.as_str()) {
        let yes = [("confirm", "yes"), ("once", "x"), ("algorithm", "ES256"), ("days", "1")];
        let page = from_elsewhere(&ada, &path, &yes).await;
        refused(&page, StatusCode::FORBIDDEN, "cross_site_request");
    }
    assert_eq!(ada.get("/admin/keys").await.html.matches("id=\"retire-").count(), 1);
    assert_eq!(server.state.registrars.invitations().await.unwrap(), []);
}

#[tokio::test]
async fn a_form_in_which_a_name_is_twice_cannot_be_read() {
    let server = start("").await;
    let ada = administrator(&server, "ada").await;
    for (path, _) in changing(ada.id.as_str()) {
        if path.contains(ada.id.as_str())
            && ["disable", "promote", "demote"].iter().any(|a| path.ends_with(a))
        {
            continue;
        }
        let page = ada.post(&path, &[("a", "1"), ("a", "1")]).await;
        refused(&page, StatusCode::BAD_REQUEST, "invalid_request");
    }
    let page = ada.get("/admin/users?name=a&name=b").await;
    refused(&page, StatusCode::BAD_REQUEST, "invalid_request");
}

#[tokio::test]
async fn where_any_password_will_do_nobody_is_an_administrator() {
    let server = start("authenticator = \"any\"\n").await;
    let somebody = administrator(&server, "ada").await;
    refused(&somebody.get("/admin").await, StatusCode::NOT_FOUND, "not_found");
}
