//! What surrounds the protocol: health, request ids, log lines, limits, headers, keys, sessions, metrics, seeds.

use crate::support::{
    Server, config, form_request, header_of, json, logged, start, start_in, text,
};
use axum::{
    Router,
    body::Body,
    extract::Request as Incoming,
    routing::{get, post},
};
use http::{HeaderMap, Request, StatusCode, header};
use oauth_core::ports::{SignIn, Users as _};
use oauth_server::{
    address::ClientAddress,
    metrics::Metrics,
    routes,
    shell::ShellLayer,
    state::{AppState, World},
};
use std::{io, time::Duration};
use tower::ServiceExt as _;

#[tokio::test]
async fn it_lives_and_is_ready() {
    let server = start("").await;
    for path in ["/livez", "/healthz"] {
        let response = server.get(path).await;
        assert_eq!(response.status(), 200);
        assert_eq!(text(response).await, "ok\n");
    }
    let response = server.get("/readyz").await;
    assert_eq!(response.status(), 200);
    assert_eq!(json(response).await["status"], "ready");
}

#[tokio::test]
async fn it_is_not_ready_without_tables_or_database_but_lives() {
    let folder = tempfile::tempdir().unwrap();
    let state = AppState::open(config("", &folder), World::default()).await.unwrap();
    let server = Server {
        router: routes::router(&state),
        state,
        clock: crate::support::TestClock::new(),
        folder,
    };
    let response = server.get("/readyz").await;
    assert_eq!(response.status(), 503);
    assert_eq!(json(response).await["failing"][0], "migrations");
    server.state.store.close().await.unwrap();
    let response = server.get("/readyz").await;
    assert_eq!(response.status(), 503);
    assert_eq!(json(response).await["failing"][0], "database");
    assert_eq!(server.get("/livez").await.status(), 200);
}

