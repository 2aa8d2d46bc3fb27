//! Outgoing requests: where they go, where they do not, and what bounds them
//! (OpenID Connect Core 17.2, RFC 9700 4.11).

mod peer;

use crate::leaks::logs::Log;
use oauth_core::{
    fetch::{FetchOptions, SafeFetch},
    ports::{Ask, Fetch as _, FetchProblem},
};
use peer::{Authority, HOST, Names, Peer, Script, Tls, loopback};
use std::{
    error::Error,
    process::Command,
    sync::LazyLock,
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(2);

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new("known"));

/// Options that trust the authority of the tests.
fn trusting(options: FetchOptions) -> FetchOptions {
    options.trust(AUTHORITY.pem().as_bytes()).unwrap()
}

fn fetch() -> SafeFetch {
    SafeFetch::new(&trusting(loopback())).unwrap()
}

/// One that gives up soon.
fn hasty() -> SafeFetch {
    SafeFetch::new(&trusting(loopback()).timeout(Duration::from_millis(300))).unwrap()
}

async fn peer(script: Script) -> Peer {
    Peer::start(AUTHORITY.certifies(HOST), script).await
}

fn causes(error: &dyn Error) -> String {
    error.source().map_or(error.to_string(), |cause| format!("{error}: {}", causes(cause)))
}

macro_rules! assert_problem {
    ($outcome:expr, $expected:pat $(if $guard:expr)? $(, $($context:tt)+)?) => {
        let outcome = $outcome;
        let context = [String::new() $(, format!($($context)+))?].concat();
        assert!(matches!(outcome, Err($expected) $(if $guard)?), "{outcome:?} {context}");
    };
}

/// There was no answer, and the causes say this.
#[track_caller]
fn assert_unreachable<T: std::fmt::Debug>(outcome: Result<T, FetchProblem>, because: &str) {
    let problem = outcome.unwrap_err();
    let text = causes(&problem);
    let unreachable = matches!(problem, FetchProblem::Unreachable(_));
    assert!(unreachable && text.contains(because), "{text}");
}

