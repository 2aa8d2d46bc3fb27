//! Every route, as a controller sees it.

mod bulk;
mod certificates;
mod node_api;
mod transport;

use crate::{
    MOST_BODY, app,
    connection::Connections,
    node::Node,
    tai::{Clock, Tai},
};
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, header},
};
use http_body_util::BodyExt as _;
use oauth_core::{
    jose::{GeneratedKey, generate},
    ports::SystemRandom,
};
use resource_guard::{Guard, KeySet, SigningAlgorithm};
use serde_json::{Value, json};
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tower::ServiceExt as _;

const HOST: &str = "node.example";
const AS: &str = "https://as.example";
const CONNECTION: &str = "/x-nmos/connection/v1.1";

static KEY: LazyLock<GeneratedKey> =
    LazyLock::new(|| generate(SigningAlgorithm::RS512, &SystemRandom).unwrap());

/// An id of something elsewhere.
const ELSEWHERE: &str = "6ba7b811-9dad-41d1-80b4-00c04fd430c8";

/// A clock that goes when told to, and counts who looks.
struct Told {
    now: Mutex<Tai>,
    looks: AtomicUsize,
}

impl Told {
    fn set(&self, time: &str) {
        *self.now.lock().unwrap() = Tai::parse(time).unwrap();
    }

    fn looks(&self) -> usize {
        self.looks.load(Ordering::SeqCst)
    }
}

impl Clock for Told {
    fn now(&self) -> Tai {
        let now = *self.now.lock().unwrap();
        self.looks.fetch_add(1, Ordering::SeqCst);
        now
    }
}

struct Bench {
    app: Router,
    node: Arc<Node>,
    clock: Arc<Told>,
    connections: Arc<Connections>,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/json");
        serde_json::from_str(&self.text).unwrap()
    }

    /// Asserts a complete error object with this status.
    fn refuses(&self, status: u16) {
        assert_eq!(self.status, status, "{}", self.text);
        let body = self.json();
        assert_eq!(body["code"], status);
        assert!(body["error"].is_string() && body.get("debug").is_some());
    }
}

fn token(rights: &Value) -> String {
    let mut claims = json!({
        "iss": AS, "sub": "alice", "aud": [format!("https://{HOST}")], "client_id": "controller",
        "exp": 4_102_444_800_i64,
    });
    for (name, value) in rights.as_object().unwrap() {
        claims[name] = value.clone();
    }
    KEY.signer.sign("JWT", &claims).unwrap()
}

fn everything() -> String {
    let all = json!({"read": ["*"], "write": ["*"]});
    token(&json!({"x-nmos-connection": all, "x-nmos-node": all}))
}

impl Bench {
    fn new() -> Self {
        Self::at(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)))
    }

    fn at(address: IpAddr) -> Self {
        let keys = KeySet::from_jwks(&json!({"keys": [KEY.signer.public_jwk()]}));
        let guard = Guard::nmos_node(HOST).trust_issuer(AS).keys(keys).build().unwrap();
        let node = Arc::new(Node::new(HOST, 8443, address));
        let now = Mutex::new(Tai::parse("1600000037:5").unwrap());
        let clock = Arc::new(Told { now, looks: AtomicUsize::new(0) });
        let connections = Connections::new(&node, clock.clone());
        Self { app: app(&guard, node.clone(), connections.clone()), node, clock, connections }
    }

    fn advance(&self, time: &str) {
        let mut now = self.clock.now.lock().unwrap();
        *now = now.plus(Tai::parse(time).unwrap());
    }

    async fn ask(&self, method: &str, path: &str, token: Option<&str>, body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let (parts, body) = self.app.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, Some(&everything()), "").await
    }

    async fn patch(&self, id: &str, body: &Value) -> Answer {
        let path = format!("{CONNECTION}/single/{id}/staged");
        self.ask("PATCH", &path, Some(&everything()), &body.to_string()).await
    }

    async fn staged(&self, id: &str) -> Value {
        self.get(&format!("{CONNECTION}/single/{id}/staged")).await.json()
    }

    async fn active(&self, id: &str) -> Value {
        self.get(&format!("{CONNECTION}/single/{id}/active")).await.json()
    }

    /// Whether what was scheduled became active, without doing what is due.
    fn scheduled_happened(&self, id: &str) -> bool {
        self.connections.untouched(id)["activation"]["mode"] == "activate_scheduled_relative"
    }

    fn sender(&self) -> String {
        format!("senders/{}", self.node.senders[0])
    }

    fn receiver(&self) -> String {
        format!("receivers/{}", self.node.receivers[0])
    }
}

