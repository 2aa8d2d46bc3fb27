//! AMWA IS-10, discovery: servers found by unicast and by multicast. Name servers and multicast belong to a network, so
//! these tests want one of their own: `scripts/checks/dns-sd.sh` makes it and runs them.

use crate::support::{HOST, ManualClock, PATIENCE, answers, app, jwks, new_key, node_claims};
use axum::{Json, Router, routing::get};
use axum_server::{Handle, tls_rustls::RustlsConfig};
use mdns_sd::{ServiceDaemon, ServiceInfo};
use oauth_core::jose::GeneratedKey;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use resource_guard::{DnsSd, Guard, GuardBuilder, SigningAlgorithm};
use serde_json::json;
use std::{
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};
use tokio::time::{Instant, sleep};

const WHY: &str = "needs a network of its own: scripts/checks/dns-sd.sh";
const DOMAIN: &str = "facility.test";

/// The certificate authority of a facility.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    async fn certify(&self, host: &str) -> RustlsConfig {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([host.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &*self.0).unwrap();
        let (certificate, key) = (certificate.pem().into_bytes(), key.serialize_pem().into_bytes());
        RustlsConfig::from_pem(certificate, key).await.unwrap()
    }
}

/// An authorization server on https.
struct Server {
    host: String,
    issuer: String,
    port: u16,
    selector: &'static str,
    key: GeneratedKey,
    handle: Handle<SocketAddr>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

impl Server {
    /// Under the issuer `https://<host>:<port>/<selector>`.
    async fn start(authority: &Authority, host: &str, selector: &'static str) -> Self {
        let key = new_key(SigningAlgorithm::RS512);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let slash = if selector.is_empty() { "" } else { "/" };
        let issuer = format!("https://{host}:{port}{slash}{selector}");
        let metadata = json!({"issuer": issuer, "jwks_uri": format!("https://{host}:{port}/jwks")});
        let keys = jwks([&key]);
        let router = Router::new()
            .route(
                &format!("/.well-known/oauth-authorization-server{slash}{selector}"),
                get(move || async move { Json(metadata) }),
            )
            .route("/jwks", get(move || async move { Json(keys) }));
        let handle = Handle::new();
        let tls = authority.certify(host).await;
        let server = axum_server::from_tcp_rustls(listener, tls).unwrap().handle(handle.clone());
        tokio::spawn(server.serve(router.into_make_service()));
        handle.listening().await.unwrap();
        Self { host: host.to_owned(), issuer, port, selector, key, handle }
    }

    fn token(&self) -> String {
        self.key.signer.sign("JWT", &node_claims(&self.issuer, &json!({}))).unwrap()
    }