#[tokio::test]
async fn a_document_is_fetched_and_nothing_is_told_but_who_asks() {
    let peer = peer(Script::says("{}")).await;
    assert_eq!(fetch().get(&peer.url("/jwks?a=b"), 2).await.unwrap(), b"{}");
    let requests = peer.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    let request = &requests[0];
    let mut lines: Vec<_> = request.trim_end().lines().map(str::to_lowercase).collect();
    lines.sort();
    let port = peer.url("").rsplit(':').next().unwrap().to_owned();
    let version = env!("CARGO_PKG_VERSION");
    let expected = [
        "accept: */*".to_owned(),
        "get /jwks?a=b http/1.1".to_owned(),
        format!("host: {HOST}:{port}"),
        format!("user-agent: oauth-core/{version}"),
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn another_server_is_asked_in_our_own_name() {
    let peer = peer(Script::says("{}")).await;
    let fetch = fetch();
    let ask = Ask { form: None, authorization: Some("Bearer abc") };
    assert_eq!(fetch.ask(&peer.url("/userinfo"), &ask, 2).await.unwrap(), b"{}");
    let ask = Ask { form: Some("grant_type=x"), authorization: Some("Basic abc") };
    assert_eq!(fetch.ask(&peer.url("/token"), &ask, 2).await.unwrap(), b"{}");
    let requests: Vec<_> = peer.requests().iter().map(|r| r.to_lowercase()).collect();
    for (request, lines) in requests.iter().zip([
        ["get /userinfo http/1.1", "authorization: bearer abc", "accept: application/json"],
        ["post /token http/1.1", "authorization: basic abc", "accept: application/json"],
    ]) {
        for line in lines {
            assert!(request.contains(line), "no {line} in {request}");
        }
    }
    let outcome = fetch.ask(&peer.url("/token"), &ask, 1).await;
    assert_problem!(outcome, FetchProblem::TooLong(1));
    let ask = Ask { form: None, authorization: Some("Bearer a\r\nb: c") };
    assert_problem!(fetch.ask(&peer.url("/"), &ask, 2).await, FetchProblem::Address(_));
    let peer = self::peer(Script::status(302, "Location: https://elsewhere.example/\r\n")).await;
    let outcome = fetch.ask(&peer.url("/"), &Ask::default(), 2).await;
    assert_problem!(outcome, FetchProblem::Status(302));
}

#[tokio::test]
async fn each_request_has_a_connection_of_its_own() {
    let peer = peer(Script::hangs("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")).await;
    let fetch = fetch();
    for n in 1..=3 {
        fetch.get(&peer.url("/"), 2).await.unwrap();
        assert_eq!(peer.connections(), n);
    }
}

#[tokio::test]
async fn plain_http_is_refused() {
    let peer = Peer::start(Tls::none(), Script::says("{}")).await;
    for url in [peer.url("/"), peer.url_at("127.0.0.1", "/"), "http://93.184.216.34/".into()] {
        assert_problem!(fetch().get(&url, 9).await, FetchProblem::Address("it is not https"));
        assert_problem!(fetch().post_form(&url, "a=b").await, FetchProblem::Address(_));
    }
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn plain_http_goes_to_allowed_networks_only_where_the_operator_wants_it() {
    let peer = Peer::start(Tls::none(), Script::says("{}")).await;
    let fetch = SafeFetch::new(&loopback().danger_plain_http()).unwrap();
    assert_eq!(fetch.get(&peer.url("/"), 9).await.unwrap(), b"{}");
    assert_eq!(fetch.get(&peer.url_at("127.0.0.1", "/"), 9).await.unwrap(), b"{}");
    // Public addresses are for https, by number and by name.
    let why = "plain http goes to allowed networks only";
    for url in ["http://93.184.216.34/", "http://10.0.0.1/", "http://[2a00::1]/"] {
        assert_problem!(fetch.get(url, 9).await, FetchProblem::Address(said) if said == why);
    }
    let options = loopback().danger_plain_http().lookup(Names::lead_to(["93.184.216.34"]));
    let outcome = SafeFetch::new(&options).unwrap().get(&peer.url("/"), 9).await;
    assert_problem!(outcome, FetchProblem::Address(said) if said == why);
}

#[tokio::test]
async fn what_is_no_https_url_without_extras_is_refused() {
    let names = Names::lead_to(["127.0.0.1"]);
    let fetch = SafeFetch::new(&loopback().lookup(names.clone())).unwrap();
    for url in [
        "",
        "client.example",
        "//client.example/",
        "https://",
        "https:///",
        "https://u@client.example/",
        "https://u:p@client.example/",
        "https://:p@client.example/",
        "https://client.example/#",
        "https://client.example/#f",
        "https://client.example:99999/",
        " https://client.example/",
        "https://client.exa\tmple/",
        "https://client.example/\n",
        "https://client.example/\r\nX-Header: 1",
        "https://client.example/a b",
        "ftp://client.example/",
        "file:///etc/passwd",
        "gopher://client.example/",
        "data:application/json,{}",
        "unix:///run/docker.sock",
        "javascript:1",
    ] {
        assert_problem!(fetch.get(url, 9).await, FetchProblem::Address(_), "{url:?}");
        assert_problem!(fetch.post_form(url, "").await, FetchProblem::Address(_), "{url:?}");
    }
    assert!(names.asked().is_empty(), "{:?}", names.asked());
}

/// However they are written: what the URL parser reads as an address is judged as that address.
const INSIDE: [&str; 44] = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "127%2e0%2e0%2e1",
    "127。0。0。1",
    "①②⑦.⓪.⓪.①",
    "0.0.0.0",
    "0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.169.254",
    "2852039166",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::10.0.0.1]",
    "[64:ff9b:1::1]",
    "[2001::1]",
    "[2001:db8::1]",
    "[2002:7f00:1::]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[ff02::1]",
];

#[tokio::test]
async fn addresses_inside_are_refused_however_they_are_written() {
    let names = Names::lead_to(["93.184.216.34"]);
    let fetch = SafeFetch::new(&FetchOptions::default().lookup(names.clone())).unwrap();
    for host in INSIDE {
        let url = format!("https://{host}/");
        let why = "it is not a public address";
        assert_problem!(fetch.get(&url, 9).await, FetchProblem::Address(said) if said == why, "{url}");
        assert_problem!(fetch.post_form(&url, "").await, FetchProblem::Address(said) if said == why, "{url}");
    }
    assert!(names.asked().is_empty(), "{:?}", names.asked());
}

#[tokio::test]
async fn names_that_lead_inside_are_refused() {
    let peer = peer(Script::says("{}")).await;
    for ips in [
        "127.0.0.1",
        "::1",
        "10.0.0.1",
        "169.254.169.254",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "fe80::1",
        "0.0.0.0",
        // One bad address spoils the name.
        "93.184.216.34 127.0.0.1",
        "127.0.0.1 93.184.216.34",
        "2a00::1 ::1",
    ] {
        let options = trusting(FetchOptions::default()).lookup(Names::lead_to([ips]));
        let fetch = SafeFetch::new(&options).unwrap();
        let why = "it is not a public address";
        let outcome = fetch.get(&peer.url("/"), 9).await;
        assert_problem!(outcome, FetchProblem::Address(said) if said == why, "{ips}");
        let outcome = fetch.post_form(&peer.url("/"), "").await;
        assert_problem!(outcome, FetchProblem::Address(said) if said == why, "{ips}");
    }
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn the_names_of_the_system_are_checked_too() {
    let fetch = SafeFetch::new(&FetchOptions::default()).unwrap();
    assert_problem!(fetch.get("https://localhost/", 9).await, FetchProblem::Address(_));
    let peer = Peer::start(AUTHORITY.certifies("localhost"), Script::says("{}")).await;
    let networks = ["127.0.0.0/8", "::1/128"].map(|n| n.parse().unwrap());
    let fetch = SafeFetch::new(&trusting(FetchOptions::default().allow(networks))).unwrap();
    assert_eq!(fetch.get(&peer.url_at("localhost", "/"), 9).await.unwrap(), b"{}");
}

#[tokio::test]
async fn a_name_without_addresses_leads_nowhere() {
    for names in [Names::lead_to([""]), Names::lead_to([])] {
        let fetch = SafeFetch::new(&loopback().lookup(names)).unwrap();
        assert_problem!(
            fetch.get("https://nowhere.example/", 9).await,
            FetchProblem::Unreachable(_)
        );
    }
}

/// DNS rebinding: whoever owns the name answers differently when asked again, so nobody asks again.
#[tokio::test]
async fn what_was_checked_is_what_is_connected_to() {
    let peer = peer(Script::says("{}")).await;
    let one = || trusting(FetchOptions::default().allow(["127.0.0.1/32".parse().unwrap()]));
    let names = Names::lead_to(["127.0.0.1", "127.0.0.2"]);
    let fetch = SafeFetch::new(&one().lookup(names.clone())).unwrap();
    assert_eq!(fetch.get(&peer.url("/"), 9).await.unwrap(), b"{}");
    assert_eq!(names.asked(), [HOST]);
    // The next request does not rely on what was found for the last one, nor on its connection.
    assert_problem!(fetch.get(&peer.url("/"), 9).await, FetchProblem::Address(_));
    assert_eq!((names.asked().len(), peer.connections()), (2, 1));
    // A refusal is not tried again in the hope of a better answer.
    let names = Names::lead_to(["127.0.0.2", "127.0.0.1"]);
    let fetch = SafeFetch::new(&one().lookup(names.clone())).unwrap();
    assert_problem!(fetch.get(&peer.url("/"), 9).await, FetchProblem::Address(_));
    assert_eq!((names.asked().len(), peer.connections()), (1, 1));
}

#[tokio::test]
async fn of_a_name_with_very_many_addresses_a_few_are_tried() {
    let peer = peer(Script::says("{}")).await;
    for (dead, reached) in [(0, true), (7, true), (8, false), (200, false)] {
        // Nobody listens on these.
        let mut ips: Vec<_> = (0..dead).map(|n| format!("127.0.1.{n}")).collect();
        ips.push("127.0.0.1".into());
        let options = trusting(loopback()).lookup(Names::lead_to([&*ips.join(" ")]));
        let outcome = SafeFetch::new(&options).unwrap().get(&peer.url("/"), 9).await;
        assert_eq!(outcome.is_ok(), reached, "{dead}");
    }
}

#[tokio::test]
async fn the_operator_refuses_more() {
    let peer = peer(Script::says("{}")).await;
    let options = trusting(loopback()).refuse(["127.0.0.1/32".parse().unwrap()]);
    let fetch = SafeFetch::new(&options).unwrap();
    let why = "it is in a network that the operator refuses";
    for url in [peer.url("/"), peer.url_at("127.0.0.1", "/")] {
        assert_problem!(fetch.get(&url, 9).await, FetchProblem::Address(said) if said == why);
    }
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let to = peer(Script::says("{}")).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("Location: {}\r\n", to.url("/"));
        let from = peer(Script::status(status, &location)).await;
        let outcome = fetch().get(&from.url("/"), 9).await;
        assert_problem!(outcome, FetchProblem::Status(code) if code == status);
        let outcome = fetch().post_form(&from.url("/"), "a=b").await;
        assert_problem!(outcome, FetchProblem::Status(code) if code == status);
    }
    assert_eq!(to.connections(), 0);
}

#[tokio::test]
async fn a_get_wants_200_and_a_post_200_or_204() {
    for (status, get, post) in [
        (200, true, true),
        (201, false, false),
        (204, false, true),
        (206, false, false),
        (304, false, false),
        (400, false, false),
        (404, false, false),
        (500, false, false),
    ] {
        let peer = peer(Script::status(status, "")).await;
        for (good, outcome) in [
            (get, fetch().get(&peer.url("/"), 9).await.map(drop)),
            (post, fetch().post_form(&peer.url("/"), "a=b").await),
        ] {
            if good {
                assert!(outcome.is_ok(), "{status}: {outcome:?}");
            } else {
                assert_problem!(outcome, FetchProblem::Status(code) if code == status, "{status}");
            }
        }
    }
}

#[tokio::test]
async fn a_form_is_posted_as_it_is_and_the_answer_is_not_read() {
    let endless = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let peer = peer(Script::floods(endless, "4\r\nabcd\r\n")).await;
    fetch().post_form(&peer.url("/logout"), "logout_token=a.b.c&x=%20").await.unwrap();
    let requests = peer.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    let request = &requests[0];
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "logout_token=a.b.c&x=%20");
    assert!(head.starts_with("POST /logout HTTP/1.1\r\n"), "{head}");
    let head = head.to_lowercase();
    assert!(head.contains("\r\ncontent-type: application/x-www-form-urlencoded\r\n"), "{head}");
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_read_to_its_end() {
    let ok = "HTTP/1.1 200 OK\r\n";
    for script in [
        Script::says("12345678901"),
        Script::floods(format!("{ok}Transfer-Encoding: chunked\r\n\r\n"), "4\r\nabcd\r\n"),
        Script::floods(format!("{ok}Connection: close\r\n\r\n"), "abcd"),
        // The announced length is not believed, nor waited for.
        Script::hangs(format!("{ok}Content-Length: 99999999999\r\n\r\n12345678901")),
    ] {
        let peer = peer(script).await;
        assert_problem!(fetch().get(&peer.url("/"), 10).await, FetchProblem::TooLong(10));
    }
    for body in ["", "1234567890"] {
        let peer = peer(Script::says(body)).await;
        assert_eq!(fetch().get(&peer.url("/"), 10).await.unwrap(), body.as_bytes());
    }
    let peer = peer(Script::says("1")).await;
    assert_problem!(fetch().get(&peer.url("/"), 0).await, FetchProblem::TooLong(0));
}

#[tokio::test]
async fn a_length_that_is_a_lie_gains_nothing() {
    let less = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}and more";
    let peer = peer(Script::closes(less)).await;
    assert_eq!(fetch().get(&peer.url("/"), 9).await.unwrap(), b"{}");
    for broken in [
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        "nonsense\r\n\r\n",
        "",
    ] {
        let peer = self::peer(Script::closes(broken)).await;
        let outcome = fetch().get(&peer.url("/"), 20).await;
        assert_problem!(outcome, FetchProblem::Unreachable(_), "{broken:?}");
    }
}