/// Waits for what other tasks do.
async fn until(done: impl Fn() -> bool) {
    let patience = tokio::time::Instant::now() + Duration::from_secs(10);
    while !done() {
        assert!(tokio::time::Instant::now() < patience, "it never happened");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn every_listing_with_and_without_slash() {
    let bench = Bench::new();
    for (path, names) in [
        ("/x-nmos", json!(["connection/", "node/"])),
        ("/x-nmos/connection", json!(["v1.0/", "v1.1/"])),
        (CONNECTION, json!(["bulk/", "single/"])),
        ("/x-nmos/connection/v1.1/single", json!(["receivers/", "senders/"])),
        ("/x-nmos/connection/v1.1/bulk", json!(["receivers/", "senders/"])),
        ("/x-nmos/node", json!(["v1.3/"])),
        (
            "/x-nmos/node/v1.3",
            json!(["devices/", "flows/", "receivers/", "self/", "senders/", "sources/"]),
        ),
    ] {
        for slash in ["", "/"] {
            let answer = bench.get(&format!("{path}{slash}")).await;
            assert_eq!((answer.status, answer.json()), (200, names.clone()), "{path}{slash}");
            assert_eq!(answer.headers["access-control-allow-origin"], "*");
        }
    }
    assert_eq!(bench.ask("GET", "/", None, "").await.json(), json!(["x-nmos/"]));
    assert_eq!(
        bench.get(&format!("{CONNECTION}/single/senders/")).await.json().as_array().unwrap().len(),
        2
    );
}

#[tokio::test]
async fn what_is_below_a_sender_or_receiver() {
    let bench = Bench::new();
    let (sender, receiver) = (bench.sender(), bench.receiver());
    for (path, names) in [
        (
            format!("/x-nmos/connection/v1.1/single/{sender}/"),
            json!(["constraints/", "staged/", "active/", "transportfile/", "transporttype/"]),
        ),
        (
            format!("/x-nmos/connection/v1.0/single/{sender}"),
            json!(["constraints/", "staged/", "active/", "transportfile/"]),
        ),
        (
            format!("/x-nmos/connection/v1.1/single/{receiver}"),
            json!(["constraints/", "staged/", "active/", "transporttype/"]),
        ),
        (
            format!("/x-nmos/connection/v1.1/single/{sender}/transporttype"),
            json!("urn:x-nmos:transport:rtp"),
        ),
    ] {
        let answer = bench.get(&path).await;
        assert_eq!((answer.status, answer.json()), (200, names), "{path}");
    }
    bench.get(&format!("/x-nmos/connection/v1.0/single/{sender}/transporttype")).await.refuses(404);
    let constraints =
        bench.get(&format!("{CONNECTION}/single/{receiver}/constraints/")).await.json();
    let staged = bench.staged(&receiver).await;
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&constraints[0]), keys(&staged["transport_params"][0]));
    let fields = ["activation", "master_enable", "sender_id", "transport_file", "transport_params"];
    assert_eq!(keys(&staged), fields);
    let fields = ["activation", "master_enable", "receiver_id", "transport_params"];
    assert_eq!(keys(&bench.staged(&sender).await), fields);
    assert!(!bench.active(&sender).await.to_string().contains("auto"));
}

#[tokio::test]
async fn what_is_not_there_is_404_and_what_cannot_be_done_405() {
    let bench = Bench::new();
    let (sender, receiver) = (bench.sender(), bench.receiver());
    let crossed = sender.replace("senders", "receivers");
    for path in [
        format!("{CONNECTION}/single/others"),
        format!("{CONNECTION}/single/senders/00000000-0000-4000-8000-000000000000/staged"),
        format!("{CONNECTION}/single/senders/x/active"),
        format!("{CONNECTION}/single/{crossed}/staged"),
        format!("{CONNECTION}/single/{receiver}/transportfile"),
        format!("{CONNECTION}/single/{sender}/transportfile"),
        format!("{CONNECTION}/none"),
        "/x-nmos/node/v1.3/others".to_owned(),
        "/x-nmos/node/v1.3/senders/x".to_owned(),
    ] {
        bench.get(&path).await.refuses(404);
    }
    for (method, path) in [
        ("DELETE", format!("{CONNECTION}/single/{sender}/staged")),
        ("PUT", format!("{CONNECTION}/single/{sender}/staged")),
        ("PATCH", format!("{CONNECTION}/single/{sender}/active")),
        ("GET", format!("{CONNECTION}/bulk/senders")),
    ] {
        let answer = bench.ask(method, &path, Some(&everything()), "").await;
        answer.refuses(405);
        assert!(answer.headers.contains_key(header::ALLOW), "{method} {path}");
    }
    let path = format!("/x-nmos/node/v1.3/{receiver}/target");
    bench.ask("PUT", &path, Some(&everything()), "{}").await.refuses(501);
}

