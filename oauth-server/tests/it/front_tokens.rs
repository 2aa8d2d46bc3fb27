//! `/auth` with tokens in cookies, and the addresses of the original.

use crate::{
    command_line,
    front::{HERE, body, call, refused},
    pages_actors::{Made, PASSWORD, SignedIn, interaction, parameter},
    support::{Server, json, start},
};
use axum::{Router, body::Body, routing::any};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use oauth_core::{jose::KeySet, model::Scope, ports::ClientStore as _, testing::fixtures};
use resource_guard::{Csrf, Guard};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tower::ServiceExt as _;

const JWT: &str =
    "[server]\npublic_url = \"https://auth.example\"\n[bff]\ncookie = \"jwt\"\napi_v1 = true\n";
const AT: &str = "__Host-at";
const RT: &str = "__Secure-rt";
const SESSION: &str = "__Host-oauth_session";
const LOOKING_UP: &str =
    "[bff]\napi_v1 = true\n[[scope]]\nname = \"users:read\"\n[[scope]]\nname = \"other\"\n";

/// Somebody with tokens in cookies.
async fn with_tokens<'s>(server: &'s Server, name: &str) -> (SignedIn<'s>, String) {
    let who = server.signed_up(name).await;
    let page = who.get("/auth/login?return_to=/app").await;
    assert_eq!(page.location(), "/app");
    let page = who.get("/auth/session").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    let csrf = body(&page)["csrf_token"].as_str().unwrap().to_owned();
    (who, csrf)
}

/// An API on the same origin that checks tokens on its own, and knows the list.
async fn api(server: &Server) -> Router {
    let keys: Value = serde_json::from_str(&server.state.provider.jwks().await.unwrap()).unwrap();
    let guard = Guard::for_issuer("https://auth.example")
        .audience("https://auth.example")
        .keys(KeySet::from_jwks(&keys))
        .cookie(AT, Csrf::new())
        .revocations(server.state.revocations.clone())
        .clock(Arc::clone(&server.clock) as Arc<dyn oauth_core::ports::Clock>)
        .build()
        .unwrap();
    Router::new().route("/thing", any(|| async { "done" })).layer(guard.access())
}

async fn at_api(api: &Router, method: &str, token: &str, csrf: &str) -> u16 {
    let request = Request::builder()
        .method(method)
        .uri("/thing")
        .header("cookie", format!("{AT}={token}"))
        .header("x-csrf-token", csrf)
        .header(HERE.0, HERE.1)
        .body(Body::empty())
        .unwrap();
    let response = api.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let _ = response.into_body().collect().await.unwrap();
    status
}

#[tokio::test]
async fn s0_23_the_tokens_are_in_cookies_that_scripts_cannot_read() {
    let server = start(JWT).await;
    let ada = server.signed_up("ada").await;
    let page = ada.get("/auth/login?return_to=/app").await;
    assert_eq!(page.location(), "/app");
    let set: Vec<_> =
        page.headers.get_all(header::SET_COOKIE).iter().map(|c| c.to_str().unwrap()).collect();
    let attributes = |name: &str| {
        let cookie = set.iter().find(|c| c.starts_with(name)).unwrap_or_else(|| panic!("{set:?}"));
        cookie.split_once(';').unwrap().1.to_owned()
    };
    assert_eq!(attributes("__Host-at="), " Path=/; HttpOnly; SameSite=Lax; Secure");
    assert_eq!(attributes("__Secure-rt="), " Path=/auth; HttpOnly; SameSite=Strict; Secure");
    let (at, rt) = (ada.cookie(AT).unwrap(), ada.cookie(RT).unwrap());
    let page = ada.get("/auth/session").await;
    assert_eq!(body(&page)["user"]["username"], "ada");
    for secret in [&at, &rt] {
        assert!(!page.html.contains(secret) && !page.html.contains("eyJ"), "{}", page.html);
    }
}

#[tokio::test]
async fn s0_24_an_api_checks_the_cookie_and_its_csrf_claim_on_its_own() {
    let server = start(JWT).await;
    let (ada, csrf) = with_tokens(&server, "ada").await;
    let (_, other) = with_tokens(&server, "bob").await;
    let (api, at) = (api(&server).await, ada.cookie(AT).unwrap());
    assert_eq!(at_api(&api, "POST", &at, &csrf).await, 200);
    assert_eq!(at_api(&api, "GET", &at, "").await, 200);
    assert_eq!(at_api(&api, "POST", &at, "").await, 403);
    assert_eq!(at_api(&api, "POST", &at, &other).await, 403);
}

