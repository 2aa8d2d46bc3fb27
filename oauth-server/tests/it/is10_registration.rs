//! AMWA IS-10: registering clients, and approving of them.

use crate::{
    is10_actors::{decoded, in_folder, is10, json_request, of_profile, refused},
    pages_admin::once,
    support::{Server, TestClock, json},
};
use axum::body::Body;
use http::{Response, StatusCode};
use oauth_core::{
    model::{ClientId, Timestamp},
    ports::ClientStore as _,
    testing::TestDatabase,
};
use oauth_server::{
    approval::{self, Answer},
    maintenance,
};
use serde_json::{Value, json as object};
use std::{sync::Arc, time::Duration};

/// What a client says that acts for itself.
pub fn node() -> Value {
    object!({
        "client_name": "Camera 7",
        "grant_types": ["client_credentials"],
        "response_types": [],
        "scope": "registration",
    })
}

/// What a client says that acts for people.
pub fn controller() -> Value {
    object!({
        "client_name": "Controller",
        "redirect_uris": ["https://controller.example.org/cb"],
        "scope": "connection",
    })
}

/// Asks to be registered, with an initial access token perhaps.
pub async fn register(server: &Server, token: Option<&str>, body: &Value) -> Response<Body> {
    server.send(json_request("POST", "/oauth/register", token, body)).await
}

/// A client as it was answered.
pub async fn registered(server: &Server, token: Option<&str>, body: &Value) -> Value {
    let response = register(server, token, body).await;
    let status = response.status();
    let answer = json(response).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    answer
}

async fn token(server: &Server, client: &Value) -> Response<Body> {
    let (id, secret) = (client["client_id"].as_str().unwrap(), &client["client_secret"]);
    let form = [("grant_type", "client_credentials")];
    server.post("/oauth/token", Some((id, secret.as_str().unwrap())), &form).await
}

/// Its identifier.
pub fn id(client: &Value) -> ClientId {
    ClientId::new(client["client_id"].as_str().unwrap())
}

/// When a client that awaits approval asked.
pub async fn asked_at(server: &Server, client: &Value) -> Timestamp {
    approval::find(&server.state, &id(client)).await.unwrap().expect("it awaits approval").asked_at
}

/// Answers what it asks now.
pub async fn answer(server: &Server, client: &Value, answer: Answer) -> bool {
    let asked = asked_at(server, client).await;
    approval::answer(&server.state, &id(client), asked, answer).await.unwrap()
}

#[tokio::test]
async fn a17_nobody_who_is_not_registered_gets_a_token() {
    let server = is10("").await;
    let form = [("grant_type", "client_credentials")];
    let answer = server.post("/oauth/token", Some(("a-client-of-twenty-chars", "x")), &form).await;
    refused(answer, 401, "invalid_client").await;
}

/// RFC 7591 registers, RFC 7592 reads, changes and removes; what is not understood is refused by its code.
#[tokio::test]
async fn a19_clients_register_and_manage_themselves() {
    let server = is10("").await;
    let client = registered(&server, None, &controller()).await;
    let path = format!("/oauth/register/{}", id(&client));
    let own = client["registration_access_token"].as_str();
    assert!(client["registration_client_uri"].as_str().unwrap().ends_with(&path));
    let read = server.send(json_request("GET", &path, own, &Value::Null)).await;
    assert_eq!(read.status(), StatusCode::OK);
    assert_eq!(json(read).await["client_name"], "Controller");
    let mut changed = controller();
    changed["client_id"] = client["client_id"].clone();
    changed["client_name"] = "Desk".into();
    let answer = json(server.send(json_request("PUT", &path, own, &changed)).await).await;
    assert_eq!(answer["client_name"], "Desk", "{answer}");
    let pattern = object!({ "client_name": "x", "redirect_uris": ["not a uri"] });
    refused(register(&server, None, &pattern).await, 400, "invalid_redirect_uri").await;
    let grants = object!({
        "client_name": "x", "grant_types": ["password"], "response_types": [], "scope": "query",
    });
    refused(register(&server, None, &grants).await, 400, "invalid_client_metadata").await;
}

