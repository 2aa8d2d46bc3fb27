//! AMWA BCP-003-02: registrations belong to a client, and web sockets are judged by what comes through them.

use crate::support::{Peer, RSA, START, app, call, get_bare, node, node_claims, send};
use axum::{
    Json, Router,
    body::Body,
    extract::State,
    routing::{any, get, post},
};
use http::{Request, Response, StatusCode, header};
use oauth_core::jose::KeySet;
use resource_guard::{
    Access, Asked, Fresh, Guard, PolicyExt as _, Principal, Style, async_trait,
    nmos::{
        EventSockets, MemoryOwners, Owners, OwnersUnavailable, QuerySockets, Registered,
        Registrations, Registry,
    },
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const AS: &str = "https://as.example";
const REGISTRATION: &str = "/x-nmos/registration/v1.3";

fn guard() -> Guard {
    let keys = KeySet::from_jwks(&crate::support::jwks([&*RSA]));
    node().0.trust_issuer(AS).keys(keys).build().unwrap()
}

fn token(changes: &Value) -> String {
    RSA.signer.sign("JWT", &node_claims(AS, changes)).unwrap()
}

/// A token of a client that may register everything.
fn registrar(client: &str) -> String {
    token(&json!({"client_id": client, "x-nmos-registration": {"read": ["*"], "write": ["*"]}}))
}

async fn register(
    State(registry): State<Registry>,
    who: Principal,
    Json(body): Json<Value>,
) -> Response<Body> {
    let status = match registry.register(&who, &body).await {
        Ok(Registered::New) => StatusCode::CREATED,
        Ok(_) => StatusCode::OK,
        Err(refusal) => return refusal.into_response::<String>(Style::Nmos).map(Body::from),
    };
    Response::builder().status(status).body(Body::empty()).unwrap()
}

fn registration_api(registry: &Registry) -> Router {
    registration_api_behind(&guard(), registry)
}

fn registration_api_behind(guard: &Guard, registry: &Registry) -> Router {
    Router::new()
        .route(&format!("{REGISTRATION}/resource"), post(register))
        .route(&format!("{REGISTRATION}/{{*path}}"), any(|| async { "ok" }))
        .with_state(registry.clone())
        .layer(guard.with(Registrations(registry.clone())))
}

async fn post_resource(app: &Router, client: &str, body: &Value) -> u16 {
    post_with(app, &registrar(client), body).await
}

async fn post_with(app: &Router, token: &str, body: &Value) -> u16 {
    let request = Request::post(format!("{REGISTRATION}/resource"))
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()));
    send(app, request.unwrap()).await.status.as_u16()
}

fn resource(kind: &str, id: &str, parent: Option<(&str, &str)>) -> Value {
    let mut data = json!({"id": id});
    if let Some((field, id)) = parent {
        data[field] = json!(id);
    }
    json!({"type": kind, "data": data})
}

#[tokio::test]
async fn r17_a_node_belongs_to_the_client_that_registered_it_first() {
    let registry = Registry::default();
    let app = registration_api(&registry);
    let node = resource("node", "n1", None);
    let device = resource("device", "d1", Some(("node_id", "n1")));
    let sender = resource("sender", "s1", Some(("device_id", "d1")));
    assert_eq!(post_resource(&app, "a", &device).await, 400, "its node is not registered");
    for (body, status) in [(&node, 201), (&node, 200), (&device, 201), (&sender, 201)] {
        assert_eq!(post_resource(&app, "a", body).await, status, "{body}");
    }
    for body in [&node, &device, &sender] {
        assert_eq!(post_resource(&app, "b", body).await, 403, "{body}");
    }
    // Neither below somebody else's, nor somebody else's below one's own.
    assert_eq!(
        post_resource(&app, "b", &resource("device", "d2", Some(("node_id", "N1")))).await,
        403
    );
    assert_eq!(post_resource(&app, "b", &resource("node", "n2", None)).await, 201);
    assert_eq!(
        post_resource(&app, "b", &resource("device", "D1", Some(("node_id", "n2")))).await,
        403
    );
    assert_eq!(
        post_resource(&app, "b", &resource("device", "d2", Some(("node_id", "n2")))).await,
        201
    );
}