#[tokio::test]
async fn every_response_has_a_request_id_and_security_headers() {
    let server = start("").await;
    for path in ["/livez", "/nowhere", "/oauth/authorize", "/.well-known/jwks.json"] {
        let response = server.get(path).await;
        assert_eq!(header_of(&response, "x-request-id").len(), 22, "{path}");
        assert_eq!(header_of(&response, "x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header_of(&response, "x-frame-options"), "DENY", "{path}");
        assert_eq!(header_of(&response, "referrer-policy"), "same-origin", "{path}");
        assert!(
            header_of(&response, "content-security-policy").contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert_eq!(header_of(&response, "strict-transport-security"), "", "plain http");
    }
    let given =
        |id: &str| Request::get("/livez").header("x-request-id", id).body(Body::empty()).unwrap();
    assert_eq!(header_of(&server.send(given("abc-123")).await, "x-request-id"), "abc-123");
    assert_eq!(header_of(&server.send(given("a b")).await, "x-request-id").len(), 22);
    let https = start("[server]\npublic_url = \"https://auth.example.org\"").await;
    let response = https.get("/livez").await;
    assert_eq!(header_of(&response, "strict-transport-security"), "max-age=31536000");
}

#[tokio::test]
async fn one_line_a_request_and_no_secret_in_any() {
    let server = start("[grants]\ndanger_password = true\n[[client]]\nid = \"app\"\nsecret = \"hush-app-secret\"\ngrant_types = [\"password\", \"client_credentials\"]").await;
    server.user("alice", "hush-password").await;
    let lines = logged(async {
        let right =
            [("grant_type", "password"), ("username", "alice"), ("password", "hush-password")];
        let mut request = form_request(
            "/oauth/token?secret=hush-query",
            Some(("app", "hush-app-secret")),
            &right,
        );
        request.headers_mut().insert("x-request-id", "r-1".parse().unwrap());
        request.headers_mut().insert("cookie", "oauth_session=hush-cookie".parse().unwrap());
        let response = server.send(request).await;
        assert_eq!(response.status(), 200);
        let wrong = [
            ("grant_type", "password"),
            ("username", "hush-typed-as-name"),
            ("password", "hush-guess"),
        ];
        assert_eq!(
            server.post("/oauth/token", Some(("app", "hush-app-secret")), &wrong).await.status(),
            400
        );
        assert_eq!(
            server.post("/oauth/token", Some(("app", "hush-wrong")), &right).await.status(),
            401
        );
        server.get("/oauth/authorize?client_id=app&state=hush-state&code=hush-code").await;
        server.get("/hush-path").await;
    })
    .await;
    assert!(!lines.contains("hush"), "{lines}");
    let requests: Vec<serde_json::Value> = lines
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .filter(|l: &serde_json::Value| l["message"] == "request")
        .collect();
    assert_eq!(requests.len(), 5, "{lines}");
    let first = &requests[0];
    assert_eq!(
        (&first["method"], &first["route"], &first["status"]),
        (&"POST".into(), &"/oauth/token".into(), &200.into())
    );
    assert_eq!(first["request.id"], "r-1");
    assert!(first["duration_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(first["client.address"], "0.0.0.0");
    assert_eq!(requests[4]["route"], "(none)");
    let of_first = lines.lines().filter(|l| l.contains("\"r-1\"")).count();
    assert!(of_first >= 2, "every line of a request carries its id: {lines}");
}

#[tokio::test]
async fn request_lines_can_be_turned_off() {
    let server = start("[logs]\nrequests = false").await;
    let lines = logged(async { drop(server.get("/certs").await) }).await;
    assert_eq!(lines, "");
}

#[tokio::test]
async fn bodies_are_limited_whether_they_say_their_length_or_not() {
    let server = start("[server]\nbody_limit = 2000").await;
    let send = |body: Body| {
        let request = Request::post("/oauth/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        server.send(request.body(body).unwrap())
    };
    let response = send(Body::from(vec![b'a'; 2001])).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(json(response).await["error"], "invalid_request");
    let chunks = futures_util::stream::iter((0..3).map(|_| Ok::<_, io::Error>(vec![b'a'; 1000])));
    let response = send(Body::from_stream(chunks)).await;
    assert!(response.status().is_client_error(), "{}", response.status());
    assert_eq!(json(response).await["error"], "invalid_request");
    let response = send(Body::from("grant_type=client_credentials")).await;
    assert_eq!(json(response).await["error"], "invalid_client", "a small one is read");
}

/// Routes of a test inside the shell of a server.
async fn in_shell(toml: &str, routes: Router) -> Router {
    let server = start(toml).await;
    routes.layer(ShellLayer::new(&server.state.config, Metrics::default()))
}

#[tokio::test]
async fn a_panic_is_a_plain_500() {
    let routes = Router::new().route(
        "/panic",
        get(|| async { "no number".parse::<u8>().expect("inside-1").to_string() }),
    );
    let router = in_shell("", routes).await;
    let send = |accept: &str| {
        let request =
            Request::get("/panic").header(header::ACCEPT, accept).body(Body::empty()).unwrap();
        router.clone().oneshot(request)
    };
    let response = send("application/json").await.unwrap();
    assert_eq!(response.status(), 500);
    assert_eq!(header_of(&response, "x-request-id").len(), 22);
    let body = text(response).await;
    assert_eq!(body, r#"{"error":"server_error"}"#);
    let response = send("text/html,*/*").await.unwrap();
    assert_eq!(response.status(), 500);
    let body = text(response).await;
    assert!(body.contains("<h1 ") && !body.contains("inside"), "{body}");
}

#[tokio::test(start_paused = true)]
async fn a_request_may_not_take_for_ever() {
    let routes = Router::new().route("/slow", get(std::future::pending::<()>)).route(
        "/body",
        post(|request: Incoming| async {
            axum::body::to_bytes(request.into_body(), 100).await.map(drop).is_ok().to_string()
        }),
    );
    let folder = tempfile::tempdir().unwrap();
    let config = config("[server]\nrequest_timeout = \"7s\"", &folder);
    let router = routes.layer(ShellLayer::new(&config, Metrics::default()));
    let begin = tokio::time::Instant::now();
    let response =
        router.clone().oneshot(Request::get("/slow").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(header_of(&response, "retry-after"), "5");
    assert_eq!(json(response).await["error"], "temporarily_unavailable");
    assert_eq!(begin.elapsed().as_secs(), 7);
    let never = futures_util::stream::pending::<Result<Vec<u8>, io::Error>>();
    let request = Request::post("/body").body(Body::from_stream(never)).unwrap();
    assert_eq!(router.oneshot(request).await.unwrap().status(), 503, "a body that does not come");
}

#[tokio::test]
async fn browser_applications_of_other_origins_may_call_what_is_meant_for_them() {
    let server = start("").await;
    let preflight = |path: &str| {
        Request::options(path)
            .header(header::ORIGIN, "https://app.example")
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .body(Body::empty())
            .unwrap()
    };
    for path in [
        "/oauth/token",
        "/oauth/revoke",
        "/.well-known/jwks.json",
        "/.well-known/oauth-authorization-server",
    ] {
        let response = server.send(preflight(path)).await;
        assert_eq!(response.status(), 204, "{path}");
        assert_eq!(header_of(&response, "access-control-allow-origin"), "*");
        assert_eq!(
            header_of(&response, "access-control-allow-credentials"),
            "",
            "never with cookies"
        );
        assert!(header_of(&response, "access-control-allow-headers").contains("authorization"));
    }
    for path in ["/oauth/authorize", "/oauth/introspect", "/livez"] {
        let response = server.send(preflight(path)).await;
        assert_eq!(header_of(&response, "access-control-allow-origin"), "", "{path}");
    }
    let mut request = form_request("/oauth/token", None, &[("grant_type", "client_credentials")]);
    request.headers_mut().insert(header::ORIGIN, "https://app.example".parse().unwrap());
    let response = server.send(request).await;
    assert_eq!(response.status(), 401);
    assert_eq!(header_of(&response, "access-control-allow-origin"), "*", "errors can be read too");
    let response = server.get("/.well-known/jwks.json").await;
    assert_eq!(header_of(&response, "access-control-allow-origin"), "", "no Origin, no header");
}

#[tokio::test]
async fn certificates_are_pem_or_a_json_list() {
    let server = start("").await;
    let response = server.get("/certs").await;
    assert_eq!(header_of(&response, "content-type"), "application/x-pem-file");
    let pem = text(response).await;
    assert_eq!(pem.matches("-----BEGIN CERTIFICATE-----\n").count(), 1);
    assert!(pem.ends_with("-----END CERTIFICATE-----\n") && !pem.contains("PRIVATE"));
    let request = Request::get("/certs")
        .header(header::ACCEPT, "application/json")
        .body(Body::empty())
        .unwrap();
    let response = server.send(request).await;
    assert_eq!(header_of(&response, "content-type"), "application/json");
    let list = json(response).await;
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(format!("{}\n", list[0].as_str().unwrap()), pem);
}

#[cfg(unix)]
#[tokio::test]
async fn the_data_folder_is_for_the_owner_alone_and_keys_survive() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = start("").await;
    let data = server.folder.path().join("data");
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("sealing.key")), 0o600);
    assert_eq!(mode(&data.join("oauth.db")), 0o600);
    let keys = text(server.get("/.well-known/jwks.json").await).await;
    let Server { folder, clock, state, router } = server;
    state.store.close().await.unwrap();
    drop((state, router));
    let server = start_in("", folder, clock).await;
    assert_eq!(text(server.get("/.well-known/jwks.json").await).await, keys);

    let another = config(
        "[keys]\nsealing_key = \"q0zXn5bWc8YhT2mJ7dLkR4vPaSfUeGi1oB3xCwN6yQE=\"",
        &server.folder,
    );
    let refused =
        AppState::start(another, World::default()).await.err().expect("the keys do not open");
    assert!(format!("{refused:#}").contains("keys.sealing_key"), "{refused:#}");
}

/// The `Cookie` header that a browser would send after this `Set-Cookie`.
fn cookie(set: &http::HeaderValue) -> HeaderMap {
    let pair = set.to_str().unwrap().split(';').next().unwrap().to_owned();
    let mut headers = HeaderMap::new();
    headers.insert(header::COOKIE, pair.parse().unwrap());
    headers.insert(header::USER_AGENT, "Test/1.0".parse().unwrap());
    headers
}

#[tokio::test]
async fn a_session_begins_anew_at_every_sign_in_and_ends() {
    let server = start("").await;
    let sessions = &server.state.sessions;
    let alice = server.user("alice", "correct horse").await;
    let address = Some(ClientAddress("192.0.2.1".parse().unwrap()));
    assert!(sessions.current(&HeaderMap::new()).await.unwrap().is_none());

    let first = sessions.start(&HeaderMap::new(), &alice, &["pwd"], address).await.unwrap();
    let text = first.cookies.session.to_str().unwrap();
    assert!(
        text.starts_with("oauth_session=") && text.ends_with("; Path=/; HttpOnly; SameSite=Lax"),
        "{text}"
    );
    assert!(!first.cookies.session.is_sensitive() || !text.is_empty());
    let first = cookie(&first.cookies.session);
    let session = sessions.current(&first).await.unwrap().unwrap();
    assert_eq!((session.user.id, session.user.username.as_str()), (alice.clone(), "alice"));
    assert_eq!(session.login.amr, ["pwd"]);
    assert_eq!(session.address.as_deref(), Some("192.0.2.1"));

    let second = sessions.start(&first, &alice, &["pwd"], None).await.unwrap();
    let second = cookie(&second.cookies.session);
    assert_ne!(first, second, "no fixation: a new id whatever the browser sent");
    assert!(sessions.current(&first).await.unwrap().is_none(), "the old one is over");
    let third = cookie(
        &sessions.start(&HeaderMap::new(), &alice, &[], None).await.unwrap().cookies.session,
    );
    let user = sessions.current(&second).await.unwrap().unwrap().user;
    assert_eq!(sessions.list(&user).await.unwrap().len(), 2);

    let gone = sessions.end(&second).await.unwrap().cookies.session;
    assert!(
        gone.to_str().unwrap().starts_with("oauth_session=; ")
            && gone.to_str().unwrap().ends_with("Max-Age=0")
    );
    assert!(sessions.current(&second).await.unwrap().is_none());
    let listed = sessions.list(&user).await.unwrap();
    assert_eq!(listed.len(), 1);
    let bob = server.user("bob", "correct horse").await;
    assert!(
        !sessions.end_one_of(&bob, &listed[0].id).await.unwrap(),
        "nobody ends somebody else's"
    );
    assert!(sessions.end_one_of(&alice, &listed[0].id).await.unwrap());
    assert!(sessions.current(&third).await.unwrap().is_none());

    for _ in 0..2 {
        sessions.start(&HeaderMap::new(), &alice, &[], None).await.unwrap();
    }
    assert_eq!(sessions.end_all_of(&alice).await.unwrap(), 2);
    let mut forged = HeaderMap::new();
    for bad in [
        "oauth_session=",
        "oauth_session=x",
        "oauth_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        forged.insert(header::COOKIE, bad.parse().unwrap());
        assert!(sessions.current(&forged).await.unwrap().is_none(), "{bad}");
    }
}

#[tokio::test]
async fn a_session_ends_when_idle_when_old_and_when_its_user_is_locked_out() {
    let server = start("[sessions]\nidle_timeout = \"1h\"\nmax_age = \"3h\"").await;
    let sessions = &server.state.sessions;
    let alice = server.user("alice", "correct horse").await;
    let begin = async || {
        cookie(&sessions.start(&HeaderMap::new(), &alice, &[], None).await.unwrap().cookies.session)
    };
    let alive = async |headers: &HeaderMap| sessions.current(headers).await.unwrap().is_some();

    let idle = begin().await;
    server.clock.advance(Duration::from_secs(3599));
    assert!(alive(&idle).await);
    server.clock.advance(Duration::from_hours(1));
    assert!(!alive(&idle).await, "an hour unused");

    let busy = begin().await;
    for _ in 0..5 {
        server.clock.advance(Duration::from_mins(30));
        assert!(alive(&busy).await);
    }
    server.clock.advance(Duration::from_mins(30));
    assert!(!alive(&busy).await, "three hours old");
    assert_eq!(
        sessions.sweep(10).await.unwrap(),
        1,
        "what was begun in the other may still be finished"
    );
    server.clock.advance(Duration::from_mins(10));
    assert_eq!(sessions.sweep(10).await.unwrap(), 1);

    let locked = begin().await;
    server.state.store.set_disabled(&alice, true).await.unwrap();
    assert!(!alive(&locked).await);
}

#[tokio::test]
async fn over_https_the_cookie_is_bound_to_the_host() {
    let server = start("[server]\npublic_url = \"https://auth.example.org\"").await;
    let alice = server.user("alice", "correct horse").await;
    let started = server.state.sessions.start(&HeaderMap::new(), &alice, &[], None).await.unwrap();
    let text = started.cookies.session.to_str().unwrap();
    assert!(
        text.starts_with("__Host-oauth_session=")
            && text.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"),
        "{text}"
    );
    assert!(
        server.state.sessions.current(&cookie(&started.cookies.session)).await.unwrap().is_some()
    );
}

#[tokio::test]
async fn metrics_count_requests_tokens_and_sign_ins() {
    let toml = "[metrics]\nenabled = true\n[grants]\ndanger_password = true\n[[client]]\nid = \"app\"\nsecret = \"app-secret-1\"\ngrant_types = [\"password\"]";
    let server = start(toml).await;
    server.user("alice", "correct horse").await;
    for password in ["correct horse", "wrong"] {
        let form = [("grant_type", "password"), ("username", "alice"), ("password", password)];
        server.post("/oauth/token", Some(("app", "app-secret-1")), &form).await;
    }
    server.get("/livez").await;
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let response = server.state.metrics.router().oneshot(request).await.unwrap();
    let body = text(response).await;
    for line in [
        "oauth_http_requests_total{route=\"/oauth/token\",method=\"POST\",status=\"200\"} 1",
        "oauth_http_requests_total{route=\"/oauth/token\",method=\"POST\",status=\"400\"} 1",
        "oauth_http_requests_total{route=\"/livez\",method=\"GET\",status=\"200\"} 1",
        "oauth_token_responses_total{grant_type=\"password\"} 1",
        "oauth_refusals_total{endpoint=\"token\",error=\"invalid_grant\"} 1",
        "oauth_sign_ins_total{outcome=\"accepted\"} 1",
        "oauth_sign_ins_total{outcome=\"refused\"} 1",
    ] {
        assert!(body.contains(line), "{line} is not in\n{body}");
    }
    assert_eq!(server.get("/metrics").await.status(), 404, "not for everybody");
}

const STRONG: &str = "fN3kqv8zR1w0YcTt5LxJm2Ph7UeSbGaD";

#[tokio::test]
async fn clients_and_users_of_the_configuration_are_brought_up_to_date() {
    let toml = |secret: &str, scope: &str| {
        format!(
            "[[client]]\nid = \"1234\"\nsecret = \"{secret}\"\ngrant_types = [\"client_credentials\"]\nscope = \"{scope}\"\naccess_token_ttl = 5\n[[user]]\nname = \"bob\"\npassword = \"bob-pass\"\nadmin = true\nrights = [\"query:read\", \"node:write:self\", \"node:read\"]"
        )
    };
    let grant = [("grant_type", "client_credentials")];
    let mut server = start(&toml("qwerty", "query")).await;
    for (secret, old, scope) in
        [("qwerty", STRONG, "query"), (STRONG, "qwerty", "node query"), (STRONG, "qwerty", "node")]
    {
        let Server { folder, clock, .. } = server;
        server = start_in(&toml(secret, scope), folder, clock).await;
        let response = server.post("/oauth/token", Some(("1234", secret)), &grant).await;
        assert_eq!(response.status(), 200);
        let token = json(response).await;
        assert_eq!(token["expires_in"], 5);
        assert_eq!(token["scope"], scope);
        assert_eq!(server.post("/oauth/token", Some(("1234", old)), &grant).await.status(), 401);
    }
    let SignIn::Accepted(bob) = server.state.users.sign_in("bob", "bob-pass").await.unwrap() else {
        panic!("bob is there")
    };
    let rights = server.state.store.rights(&bob).await.unwrap();
    assert_eq!(
        rights.iter().map(|r| (r.api.as_str(), r.access.as_str())).collect::<Vec<_>>(),
        [("node", "write"), ("query", "read")]
    );
    assert_eq!((&*rights[0].paths, &*rights[0].write_paths), (&[][..], &["self".to_owned()][..]));
    assert!(server.state.store.account(&bob).await.unwrap().unwrap().is_admin);
}

#[tokio::test]
async fn the_authenticator_any_lets_everybody_in() {
    let server = start("authenticator = \"any\"").await;
    let sign_in = async |name: &str, password: &str| {
        server.state.users.sign_in(name, password).await.unwrap()
    };
    let SignIn::Accepted(carol) = sign_in("carol", "x").await else {
        panic!("everybody is let in")
    };
    assert_eq!(
        sign_in("Carol", "y").await,
        SignIn::Accepted(carol.clone()),
        "the same name is the same user"
    );
    assert_eq!(server.state.users.user(&carol).await.unwrap().unwrap().username, "carol");
    assert_eq!(sign_in("", "x").await, SignIn::Refused);
    server.state.store.set_disabled(&carol, true).await.unwrap();
    assert_eq!(sign_in("carol", "x").await, SignIn::Refused);
}
