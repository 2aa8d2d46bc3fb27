//! AMWA IS-10: whose keys a resource server uses, when it fetches them, and whom it asks at all.

use crate::support::{
    Behaviour, JWKS, ManualClock, OAUTH, OPENID, PATIENCE, Peer, RSA, SOON, START, answers, app,
    call, new_key, node, node_claims, node_of,
};
use axum::Router;
use futures_util::FutureExt as _;
use http::{StatusCode, header};
use oauth_core::jose::GeneratedKey;
use resource_guard::{ConfigProblem, DnsSd, Guard, GuardBuilder, Random, SigningAlgorithm};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

const HOUR: i64 = 3_600;

fn signed(key: &GeneratedKey, issuer: &str, changes: &Value) -> String {
    key.signer.sign("JWT", &node_claims(issuer, changes)).unwrap()
}

/// A token that lives for a thousand hours.
fn lasting(issuer: &str) -> String {
    signed(&RSA, issuer, &json!({"exp": START + 1_000 * HOUR}))
}

/// Such a token by a key that nobody knows.
fn unknown(issuer: &str) -> String {
    let changes = json!({"exp": START + 1_000 * HOUR});
    signed(&new_key(SigningAlgorithm::RS512), issuer, &changes)
}

fn ok() -> (u16, String) {
    (200, String::new())
}

fn refused() -> (u16, String) {
    (401, "invalid_token".to_owned())
}

fn later() -> (u16, String) {
    (503, "temporarily_unavailable".to_owned())
}

/// Lets tokens introduce issuers where these servers are.
fn open_to<'p>(builder: GuardBuilder, peers: impl IntoIterator<Item = &'p Peer>) -> GuardBuilder {
    let site = |peer: &Peer| peer.issuer().trim_start_matches("http://").to_owned();
    peers.into_iter().fold(builder, |builder, peer| builder.trust_issuers_on(site(peer)))
}

/// A node that trusts nobody by name, and lets tokens introduce issuers where these servers are.
fn open_node<'p>(peers: impl IntoIterator<Item = &'p Peer>) -> (Router, ManualClock) {
    let (builder, clock) = node();
    (app(open_to(builder, peers).build().unwrap().nmos()), clock)
}

/// The same, where somebody hangs.
fn hasty_open_node<'p>(peers: impl IntoIterator<Item = &'p Peer>) -> (Router, ManualClock) {
    let (builder, clock) = node();
    (app(open_to(builder.timeout(SOON), peers).build().unwrap().nmos()), clock)
}