#[tokio::test]
async fn r17_others_neither_keep_alive_nor_remove() {
    let registry = Registry::default();
    let app = registration_api(&registry);
    assert_eq!(post_resource(&app, "a", &resource("node", "n1", None)).await, 201);
    let paths =
        ["health/nodes/n1", "resource/nodes/n1", "resource/nodes/n1/", "resource//nodes/%6e1"];
    for path in paths {
        let path = format!("{REGISTRATION}/{path}");
        for method in ["POST", "DELETE"] {
            let answer = call(&app, method, &path, &registrar("b")).await;
            assert_eq!(answer.nmos_error(), (403, "insufficient_scope".to_owned()), "{path}");
            assert_eq!(call(&app, method, &path, &registrar("a")).await.status, StatusCode::OK);
        }
        assert_eq!(call(&app, "GET", &path, &registrar("b")).await.status, StatusCode::OK);
    }
    let other = format!("{REGISTRATION}/resource/nodes/n9");
    assert_eq!(call(&app, "DELETE", &other, &registrar("b")).await.status, StatusCode::OK);
    // Whoever may not write at all is not let through by owning it.
    let reader = token(&json!({"client_id": "a", "x-nmos-registration": {"read": ["*"]}}));
    let own = format!("{REGISTRATION}/resource/nodes/n1");
    assert_eq!(call(&app, "DELETE", &own, &reader).await.status, StatusCode::FORBIDDEN);
    registry.removed("nodes", "n1").await.unwrap();
    assert_eq!(post_resource(&app, "b", &resource("node", "n1", None)).await, 201);
}

#[tokio::test]
async fn r17_azp_is_a_client_too() {
    let app = registration_api(&Registry::default());
    let azp = json!({"client_id": null, "azp": "a", "x-nmos-registration": {"write": ["*"]}});
    assert_eq!(post_with(&app, &token(&azp), &resource("node", "n1", None)).await, 201);
    assert_eq!(post_resource(&app, "a", &resource("node", "n1", None)).await, 200);
}

#[tokio::test]
async fn r17_a_client_of_another_issuer_is_another_client() {
    let (first, second, guest) = (Peer::start().await, Peer::start().await, Peer::start().await);
    let mut builder = node().0.trust_issuers_on(guest.issuer().trim_start_matches("http://"));
    for peer in [&first, &second] {
        builder = builder.trust_issuer(peer.issuer());
    }
    for peer in [&first, &second, &guest] {
        peer.publishes([&*RSA]);
    }
    let app = registration_api_behind(&builder.build().unwrap(), &Registry::default());
    let of = |peer: &Peer| {
        let rights = json!({"read": ["*"], "write": ["*"]});
        let changes = json!({"client_id": "a", "x-nmos-registration": rights});
        RSA.signer.sign("JWT", &node_claims(peer.issuer(), &changes)).unwrap()
    };
    let path = |id: &str| format!("{REGISTRATION}/resource/nodes/{id}");
    let patience = Instant::now() + Duration::from_secs(20);
    while call(&app, "GET", &path("n1"), &of(&guest)).await.status != StatusCode::OK {
        assert!(Instant::now() < patience, "the guest has no keys");
        sleep(Duration::from_millis(5)).await;
    }
    let (ours, theirs) = (resource("node", "n1", None), resource("node", "n2", None));
    assert_eq!(post_with(&app, &of(&first), &ours).await, 201);
    assert_eq!(post_with(&app, &of(&guest), &theirs).await, 201);
    // The servers of a facility share their clients.
    assert_eq!(post_with(&app, &of(&second), &ours).await, 200);
    assert_eq!(call(&app, "DELETE", &path("n1"), &of(&second)).await.status, StatusCode::OK);
    for (peer, node, id) in [(&guest, &ours, "n1"), (&first, &theirs, "n2")] {
        assert_eq!(post_with(&app, &of(peer), node).await, 403, "{id}");
        let answer = call(&app, "DELETE", &path(id), &of(peer)).await;
        assert_eq!(answer.nmos_error(), (403, "insufficient_scope".to_owned()), "{id}");
    }
}