#[tokio::test]
async fn headers_without_end_are_not_read() {
    let ok = "HTTP/1.1 200 OK\r\n";
    for with in ["X-Header: abcdefghijklmnopqrstuvwxyz\r\n", "abcdefghijklmnopqrstuvwxyz"] {
        let peer = peer(Script::floods(ok, with.repeat(100))).await;
        assert_problem!(fetch().get(&peer.url("/"), 9).await, FetchProblem::Unreachable(_));
    }
    let peer = peer(Script::floods("", "HTTP/1.1 103 Early Hints\r\n\r\n")).await;
    assert_unreachable(hasty().get(&peer.url("/"), 9).await, "took too long");
}

#[tokio::test]
async fn whoever_hangs_is_left() {
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
    for script in [
        Script::hangs(""),
        Script::hangs("HTTP/1.1 200 OK\r\n"),
        Script::hangs(ok),
        // The limit is for the whole: a byte now and then does not keep it alive.
        Script::drips(ok, "x"),
        Script::drips("", "HTTP/1.1 100 Continue\r\n\r\n"),
    ] {
        let peer = peer(script).await;
        assert_unreachable(hasty().get(&peer.url("/"), 2000).await, "took too long");
        assert_eq!(peer.connections(), 1);
    }
    let peer = peer(Script::hangs("")).await;
    assert_unreachable(hasty().post_form(&peer.url("/"), "").await, "took too long");
}