    /// What dnsmasq says of it.
    fn records(&self, name: &str, proto: &str, priority: u32) -> Vec<String> {
        let instance = format!("{name}._nmos-auth._tcp.{DOMAIN}");
        vec![
            format!("--ptr-record=_nmos-auth._tcp.{DOMAIN},{instance}"),
            format!("--srv-host={instance},{},{}", self.host, self.port),
            format!(
                "--txt-record={instance},api_proto={proto},api_ver=v1.0,pri={priority},api_selector={}",
                self.selector
            ),
            format!("--host-record={},127.0.0.1", self.host),
        ]
    }
}

/// A name server, with a port of its own.
struct NameServer(Child);

impl Drop for NameServer {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl NameServer {
    async fn start(port: u16, records: impl IntoIterator<Item = String>) -> Self {
        let child = Command::new("dnsmasq")
            .args([
                "--keep-in-foreground",
                "--no-resolv",
                "--no-hosts",
                "--user=root",
                "--pid-file=",
            ])
            .args(["--listen-address=127.0.0.1", "--bind-interfaces", "--conf-file=/dev/null"])
            .arg(format!("--port={port}"))
            .arg(format!("--local=/{DOMAIN}/"))
            .args(records)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self(child);
        let patience = Instant::now() + PATIENCE;
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(Instant::now() < patience, "dnsmasq does not listen");
            sleep(Duration::from_millis(20)).await;
        }
        server
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn unicast(port: u16) -> DnsSd {
    DnsSd::new().unicast_only().domain(DOMAIN).name_server(SocketAddr::from(([127, 0, 0, 1], port)))
}

fn node(authority: &Authority, how: DnsSd) -> GuardBuilder {
    Guard::nmos_node(HOST)
        .root_certificates(authority.pem())
        .only_root_certificates()
        .timeout(PATIENCE)
        .clock(Arc::new(ManualClock::new()))
        .discover(how)
}

async fn status(router: &Router, token: &str) -> u16 {
    answers(router, token).await.0
}

#[tokio::test]
#[ignore = "needs a network of its own: scripts/checks/dns-sd.sh"]
async fn r9_servers_are_found_by_unicast() {
    let authority = Authority::new();
    let first = Server::start(&authority, "auth1.facility.test", "x-nmos/auth/v1.0").await;
    let second = Server::start(&authority, "auth2.facility.test", "").await;
    let development = Server::start(&authority, "auth3.facility.test", "").await;
    let plain = Server::start(&authority, "auth4.facility.test", "").await;
    let foreign = Server::start(&Authority::new(), "auth5.facility.test", "").await;
    let down = {
        let gone = Server::start(&authority, "auth0.facility.test", "").await;
        gone.records("down", "https", 0)
    };
    let port = free_port();
    let records = [
        down,
        first.records("first", "https", 10),
        second.records("second", "https", 20),
        development.records("third", "https", 100),
        plain.records("fourth", "http", 1),
        foreign.records("fifth", "https", 2),
    ];
    let _names = NameServer::start(port, records.into_iter().flatten()).await;
    let guard = node(&authority, unicast(port)).start().await.expect(WHY);
    let router = app(guard.nmos());
    assert_eq!(status(&router, &first.token()).await, 200, "by its selector");
    assert_eq!(status(&router, &second.token()).await, 200);
    assert_eq!(status(&router, &development.token()).await, 401, "only when asked for");
    assert_eq!(status(&router, &plain.token()).await, 401, "http is not followed");
    assert_eq!(status(&router, &foreign.token()).await, 401, "of another authority");
    let guard = node(&authority, unicast(port).development()).start().await.expect(WHY);
    assert_eq!(status(&app(guard.nmos()), &development.token()).await, 200);
}

#[tokio::test]
#[ignore = "needs a network of its own: scripts/checks/dns-sd.sh"]
async fn r9_an_instance_may_have_any_name() {
    let authority = Authority::new();
    let first = Server::start(&authority, "auth1.facility.test", "x-nmos/auth/v1.0").await;
    let second = Server::start(&authority, "auth2.facility.test", "").await;
    let port = free_port();
    let records =
        [first.records("Auth Server 1", "https", 10), second.records("auth_2", "https", 20)];
    let _names = NameServer::start(port, records.into_iter().flatten()).await;
    let guard = node(&authority, unicast(port)).start().await.expect(WHY);
    let router = app(guard.nmos());
    assert_eq!(status(&router, &first.token()).await, 200);
    assert_eq!(status(&router, &second.token()).await, 200);
}

#[tokio::test]
#[ignore = "needs a network of its own: scripts/checks/dns-sd.sh"]
async fn r9_a_server_under_another_name_is_not_believed() {
    let authority = Authority::new();
    let server = Server::start(&authority, "auth1.facility.test", "").await;
    let port = free_port();
    let mut records = server.records("one", "https", 0);
    // The same address under a name that its certificate does not have.
    let instance = format!("one._nmos-auth._tcp.{DOMAIN}");
    records[1] = format!("--srv-host={instance},other.facility.test,{}", server.port);
    records.push("--host-record=other.facility.test,127.0.0.1".to_owned());
    let _names = NameServer::start(port, records).await;
    let guard = node(&authority, unicast(port)).start().await.expect(WHY);
    assert_eq!(status(&app(guard.nmos()), &server.token()).await, 503, "nobody was found");
}

#[tokio::test]
#[ignore = "needs a network of its own: scripts/checks/dns-sd.sh"]
async fn r9_only_allowed_hosts_are_followed() {
    let authority = Authority::new();
    let server = Server::start(&authority, "auth1.facility.test", "").await;
    let port = free_port();
    let _names = NameServer::start(port, server.records("one", "https", 0)).await;
    let guard = node(&authority, unicast(port)).trust_issuers_on("*.elsewhere.test");
    let router = app(guard.start().await.expect(WHY).nmos());
    assert_eq!(status(&router, &server.token()).await, 503);
    let guard = node(&authority, unicast(port)).trust_issuers_on("*.facility.test");
    let router = app(guard.start().await.expect(WHY).nmos());
    assert_eq!(status(&router, &server.token()).await, 200);
}

#[tokio::test]
#[ignore = "needs a network of its own: scripts/checks/dns-sd.sh"]
async fn r11_looked_for_again_until_one_is_there() {
    let authority = Authority::new();
    let server = Server::start(&authority, "auth1.facility.test", "").await;
    let port = free_port();
    let guard = node(&authority, unicast(port)).start().await.expect(WHY);
    let router = app(guard.nmos());
    assert_eq!(status(&router, &server.token()).await, 503);
    let _names = NameServer::start(port, server.records("one", "https", 0)).await;
    let patience = Instant::now() + PATIENCE;
    while status(&router, &server.token()).await != 200 {
        assert!(Instant::now() < patience, "it was never found");
        sleep(Duration::from_millis(100)).await;
    }
}

/// Advertises a server by multicast until it is dropped.
struct Advertised(ServiceDaemon);

impl Drop for Advertised {
    fn drop(&mut self) {
        self.0.shutdown().ok();
    }
}

fn advertise(server: &Server) -> Advertised {
    let daemon = ServiceDaemon::new().unwrap();
    let txt = [
        ("api_proto", "https"),
        ("api_ver", "v1.0"),
        ("pri", "0"),
        ("api_selector", server.selector),
    ];
    let host = format!("{}.", server.host);
    let service = ServiceInfo::new(
        "_nmos-auth._tcp.local.",
        "one",
        &host,
        "127.0.0.1",
        server.port,
        &txt[..],
    );
    daemon.register(service.unwrap()).unwrap();
    Advertised(daemon)
}

#[tokio::test]
#[ignore = "needs a network of its own: scripts/checks/dns-sd.sh"]
async fn r9_multicast_comes_second_and_can_be_off() {
    let authority = Authority::new();
    let multicast = Server::start(&authority, "auth1.local", "x-nmos/auth/v1.0").await;
    let named = Server::start(&authority, "auth2.facility.test", "").await;
    let _advertised = advertise(&multicast);
    let guard = node(&authority, DnsSd::new().multicast_only()).start().await.expect(WHY);
    let patience = Instant::now() + PATIENCE;
    let router = app(guard.nmos());
    while status(&router, &multicast.token()).await != 200 {
        assert!(Instant::now() < patience, "it was never found by multicast");
        sleep(Duration::from_millis(100)).await;
    }
    // With both, what name servers say is all that counts.
    let port = free_port();
    let names = NameServer::start(port, named.records("two", "https", 50)).await;
    let both = DnsSd::new().domain(DOMAIN).name_server(SocketAddr::from(([127, 0, 0, 1], port)));
    let router = app(node(&authority, both.clone()).start().await.expect(WHY).nmos());
    assert_eq!(status(&router, &named.token()).await, 200);
    assert_eq!(status(&router, &multicast.token()).await, 401);
    // Without a name server that knows anything, multicast is asked, unless it is switched off.
    drop(names);
    let router = app(node(&authority, both.clone()).start().await.expect(WHY).nmos());
    let patience = Instant::now() + PATIENCE;
    while status(&router, &multicast.token()).await != 200 {
        assert!(Instant::now() < patience, "multicast was not asked");
        sleep(Duration::from_millis(100)).await;
    }
    let router = app(node(&authority, both.unicast_only()).start().await.expect(WHY).nmos());
    assert_eq!(status(&router, &multicast.token()).await, 503);
}