#[tokio::test]
async fn r17_bodies_that_say_nothing_are_refused() {
    let app = registration_api(&Registry::default());
    for body in [
        json!({}),
        json!({"type": "node"}),
        json!({"type": "node", "data": {}}),
        json!({"type": "node", "data": {"id": ""}}),
        json!({"type": "node", "data": {"id": "a/b"}}),
        json!({"type": "node", "data": {"id": 7}}),
        json!({"type": ["node"], "data": {"id": "n"}}),
        json!({"type": "node", "data": {"id": "x".repeat(101)}}),
        json!({"type": "device", "data": {"id": "d"}}),
        json!({"type": "sender", "data": {"id": "s", "node_id": "n"}}),
        json!({"type": "flow", "data": {"id": "f"}}),
        json!({"type": "flow", "data": {"id": "f", "device_id": 7, "source_id": "s"}}),
    ] {
        assert_eq!(post_resource(&app, "a", &body).await, 400, "{body}");
    }
}

#[tokio::test]
async fn r17_only_what_is04_knows_is_registered() {
    let app = registration_api(&Registry::default());
    assert_eq!(post_resource(&app, "a", &resource("node", "n1", None)).await, 201);
    let device = resource("device", "d1", Some(("node_id", "n1")));
    assert_eq!(post_resource(&app, "a", &device).await, 201);
    for kind in ["nodes", "devices", "Node", "node ", "subscription", "subscriptions"] {
        let body = resource(kind, "n2", Some(("device_id", "d1")));
        assert_eq!(post_resource(&app, "a", &body).await, 400, "{kind}");
    }
    // None of them has taken the place of what another client registers.
    assert_eq!(post_resource(&app, "b", &resource("node", "n2", None)).await, 201);
}

#[tokio::test]
async fn r17_a_flow_of_is04_v1_0_hangs_below_its_source() {
    let app = registration_api(&Registry::default());
    let below = |kind, id, field, parent| resource(kind, id, Some((field, parent)));
    for body in [
        resource("node", "n1", None),
        below("device", "d1", "node_id", "n1"),
        below("source", "s1", "device_id", "d1"),
        below("flow", "f1", "source_id", "s1"),
        below("flow", "f2", "device_id", "d1"),
    ] {
        assert_eq!(post_resource(&app, "a", &body).await, 201, "{body}");
    }
    for (body, status) in [
        (below("flow", "f3", "source_id", "s1"), 403),
        (below("flow", "f1", "source_id", "s1"), 403),
        (below("flow", "f3", "source_id", "s2"), 400),
        (below("sender", "x1", "source_id", "s1"), 400),
    ] {
        assert_eq!(post_resource(&app, "b", &body).await, status, "{body}");
    }
}

#[tokio::test]
async fn r17_of_many_at_once_one_wins() {
    let owners = std::sync::Arc::new(MemoryOwners::default());
    let claims = (0..64).map(|i| {
        let owners = owners.clone();
        tokio::spawn(async move { owners.claim("node/n1", &format!("c{i}")).await.unwrap() })
    });
    let outcomes = futures_util::future::join_all(claims).await;
    let outcomes: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().filter(|(_, new)| *new).count(), 1);
    assert!(outcomes.iter().all(|(owner, _)| *owner == outcomes[0].0));
}

#[tokio::test]
async fn r17_owners_that_cannot_be_read_let_nobody_in() {
    struct Broken;
    #[async_trait]
    impl Owners for Broken {
        async fn claim(&self, _: &str, _: &str) -> Result<(String, bool), OwnersUnavailable> {
            Err(OwnersUnavailable)
        }
        async fn owner(&self, _: &str) -> Result<Option<String>, OwnersUnavailable> {
            Err(OwnersUnavailable)
        }
        async fn release(&self, _: &str) -> Result<(), OwnersUnavailable> {
            Err(OwnersUnavailable)
        }
    }
    let app = registration_api(&Registry::new(Broken));
    assert_eq!(post_resource(&app, "a", &resource("node", "n1", None)).await, 503);
    let path = format!("{REGISTRATION}/health/nodes/n1");
    assert_eq!(call(&app, "POST", &path, &registrar("a")).await.status.as_u16(), 503);
}

/// The sockets of a Query API, whose subscription `1` is about nodes and `2` about everything.
fn query_sockets() -> Router {
    let about = |asked: &Asked<'_>| match asked.path().ok()?.as_str() {
        "/ws/1" => Some("/nodes".to_owned()),
        "/ws/2" => Some(String::new()),
        _ => None,
    };
    Router::new()
        .route("/ws/{*id}", any(|| async { "connected" }))
        .layer(guard().with(QuerySockets::new(about)))
}

