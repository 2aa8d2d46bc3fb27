use super::*;
use crate::{
    discovery::advert::Found,
    keys::{
        Site, Trust,
        testing::{ManualClock, Peer, asking, published},
    },
};
use axum::{Json, response::IntoResponse as _};
use http::StatusCode;
use oauth_core::ports::SystemRandom;
use serde_json::json;
use std::{net::IpAddr, sync::Mutex};
use tokio::sync::Barrier;

fn search() -> Search {
    Search::new(DnsSd::new(), Arc::new(SystemRandom))
}

/// The issuers of a facility whose servers are found at these sites.
fn at(sites: &[&str]) -> Arc<Issuers> {
    let sites = sites.iter().map(|site| Site::parse(site).unwrap()).collect();
    let trust = Trust { sites, discovery: true, ..Trust::default() };
    Issuers::new(trust, asking(&ManualClock::default()))
}

fn found(host: &str, port: u16, selector: &str, priority: usize) -> Found {
    let txt = ["api_proto=http", "api_ver=v1.0"].map(str::to_owned).into_iter();
    let more = [format!("pri={priority}"), format!("api_selector={selector}")];
    Found { host: host.into(), port, addresses: Vec::new(), txt: txt.chain(more).collect() }
}

/// What a search does with what name servers tell it.
async fn hear(search: &mut Search, found: &[Found], issuers: &Issuers) -> bool {
    look(search, &[(Way::Unicast, found, true)], issuers).await
}

/// What a search does with what it hears, way by way, and whether that is everything.
async fn look(search: &mut Search, ways: &[(Way, &[Found], bool)], issuers: &Issuers) -> bool {
    let mut met = Met::default();
    for (way, found, complete) in ways {
        let mut sieve = Sieve::new(&search.how, *way, issuers);
        let adverts = found.iter().filter_map(|found| sieve.advert(found)).collect();
        let heard = Heard { adverts, complete: *complete };
        search.visit(*way, heard, issuers, &mut met).await;
        if !met.answered.is_empty() {
            break;
        }
    }
    let any = !met.told.is_empty();
    search.take(met, issuers);
    any
}

fn facility(issuers: &Issuers) -> Vec<String> {
    issuers.facility().iter().map(|server| server.issuer().to_string()).collect()
}

fn at_address(ip: [u8; 4], found: Found) -> Found {
    Found { addresses: vec![ip.into()], ..found }
}

fn noted(issuers: &Issuers, host: &str) -> Option<Vec<IpAddr>> {
    issuers.asking().http.names().noted(host)
}

/// Whether tokens of this server count.
fn trusted(issuers: &Issuers, server: &Arc<crate::keys::Server>) -> bool {
    issuers.facility().iter().any(|member| Arc::ptr_eq(member, server))
}

/// A server on 127.0.0.1 that goes by this name, on which every selector is an issuer.
async fn tenants(host: &'static str) -> Peer {
    Peer::start(move |port, path: String| async move {
        published(&format!("http://{host}:{port}"), &path)
    })
    .await
}

#[test]
fn r11_pauses_grow_and_are_random() {
    let mut search = Search::new(DnsSd::new(), Arc::new(SystemRandom));
    let calm = search.pause(false).as_secs();
    assert!((540..=600).contains(&calm), "{calm}");
    assert!(search.pause(true).as_secs() <= 2, "nothing in hand: soon");
    let mut seen = std::collections::BTreeSet::new();
    for (failures, most) in [(1, 2), (2, 4), (3, 8), (5, 32), (6, 60), (40, 60), (u32::MAX, 60)] {
        search.failures = failures;
        for _ in 0..50 {
            let pause = search.pause(false).as_secs();
            assert!(pause >= 1 && pause >= most / 2 && pause <= most, "{failures}: {pause}");
            seen.insert(pause);
        }
    }
    assert!(seen.len() > 20, "{seen:?}");
}

