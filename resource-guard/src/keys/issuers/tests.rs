use super::*;
use crate::keys::testing::{ManualClock, Peer, WELL_KNOWN, asking, published};
use axum::response::IntoResponse as _;
use http::StatusCode;
use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicUsize, Ordering},
};
use tokio::net::TcpSocket;

fn open(sites: impl IntoIterator<Item = String>, clock: &ManualClock) -> Arc<Issuers> {
    let sites = sites.into_iter().map(|site| Site::parse(&site).unwrap()).collect();
    Issuers::new(Trust { sites, ..Trust::default() }, asking(clock))
}

/// Lets a token introduce an issuer: whether somebody is asked for that. Comes back when the answer is there.
async fn introduce(issuers: &Issuers, issuer: &str, clock: &ManualClock) -> bool {
    let now = clock.now();
    issuers.meet(issuer, now).err();
    let guests = issuers.guests.lock().unwrap().clone();
    let asked: Vec<_> =
        guests.iter().filter(|guest| guest.cache.standing(now) == Standing::Asking).collect();
    assert!(asked.len() <= 1, "one at a time");
    for guest in &asked {
        guest.cache.first().await;
    }
    !asked.is_empty()
}

fn guests(issuers: &Issuers) -> usize {
    issuers.guests.lock().unwrap().len()
}

/// A port on every address of this machine on which nobody listens, nor will.
fn dead_port() -> (TcpSocket, u16) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::UNSPECIFIED, 0).into()).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}

#[tokio::test]
async fn r13_nobody_answers_under_any_name() {
    let clock = ManualClock::default();
    let (_socket, port) = dead_port();
    let issuers = open([format!("127.0.0.1:{port}")], &clock);
    let mut attempts = 0;
    for second in 0..600 {
        let issuer = format!("http://127.0.0.1:{port}/{second}");
        attempts += usize::from(introduce(&issuers, &issuer, &clock).await);
        assert_eq!(guests(&issuers), 1, "failures are of the server");
        clock.advance(1);
    }
    assert!((10..=40).contains(&attempts), "{attempts} in ten minutes");
}

#[tokio::test]
async fn r13_a_server_that_knows_nothing_of_an_issuer_is_asked_for_others() {
    let clock = ManualClock::default();
    let peer = Peer::start(async |port, path: String| match path.as_str() {
        "/jwks" | "/.well-known/oauth-authorization-server/good" => {
            published(&format!("http://127.0.0.1:{port}"), &path)
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    })
    .await;
    let issuers = open([format!("127.0.0.1:{}", peer.port)], &clock);
    let issuer = |path: &str| format!("http://127.0.0.1:{}/{path}", peer.port);
    let mut attempts = 0;
    for second in 0..120 {
        attempts += usize::from(introduce(&issuers, &issuer(&second.to_string()), &clock).await);
        assert_eq!(guests(&issuers), 1);
        clock.advance(1);
    }
    assert!((60..=120).contains(&attempts), "{attempts} in two minutes");
    while !introduce(&issuers, &issuer("bad"), &clock).await {
        clock.advance(1);
    }
    let refused = issuers.meet(&issuer("bad"), clock.now()).err();
    assert!(matches!(refused, Some(Rejection::Issuer)), "{refused:?}");
    let waiting = issuers.meet(&issuer("good"), clock.now()).err();
    assert!(matches!(waiting, Some(Rejection::Unavailable { .. })), "{waiting:?}: not asked yet");
    clock.advance(2);
    assert!(introduce(&issuers, &issuer("good"), &clock).await);
    assert!(issuers.known(&issuer("good")).is_some());
}

#[tokio::test]
async fn r13_seats_are_not_taken_from_those_who_rest() {
    let clock = ManualClock::default();
    let (_socket, port) = dead_port();
    let host = |n: usize| format!("127.0.1.{n}:{port}");
    let issuers = open((1..=200).map(host), &clock);
    let issuer = |n: usize| format!("http://{}", host(n));
    for n in 1..=MOST_GUESTS {
        assert!(introduce(&issuers, &issuer(n), &clock).await, "{n}");
    }
    for n in MOST_GUESTS + 1..=200 {
        assert!(!introduce(&issuers, &issuer(n), &clock).await, "{n}");
        let waiting = issuers.meet(&issuer(n), clock.now()).err();
        assert!(matches!(waiting, Some(Rejection::Unavailable { .. })), "{waiting:?}");
    }
    assert_eq!(guests(&issuers), MOST_GUESTS);
    // Somebody else has a turn in time, and everybody together never has many.
    let mut attempts = [0; 3];
    for (round, attempts) in attempts.iter_mut().enumerate() {
        for second in 0..300 {
            let n = MOST_GUESTS + 1 + (round * 300 + second) % 150;
            *attempts += usize::from(introduce(&issuers, &issuer(n), &clock).await);
            clock.advance(1);
        }
    }
    assert_eq!(guests(&issuers), MOST_GUESTS);
    assert!(attempts[0] > MOST_GUESTS && attempts[2] <= 260, "{attempts:?} in five minutes each");
}

#[tokio::test]
async fn r13_who_has_keys_stays() {
    let clock = ManualClock::default();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let peer = Peer::start(move |port, path: String| {
        counter.fetch_add(usize::from(path.starts_with(WELL_KNOWN)), Ordering::SeqCst);
        async move { published(&format!("http://127.0.0.1:{port}"), &path) }
    })
    .await;
    let issuers = open([format!("127.0.0.1:{}", peer.port)], &clock);
    let issuer = |n: usize| format!("http://127.0.0.1:{}/{n}", peer.port);
    for n in 0..2 * MOST_GUESTS {
        assert_eq!(introduce(&issuers, &issuer(n), &clock).await, n < MOST_GUESTS, "{n}");
    }
    assert_eq!(guests(&issuers), MOST_GUESTS);
    assert_eq!(asked.load(Ordering::SeqCst), MOST_GUESTS);
    let refused = issuers.meet(&issuer(MOST_GUESTS), clock.now()).err();
    assert!(matches!(refused, Some(Rejection::Issuer)), "{refused:?}");
    assert!((0..MOST_GUESTS).all(|n| issuers.known(&issuer(n)).is_some()));
}