/// A handshake with the token in its query.
fn handshake(path: &str, token: &str) -> Request<Body> {
    Request::get(format!("{path}?access_token={token}"))
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .body(Body::empty())
        .unwrap()
}

async fn connects(path: &str, rights: &Value) -> u16 {
    let token = token(&json!({"x-nmos-query": rights}));
    send(&query_sockets(), handshake(path, &token)).await.status.as_u16()
}

#[tokio::test]
async fn r18_sockets_of_a_query_api_by_what_they_are_about() {
    let all = ["nodes/*", "devices/*", "sources/*", "flows/*", "senders/*", "receivers/*"];
    for (path, rights) in [
        ("/ws/1", json!({"read": ["nodes"]})),
        // The example of the text.
        ("/ws/1", json!({"read": ["nodes/*"]})),
        ("/ws/1", json!({"read": ["*"]})),
        ("/ws/2", json!({"read": ["*"]})),
        ("/ws/2", json!({"read": all})),
    ] {
        assert_eq!(connects(path, &rights).await, 200, "{path} {rights}");
    }
    for (path, rights) in [
        ("/ws/1", json!({"write": ["subscriptions", "nodes", "nodes/*"]})),
        ("/ws/1", json!({"read": ["devices", "ws/*", "subscriptions"], "write": ["*"]})),
        ("/ws/1", json!({"read": ["nodes/1", "nodes/*/x", "node"]})),
        ("/ws/2", json!({"read": ["nodes", "nodes/*"]})),
        ("/ws/2", json!({"read": &all[1..]})),
        ("/ws/3", json!({"read": ["*"], "write": ["*"]})),
    ] {
        assert_eq!(connects(path, &rights).await, 403, "{path} {rights}");
    }
    assert_eq!(get_bare(&query_sockets(), "/ws/1").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn r18_subscriptions_are_made_by_whoever_may_write_them() {
    let app = app(guard().nmos());
    let path = "/x-nmos/query/v1.3/subscriptions";
    for (rights, status) in [
        (json!({"write": ["subscriptions"]}), 200),
        (json!({"write": ["subscriptions/*"]}), 403),
        (json!({"read": ["*"]}), 403),
    ] {
        let token = token(&json!({"x-nmos-query": rights}));
        assert_eq!(call(&app, "POST", path, &token).await.status.as_u16(), status, "{rights}");
    }
}

#[tokio::test]
async fn r18_an_upgrade_makes_a_subscription_too() {
    let app = app(guard().nmos());
    let both = |path: &str| json!({"read": [path], "write": ["subscriptions"]});
    for (path, rights, plain, upgraded) in [
        ("nodes", both("nodes"), 200, 200),
        ("nodes/", both("nodes"), 200, 200),
        ("subscriptions", both("subscriptions"), 200, 200),
        ("nodes", json!({"read": ["*"]}), 200, 403),
        ("nodes/../nodes", json!({"read": ["*"]}), 200, 403),
        ("subscriptions", json!({"read": ["subscriptions"]}), 200, 403),
        ("nodes", json!({"read": ["*"], "write": ["subscriptions/*", "nodes"]}), 200, 403),
        // An upgrade is no way around the right to read.
        ("nodes", both("devices"), 403, 403),
        ("subscriptions", json!({"write": ["subscriptions"]}), 403, 403),
    ] {
        let path = format!("/x-nmos/query/v1.3/{path}");
        let token = token(&json!({"x-nmos-query": rights}));
        assert_eq!(call(&app, "GET", &path, &token).await.status.as_u16(), plain, "{path}");
        let answer = send(&app, handshake(&path, &token)).await;
        assert_eq!(answer.status.as_u16(), upgraded, "{path} {rights}");
        for upgrade in ["WebSocket", "h2c, websocket/13"] {
            let request = Request::get(&path)
                .header(header::AUTHORIZATION, format!("Bearer {token}"))
                .header(header::UPGRADE, upgrade)
                .body(Body::empty());
            let answer = send(&app, request.unwrap()).await;
            assert_eq!(answer.status.as_u16(), upgraded, "{upgrade} {path} {rights}");
        }
    }
    // Another upgrade is none, and another API has no subscriptions.
    let token = token(&json!({
        "x-nmos-query": {"read": ["*"]}, "x-nmos-connection": {"read": ["*"]},
    }));
    let request = Request::get("/x-nmos/query/v1.3/nodes")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::UPGRADE, "h2c")
        .body(Body::empty());
    assert_eq!(send(&app, request.unwrap()).await.status, StatusCode::OK);
    let other = handshake("/x-nmos/connection/v1.1/single", &token);
    assert_eq!(send(&app, other).await.status, StatusCode::OK);
}

#[tokio::test]
async fn r18_a_registry_asks_before_it_creates_a_subscription() {
    async fn create(who: Principal) -> String {
        let rights = who.nmos("query");
        let paths = ["/nodes", "/receivers", "receivers/", "", "/nodes/../receivers"];
        let answers = paths.map(|path| rights.may_create_subscription(path));
        format!("{answers:?}")
    }
    let app = Router::new().route("/", post(create)).layer(guard().any_token());
    for (rights, expected) in [
        (json!({"read": ["*"], "write": ["subscriptions"]}), [true; 5]),
        (
            json!({"read": ["receivers/*"], "write": ["subscriptions"]}),
            [false, true, true, false, false],
        ),
        (json!({"read": ["*"], "write": ["subscriptions/*"]}), [false; 5]),
        (json!({"read": ["*"]}), [false; 5]),
        (json!({"write": ["*"]}), [false; 5]),
    ] {
        let token = token(&json!({"x-nmos-query": rights}));
        let answer = call(&app, "POST", "/", &token).await;
        assert_eq!(answer.body, format!("{expected:?}"), "{rights}");
    }
}

#[tokio::test]
async fn r19_events_by_the_sources_that_are_asked_for() {
    async fn subscribe(who: Principal) -> String {
        who.nmos("events").readable_sources(["a", "b", "", "..", "a/../b", "%61", "a\\b"]).join(",")
    }
    let app = Router::new()
        .route("/x-nmos/events/v1.0/devices/d/ws", get(subscribe))
        .layer(guard().with(EventSockets));
    let ask = async |rights: Value| {
        let token = token(&json!({"x-nmos-events": rights}));
        let request = handshake("/x-nmos/events/v1.0/devices/d/ws", &token);
        let answer = send(&app, request).await;
        (answer.status.as_u16(), answer.body)
    };
    assert_eq!(ask(json!({"read": ["sources/*"]})).await, (200, "a,b".to_owned()));
    assert_eq!(ask(json!({"read": ["sources/b", "sources/z"]})).await, (200, "b".to_owned()));
    assert_eq!(ask(json!({"read": ["devices/*"]})).await, (200, String::new()));
    assert_eq!(ask(json!({"write": ["sources/*"]})).await.0, 403);
    assert_eq!(ask(json!({})).await.0, 403);
}

/// The sockets of an Events API.
fn event_sockets() -> Router {
    Router::new().route("/ws/{id}", any(|| async { "connected" })).layer(guard().with(EventSockets))
}

#[tokio::test]
async fn sockets_let_nothing_but_handshakes_pass() {
    let all = json!({"read": ["*"], "write": ["*"]});
    let token = token(&json!({"x-nmos-query": all, "x-nmos-events": all}));
    let path = "/ws/1";
    for app in [query_sockets(), event_sockets()] {
        assert_eq!(send(&app, handshake(path, &token)).await.status, StatusCode::OK);
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"] {
            let answer = call(&app, method, path, &token).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{method}");
        }
        let posted = Request::post(path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "websocket")
            .body(Body::empty());
        let answer = send(&app, posted.unwrap()).await;
        assert_eq!(answer.nmos_error(), (400, "invalid_request".to_owned()));
    }
}