#[tokio::test]
async fn a_connection_that_does_not_come_about_is_given_up() {
    // Plain TCP, which waits for a request and never greets.
    let silent = Peer::start(Tls::none(), Script::hangs("")).await;
    let url = silent.url("/").replace("http:", "https:");
    let options = trusting(loopback())
        .connect_timeout(Duration::from_millis(200))
        .timeout(Duration::from_mins(1));
    let fetch = SafeFetch::new(&options).unwrap();
    assert_unreachable(fetch.get(&url, 9).await, "timed out");
    assert_unreachable(hasty().get(&url, 9).await, "took too long");
    let gone = silent.url("/").replace("http:", "https:");
    drop(silent);
    assert_problem!(fetch.get(&gone, 9).await, FetchProblem::Unreachable(_));
}

#[tokio::test]
async fn a_name_that_is_never_found_is_given_up() {
    struct Never;
    #[async_trait::async_trait]
    impl oauth_core::fetch::Lookup for Never {
        async fn lookup(&self, _: &str) -> std::io::Result<Vec<std::net::IpAddr>> {
            std::future::pending().await
        }
    }
    let options = loopback().lookup(Never).timeout(Duration::from_millis(100));
    let fetch = SafeFetch::new(&options).unwrap();
    assert_unreachable(fetch.get("https://client.example/", 9).await, "took too long");
}