/// What becomes of a token once the server it introduces has answered, or not.
async fn settled(app: &Router, token: &str) -> (u16, String) {
    let patience = tokio::time::Instant::now() + PATIENCE;
    loop {
        let answer = answers(app, token).await;
        if answer.0 != 503 {
            return answer;
        }
        assert!(tokio::time::Instant::now() < patience, "still 503");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn publishing(key: &GeneratedKey) -> Peer {
    let peer = Peer::start().await;
    peer.publishes([key]);
    peer
}

/// What a server does instead of what it should.
type Misbehaviour<'a> = Box<dyn Fn(&Peer) + 'a>;

/// Always the same numbers.
struct Loaded(u8);

impl Random for Loaded {
    fn fill(&self, out: &mut [u8]) {
        out.fill(0);
        out[0] = self.0;
    }
}

#[tokio::test]
async fn r10_refreshed_hourly_up_to_a_minute_earlier() {
    for (dice, early) in [(0, 0), (17, 17), (60, 60), (61, 0)] {
        let peer = publishing(&RSA).await;
        let (builder, clock) = node();
        let builder = builder.random(Arc::new(Loaded(dice))).trust_issuer(peer.issuer());
        let app = app(builder.build().unwrap().nmos());
        assert_eq!(answers(&app, &lasting(peer.issuer())).await, ok());
        clock.advance(HOUR - early - 1);
        assert_eq!(answers(&app, &lasting(peer.issuer())).await, ok());
        assert_eq!(peer.count(JWKS), 1, "not before time");
        clock.advance(early + 1);
        peer.publishes([&new_key(SigningAlgorithm::RS512)]);
        assert_eq!(answers(&app, &lasting(peer.issuer())).await, ok(), "nobody waits for it");
        // Who comes with a key that nobody knows does.
        assert_eq!(answers(&app, &unknown(peer.issuer())).await, refused());
        assert_eq!(answers(&app, &lasting(peer.issuer())).await, refused(), "the new set counts");
        assert_eq!(peer.count(JWKS), 2);
    }
}

#[tokio::test]
async fn r10_a_short_refresh_is_never_due_at_once() {
    let peer = publishing(&RSA).await;
    let (builder, _) = node();
    let builder = builder.random(Arc::new(Loaded(1))).refresh_keys_every(Duration::from_secs(1));
    let app = app(builder.trust_issuer(peer.issuer()).build().unwrap().nmos());
    // Who comes with a key that nobody knows waits for the fetch under way, if there is one.
    let unknown = unknown(peer.issuer());
    for _ in 0..10 {
        assert_eq!(answers(&app, &lasting(peer.issuer())).await, ok());
        assert_eq!(answers(&app, &unknown).await, refused());
    }
    assert_eq!(peer.count(JWKS), 1, "in one second, one fetch");
}

#[tokio::test]
async fn r10_old_keys_stay_while_nobody_answers() {
    let (peer, app, clock) = node_of().await;
    assert_eq!(answers(&app, &lasting(peer.issuer())).await, ok());
    peer.set(OAUTH, Behaviour::Fails(StatusCode::BAD_GATEWAY));
    for _ in 0..50 {
        clock.advance(HOUR);
        assert_eq!(answers(&app, &lasting(peer.issuer())).await, ok());
    }
}

#[tokio::test]
async fn r10_other_servers_host_the_keys_of_one_that_is_down() {
    let (first, second) = (Peer::start().await, Peer::start().await);
    let own = new_key(SigningAlgorithm::RS512);
    first.set(OAUTH, Behaviour::Hangs);
    second.publishes([&own, &*RSA]);
    let (builder, _) = node();
    let builder = builder.trust_issuer(first.issuer()).trust_issuer(second.issuer());
    let app = app(builder.timeout(SOON).build().unwrap().nmos());
    assert_eq!(answers(&app, &lasting(first.issuer())).await, later(), "nobody was asked before");
    assert_eq!(answers(&app, &signed(&own, second.issuer(), &json!({}))).await, ok());
    assert_eq!(answers(&app, &lasting(first.issuer())).await, ok());
    // Who is not trusted at all is not helped by keys that are hosted.
    assert_eq!(answers(&app, &lasting("https://elsewhere.example")).await, refused());
}

#[tokio::test]
async fn r10_several_servers_each_with_its_own_keys() {
    let keys = [new_key(SigningAlgorithm::RS512), new_key(SigningAlgorithm::RS512)];
    let peers = [publishing(&keys[0]).await, publishing(&keys[1]).await];
    let (mut builder, _) = node();
    for peer in &peers {
        builder = builder.trust_issuer(peer.issuer());
    }
    let guard = builder.start().await.unwrap();
    let app = app(guard.nmos());
    for (peer, key) in peers.iter().zip(&keys) {
        assert_eq!(peer.count(JWKS), 1, "fetched at the start");
        assert_eq!(answers(&app, &signed(key, peer.issuer(), &json!({}))).await, ok());
    }
    let stranger = new_key(SigningAlgorithm::RS512);
    assert_eq!(answers(&app, &signed(&stranger, peers[0].issuer(), &json!({}))).await, refused());
}

#[tokio::test]
async fn r11_attempts_become_rare_while_nobody_answers() {
    let (peer, app, clock) = node_of().await;
    peer.set(OAUTH, Behaviour::Fails(StatusCode::SERVICE_UNAVAILABLE));
    let token = lasting(peer.issuer());
    let mut attempts = Vec::new();
    for _ in 0..600 {
        assert_eq!(answers(&app, &token).await, later());
        attempts.push(peer.count(OAUTH));
        clock.advance(1);
    }
    assert!((5..=12).contains(&attempts[59]), "{} in the first minute", attempts[59]);
    assert!((1..=3).contains(&(attempts[599] - attempts[539])));
}

#[tokio::test]
async fn r12_keys_at_hand_are_tried_before_anything_is_fetched() {
    let (first, second) = (publishing(&RSA).await, Peer::start().await);
    let rolled = new_key(SigningAlgorithm::RS512);
    second.publishes([&rolled]);
    let (builder, clock) = node();
    let builder = builder.trust_issuer(first.issuer()).trust_issuer(second.issuer());
    let guard = builder.start().await.unwrap();
    let app = app(guard.nmos());
    clock.advance(40);
    // The key is new at the first server, and the second hosts it already.
    assert_eq!(answers(&app, &signed(&rolled, first.issuer(), &json!({}))).await, ok());
    assert_eq!((first.count(JWKS), second.count(JWKS)), (1, 1));
    // A key that nobody has leads to one fetch in a while, at the issuer alone.
    for _ in 0..5 {
        assert_eq!(answers(&app, &unknown(first.issuer())).await, refused());
    }
    assert_eq!((first.count(JWKS), second.count(JWKS)), (2, 1));
}

#[tokio::test]
async fn r12_nobody_is_asked_again_for_a_token_that_cannot_be_good() {
    let (peer, app, clock) = node_of().await;
    assert_eq!(answers(&app, &lasting(peer.issuer())).await, ok());
    clock.advance(40);
    let stranger = new_key(SigningAlgorithm::RS512);
    for bad in [
        json!({"exp": START + 40}),
        json!({"exp": null}),
        json!({"iat": START + 41}),
        json!({"nbf": START + 41}),
        json!({"aud": ["node2.example"]}),
    ] {
        assert_eq!(
            answers(&app, &signed(&stranger, peer.issuer(), &bad)).await,
            refused(),
            "{bad}"
        );
    }
    assert_eq!(peer.count(JWKS), 1);
    assert_eq!(answers(&app, &signed(&stranger, peer.issuer(), &json!({}))).await, refused());
    assert_eq!(peer.count(JWKS), 2);
}

#[tokio::test]
async fn r12_a_key_that_its_issuer_withdrew_does_not_live_on_elsewhere() {
    let (first, second) = (publishing(&RSA).await, Peer::start().await);
    let (own, fresh) = (new_key(SigningAlgorithm::RS512), new_key(SigningAlgorithm::RS512));
    second.publishes([&own, &*RSA]);
    let (builder, clock) = node();
    let builder = builder.trust_issuer(first.issuer()).trust_issuer(second.issuer());
    let guard = builder.start().await.unwrap();
    let app = app(guard.nmos());
    let token = lasting(first.issuer());
    assert_eq!(answers(&app, &token).await, ok());
    first.publishes([&fresh]);
    clock.advance(40);
    assert_eq!(answers(&app, &token).await, ok(), "the guard cannot know yet");
    // A key that is new leads to the set without the old one.
    assert_eq!(answers(&app, &signed(&fresh, first.issuer(), &json!({}))).await, ok());
    assert_eq!(answers(&app, &token).await, refused(), "what is remembered is not, either");
    // For its own tokens the other server still has the key.
    assert_eq!(answers(&app, &lasting(second.issuer())).await, ok());
    // However often the other one says so afterwards. Who comes with a key that nobody knows waits for what is fetched.
    clock.advance(HOUR);
    for peer in [&first, &second] {
        let before = peer.count(JWKS);
        assert_eq!(answers(&app, &unknown(peer.issuer())).await, refused());
        assert!(peer.count(JWKS) > before);
    }
    assert_eq!(answers(&app, &lasting(first.issuer())).await, refused());
    assert_eq!(answers(&app, &lasting(second.issuer())).await, ok());
}

#[tokio::test]
async fn r13_a_token_introduces_its_issuer() {
    let peer = publishing(&RSA).await;
    let (app, _) = open_node([&peer]);
    let token = lasting(peer.issuer());
    let path = "/x-nmos/connection/v1.1/bulk";
    let first = call(&app, "GET", path, &token).await;
    assert_eq!(first.nmos_error(), (503, "temporarily_unavailable".to_owned()));
    assert_eq!(first.headers[header::RETRY_AFTER], "1");
    assert_eq!(settled(&app, &token).await, ok());
    assert_eq!((peer.count(OAUTH), peer.count(JWKS)), (1, 1));
}

#[tokio::test]
async fn r13_only_allowed_hosts_are_asked() {
    let peer = publishing(&RSA).await;
    // That of the peer is not the usual port, and wants to be named.
    for hosts in [
        &["as.example", "*.0.0.1.example"][..],
        &["127.0.0.2"],
        &["127.0.0.1", "127.0.0.1:80", "127.0.0.1:443"],
        &[],
    ] {
        let (mut builder, _) = node();
        builder = builder.trust_issuer("https://as.example");
        for host in hosts {
            builder = builder.trust_issuers_on(*host);
        }
        let app = app(builder.build().unwrap().nmos());
        assert_eq!(answers(&app, &lasting(peer.issuer())).await, refused());
    }
    let (app, _) = open_node([&peer]);
    let port = peer.issuer().rsplit(':').next().unwrap();
    for issuer in [
        format!("http://user@127.0.0.1:{port}"),
        format!("http://127.0.0.1:{port}?x"),
        format!("http://127.0.0.1:{port}#x"),
        format!("http://127.0.0.1.evil.example:{port}"),
        format!("http://localhost:{port}"),
        format!("https://localhost:{port}"),
        "http://127.0.0.1:81".to_owned(),
        format!("ftp://127.0.0.1:{port}"),
        "https://127.0.0.1@evil.example".to_owned(),
        format!("http://127.0.0.1:{port}/{}", "x".repeat(600)),
        "127.0.0.1".to_owned(),
    ] {
        assert_eq!(answers(&app, &lasting(&issuer)).await, refused(), "{issuer}");
    }
    assert_eq!((peer.count(OAUTH), peer.count(OPENID), peer.count(JWKS)), (0, 0, 0));
}

#[tokio::test]
async fn r13_a_guest_leads_nowhere_else_than_a_token_may() {
    let (guest, other) = (publishing(&RSA).await, publishing(&RSA).await);
    let elsewhere = json!({"issuer": guest.issuer(), "jwks_uri": other.url(JWKS)});
    guest.set(OAUTH, Behaviour::Serves(elsewhere));
    let token = lasting(guest.issuer());
    let (narrow, _) = open_node([&guest]);
    assert_eq!(settled(&narrow, &token).await, refused());
    assert_eq!((guest.count(OAUTH), other.asked()), (1, 0));
    let (wide, _) = open_node([&guest, &other]);
    assert_eq!(settled(&wide, &token).await, ok());
    assert_eq!(other.asked(), 1);
    // A server that is named has its keys where it says.
    let named = app(node().0.trust_issuer(guest.issuer()).build().unwrap().nmos());
    assert_eq!(answers(&named, &token).await, ok());
    assert_eq!(other.asked(), 2);
}

#[tokio::test]
async fn r13_nobody_is_asked_for_a_token_that_cannot_be_good() {
    let peer = publishing(&RSA).await;
    let (app, _) = open_node([&peer]);
    for bad in [
        json!({"exp": START}),
        json!({"exp": null}),
        json!({"iat": START + 1}),
        json!({"nbf": START + 1}),
        json!({"aud": ["node2.example"]}),
        json!({"aud": null}),
    ] {
        let answer = answers(&app, &signed(&RSA, peer.issuer(), &bad)).await;
        assert_eq!(answer, refused(), "{bad}: an unproven token is not told more than that");
    }
    let es256 = crate::support::sign(&crate::support::KEY, &node_claims(peer.issuer(), &json!({})));
    assert_eq!(answers(&app, &es256).await, refused());
    assert_eq!(peer.count(OAUTH), 0);
}

#[tokio::test]
async fn r13_one_issuer_at_a_time() {
    let (slow, quick) = (publishing(&RSA).await, publishing(&RSA).await);
    let (app, _) = hasty_open_node([&slow, &quick]);
    slow.set(OAUTH, Behaviour::Hangs);
    let (of_slow, of_quick) = (lasting(slow.issuer()), lasting(quick.issuer()));
    assert_eq!(answers(&app, &of_slow).await, later());
    // While one is being asked, the others wait for their turn.
    let mut turns = 0;
    loop {
        let first = answers(&app, &of_quick).await;
        let asked = quick.asked();
        if answers(&app, &of_slow).await == refused() {
            break;
        }
        assert_eq!((first, asked), (later(), 0), "turn {turns}");
        turns += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(turns > 1, "only {turns} turns while one was being asked");
    assert_eq!(settled(&app, &of_quick).await, ok());
    assert_eq!((slow.asked(), quick.count(OAUTH)), (1, 1), "nobody is asked twice");
}

#[tokio::test]
async fn r13_old_keys_of_a_guest_stay_while_it_does_not_answer() {
    let peer = publishing(&RSA).await;
    let (app, clock) = open_node([&peer]);
    let token = lasting(peer.issuer());
    assert_eq!(settled(&app, &token).await, ok());
    peer.set(OAUTH, Behaviour::Fails(StatusCode::BAD_GATEWAY));
    clock.advance(2 * HOUR);
    assert_eq!(answers(&app, &token).await, later(), "nobody looked after them, and nobody waits");
    assert_eq!(settled(&app, &token).await, ok());
}

#[tokio::test]
async fn r13_nobody_waits_for_a_guest_that_has_keys() {
    let peer = publishing(&RSA).await;
    let (app, clock) = open_node([&peer]);
    let token = lasting(peer.issuer());
    assert_eq!(settled(&app, &token).await, ok());
    // A new key is fetched meanwhile.
    let next = new_key(SigningAlgorithm::RS512);
    peer.publishes([&*RSA, &next]);
    clock.advance(30);
    let rolled = signed(&next, peer.issuer(), &json!({"exp": START + 1_000 * HOUR}));
    assert_eq!(answers(&app, &rolled).now_or_never(), Some(later()));
    assert_eq!(settled(&app, &rolled).await, ok());
    // Whoever makes keys up holds nobody, and least of all those with good ones.
    peer.set(JWKS, Behaviour::Hangs);
    clock.advance(30);
    for _ in 0..3 {
        assert_eq!(answers(&app, &unknown(peer.issuer())).now_or_never(), Some(later()));
        assert_eq!(answers(&app, &token).now_or_never(), Some(ok()));
    }
}

#[tokio::test]
async fn r13_nobody_waits_for_a_guest_that_was_forsaken() {
    let peer = publishing(&RSA).await;
    let (app, clock) = open_node([&peer]);
    let token = lasting(peer.issuer());
    assert_eq!(settled(&app, &token).await, ok());
    peer.publishes([&new_key(SigningAlgorithm::RS512)]);
    clock.advance(2 * HOUR);
    assert_eq!(answers(&app, &token).now_or_never(), Some(later()));
    assert_eq!(settled(&app, &token).await, refused(), "its keys are others now");
}

#[tokio::test]
async fn r14_still_unverifiable_is_refused() {
    let evil = publishing(&RSA).await;
    let ten_megabytes = json!({"filler": "x".repeat(10 * 1024 * 1024), "keys": []});
    let lies = |peer: &Peer| json!({"issuer": evil.issuer(), "jwks_uri": peer.url(JWKS)});
    let cases: [(&str, Misbehaviour<'_>); 9] = [
        ("hangs", Box::new(|p| p.set(OAUTH, Behaviour::Hangs))),
        ("keys hang", Box::new(|p| p.set(JWKS, Behaviour::Hangs))),
        ("lies", Box::new(|p| p.set(OAUTH, Behaviour::Serves(lies(p))))),
        (
            "redirects",
            Box::new(|p| {
                p.set(OAUTH, Behaviour::Redirects(evil.url(OAUTH)));
                p.set(OPENID, Behaviour::Redirects(evil.url(OAUTH)));
            }),
        ),
        ("keys redirect", Box::new(|p| p.set(JWKS, Behaviour::Redirects(evil.url(JWKS))))),
        ("metadata of 10 MB", Box::new(|p| p.set(OAUTH, Behaviour::Serves(ten_megabytes.clone())))),
        ("keys of 10 MB", Box::new(|p| p.set(JWKS, Behaviour::Serves(ten_megabytes.clone())))),
        ("no keys", Box::new(|p| p.set(JWKS, Behaviour::Serves(json!({"keys": []}))))),
        ("other keys", Box::new(|p| p.publishes([&new_key(SigningAlgorithm::RS512)]))),
    ];
    for (what, misbehave) in &cases {
        let peer = publishing(&RSA).await;
        let (app, _) = hasty_open_node([&peer]);
        misbehave(&peer);
        let token = lasting(peer.issuer());
        assert_eq!(answers(&app, &token).await, later(), "{what}");
        assert_eq!(settled(&app, &token).await, refused(), "{what}");
        // And it is not asked again at once.
        let asked = peer.count(OAUTH);
        for _ in 0..5 {
            assert_eq!(answers(&app, &token).await, refused(), "{what}");
        }
        assert_eq!(peer.count(OAUTH), asked, "{what}");
    }
    assert_eq!((evil.count(OAUTH), evil.count(JWKS)), (0, 0));
}

#[tokio::test]
async fn r14_a_guest_that_failed_gets_another_chance() {
    let peer = publishing(&RSA).await;
    let (app, clock) = open_node([&peer]);
    peer.set(OAUTH, Behaviour::Fails(StatusCode::BAD_GATEWAY));
    let token = lasting(peer.issuer());
    assert_eq!(settled(&app, &token).await, refused());
    peer.set(OAUTH, Behaviour::Serves(peer.metadata()));
    clock.advance(61);
    assert_eq!(answers(&app, &token).await, later());
    assert_eq!(settled(&app, &token).await, ok());
}

#[tokio::test]
async fn r14_a_guest_vouches_for_itself_alone() {
    let guest_key = new_key(SigningAlgorithm::RS512);
    let (facility, guest) = (publishing(&RSA).await, Peer::start().await);
    guest.publishes([&guest_key, &*RSA]);
    let (builder, _) = node();
    let other = publishing(&new_key(SigningAlgorithm::RS512)).await;
    let builder = open_to(builder.trust_issuer(facility.issuer()), [&guest, &other]);
    let app = app(builder.build().unwrap().nmos());
    assert_eq!(answers(&app, &lasting(facility.issuer())).await, ok());
    assert_eq!(settled(&app, &signed(&guest_key, guest.issuer(), &json!({}))).await, ok());
    // Its key is no key of the facility, and the facility's keys are none of another guest.
    assert_eq!(answers(&app, &signed(&guest_key, facility.issuer(), &json!({}))).await, refused());
    assert_eq!(settled(&app, &lasting(other.issuer())).await, refused());
}

#[tokio::test]
async fn r13_introductions_are_bounded() {
    let (failing, peer) = (Peer::start().await, publishing(&RSA).await);
    let (app, clock) = open_node([&failing, &peer]);
    // Whatever its issuers are called, it is one server that knows none of them.
    let issuer = |n: usize| format!("{}/{n}", failing.issuer());
    assert_eq!(settled(&app, &lasting(&issuer(0))).await, refused());
    assert_eq!(failing.asked(), 2, "in both places");
    for n in 1..100 {
        assert_eq!(answers(&app, &lasting(&issuer(n))).await, later(), "{n}");
    }
    assert_eq!(settled(&app, &lasting(peer.issuer())).await, ok(), "others are not in the way");
    assert_eq!(failing.asked(), 2, "it is left alone");
    clock.advance(2);
    assert_eq!(settled(&app, &lasting(&issuer(100))).await, refused());
    assert_eq!(failing.asked(), 4);
    assert_eq!(answers(&app, &lasting(&issuer(0))).await, later(), "the last one is remembered");
    assert_eq!(failing.asked(), 4);
}

#[tokio::test]
async fn r9_advertisements_need_something_to_be_believed_by() {
    let discovery =
        |builder: GuardBuilder| builder.discover(DnsSd::new().every(Duration::from_hours(1)));
    let bare = discovery(Guard::nmos_node("node1.example")).start().await.unwrap_err();
    assert!(matches!(bare, ConfigProblem::Discovery(_)), "{bare}");
    let lazy = discovery(Guard::nmos_node("node1.example").trust_issuers_on("*.example"));
    assert!(matches!(lazy.build().unwrap_err(), ConfigProblem::Discovery(_)));
}

#[tokio::test]
async fn r9_nothing_is_decided_before_a_server_is_found() {
    let peer = publishing(&RSA).await;
    let nowhere = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let how = DnsSd::new().unicast_only().name_server(nowhere).domain("example");
    let (builder, _) = node();
    let guard = builder.trust_issuers_on("as.example").discover(how).start().await.unwrap();
    assert_eq!(answers(&app(guard.nmos()), &lasting(peer.issuer())).await, later());
    assert_eq!(peer.count(OAUTH), 0);
}