#[tokio::test]
async fn r7_sockets_have_paths_with_one_meaning() {
    let token = token(&json!({"x-nmos-query": {"read": ["nodes"]}}));
    // Resolved these are the subscription to nodes, but a handler may take them for another one.
    for path in ["/ws/2/../1", "/ws/2/%2e%2e/1", "/ws/./1", "/ws%2f1"] {
        let answer = send(&query_sockets(), handshake(path, &token)).await;
        assert_eq!(answer.nmos_error(), (400, "invalid_request".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn r8_options_on_sockets_needs_no_token() {
    for app in [query_sockets(), event_sockets()] {
        for extra in ["", "?access_token=garbage"] {
            let request = Request::options(format!("/ws/1{extra}")).body(Body::empty()).unwrap();
            let answer = send(&app, request).await;
            assert_eq!(answer.status, StatusCode::OK);
            let allowed = answer.headers["access-control-allow-headers"].to_str().unwrap();
            assert!(allowed.contains("Authorization"), "{allowed}");
        }
        assert_eq!(get_bare(&app, "/ws/1").await.status, StatusCode::UNAUTHORIZED);
    }
}

/// Policies of NMOS beside others.
fn composed() -> [Router; 3] {
    let registrations = || Registrations(Registry::default());
    let fresh = Fresh::within(Duration::from_mins(5));
    let layers = [
        guard().with(registrations().and(fresh)),
        guard().with(fresh.and(registrations())),
        guard().with(Access.optional().and(EventSockets)),
    ];
    layers.map(|layer| Router::new().route("/{*path}", any(|| async { "content" })).layer(layer))
}

#[tokio::test]
async fn r8_options_is_free_beside_other_policies() {
    let rights = json!({"read": ["*"], "write": ["*"]});
    let good = token(&json!({"x-nmos-registration": rights, "x-nmos-events": rights}));
    for app in composed() {
        for bearer in [None, Some(good.as_str()), Some("garbage")] {
            let mut request = Request::options(format!("{REGISTRATION}/resource"));
            if let Some(bearer) = bearer {
                request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
            }
            let answer = send(&app, request.body(Body::empty()).unwrap()).await;
            assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, ""), "{bearer:?}");
            let allowed = answer.headers["access-control-allow-headers"].to_str().unwrap();
            assert!(allowed.contains("Authorization"), "{allowed}");
        }
    }
}

#[tokio::test]
async fn policies_of_nmos_and_others_must_both_agree() {
    let no = |status: u64, code: &str| (status, code.to_owned());
    let all = json!({"read": ["*"], "write": ["*"]});
    let [registrations, reversed, sockets] = composed();
    for app in [registrations, reversed] {
        for method in ["GET", "POST", "DELETE"] {
            let path = format!("{REGISTRATION}/resource/nodes/n1");
            let ask = async |changes: Value| call(&app, method, &path, &token(&changes)).await;
            let both = json!({"auth_time": START, "x-nmos-registration": all});
            assert_eq!(ask(both).await.status, StatusCode::OK, "{method}");
            let stale = ask(json!({"x-nmos-registration": all})).await;
            assert_eq!(stale.nmos_error(), no(401, "insufficient_user_authentication"), "{method}");
            let barred = ask(json!({"auth_time": START})).await;
            assert_eq!(barred.nmos_error(), no(403, "insufficient_scope"), "{method}");
        }
        let bare = get_bare(&app, &format!("{REGISTRATION}/resource/nodes/n1")).await;
        assert_eq!(bare.nmos_error(), no(401, ""));
    }
    let connect = async |changes: Value| send(&sockets, handshake("/ws/1", &token(&changes))).await;
    assert_eq!(connect(json!({"x-nmos-events": all})).await.status, StatusCode::OK);
    for changes in [json!({}), json!({"x-nmos-events": all, "scope": "guest"})] {
        let answer = connect(changes).await;
        assert_eq!(answer.nmos_error(), no(403, "insufficient_scope"));
    }
    assert_eq!(get_bare(&sockets, "/ws/1").await.nmos_error(), no(401, ""));
}

#[tokio::test]
async fn handlers_are_told_who_may_do_what() {
    async fn handler(who: Principal) -> String {
        let rights = who.nmos("connection");
        format!(
            "{:?} {} {} {}",
            rights.client(),
            rights.may_read("single/senders/1"),
            rights.may_write("single/senders/1"),
            who.nmos("node").may_read("self"),
        )
    }
    let app = Router::new().route("/", get(handler)).layer(guard().any_token());
    let token = token(&json!({"x-nmos-connection": {"read": ["single/*"]}}));
    let answer = call(&app, "GET", "/", &token).await;
    assert_eq!(answer.body, "Some(\"controller\") true false false");
    assert_eq!(call(&app, "GET", "/", "garbage").await.status, StatusCode::UNAUTHORIZED);
}