#[tokio::test]
async fn a23_the_answer_to_a_registration_has_the_credentials() {
    let server = is10("").await;
    let confidential = registered(&server, None, &controller()).await;
    assert!(confidential["client_id"].as_str().unwrap().len() >= 20, "a22");
    assert!(confidential["client_secret"].as_str().unwrap().len() >= 32);
    assert!(confidential["client_secret_expires_at"].is_i64());
    let mut public = controller();
    public["token_endpoint_auth_method"] = "none".into();
    let public = registered(&server, None, &public).await;
    assert!(public.get("client_secret").is_none(), "{public}");
    assert_ne!(public["client_id"], confidential["client_id"], "a22");
}

#[tokio::test]
async fn a18_people_register_clients_by_a_form() {
    let server = is10("").await;
    let ada = server.signed_up("ada").await;
    let made = ada.create_client(&[]).await;
    assert!(made.id.len() >= 20 && made.secret.is_some(), "a22: {}", made.id);
    assert!(server.acts(&made.id).await);
    let public = ada.create_client(&[("token_endpoint_auth_method", "none")]).await;
    assert!(public.secret.is_none(), "a22: a public client has no secret");
    let page = ada
        .post(
            "/create_client",
            &crate::pages_actors::client_form(&[("redirect_uri", "https://app.example/*#x")]),
        )
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a20_with_an_initial_access_token_a_client_is_registered_at_once() {
    let server = is10("").await;
    let registrars = &server.state.registrars;
    let (_, invitation) = registrars.invite(None, "", Duration::from_hours(1)).await.unwrap();
    let invitation = invitation.reveal();
    let client = registered(&server, Some(&invitation), &node()).await;
    assert!(client["client_id"].as_str().unwrap().len() >= 20, "a22");
    assert!(client["client_secret"].is_string(), "a23: in the answer");
    let answer = json(token(&server, &client).await).await;
    let (_, claims) = decoded(answer["access_token"].as_str().unwrap());
    assert!(claims["x-nmos-registration"]["write"].is_array());
    refused(register(&server, Some("made-up"), &node()).await, 401, "invalid_token").await;
}

#[tokio::test]
async fn a20_without_one_it_can_do_nothing_until_somebody_approves() {
    let server = is10("").await;
    let client = registered(&server, None, &node()).await;
    assert!(client["client_secret"].is_string(), "a23: its credentials are in the answer");
    refused(token(&server, &client).await, 401, "invalid_client").await;
    let revoked = [("token", "x")];
    let basic = (client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap());
    refused(server.post("/oauth/revoke", Some(basic), &revoked).await, 401, "invalid_client").await;
    // It manages itself meanwhile, and learns nothing else.
    let path = format!("/oauth/register/{}", id(&client));
    let own = client["registration_access_token"].as_str();
    let read = server.send(json_request("GET", &path, own, &Value::Null)).await;
    assert_eq!(read.status(), StatusCode::OK);

    assert!(answer(&server, &client, Answer::Approve).await);
    assert_eq!(token(&server, &client).await.status(), StatusCode::OK);
    assert!(approval::list(&server.state, 10).await.unwrap().is_empty());
    // It stays without being used: somebody vouched for it.
    server.clock.advance(Duration::from_hours(24 * 365));
    maintenance::sweep(&server.state).await.unwrap();
    assert!(server.acts(id(&client).as_str()).await);
}

#[tokio::test]
async fn a20_a_client_that_awaits_approval_cannot_send_people_to_the_consent_page() {
    let server = is10("").await;
    let client = registered(&server, None, &controller()).await;
    let ada = server.signed_up("ada").await;
    let request = [("redirect_uri", "https://controller.example.org/cb"), ("scope", "connection")];
    let page = ada.ask(id(&client).as_str(), &request).await;
    assert_eq!(
        (page.status, &*page.by_id("error-code")),
        (StatusCode::BAD_REQUEST, "invalid_request")
    );
    assert!(answer(&server, &client, Answer::Approve).await);
    let page = ada.ask(id(&client).as_str(), &request).await;
    assert_eq!(page.status, StatusCode::FOUND, "{}", page.html);
}

#[tokio::test]
async fn a20_a_client_that_is_refused_is_gone() {
    let server = is10("").await;
    let client = registered(&server, None, &node()).await;
    assert!(answer(&server, &client, Answer::Refuse).await);
    refused(token(&server, &client).await, 401, "invalid_client").await;
    assert!(server.state.store.client(&id(&client)).await.unwrap().is_none());
    let path = format!("/oauth/register/{}", id(&client));
    let own = client["registration_access_token"].as_str();
    let read = server.send(json_request("GET", &path, own, &Value::Null)).await;
    refused(read, 401, "invalid_token").await;
}

#[tokio::test]
async fn a20_whoever_reaches_further_than_was_approved_awaits_approval_again() {
    let server = is10("").await;
    let client = registered(&server, None, &controller()).await;
    assert!(answer(&server, &client, Answer::Approve).await);
    let path = format!("/oauth/register/{}", id(&client));
    let own = client["registration_access_token"].as_str();
    let change = |with: Value| {
        let mut body = controller();
        body["client_id"] = client["client_id"].clone();
        body.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        json_request("PUT", &path, own, &body)
    };
    // Less than before, or the same, needs nobody.
    let same = server.send(change(object!({ "contacts": ["ops@example.org"] }))).await;
    assert_eq!(same.status(), StatusCode::OK);
    assert!(server.acts(id(&client).as_str()).await);
    for more in [
        object!({ "scope": "connection registration" }),
        object!({ "client_name": "The controller of the boss" }),
        object!({ "redirect_uris": ["https://elsewhere.example.org/cb"] }),
        object!({ "grant_types": ["authorization_code", "client_credentials"] }),
    ] {
        let response = server.send(change(more.clone())).await;
        assert_eq!(response.status(), StatusCode::OK, "{more}");
        assert!(!server.acts(id(&client).as_str()).await, "{more}");
        let old = asked_at(&server, &client).await;
        server.clock.advance(Duration::from_secs(1));
        // Whoever looked at the question before this one has not approved of this one.
        assert_eq!(server.send(change(more.clone())).await.status(), StatusCode::OK);
        let state = &server.state;
        if asked_at(&server, &client).await != old {
            assert!(!approval::answer(state, &id(&client), old, Answer::Approve).await.unwrap());
        }
        assert!(answer(&server, &client, Answer::Approve).await);
        assert!(server.acts(id(&client).as_str()).await, "{more}");
        // Back to what it was, for the next of them.
        server.send(change(object!({}))).await;
        if !server.acts(id(&client).as_str()).await {
            assert!(answer(&server, &client, Answer::Approve).await);
        }
    }
}

#[tokio::test]
async fn a20_questions_that_nobody_answers_go_with_the_clients_that_asked() {
    let server = is10("").await;
    let client = registered(&server, None, &node()).await;
    server.clock.advance(Duration::from_hours(24 * 30) + Duration::from_secs(1));
    assert!(approval::find(&server.state, &id(&client)).await.unwrap().is_none(), "too late");
    maintenance::sweep(&server.state).await.unwrap();
    assert!(server.state.store.client(&id(&client)).await.unwrap().is_none());
}

#[tokio::test]
async fn a20_no_more_than_so_many_await_approval_at_once() {
    let server = is10("[registration]\nmost_pending_clients = 2").await;
    for _ in 0..2 {
        registered(&server, None, &node()).await;
    }
    let third = register(&server, None, &node()).await;
    assert_eq!(third.headers()["retry-after"], "3600");
    refused(third, 429, "temporarily_unavailable").await;
}

#[tokio::test]
async fn a21_open_registration_gives_nothing_to_clients_themselves() {
    let server = is10("[registration]\nmode = \"open\"").await;
    refused(register(&server, None, &node()).await, 400, "invalid_client_metadata").await;
    let client = registered(&server, None, &controller()).await;
    assert!(server.acts(id(&client).as_str()).await, "authorization_code alone is accepted");
}

#[tokio::test]
async fn a20_nobody_becomes_an_administrator_by_registering() {
    let server = is10("").await;
    let mut body = node();
    body["scope"] = "administration".into();
    refused(register(&server, None, &body).await, 400, "invalid_client_metadata").await;
}

#[tokio::test]
async fn a25_clients_deregister() {
    let server = is10("").await;
    let client = registered(&server, None, &node()).await;
    let path = format!("/oauth/register/{}", id(&client));
    let wrong = server.send(json_request("DELETE", &path, Some("x"), &Value::Null)).await;
    refused(wrong, 401, "invalid_token").await;
    let own = client["registration_access_token"].as_str();
    let gone = server.send(json_request("DELETE", &path, own, &Value::Null)).await;
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    assert!(server.state.store.client(&id(&client)).await.unwrap().is_none());
}

#[tokio::test]
async fn a20_two_operators_at_two_processes_answer_once() {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let more = format!("[database]\nurl = \"{}\"", database.url());
        // The second process seals with the key of the first: they share the data folder.
        let clock = TestClock::new();
        let a = in_folder("is10", &more, tempfile::tempdir().unwrap(), Arc::clone(&clock)).await;
        let key = std::fs::read(a.folder.path().join("data/sealing.key")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        std::fs::write(folder.path().join("data/sealing.key"), key).unwrap();
        let b = in_folder("is10", &more, folder, clock).await;
        for round in 0..10 {
            let client = registered(&a, None, &node()).await;
            let (asked, id) = (asked_at(&a, &client).await, id(&client));
            let answers = if round % 2 == 0 {
                [Answer::Approve, Answer::Refuse]
            } else {
                [Answer::Refuse, Answer::Approve]
            };
            let (first, second) = tokio::join!(
                approval::answer(&a.state, &id, asked, answers[0]),
                approval::answer(&b.state, &id, asked, answers[1]),
            );
            let (first, second) = (first.unwrap(), second.unwrap());
            assert!(first != second, "one of them, round {round}");
            let won = if first { answers[0] } else { answers[1] };
            let there = a.state.store.client(&id).await.unwrap().is_some();
            assert_eq!(there, won == Answer::Approve, "round {round}");
        }
        for server in [a, b] {
            server.state.store.close().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a20_administrators_answer_on_a_page() {
    let server = is10("").await;
    let good = registered(&server, None, &node()).await;
    // Whoever asked first stands first.
    server.clock.advance(Duration::from_secs(1));
    let bad = registered(&server, None, &controller()).await;
    let admin = server.operator("root").await;
    let page = admin.get("/admin/pending").await;
    assert_eq!(page.by_id("client-1").split(' ').next(), Some("Camera"));
    assert!(page.html.contains("acts for itself"));
    let fields = |client: &Value, at: Timestamp| {
        [("client_id", id(client).to_string()), ("asked_at", at.unix().to_string())]
    };
    let at = asked_at(&server, &good).await;
    let form = fields(&good, at);
    let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let done = admin.post("/admin/pending/approve", &form).await;
    assert_eq!(done.location(), "/admin/pending?done=approved");
    let again = admin.post("/admin/pending/approve", &form).await;
    assert_eq!(again.location(), "/admin/pending?done=answered");
    assert_eq!(token(&server, &good).await.status(), StatusCode::OK);

    let at = asked_at(&server, &bad).await;
    let question = format!("/admin/pending/refuse?client_id={}&asked_at={}", id(&bad), at.unix());
    let mark = once(&admin, &question).await;
    let both = format!("{} {}", at.unix(), id(&bad));
    let form = [("client_id", &*both), ("confirm", "yes"), ("once", &*mark)];
    let done = admin.post("/admin/pending/refuse", &form).await;
    assert_eq!(done.location(), "/admin/pending?done=refused");
    assert!(server.state.store.client(&id(&bad)).await.unwrap().is_none());
    assert!(admin.get("/admin/pending?done=refused").await.has("none"));
}

#[tokio::test]
async fn a20_nobody_else_answers() {
    let server = is10("").await;
    let client = registered(&server, None, &node()).await;
    let at = asked_at(&server, &client).await.unix().to_string();
    let form = [("client_id", client["client_id"].as_str().unwrap()), ("asked_at", &*at)];
    let ada = server.signed_up("ada").await;
    let page = ada.post("/admin/pending/approve", &form).await;
    assert_eq!((page.status, &*page.by_id("error-code")), (StatusCode::NOT_FOUND, "not_found"));
    let page = server.visitor().post("/admin/pending/approve", &form).await;
    assert!(page.location().starts_with("/login"), "nobody is signed in");
    // An administrator whose sign-in is long ago is asked for the password first.
    let admin = server.operator("root").await;
    server.clock.advance(Duration::from_mins(16));
    let page = admin.post("/admin/pending/approve", &form).await;
    assert!(page.location().starts_with("/login"));
    assert!(!server.acts(id(&client).as_str()).await);
}

#[tokio::test]
async fn the_standard_profile_has_approval_where_the_operator_wants_it() {
    let server = of_profile(
        "standard",
        "[registration]\nmode = \"approval\"\n[tokens]\naccess_token_algorithm = \"RS512\"",
    )
    .await;
    let web = object!({ "client_name": "Web", "redirect_uris": ["https://client.example/cb"] });
    let client = registered(&server, None, &web).await;
    assert!(!server.acts(id(&client).as_str()).await);
    assert!(answer(&server, &client, Answer::Approve).await);
    assert!(server.acts(id(&client).as_str()).await);
}