#[tokio::test]
async fn r9_a_crowd_of_advertisements_hides_nobody() {
    let (mut search, issuers) = (search(), at(&["127.0.0.1"]));
    let peer = tenants("127.0.0.1").await;
    let mut heard: Vec<_> = (0..100).map(|n| found("evil.example", 1 + n, "", 0)).collect();
    heard.extend((0..100).map(|n| found("127.0.0.1", peer.port, &format!("/{n}"), 0)));
    heard.push(found("127.0.0.1", peer.port, "real", 90));
    assert!(hear(&mut search, &heard, &issuers).await);
    let real = format!("http://127.0.0.1:{}/real", peer.port);
    assert_eq!(facility(&issuers), [&*real]);
    // Nor do better ones, once it is known, of which only so many are followed.
    let mut heard: Vec<_> =
        (0..100).map(|n| found("127.0.0.1", peer.port, &n.to_string(), 1)).collect();
    heard.push(found("127.0.0.1", peer.port, "real", 90));
    assert!(hear(&mut search, &heard, &issuers).await);
    let facility = facility(&issuers);
    assert_eq!((facility.len(), facility.last()), (MOST + 1, Some(&real)));
}

#[tokio::test]
async fn r9_advertisements_are_followed_together() {
    let (mut search, issuers) = (search(), at(&["127.0.0.1"]));
    let all = Arc::new(Barrier::new(MOST));
    // Nobody is answered before everybody has asked.
    let peer = Peer::start(move |port, path: String| {
        let all = all.clone();
        async move {
            all.wait().await;
            published(&format!("http://127.0.0.1:{port}"), &path)
        }
    })
    .await;
    let heard: Vec<_> =
        (0..MOST).map(|n| found("127.0.0.1", peer.port, &n.to_string(), n)).collect();
    assert!(hear(&mut search, &heard, &issuers).await);
    let inorder: Vec<_> =
        (0..MOST).map(|n| format!("http://127.0.0.1:{}/{n}", peer.port)).collect();
    assert_eq!(facility(&issuers), inorder);
}

const HERE: [u8; 4] = [127, 0, 0, 1];
/// Nobody listens there.
const BOGUS: [u8; 4] = [127, 0, 0, 9];

#[tokio::test]
async fn r9_multicast_has_no_say_in_where_other_names_are() {
    let (mut search, issuers) = (search(), at(&["localhost"]));
    let peer = tenants("localhost").await;
    let heard = [at_address(BOGUS, found("localhost", peer.port, "a", 0))];
    assert!(look(&mut search, &[(Way::Multicast, &heard[..], true)], &issuers).await);
    issuers.first().await;
    assert!(issuers.has_keys());
    assert_eq!(noted(&issuers, "localhost"), None);
}

#[tokio::test]
async fn r9_an_address_counts_once_the_host_has_answered_there() {
    let (mut search, issuers) = (search(), at(&["*.local"]));
    let peer = tenants("as1.local").await;
    let server = |ip| at_address(ip, found("as1.local", peer.port, "a", 0));
    assert!(!hear(&mut search, &[server(BOGUS)], &issuers).await);
    assert_eq!(noted(&issuers, "as1.local"), None);
    // Both say they are it.
    assert!(hear(&mut search, &[server(BOGUS), server(HERE)], &issuers).await);
    assert_eq!(noted(&issuers, "as1.local"), Some(vec![HERE.into()]));
    issuers.first().await;
    assert!(issuers.has_keys());
    // Who was found where it is is not looked for elsewhere.
    assert!(hear(&mut search, &[server(BOGUS)], &issuers).await);
    assert_eq!(noted(&issuers, "as1.local"), Some(vec![HERE.into()]));
    // Unless it is not there any more.
    let moved = at(&["*.local"]);
    moved.asking().http.names().note("as1.local", &[BOGUS.into()]);
    assert!(hear(&mut search, &[server(HERE)], &moved).await);
    assert_eq!(noted(&moved, "as1.local"), Some(vec![HERE.into()]));
}

#[tokio::test]
async fn r9_who_is_advertised_no_more_is_nowhere() {
    let (mut search, issuers) = (search(), at(&["*.local"]));
    let (first, second) = (tenants("as1.local").await, tenants("as2.local").await);
    let here = |host, port, selector| at_address(HERE, found(host, port, selector, 0));
    let mut heard = vec![
        here("as2.local", second.port, "a"),
        here("as1.local", first.port, "a"),
        here("as1.local", first.port, "b"),
    ];
    for servers in [3, 2] {
        assert!(hear(&mut search, &heard, &issuers).await);
        assert_eq!(facility(&issuers).len(), servers);
        assert!(noted(&issuers, "as1.local").is_some(), "another is on the same host");
        heard.pop();
    }
    assert!(hear(&mut search, &heard, &issuers).await);
    assert_eq!(noted(&issuers, "as1.local"), None);
    assert!(noted(&issuers, "as2.local").is_some());
}