#[tokio::test]
async fn a_server_must_prove_its_name() {
    for (tls, because) in [
        (Authority::new("other").certifies(HOST), "UnknownIssuer"),
        (Authority::new("known").certifies(HOST), "BadSignature"),
        (AUTHORITY.certifies("other.example"), "not valid for name"),
        (AUTHORITY.certified_once(HOST), "expired"),
    ] {
        let peer = Peer::start(tls, Script::says("{}")).await;
        assert_unreachable(fetch().get(&peer.url("/"), 9).await, because);
        assert_unreachable(fetch().post_form(&peer.url("/"), "a=b").await, because);
        assert!(peer.requests().is_empty());
    }
    // By number, too.
    let peer = peer(Script::says("{}")).await;
    let by_number = peer.url_at("127.0.0.1", "/");
    assert_unreachable(fetch().get(&by_number, 9).await, "not valid for name");
    let peer = Peer::start(AUTHORITY.certifies("127.0.0.1"), Script::says("{}")).await;
    assert_eq!(fetch().get(&peer.url_at("127.0.0.1", "/"), 9).await.unwrap(), b"{}");
}

#[tokio::test]
async fn only_authorities_that_are_known_are_believed() {
    let peer = peer(Script::says("{}")).await;
    let stranger = SafeFetch::new(&loopback()).unwrap();
    assert_unreachable(stranger.get(&peer.url("/"), 9).await, "UnknownIssuer");
    // A file may hold several, and there may be several files.
    let both = format!("{}\n{}", Authority::new("another").pem(), AUTHORITY.pem());
    let options = loopback().trust(both.as_bytes()).unwrap();
    let options = options.trust(Authority::new("third").pem().as_bytes()).unwrap();
    let fetch = SafeFetch::new(&options).unwrap();
    assert_eq!(fetch.get(&peer.url("/"), 9).await.unwrap(), b"{}");
}