#[tokio::test]
async fn the_guard_stands_before_every_route() {
    let bench = Bench::new();
    let sender = bench.sender();
    let reader = token(&json!({"x-nmos-connection": {"read": ["single/*"]}}));
    let staged = format!("{CONNECTION}/single/{sender}/staged");
    for path in [staged.as_str(), CONNECTION, "/x-nmos/node/v1.3/self", "/nothing"] {
        bench.ask("GET", path, None, "").await.refuses(401);
        bench.ask("GET", path, Some("garbage"), "").await.refuses(401);
    }
    assert_eq!(bench.ask("GET", &staged, Some(&reader), "").await.status, 200);
    bench.ask("PATCH", &staged, Some(&reader), "{}").await.refuses(403);
    bench.ask("GET", &format!("{CONNECTION}/bulk/senders"), Some(&reader), "").await.refuses(403);
    bench.ask("GET", &format!("{CONNECTION}/single/../bulk"), Some(&reader), "").await.refuses(403);
    bench.ask("GET", "/x-nmos/node/v1.3/self", Some(&reader), "").await.refuses(403);
    let options = bench.ask("OPTIONS", &staged, None, "").await;
    assert_eq!(options.status, 200);
    let allowed = options.headers["access-control-allow-headers"].to_str().unwrap();
    assert!(allowed.contains("Authorization"));
    assert!(options.headers["allow"].to_str().unwrap().contains("PATCH"));
}

#[tokio::test]
async fn staging_changes_nothing_that_is_active() {
    let bench = Bench::new();
    let id = bench.receiver();
    let before = bench.active(&id).await;
    let peer = bench.node.senders[0].to_string();
    let change = json!({
        "sender_id": peer, "master_enable": true,
        "transport_params": [{"multicast_ip": "239.1.2.3", "destination_port": 6000}],
    });
    let answer = bench.patch(&id, &change).await;
    assert_eq!(answer.status, 200);
    let staged = bench.staged(&id).await;
    assert_eq!(answer.json(), staged);
    assert_eq!((&staged["sender_id"], &staged["master_enable"]), (&json!(peer), &json!(true)));
    assert_eq!(staged["transport_params"][0]["multicast_ip"], "239.1.2.3");
    assert_eq!(staged["transport_params"][0]["interface_ip"], "auto", "what is not named stays");
    let none = json!({"mode": null, "requested_time": null, "activation_time": null});
    assert_eq!(staged["activation"], none);
    assert_eq!(bench.active(&id).await, before);
}

#[tokio::test]
async fn immediate_activation() {
    let bench = Bench::new();
    let id = bench.sender();
    let change = json!({"master_enable": true, "activation": {"mode": "activate_immediate"}});
    let answer = bench.patch(&id, &change).await;
    let activation = json!({
        "mode": "activate_immediate", "requested_time": null, "activation_time": "1600000037:5",
    });
    assert_eq!((answer.status, &answer.json()["activation"]), (200, &activation));
    let active = bench.active(&id).await;
    assert_eq!((&active["activation"], &active["master_enable"]), (&activation, &json!(true)));
    assert_eq!(active["transport_params"][0]["source_ip"], "192.0.2.1");
    let staged = bench.staged(&id).await;
    assert_eq!(staged["activation"]["mode"], Value::Null);
    assert_eq!(staged["transport_params"][0]["source_ip"], "auto");
    let file = bench.get(&format!("{CONNECTION}/single/{id}/transportfile")).await;
    assert_eq!(
        (file.status, &file.headers[header::CONTENT_TYPE]),
        (200, &header::HeaderValue::from_static("application/sdp"))
    );
    assert!(file.text.starts_with("v=0\r\n") && file.text.contains("a=source-filter: incl IN IP4"));
    // A receiver understands what a sender says.
    let receiver = bench.receiver();
    let connect = json!({
        "transport_file": {"data": file.text, "type": "application/sdp"},
        "transport_params": [{"destination_port": 7000}],
    });
    let staged = bench.patch(&receiver, &connect).await.json();
    let leg = &staged["transport_params"][0];
    assert_eq!(
        (&leg["multicast_ip"], &leg["source_ip"], &leg["destination_port"]),
        (&active["transport_params"][0]["destination_ip"], &json!("192.0.2.1"), &json!(7000))
    );
}

