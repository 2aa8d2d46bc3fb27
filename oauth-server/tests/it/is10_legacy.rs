//! The paths of 2019, in the profile `is10-legacy`.

use crate::{
    is10_actors::{CONTROLLER, SECRET, is10, of_profile, redeem, refused},
    pages_actors::{CALLBACK, CHALLENGE, PASSWORD, interaction, parameter},
    support::{Server, form_request, header_of, json},
};
use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{Method, Request, Response, StatusCode, header};
use oauth_core::{
    model::{Access, Client, ClientId},
    ports::ClientStore as _,
    testing::fixtures,
};
use serde_json::json as object;

const BASE: &str = "/x-nmos/auth/v1.0";

async fn legacy() -> Server {
    of_profile("is10-legacy", "").await
}

async fn register(server: &Server, who: Option<(&str, &str)>, form: &str) -> Response<Body> {
    let mut request = Request::post(format!("{BASE}/register_client"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if let Some((name, password)) = who {
        let basic = STANDARD.encode(format!("{name}:{password}"));
        request = request.header(header::AUTHORIZATION, format!("Basic {basic}"));
    }
    server.send(request.body(Body::from(form.to_owned())).unwrap()).await
}

const FORM: &str = "client_name=Panel&scope=query&redirect_uri=https%3A%2F%2Fa.example%2Fcb&redirect_uri=https%3A%2F%2Fb.example%2Fcb&grant_type=authorization_code%0Arefresh_token&response_type=code&token_endpoint_auth_method=client_secret_basic";

#[tokio::test]
async fn listings_lead_to_the_endpoints() {
    let server = legacy().await;
    let endpoints = object!(["authorize/", "certs/", "register_client/", "revoke/", "token/"]);
    for (path, below) in
        [("/x-nmos", object!(["auth/"])), ("/x-nmos/auth", object!(["v1.0/"])), (BASE, endpoints)]
    {
        for path in [path.to_owned(), format!("{path}/")] {
            let response = server.get(&path).await;
            assert_eq!(header_of(&response, "access-control-allow-origin"), "*", "{path}");
            assert_eq!(json(response).await, below, "{path}");
        }
    }
}

#[tokio::test]
async fn the_other_profiles_have_none_of_it() {
    let server = is10("").await;
    for path in ["/x-nmos", BASE, "/x-nmos/auth/v1.0/certs"] {
        assert_eq!(server.get(path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let ada = server.user("ada", PASSWORD).await;
    let answer = register(&server, Some(("ada", PASSWORD)), FORM).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert!(server.state.store.clients_of(&ada).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_user_registers_a_client_by_a_form_with_repeated_keys() {
    let server = legacy().await;
    let ada = server.user("ada", PASSWORD).await;
    let answer = register(&server, Some(("ada", PASSWORD)), FORM).await;
    assert_eq!(header_of(&answer, "cache-control"), "no-store");
    assert_eq!(answer.status(), StatusCode::CREATED);
    let made = json(answer).await;
    assert!(made["client_id"].as_str().unwrap().len() >= 20 && made["client_secret"].is_string());
    let both = object!(["https://a.example/cb", "https://b.example/cb"]);
    assert_eq!(made["redirect_uris"], both);
    let id = ClientId::new(made["client_id"].as_str().unwrap());
    let client = server.state.store.client(&id).await.unwrap().unwrap();
    assert_eq!(client.owner, Some(ada));
    assert_eq!(client.grant_types.len(), 2, "one on each line");
}

#[tokio::test]
async fn nobody_learns_who_exists_and_guessing_is_slowed_down() {
    let server = legacy().await;
    server.user("ada", PASSWORD).await;
    let mut answers = Vec::new();
    for who in [Some(("ada", "wrong")), Some(("nobody", "wrong")), None] {
        let answer = register(&server, who, FORM).await;
        assert!(header_of(&answer, "www-authenticate").starts_with("Basic realm="));
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        answers.push(json(answer).await);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(
        (&answers[0]["code"], &answers[0]["error"]),
        (&object!(401), &object!("access_denied"))
    );
    for _ in 0..5 {
        register(&server, Some(("ada", "wrong")), FORM).await;
    }
    let answer = register(&server, Some(("ada", PASSWORD)), FORM).await;
    assert!(answer.headers().contains_key("retry-after"));
    refused(answer, 429, "temporarily_unavailable").await;
}

#[tokio::test]
async fn what_makes_no_client_is_refused_in_the_words_of_rfc_7591() {
    let server = legacy().await;
    let ada = server.user("ada", PASSWORD).await;
    let who = Some(("ada", PASSWORD));
    for (form, error) in [
        ("client_name=Panel&redirect_uri=https%3A%2F%2Fa.example%2F%23x", "invalid_redirect_uri"),
        ("client_name=a&client_name=b", "invalid_client_metadata"),
        ("client_name=Panel&grant_type=password", "invalid_client_metadata"),
        (
            "client_name=Panel&scope=made-up&redirect_uri=https%3A%2F%2Fa.example%2F",
            "invalid_client_metadata",
        ),
    ] {
        let body = refused(register(&server, who, form).await, 400, error).await;
        assert!(body["code"] == 400 && body["debug"].is_string(), "{body}");
    }
    // A page of somebody else, in a browser that remembers the password.
    let mut request =
        form_request(&format!("{BASE}/register_client"), who, &[("client_name", "x")]);
    request.headers_mut().insert("sec-fetch-mode", "navigate".parse().unwrap());
    refused(server.send(request).await, 403, "access_denied").await;
    assert!(server.state.store.clients_of(&ada).await.unwrap().is_empty());
}

/// A client that acts for itself takes an administrator, whatever the mode of registration.
#[tokio::test]
async fn a21_nobody_but_an_administrator_registers_a_client_that_acts_for_itself() {
    let itself = "client_name=Panel&scope=registration&grant_type=client_credentials";
    let both = format!("{FORM}&grant_type=client_credentials");
    for mode in ["approval", "token", "open"] {
        let more = format!("[registration]\nmode = \"{mode}\"");
        let server = of_profile("is10-legacy", &more).await;
        let ada = server.user("ada", PASSWORD).await;
        let who = Some(("ada", PASSWORD));
        for form in [itself, &both] {
            let answer = register(&server, who, form).await;
            let body = refused(answer, 400, "invalid_client_metadata").await;
            assert!(body["debug"].to_string().contains("client_credentials"), "{mode}: {body}");
        }
        assert!(server.state.store.clients_of(&ada).await.unwrap().is_empty(), "{mode}");
        // What a user gives it, it may have.
        assert_eq!(register(&server, who, FORM).await.status(), StatusCode::CREATED, "{mode}");

        server.state.store.set_admin(&ada, true).await.unwrap();
        for form in [itself, &both] {
            let answer = register(&server, who, form).await;
            assert_eq!(answer.status(), StatusCode::CREATED, "{mode}: {form}");
        }
    }
}

/// As on the pages, where the same user makes them.
#[tokio::test]
async fn a_user_has_a_hundred_clients_at_most() {
    let server = legacy().await;
    let ada = server.user("ada", PASSWORD).await;
    let ids: Vec<_> = (0..100).map(|number| ClientId::new(format!("panel-{number}"))).collect();
    for id in &ids {
        let client = Client { owner: Some(ada.clone()), ..fixtures::client(id.as_str()) };
        assert!(server.state.store.insert_client(client).await.unwrap());
    }
    let who = Some(("ada", PASSWORD));
    let body = refused(register(&server, who, FORM).await, 400, "invalid_client_metadata").await;
    assert_eq!(body["debug"], "this user has 100 clients, which is the most");
    assert_eq!(server.state.store.clients_of(&ada).await.unwrap().len(), 100);
    server.user("eve", PASSWORD).await;
    let answer = register(&server, Some(("eve", PASSWORD)), FORM).await;
    assert_eq!(answer.status(), StatusCode::CREATED, "the clients of others do not count");
    assert!(server.state.store.remove_client(&ids[0]).await.unwrap());
    assert_eq!(register(&server, who, FORM).await.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn certificates_are_a_list_of_pem_texts() {
    let server = legacy().await;
    for path in [format!("{BASE}/certs"), format!("{BASE}/certs/")] {
        let response = server.get(&path).await;
        assert_eq!(header_of(&response, "content-type"), "application/json");
        let list = json(response).await;
        let pem = list[0].as_str().unwrap();
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"), "{pem}");
        assert_eq!(list.as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn tokens_come_and_go_by_the_old_paths() {
    let server = legacy().await;
    server.controller("registration").await;
    let form = [("grant_type", "client_credentials")];
    let basic = Some((CONTROLLER, SECRET));
    let answer = server.post(&format!("{BASE}/token"), basic, &form).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(header_of(&answer, "access-control-allow-origin"), "*");
    let token = json(answer).await["access_token"].as_str().unwrap().to_owned();
    let revoke = [("token", &*token)];
    let answer = server.post(&format!("{BASE}/revoke/"), basic, &revoke).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let answer = server.post("/oauth/introspect", basic, &revoke).await;
    assert_eq!(json(answer).await, object!({ "active": false }));
}

#[tokio::test]
async fn forms_of_several_parts_are_taken() {
    let server = legacy().await;
    server.controller("registration").await;
    let body = "--x\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\nclient_credentials\r\n--x--\r\n";
    let basic = STANDARD.encode(format!("{CONTROLLER}:{SECRET}"));
    let request = Request::post(format!("{BASE}/token"))
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x")
        .header(header::AUTHORIZATION, format!("Basic {basic}"))
        .body(Body::from(body))
        .unwrap();
    assert_eq!(server.send(request).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a30_a_password_brings_a_refresh_token_that_is_of_use() {
    let server = of_profile("is10-legacy", "[grants]\ndanger_password = true").await;
    let old = |client| Client { grant_types: ["password".to_owned()].into(), ..client };
    server.controller_with("query", old).await;
    let ada = server.user("ada", PASSWORD).await;
    server.right(&ada, "query", Access::Read, &[]).await;
    let (path, basic) = (format!("{BASE}/token"), Some((CONTROLLER, SECRET)));
    let form = |password| [("grant_type", "password"), ("username", "ada"), ("password", password)];
    refused(server.post(&path, basic, &form("wrong")).await, 400, "invalid_grant").await;
    let answer = json(server.post(&path, basic, &form(PASSWORD)).await).await;
    let refresh = answer["refresh_token"].as_str().unwrap_or_else(|| panic!("{answer}"));
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let answer = server.post(&path, basic, &form).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(json(answer).await["refresh_token"].is_string());
}

#[tokio::test]
async fn errors_have_the_members_of_nmos_and_the_codes_of_rfc_6749() {
    let server = legacy().await;
    server.controller("registration").await;
    let basic = Some((CONTROLLER, SECRET));
    let path = format!("{BASE}/token");
    for (basic, form, status, error) in [
        (None, &[("grant_type", "client_credentials")][..], 401, "invalid_client"),
        (basic, &[("grant_type", "password")], 400, "unsupported_grant_type"),
        (basic, &[("grant_type", "authorization_code"), ("code", "x")], 400, "invalid_grant"),
    ] {
        let body = refused(server.post(&path, basic, form).await, status, error).await;
        assert_eq!(body["code"], status);
        assert!(body.get("debug").is_some(), "{body}");
    }
    let answer = server.get(&path).await;
    assert_eq!(header_of(&answer, "access-control-allow-origin"), "*");
    let body = refused(answer, 405, "Method Not Allowed").await;
    assert_eq!(body["code"], 405);
    let answer = server.get("/x-nmos/auth/v1.0/nothing").await;
    assert_eq!(header_of(&answer, "access-control-allow-origin"), "*");
    let body = refused(answer, 404, "Not Found").await;
    assert_eq!((&body["code"], &body["debug"]), (&object!(404), &object!(null)));
    let large = Request::post(&path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(vec![b'a'; 2_000_000]))
        .unwrap();
    let answer = server.send(large).await;
    assert_eq!(header_of(&answer, "access-control-allow-origin"), "*");
    let body = refused(answer, 413, "invalid_request").await;
    assert_eq!(body["code"], 413);
    let request =
        Request::builder().method(Method::OPTIONS).uri(&path).body(Body::empty()).unwrap();
    let answer = server.send(request).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(header_of(&answer, "access-control-allow-headers").contains("Authorization"));
}

#[tokio::test]
async fn the_old_authorization_endpoint_leads_to_registered_addresses_and_nowhere_else() {
    let server = legacy().await;
    server.controller("query").await;
    let ada = server.signed_up("ada").await;
    let ask = |redirect_uri: &str| {
        let pairs = [
            ("response_type", "code"),
            ("client_id", CONTROLLER),
            ("redirect_uri", redirect_uri),
            ("scope", "query"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        format!("{BASE}/authorize?{query}")
    };
    for evil in ["https://evil.example/", "https://app.example/cb/../evil", "//evil.example"] {
        let page = ada.get(&ask(evil)).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{evil}");
        assert_eq!(page.header("location"), "", "{evil}");
    }
    let page = ada.get(&ask(CALLBACK)).await;
    assert_eq!(page.status, StatusCode::FOUND);
    let interaction = interaction(page.header("location"));
    let form = [("interaction", &*interaction), ("decision", "allow"), ("scope:query", "yes")];
    let page = ada.post("/consent", &form).await;
    assert_eq!(page.status, StatusCode::FOUND);
    assert!(page.header("location").starts_with(CALLBACK));
    let code = parameter(page.header("location"), "code").unwrap();
    let path = format!("{BASE}/token/");
    let answer = server.post(&path, Some((CONTROLLER, SECRET)), &redeem(&code)).await;
    assert_eq!(answer.status(), StatusCode::OK);
}