#[tokio::test]
async fn s0_18_refreshing_uses_the_refresh_token_up() {
    let server = start(JWT).await;
    let (ada, csrf) = with_tokens(&server, "ada").await;
    let (at, rt) = (ada.cookie(AT).unwrap(), ada.cookie(RT).unwrap());
    server.clock.advance(Duration::from_mins(11));
    refused(&ada.get("/auth/session").await, 401, "not_signed_in");
    let refresh = [HERE, ("x-csrf-token", csrf.as_str())];
    refused(&call(&ada, "POST", "/auth/refresh", &[HERE]).await, 403, "csrf");
    let page = call(&ada, "POST", "/auth/refresh", &refresh).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    assert_eq!(body(&page)["csrf_token"], csrf.as_str());
    let (new_at, new_rt) = (ada.cookie(AT).unwrap(), ada.cookie(RT).unwrap());
    assert!(at != new_at && rt != new_rt);
    assert!(!page.html.contains(&new_at) && !page.html.contains(&new_rt));
    assert_eq!(ada.get("/auth/session").await.status, StatusCode::OK);
    // Long after its answer can have got lost, the used one ends everything that came from it.
    server.clock.advance(Duration::from_secs(31));
    ada.plant(RT, &rt);
    refused(&call(&ada, "POST", "/auth/refresh", &refresh).await, 401, "not_signed_in");
    ada.plant(RT, &new_rt);
    refused(&call(&ada, "POST", "/auth/refresh", &refresh).await, 401, "not_signed_in");
    ada.plant(AT, &new_at);
    refused(&ada.get("/auth/session").await, 401, "not_signed_in");
}

#[tokio::test]
async fn s0_15_logout_ends_the_tokens_wherever_they_are_checked() {
    for path in ["/auth/logout", "/logout", "/account"] {
        let server = start(JWT).await;
        let (ada, csrf) = with_tokens(&server, "ada").await;
        let (at, rt) = (ada.cookie(AT).unwrap(), ada.cookie(RT).unwrap());
        let session = ada.cookie(SESSION).unwrap();
        let api = api(&server).await;
        assert_eq!(at_api(&api, "POST", &at, &csrf).await, 200);
        match path {
            "/auth/logout" => {
                let headers = [HERE, ("x-csrf-token", csrf.as_str())];
                let page = call(&ada, "POST", path, &headers).await;
                assert_eq!(page.status, StatusCode::OK, "{}", page.html);
                assert!(ada.cookie(AT).is_none() && ada.cookie(RT).is_none());
            }
            "/logout" => {
                ada.post(path, &[]).await.location();
                assert!(ada.cookie(AT).is_none() && ada.cookie(RT).is_none());
            }
            _ => assert_eq!(server.state.sessions.end_all_of(&ada.id).await.unwrap(), 1),
        }
        assert_eq!(at_api(&api, "POST", &at, &csrf).await, 401, "{path}: remembered or not");
        for (name, value) in [(AT, &at), (RT, &rt), (SESSION, &session)] {
            ada.plant(name, value);
        }
        refused(&ada.get("/auth/session").await, 401, "not_signed_in");
        let refresh = [HERE, ("x-csrf-token", csrf.as_str())];
        refused(&call(&ada, "POST", "/auth/refresh", &refresh).await, 401, "not_signed_in");
    }
}

#[tokio::test]
async fn s0_18_a_refresh_token_of_another_browser_is_worth_nothing() {
    let server = start(JWT).await;
    let (ada, csrf) = with_tokens(&server, "ada").await;
    let (eve, other) = with_tokens(&server, "eve").await;
    eve.plant(RT, &ada.cookie(RT).unwrap());
    for csrf in [csrf, other] {
        let headers = [HERE, ("x-csrf-token", csrf.as_str())];
        refused(&call(&eve, "POST", "/auth/refresh", &headers).await, 401, "not_signed_in");
    }
    assert_eq!(ada.get("/auth/session").await.status, StatusCode::OK);
}