#[tokio::test]
async fn scheduled_activations_happen_when_it_is_time() {
    let bench = Bench::new();
    let id = bench.sender();
    for (mode, requested, at, wait) in [
        ("activate_scheduled_relative", "2:0", "1600000039:5", "2:0"),
        ("activate_scheduled_absolute", "1600000040:0", "1600000040:0", "1:0"),
    ] {
        let enable = mode == "activate_scheduled_relative";
        let change = json!({
            "master_enable": enable, "activation": {"mode": mode, "requested_time": requested},
        });
        let answer = bench.patch(&id, &change).await;
        let activation = json!({"mode": mode, "requested_time": requested, "activation_time": at});
        assert_eq!((answer.status, &answer.json()["activation"]), (202, &activation));
        assert_eq!(bench.staged(&id).await["activation"], activation);
        assert_ne!(bench.active(&id).await["activation"], activation);
        bench.patch(&id, &json!({"master_enable": false})).await.refuses(423);
        bench.patch(&id, &json!({"activation": {"mode": "activate_immediate"}})).await.refuses(423);
        bench.advance(wait);
        let active = bench.active(&id).await;
        assert_eq!(
            (&active["activation"], &active["master_enable"]),
            (&activation, &json!(enable))
        );
        assert_eq!(bench.staged(&id).await["activation"]["mode"], Value::Null);
    }
}

#[tokio::test]
async fn a_scheduled_activation_happens_though_nobody_looks() {
    let bench = Bench::new();
    let id = bench.sender();
    assert_eq!(bench.connections.untouched(&id)["activation"]["mode"], Value::Null);
    let soon = json!({"activation": {"mode": "activate_scheduled_relative", "requested_time": "0:1000000"}});
    assert_eq!(bench.patch(&id, &soon).await.status, 202);
    bench.advance("0:1000000");
    until(|| bench.scheduled_happened(&id)).await;
}

#[tokio::test]
async fn a_scheduled_activation_happens_though_the_clock_was_set_back() {
    let bench = Bench::new();
    let id = bench.sender();
    let soon = json!({"activation": {"mode": "activate_scheduled_relative", "requested_time": "0:1000000"}});
    assert_eq!(bench.patch(&id, &soon).await.status, 202);
    bench.clock.set("1600000037:0");
    let looks = bench.clock.looks();
    until(|| bench.clock.looks() > looks).await;
    assert!(!bench.scheduled_happened(&id), "it is not time yet");
    bench.advance("1:0");
    until(|| bench.scheduled_happened(&id)).await;
}

#[tokio::test]
async fn a_scheduled_activation_can_be_called_off() {
    let bench = Bench::new();
    let id = bench.sender();
    let before = bench.active(&id).await;
    let change =
        json!({"activation": {"mode": "activate_scheduled_relative", "requested_time": "5:0"}});
    assert_eq!(bench.patch(&id, &change).await.status, 202);
    assert_eq!(bench.patch(&id, &json!({"activation": {"mode": null}})).await.status, 200);
    bench.advance("10:0");
    assert_eq!(bench.active(&id).await, before);
    // Late is better than never.
    let past =
        json!({"activation": {"mode": "activate_scheduled_absolute", "requested_time": "1:0"}});
    assert_eq!(bench.patch(&id, &past).await.status, 202);
    assert_eq!(bench.active(&id).await["activation"]["requested_time"], "1:0");
}

