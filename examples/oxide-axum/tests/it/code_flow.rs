//! The code flow over the router, as a browser and a client see it.

use crate::site::{Front, PASSWORD, Site, query};
use axum::{
    body::Body,
    http::{Request, header},
};

#[tokio::test]
async fn from_the_page_to_the_resource_and_on() {
    let site = Site::new().await;
    let address = format!("/authorize?{}", query("web", &[]));
    let page = site.get(&address).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header(header::CONTENT_TYPE), Some("text/html; charset=utf-8"));
    assert_eq!(page.header(header::CACHE_CONTROL), Some("no-store"));
    let policy = page.header(header::CONTENT_SECURITY_POLICY).unwrap();
    assert!(policy.contains("frame-ancestors 'none'"));
    assert!(page.body.contains("Client web asks for access") && page.body.contains("profile"));

    for client in ["web", "spa"] {
        let code = site.code(Front::Oxide, client).await;
        let (access, refresh) = site.redeem(Front::Oxide, client, &code).await.tokens();
        let greeting = site.profile(&access).await;
        assert_eq!((greeting.status, greeting.body.as_str()), (200, "hello ada-id"));
        let (second, _) = site.refresh(Front::Oxide, client, &refresh).await.tokens();
        assert_eq!(site.profile(&second).await.status, 200);
        // The code again: refused, and everything that came of it is dead.
        let replay = site.redeem(Front::Oxide, client, &code).await;
        assert_eq!(replay.error(), "invalid_request");
        assert_eq!(site.profile(&second).await.status, 401);
    }
}

#[tokio::test]
async fn the_owner_decides() {
    let site = Site::new().await;
    let address = format!("/authorize?{}", query("web", &[]));
    let say = async |username: &str, password: &str, decision: &str| {
        let form = [("username", username), ("password", password), ("decision", decision)];
        site.post(&address, "", &form).await
    };
    let denied = say("", "", "deny").await;
    assert_eq!(denied.answer("error").as_deref(), Some("access_denied"));
    for (name, password) in [("ada", "wrong"), ("nobody", PASSWORD), ("", "")] {
        let again = say(name, password, "allow").await;
        assert_eq!(again.status, 200);
        assert!(again.body.contains("Name or password is wrong."));
    }
    assert!(say("ada", PASSWORD, "allow").await.answer("code").is_some());
    // A link is no answer, whatever it says.
    let link = format!("{address}&username=ada&password=correct+horse&decision=allow");
    let page = site.get(&link).await;
    assert!(page.status == 200 && page.body.contains("<form"));
    // Nor is a form on somebody else's page.
    let foreign = Request::post(&address)
        .header("sec-fetch-site", "cross-site")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from("username=ada&password=correct+horse&decision=allow"));
    assert_eq!(site.send(foreign.unwrap()).await.status, 403);
}

#[tokio::test]
async fn nothing_is_sent_to_an_unproven_address() {
    let site = Site::new().await;
    for changed in [
        [("redirect_uri", "https://evil.example/cb")],
        [("redirect_uri", "https://client.example/cb/")],
        [("client_id", "nobody")],
        [("client_id", "")],
    ] {
        let refused = site.get(&format!("/authorize?{}", query("web", &changed))).await;
        assert_eq!((refused.status, refused.header(header::LOCATION)), (400, None));
        assert_eq!(refused.body, "this request cannot be answered");
    }
    for (changed, error) in [
        ([("response_type", "token")], "unsupported_response_type"),
        ([("scope", "profile admin")], "invalid_scope"),
        ([("code_challenge", "")], "invalid_request"),
        ([("code_challenge_method", "plain")], "invalid_request"),
    ] {
        let refused = site.get(&format!("/authorize?{}", query("web", &changed))).await;
        assert_eq!(refused.answer("error").as_deref(), Some(error));
    }
}

#[tokio::test]
async fn bad_requests_are_not_server_errors() {
    let site = Site::new().await;
    let two = Request::post("/token")
        .header(header::AUTHORIZATION, "Basic YTpi")
        .header(header::AUTHORIZATION, "Basic YTpi")
        .body(Body::empty());
    assert_eq!(site.send(two.unwrap()).await.status, 400);
    let empty = Request::post("/token").body(Body::empty());
    assert_eq!(site.send(empty.unwrap()).await.status, 400);
    assert_eq!(site.get("/token").await.status, 405);
    assert_eq!(site.get("/profile").await.status, 401);
    let challenge = site.profile("x").await;
    assert_eq!(challenge.status, 401);
    assert!(challenge.header(header::WWW_AUTHENTICATE).unwrap().starts_with("Bearer"));
}