#[test]
fn a_file_without_usable_certificates_is_refused() {
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    for pem in ["", "nonsense", broken, &key] {
        assert!(FetchOptions::default().trust(pem.as_bytes()).is_err(), "{pem}");
    }
}

/// Runs tests of this module in a process with this environment.
fn again(test: &str, environment: &[(&str, &str)]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("fetch::{test}")]).envs(environment.iter().copied());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains(" 1 passed"), "{text}");
}

#[test]
fn a_system_without_authorities_is_enough() {
    let nowhere = [("SSL_CERT_FILE", "/nonexistent"), ("SSL_CERT_DIR", "/nonexistent")];
    again("only_authorities_that_are_known_are_believed", &nowhere);
}

#[test]
fn proxies_of_the_environment_are_not_used() {
    let proxy = "http://127.0.0.1:1";
    let names =
        ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    let environment = names.map(|name| (name, proxy));
    again("a_document_is_fetched_and_nothing_is_told_but_who_asks", &environment);
    again("plain_http_goes_to_allowed_networks_only_where_the_operator_wants_it", &environment);
}

#[tokio::test]
async fn a_flood_of_requests_does_not_become_a_flood_of_connections() {
    const AT_ONCE: usize = 2;
    const ALL: usize = 7;
    let peer = Peer::gated(AUTHORITY.certifies(HOST), Script::says("{}")).await;
    let options = trusting(loopback()).concurrency(AT_ONCE).timeout(Duration::from_mins(1));
    let fetch = SafeFetch::new(&options).unwrap();
    let url = peer.url("/");
    let tasks: Vec<_> = (0..ALL)
        .map(|_| {
            let (fetch, url) = (fetch.clone(), url.clone());
            tokio::spawn(async move { fetch.get(&url, 9).await })
        })
        .collect();
    // One is answered at a time, and each time exactly one more may come.
    for answered in 0..ALL {
        let come = ALL.min(answered + AT_ONCE);
        while peer.requests().len() < come {
            assert!(!tasks.iter().skip(answered).all(JoinHandle::is_finished), "nobody comes");
            tokio::task::yield_now().await;
        }
        assert_eq!(peer.connections(), come);
        peer.answer(1);
    }
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap(), b"{}");
    }
    assert_eq!((peer.connections(), peer.most_open()), (ALL, AT_ONCE));
}

#[tokio::test]
async fn waiting_for_a_turn_counts_as_time() {
    let peer = peer(Script::hangs("")).await;
    let options = trusting(loopback()).concurrency(1).timeout(Duration::from_millis(200));
    let fetch = SafeFetch::new(&options).unwrap();
    let url = peer.url("/");
    let (one, two) = tokio::join!(fetch.get(&url, 9), fetch.post_form(&url, ""));
    assert_problem!(one, FetchProblem::Unreachable(_));
    assert_problem!(two, FetchProblem::Unreachable(_));
    // Both gave their places back. A busy machine is not always quick enough for that little time.
    let next = self::peer(Script::says("{}")).await;
    let begin = Instant::now();
    let answer = loop {
        match fetch.get(&next.url("/"), 9).await {
            Ok(answer) => break answer,
            Err(problem) => assert!(begin.elapsed() < PATIENCE, "{}", causes(&problem)),
        }
    };
    assert_eq!(answer, b"{}");
}

#[tokio::test]
async fn the_log_has_the_host_and_the_cause_and_nothing_else() {
    let log = Log::default();
    let _listening = log.listen();
    let ok = "HTTP/1.1 200 OK\r\n";
    for (script, cause) in [
        (Script::status(404, "X-Secret: hidden-head\r\n"), "the answer has status 404"),
        (Script::says("hidden-body-hidden-body"), "the answer is longer than 9 bytes"),
        (Script::closes(format!("{ok}Content-Length: 99\r\n\r\nhidden")), "there was no answer: "),
        (Script::closes(""), "there was no answer: error sending request: "),
    ] {
        let peer = peer(script).await;
        let url = peer.url("/hidden-path?secret=hidden-query");
        fetch().get(&url, 9).await.unwrap_err();
        let _ = fetch().post_form(&url, "logout_token=hidden-form").await;
        let text = log.text();
        assert!(text.contains(HOST) && text.contains(cause), "{text}");
        assert!(!text.contains("hidden"), "{text}");
    }
}