#[tokio::test]
async fn r10_a_server_that_does_not_answer_stays_while_it_is_advertised() {
    let (mut search, issuers) = (search(), at(&["127.0.0.1"]));
    let mood = Arc::new(Mutex::new(Mood::Good));
    let shared = mood.clone();
    let troubled = Peer::start(move |port, path: String| {
        let mood = *shared.lock().unwrap();
        async move {
            match mood {
                Mood::Good => published(&format!("http://127.0.0.1:{port}"), &path),
                Mood::Fails => StatusCode::SERVICE_UNAVAILABLE.into_response(),
                Mood::Babbles => "starting".into_response(),
                Mood::Unnamed => Json(json!({"status": "starting"})).into_response(),
                Mood::Hangs => std::future::pending().await,
            }
        }
    })
    .await;
    let well = tenants("127.0.0.1").await;
    let heard = [found("127.0.0.1", troubled.port, "a", 0), found("127.0.0.1", well.port, "b", 1)];
    assert!(hear(&mut search, &heard, &issuers).await);
    issuers.first().await;
    let before = issuers.facility();
    assert_eq!(before.len(), 2);
    for (failures, bad) in
        [Mood::Fails, Mood::Babbles, Mood::Unnamed, Mood::Hangs].iter().enumerate()
    {
        *mood.lock().unwrap() = *bad;
        assert!(hear(&mut search, &heard, &issuers).await);
        let now = issuers.facility();
        assert!(now.len() == 2 && Arc::ptr_eq(&now[0], &before[0]), "{bad:?}");
        assert!(trusted(&issuers, &now[0]) && now[0].in_hand().is_some(), "{bad:?}");
        assert_eq!(search.failures as usize, failures + 1, "it is looked for again soon");
        assert!(search.pause(false).as_secs() <= 60);
    }
    // Alone it stays, too.
    assert!(hear(&mut search, &heard[..1], &issuers).await);
    assert!(Arc::ptr_eq(&issuers.facility()[0], &before[0]) && trusted(&issuers, &before[0]));
    assert!(!trusted(&issuers, &before[1]), "advertised no more");
    *mood.lock().unwrap() = Mood::Good;
    assert!(hear(&mut search, &heard, &issuers).await);
    assert!(Arc::ptr_eq(&issuers.facility()[0], &before[0]));
    assert_eq!(search.failures, 0);
    assert!(hear(&mut search, &heard[1..], &issuers).await);
    assert_eq!(facility(&issuers).len(), 1);
    assert!(!trusted(&issuers, &before[0]), "advertised no more");
}

#[derive(Clone, Copy, Debug)]
enum Mood {
    Good,
    Fails,
    Babbles,
    /// Answers, and does not say who it is.
    Unnamed,
    Hangs,
}

/// The issuers of these tenants of a server on 127.0.0.1.
fn at_port(port: u16, tenants: &[&str]) -> Vec<String> {
    tenants.iter().map(|tenant| format!("http://127.0.0.1:{port}/{tenant}")).collect()
}

#[tokio::test]
async fn r10_a_server_that_could_not_be_looked_up_is_not_withdrawn() {
    let (mut search, issuers) = (search(), at(&["127.0.0.1"]));
    let peer = tenants("127.0.0.1").await;
    let heard = [found("127.0.0.1", peer.port, "a", 0), found("127.0.0.1", peer.port, "b", 1)];
    assert!(hear(&mut search, &heard, &issuers).await);
    for failures in 1..4 {
        assert!(look(&mut search, &[(Way::Unicast, &heard[..1], false)], &issuers).await);
        assert_eq!(facility(&issuers), at_port(peer.port, &["a", "b"]));
        assert_eq!(search.failures, failures, "it is looked for again soon");
        assert!(search.pause(false).as_secs() <= 60);
    }
    assert!(hear(&mut search, &heard[..1], &issuers).await);
    assert_eq!(facility(&issuers), at_port(peer.port, &["a"]));
    assert_eq!(search.failures, 0);
}