#[tokio::test]
async fn s0_04_the_addresses_of_the_original_are_off_unless_wanted() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    for path in ["/api/v1/auth/login", "/api/v1/users/me"] {
        assert_eq!(ada.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn s0_04_the_addresses_of_the_original_work_with_a_cookie() {
    let server = start("[bff]\napi_v1 = true").await;
    let visitor = server.visitor();
    refused(&visitor.get("/api/v1/users/me").await, 401, "not_signed_in");
    refused(&call(&visitor, "POST", "/api/v1/auth/authorized", &[]).await, 401, "not_signed_in");
    let to = visitor.get("/api/v1/auth/login?return_keys=1").await.location().to_owned();
    assert!(to.starts_with("/login?to=front-"), "{to}");
    let page = visitor.get("/api/v1/auth/oauth2callback?state=a&code=b").await;
    refused(&page, 400, "wrong_state");
    let ada = server.signed_up("ada").await;
    // No token for a page, whatever it asks for.
    let page = ada.get("/api/v1/auth/login?return_keys=1").await;
    assert_eq!((page.location(), page.html.as_str()), ("/", ""));
    let me = json!({"id": ada.id.as_str(), "name": "ada", "username": "ada", "avatar": null});
    assert_eq!(body(&ada.get("/api/v1/users/me").await), me);
    let page = call(&ada, "POST", "/api/v1/auth/authorized", &[]).await;
    assert_eq!(page.html, "\"valid\"");
    let csrf = body(&ada.get("/auth/session").await)["csrf_token"].as_str().unwrap().to_owned();
    let headers = [HERE, ("x-api-key", csrf.as_str())];
    refused(&call(&ada, "POST", "/api/v1/auth/refresh", &[HERE]).await, 403, "csrf");
    let before = ada.cookie("oauth_session");
    let page = call(&ada, "POST", "/api/v1/auth/refresh", &headers).await;
    assert_eq!(body(&page), json!({"msg": "Session refreshed"}));
    assert_ne!(ada.cookie("oauth_session"), before);
    refused(&call(&ada, "DELETE", "/api/v1/auth/logout", &[HERE]).await, 403, "csrf");
    let page = call(&ada, "DELETE", "/api/v1/auth/logout", &headers).await;
    assert_eq!(body(&page), json!({"msg": "Access token revoked"}));
    refused(&ada.get("/api/v1/users/me").await, 401, "not_signed_in");
    refused(&call(&ada, "GET", "/api/v1/auth/logout", &[]).await, 405, "method_not_allowed");
}

/// An access token of a client of its own with this scope.
async fn client_token(server: &Server, scope: &str) -> String {
    let client = oauth_core::model::Client {
        scope: Scope::parse("users:read other").unwrap(),
        grant_types: ["client_credentials".to_owned()].into(),
        ..fixtures::client("reader")
    };
    let _ = server.state.store.insert_client(client).await.unwrap();
    own_token(server, ("reader", "secret"), scope).await
}

/// An access token that a client gets for itself.
async fn own_token(server: &Server, client: (&str, &str), scope: &str) -> String {
    let form = [("grant_type", "client_credentials"), ("scope", scope)];
    let answer = json(server.post("/oauth/token", Some(client), &form).await).await;
    answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// An access token that somebody gives a client, to look others up.
async fn given_token(who: &SignedIn<'_>, client: &Made) -> String {
    let consent = who.authorize(&client.id, &[("scope", "users:read")]).await;
    let waits = interaction(&consent);
    let form = [("interaction", &*waits), ("decision", "allow"), ("scope:users:read", "yes")];
    let page = who.post("/consent", &form).await;
    let code = parameter(page.header("location"), "code").expect("there is a code");
    let answer = client.exchange(who.server, &code).await;
    answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[tokio::test]
async fn s0_04_other_people_are_looked_up_with_the_scope_alone() {
    let server = start(LOOKING_UP).await;
    let ada = server.signed_up("ada").await;
    let id = format!("/api/v1/users/{}", ada.id);
    let visitor = server.visitor();
    let (good, weak) =
        (client_token(&server, "users:read").await, client_token(&server, "other").await);
    let (good, weak) = (format!("bearer {good}"), format!("Bearer {weak}"));
    for path in [id.as_str(), "/api/v1/users/by_username/ada"] {
        refused(&visitor.get(path).await, 401, "invalid_token");
        refused(&ada.get(path).await, 401, "invalid_token");
        let garbage = [("x-api-key", "bearer x")];
        refused(&call(&visitor, "GET", path, &garbage).await, 401, "invalid_token");
        let page = call(&visitor, "GET", path, &[("authorization", &weak)]).await;
        refused(&page, 403, "insufficient_scope");
        let page = call(&visitor, "GET", path, &[("x-api-key", &good)]).await;
        assert_eq!(body(&page)["username"], "ada", "{}", page.html);
    }
    for path in ["/api/v1/users/nobody", "/api/v1/users/by_username/nobody"] {
        let page = call(&visitor, "GET", path, &[("x-api-key", &good)]).await;
        refused(&page, 404, "not_found");
    }
}

/// The page registers a client with any scope, for everybody.
#[tokio::test]
async fn s0_04_the_scope_alone_is_not_enough_to_look_people_up() {
    let server = start(LOOKING_UP).await;
    server.user("ada", PASSWORD).await;
    let visitor = server.visitor();
    let look = async |token: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        call(&visitor, "GET", "/api/v1/users/by_username/ada", &headers).await
    };
    let eve = server.signed_up("eve").await;
    let client = eve
        .create_client(&[("scope:users:read", "yes"), ("grant_type:client_credentials", "yes")])
        .await;
    let secret = client.secret.clone().unwrap();
    let own = own_token(&server, (&*client.id, &*secret), "users:read").await;
    refused(&look(&own).await, 403, "insufficient_scope");
    let hers = given_token(&eve, &client).await;
    refused(&look(&hers).await, 403, "insufficient_scope");
    // One who looks after the others, at this moment.
    assert!(server.state.store.set_admin(&eve.id, true).await.unwrap());
    assert_eq!(body(&look(&hers).await)["username"], "ada");
    refused(&look(&own).await, 403, "insufficient_scope");
    assert!(server.state.store.set_admin(&eve.id, false).await.unwrap());
    refused(&look(&hers).await, 403, "insufficient_scope");
    // A client of the operator.
    let create = [
        &["--config", "test.toml", "client", "create", "--name", "Reader", "--output", "json"][..],
        &["--grant-type", "client_credentials", "--scope", "users:read"],
    ]
    .concat();
    let made: Value =
        serde_json::from_str(&command_line::good(server.folder.path(), &create, "")).unwrap();
    let text = |name: &str| made[name].as_str().unwrap_or_else(|| panic!("{made}"));
    let id_and_secret = (text("client_id"), text("client_secret"));
    let operators = own_token(&server, id_and_secret, "users:read").await;
    assert_eq!(body(&look(&operators).await)["username"], "ada");
}

#[tokio::test]
async fn s0_04_the_scope_that_looks_people_up_is_given_to_nobody_unasked() {
    let server = start(&format!("{LOOKING_UP}[registration]\nmode = \"open\"\n")).await;
    let eve = server.signed_up("eve").await;
    let page = eve.get("/create_client").await;
    for (scope, ticked) in [("users:read", false), ("other", true)] {
        let tag = page.html.split(&format!("name=\"scope:{scope}\"")).nth(1).unwrap();
        assert_eq!(tag.split('>').next().unwrap().contains(" checked"), ticked, "{scope}");
    }
    let asked = json!({"client_name": "Web", "redirect_uris": ["https://client.example/cb"]});
    let request = Request::post("/oauth/register")
        .header("content-type", "application/json")
        .body(Body::from(asked.to_string()))
        .unwrap();
    let registered = json(server.send(request).await).await;
    let given: Vec<_> = registered["scope"].as_str().unwrap().split(' ').collect();
    assert!(given.contains(&"other") && !given.contains(&"users:read"), "{registered}");
}

#[tokio::test]
async fn s0_15_logout_with_a_token_revokes_it_and_its_refresh_token() {
    let server = start("[bff]\napi_v1 = true").await;
    server.user("ada", PASSWORD).await;
    let people = server.state.people();
    let tokens = people.log_in("ada", PASSWORD, oauth_server::people::Device::default()).await;
    let tokens = tokens.unwrap();
    let visitor = server.visitor();
    let bearer = format!("Bearer {}", tokens.access_token);
    let bearer = [("x-api-key", bearer.as_str())];
    assert_eq!(body(&call(&visitor, "GET", "/api/v1/users/me", &bearer).await)["username"], "ada");
    assert_eq!(call(&visitor, "POST", "/api/v1/auth/authorized", &bearer).await.html, "\"valid\"");
    let page = call(&visitor, "POST", "/api/v1/auth/refresh", &bearer).await;
    refused(&page, 400, "use_token_endpoint");
    let page = call(&visitor, "DELETE", "/api/v1/auth/logout", &bearer).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    for (method, path) in [
        ("GET", "/api/v1/users/me"),
        ("POST", "/api/v1/auth/authorized"),
        ("DELETE", "/api/v1/auth/logout"),
    ] {
        refused(&call(&visitor, method, path, &bearer).await, 401, "invalid_token");
    }
    let refresh = tokens.refresh_token.unwrap();
    assert!(people.refresh(&refresh).await.is_err(), "one cannot refresh after signing out");
}