#[tokio::test]
async fn bad_changes_change_nothing() {
    let bench = Bench::new();
    let (sender, receiver) = (bench.sender(), bench.receiver());
    let before = bench.staged(&sender).await;
    for bad in [
        json!([]),
        json!("x"),
        json!({"unknown": 1}),
        json!({"sender_id": null}),
        json!({"transport_file": {"data": null, "type": null}}),
        json!({"receiver_id": "x"}),
        json!({"master_enable": "yes"}),
        json!({"transport_params": {}}),
        json!({"transport_params": []}),
        json!({"transport_params": [{}, {}]}),
        json!({"transport_params": [{"unknown": 1}]}),
        json!({"transport_params": [{"source_ip": "203.0.113.9"}]}),
        json!({"transport_params": [{"destination_ip": "x"}]}),
        json!({"transport_params": [{"destination_port": 80}]}),
        json!({"transport_params": [{"destination_port": "5004"}]}),
        json!({"transport_params": [{"rtp_enabled": 1}]}),
        json!({"master_enable": true, "transport_params": [{"destination_port": 70000}]}),
        json!({"master_enable": true, "activation": {"mode": "activate_now"}}),
        json!({"activation": null}),
        json!({"activation": {}}),
        json!({"activation": {"mode": "activate_immediate", "requested_time": "1:0"}}),
        json!({"activation": {"mode": "activate_scheduled_relative"}}),
        json!({"activation": {"mode": "activate_scheduled_relative", "requested_time": "soon"}}),
        json!({"activation": {"mode": "activate_scheduled_relative", "requested_time": "99999999:0"}}),
        json!({"activation": {"mode": null, "extra": 1}}),
    ] {
        bench.patch(&sender, &bad).await.refuses(400);
    }
    for bad in [
        json!({"receiver_id": null}),
        json!({"transport_file": null}),
        json!({"transport_file": {"data": "v=0", "type": "text/plain"}}),
        json!({"transport_file": {"data": "x", "type": "application/sdp"}}),
        json!({"transport_file": {"data": "v=0\r\nm=video 5004 RTP/AVP 96", "type": "application/sdp"}}),
        json!({"transport_file": {"data": null, "type": "application/sdp"}}),
        json!({"transport_params": [{"multicast_ip": "10.0.0.1"}]}),
    ] {
        bench.patch(&receiver, &bad).await.refuses(400);
    }
    let path = format!("{CONNECTION}/single/{sender}/staged");
    bench.ask("PATCH", &path, Some(&everything()), "{").await.refuses(400);
    assert_eq!(bench.staged(&sender).await, before);
}

#[tokio::test]
async fn what_the_schemas_do_not_have_is_refused() {
    let bench = Bench::new();
    let (sender, receiver) = (bench.sender(), bench.receiver());
    let sdp = "v=0\r\nm=video 5004 RTP/AVP 96\r\nc=IN IP4 239.1.1.1/32\r\n";
    let nil = "00000000-0000-0000-0000-000000000000";
    for (id, bad) in [
        (&sender, json!({"receiver_id": nil})),
        (&sender, json!({"receiver_id": ELSEWHERE.to_uppercase()})),
        (&sender, json!({"activation": {"mode": null, "activation_time": "1:0"}})),
        (&sender, json!({"activation": {"mode": null, "activation_time": null}})),
        (&receiver, json!({"sender_id": nil})),
        (&receiver, json!({"sender_id": ELSEWHERE.to_uppercase()})),
        (&receiver, json!({"transport_file": {}})),
        (&receiver, json!({"transport_file": {"data": null}})),
        (&receiver, json!({"transport_file": {"type": null}})),
        (&receiver, json!({"transport_file": {"data": sdp}})),
        (&receiver, json!({"transport_file": {"type": "application/sdp"}})),
        (&receiver, json!({"transport_file": {"data": null, "type": null, "more": 1}})),
    ] {
        let before = bench.staged(id).await;
        bench.patch(id, &bad).await.refuses(400);
        assert_eq!(bench.staged(id).await, before, "{bad}");
    }
    for (id, good) in [
        (&sender, json!({"receiver_id": ELSEWHERE})),
        (&sender, json!({"receiver_id": null, "activation": {"mode": null}})),
        (&receiver, json!({"sender_id": ELSEWHERE})),
        (&receiver, json!({"transport_file": {"data": sdp, "type": "application/sdp"}})),
        (&receiver, json!({"transport_file": {"data": null, "type": null}})),
    ] {
        assert_eq!(bench.patch(id, &good).await.status, 200, "{good}");
    }
}

#[tokio::test]
async fn too_large_a_body_is_refused_as_everything_is() {
    let bench = Bench::new();
    let large = " ".repeat(MOST_BODY + 1);
    let staged = format!("{CONNECTION}/single/{}/staged", bench.sender());
    bench.ask("PATCH", &staged, Some(&everything()), &large).await.refuses(413);
    let bulk = format!("{CONNECTION}/bulk/receivers");
    bench.ask("POST", &bulk, Some(&everything()), &large).await.refuses(413);
}