#[tokio::test]
async fn r10_while_name_servers_fail_multicast_adds_and_takes_nobody_away() {
    let (mut search, issuers) = (search(), at(&["127.0.0.1"]));
    let peer = tenants("127.0.0.1").await;
    let server = |tenant, priority| found("127.0.0.1", peer.port, tenant, priority);
    let named = [server("a", 0), server("b", 1)];
    let local = [server("m", 0), server("n", 1)];
    assert!(hear(&mut search, &named, &issuers).await);
    for failures in 1..4 {
        let ways = [(Way::Unicast, &named[..0], false), (Way::Multicast, &local[..1], true)];
        assert!(look(&mut search, &ways, &issuers).await);
        assert_eq!(facility(&issuers), at_port(peer.port, &["m", "a", "b"]));
        assert_eq!(search.failures, failures);
    }
    // What multicast tells no more goes, whatever is the matter with the name servers.
    for there in [&["n", "m", "a", "b"][..], &["n", "a", "b"]] {
        let ways = [(Way::Unicast, &named[..0], false), (Way::Multicast, &local[1..], true)];
        assert!(look(&mut search, &ways, &issuers).await);
        let mut facility = facility(&issuers);
        facility.sort();
        let mut there = at_port(peer.port, there);
        there.sort();
        assert_eq!(facility, there);
    }
    // Once they answer, theirs is all that counts.
    assert!(hear(&mut search, &named, &issuers).await);
    assert_eq!(facility(&issuers), at_port(peer.port, &["a", "b"]));
    assert_eq!(search.failures, 0);
    // That they know of nobody is an answer, too.
    let ways = [(Way::Unicast, &named[..0], true), (Way::Multicast, &local[..1], true)];
    assert!(look(&mut search, &ways, &issuers).await);
    assert_eq!(facility(&issuers), at_port(peer.port, &["m"]));
}

#[tokio::test]
async fn r10_by_multicast_a_server_may_be_missing_once() {
    let (mut search, issuers) = (search(), at(&["127.0.0.1"]));
    let peer = tenants("127.0.0.1").await;
    let heard = [found("127.0.0.1", peer.port, "a", 0), found("127.0.0.1", peer.port, "b", 1)];
    for (count, there, failures) in [
        (2, &["a", "b"][..], 0),
        (1, &["a", "b"], 1),
        (2, &["a", "b"], 0),
        (1, &["a", "b"], 1),
        (0, &["a", "b"], 2),
        (1, &["a"], 0),
    ] {
        look(&mut search, &[(Way::Multicast, &heard[..count], true)], &issuers).await;
        assert_eq!(facility(&issuers), at_port(peer.port, there), "{count}");
        assert_eq!(search.failures, failures, "{count}");
    }
}

#[tokio::test]
async fn r10_a_server_that_names_another_issuer_goes() {
    for (way, complete) in [(Way::Unicast, true), (Way::Unicast, false), (Way::Multicast, true)] {
        a_server_that_names_another_issuer_goes(way, complete).await;
    }
}

async fn a_server_that_names_another_issuer_goes(way: Way, complete: bool) {
    let (mut search, issuers) = (search(), at(&["127.0.0.1"]));
    let name = Arc::new(Mutex::new("127.0.0.1"));
    let shared = name.clone();
    let turncoat = Peer::start(move |port, path: String| {
        let name = *shared.lock().unwrap();
        async move { published(&format!("http://{name}:{port}"), &path) }
    })
    .await;
    let well = tenants("127.0.0.1").await;
    let heard = [found("127.0.0.1", turncoat.port, "a", 0), found("127.0.0.1", well.port, "b", 1)];
    assert!(look(&mut search, &[(way, &heard[..], true)], &issuers).await);
    let before = issuers.facility();
    *name.lock().unwrap() = "evil.example";
    assert!(look(&mut search, &[(way, &heard[..], complete)], &issuers).await);
    assert_eq!(facility(&issuers).len(), 1);
    assert!(!trusted(&issuers, &before[0]) && trusted(&issuers, &before[1]));
    assert_eq!(search.failures, u32::from(!complete));
}

#[tokio::test]
async fn r9_who_is_not_known_and_does_not_answer_is_not_taken() {
    let (mut search, issuers) = (search(), at(&["127.0.0.1"]));
    let well = tenants("127.0.0.1").await;
    let failing = Peer::start(async |_, _: String| StatusCode::BAD_GATEWAY.into_response()).await;
    let heard = [found("127.0.0.1", failing.port, "a", 0), found("127.0.0.1", well.port, "b", 1)];
    assert!(!hear(&mut search, &heard[..1], &issuers).await);
    assert_eq!((facility(&issuers).len(), search.failures), (0, 1));
    assert!(hear(&mut search, &heard, &issuers).await);
    assert_eq!((facility(&issuers).len(), search.failures), (1, 0));
}
