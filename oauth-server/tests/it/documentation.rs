//! The description of the routes: complete, true to what is mounted, locked where the routes are, and readable here.

use crate::support::{Server, header_of, json, start, text};
use http::StatusCode;
use oauth_server::docs::Mounted;
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn document(server: &Server, path: &str) -> Value {
    let response = server.get(path).await;
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    assert_eq!(header_of(&response, "content-type"), "application/json");
    json(response).await
}

/// Each operation of a document: method, path, and what is said of it.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let mut all = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            all.push((method.to_uppercase(), path.clone(), operation));
        }
    }
    all
}

const CONFIGURATIONS: [&str; 5] = [
    "",
    "profile = \"toktok\"\n",
    "compat = \"toktok\"\n",
    "[registration]\nmode = \"open\"\n",
    "profile = \"is10-legacy\"\n",
];

#[tokio::test]
async fn s2_16_every_route_that_is_mounted_is_described_and_no_other() {
    for toml in CONFIGURATIONS {
        let server = start(toml).await;
        let mounted: BTreeSet<_> = Mounted::of(&server.router)
            .iter()
            .map(|m| (m.method.clone(), m.path.replace("{*", "{")))
            .collect();
        assert!(mounted.contains(&("POST".into(), "/login".into())), "routers can be read");
        assert!(mounted.len() > 50, "{}", mounted.len());
        let document = document(&server, "/openapi.json").await;
        let described = operations(&document);
        let said: BTreeSet<_> =
            described.iter().map(|(method, path, _)| (method.clone(), path.clone())).collect();
        assert_eq!(said, mounted, "{toml}");
        let missing: Vec<_> = described
            .iter()
            .filter(|(_, _, operation)| operation.get("x-undescribed").is_some())
            .map(|(method, path, _)| format!("{method} {path}"))
            .collect();
        let how = "describe each with an Op in oauth-server/src/docs/described, or beside it";
        assert!(missing.is_empty(), "with {toml:?} nothing is said of {missing:?}: {how}");
    }
}

#[tokio::test]
async fn s2_07_the_document_is_one_of_openapi_3_1() {
    for toml in CONFIGURATIONS {
        let server = start(toml).await;
        let document = document(&server, "/openapi.json").await;
        assert_eq!(document["openapi"], "3.1.0");
        let mut ids = BTreeSet::new();
        let schemes = document["components"]["securitySchemes"].as_object().unwrap();
        for (method, path, operation) in operations(&document) {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} names two");
            assert!(!operation["responses"].as_object().unwrap().is_empty());
            let named: BTreeSet<_> = operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|p| p["in"] == "path")
                .map(|p| p["name"].as_str().unwrap())
                .collect();
            let wanted: BTreeSet<_> =
                path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
            assert_eq!(named, wanted, "{method} {path}");
            for requirement in operation["security"].as_array().into_iter().flatten() {
                for scheme in requirement.as_object().unwrap().keys() {
                    assert!(schemes.contains_key(scheme), "{scheme}");
                }
            }
        }
    }
}

#[tokio::test]
async fn s0_26_what_needs_a_token_has_a_lock_and_what_does_not_has_none() {
    let server = start("").await;
    let document = document(&server, "/openapi.json").await;
    let security = |path: &str, method: &str| document["paths"][path][method]["security"].clone();
    let bearer = json!([{"bearer": []}, {"oauth2": []}, {"apiKey": []}]);
    assert_eq!(security("/oauth/userinfo", "get"), bearer);
    assert_eq!(security("/oauth/token", "post"), json!([{"client": []}]));
    assert_eq!(security("/account", "get"), json!([{"session": []}]));
    assert_eq!(security("/login", "get"), json!([]));
    assert_eq!(security("/livez", "get"), json!([]));
    let schemes = &document["components"]["securitySchemes"];
    let flow = &schemes["oauth2"]["flows"]["authorizationCode"];
    assert_eq!(flow["tokenUrl"], "http://127.0.0.1:4999/oauth/token");
    assert_eq!(schemes["apiKey"]["name"], "X-API-KEY");
    assert_eq!(schemes["csrf"]["name"], "X-CSRF-Token");
}

#[tokio::test]
async fn s0_10_the_page_is_served_from_here_alone() {
    let server = start("").await;
    let there = server.get("/doc").await;
    assert_eq!(there.status(), StatusCode::PERMANENT_REDIRECT);
    assert_eq!(header_of(&there, "location"), "/doc/");
    let page = server.get("/doc/").await;
    assert_eq!(page.status(), StatusCode::OK);
    let policy = header_of(&page, "content-security-policy").to_owned();
    assert!(policy.contains("script-src 'self';"), "{policy}");
    let page = text(page).await;
    assert!(
        page.contains("swagger-ui") && !page.contains("http://") && !page.contains("https://"),
        "{page}"
    );
    let script = server.get("/doc/swagger-initializer.js").await;
    assert_eq!(script.status(), StatusCode::OK);
    assert!(text(script).await.contains("/openapi.json"));
    assert_eq!(server.get("/doc/nothing.js").await.status(), StatusCode::NOT_FOUND);
    let elsewhere = server.get("/login").await;
    assert!(!header_of(&elsewhere, "content-security-policy").contains("script-src 'self'"));
}

#[tokio::test]
async fn s2_22_the_two_groups_have_pages_and_documents_of_their_own() {
    let server = start("profile = \"toktok\"\n").await;
    for (group, has, lacks) in
        [("auth", "/oauth/token", "/account/profile"), ("usr", "/account/profile", "/oauth/token")]
    {
        let there = server.get(&format!("/api/{group}/documentation")).await;
        assert_eq!(there.status(), StatusCode::PERMANENT_REDIRECT);
        let page = server.get(&format!("/api/{group}/documentation/")).await;
        assert_eq!(page.status(), StatusCode::OK);
        let script = format!("/api/{group}/documentation/swagger-initializer.js");
        let script = text(server.get(&script).await).await;
        assert!(script.contains(&format!("/api/{group}/swagger.json")), "{script}");
        let document = document(&server, &format!("/api/{group}/swagger.json")).await;
        let paths = document["paths"].as_object().unwrap();
        assert!(paths.contains_key(has) && !paths.contains_key(lacks), "{paths:?}");
    }
    let server = start("").await;
    let gone = server.get("/api/auth/documentation").await;
    assert_eq!(gone.status(), StatusCode::NOT_FOUND, "only this profile has them");
}

#[tokio::test]
async fn s2_16_the_description_can_be_switched_off() {
    let server = start("profile = \"toktok\"\n[docs]\nenabled = false\n").await;
    for path in
        ["/doc", "/doc/", "/openapi.json", "/api/auth/documentation", "/api/auth/swagger.json"]
    {
        assert_eq!(server.get(path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}
