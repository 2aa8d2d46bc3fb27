//! Guessing passwords: counted for accounts and addresses, across restarts, without telling which accounts exist.

use crate::support::{Server, form_request, header_of, json, start, start_in};
use axum::extract::ConnectInfo;
use futures_util::future::join_all;
use oauth_core::ports::SignIn;
use oauth_server::{
    address::ClientAddress,
    throttle::{Admission, Subject},
};
use std::{net::SocketAddr, time::Duration};

const LIMITS: &str = "[throttle]\naccount_attempts = 3\naddress_attempts = 5\nsignup_attempts = 2\nfirst_delay = \"2s\"\nlongest_delay = \"1m\"\nforget_after = \"1h\"\n";

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

async fn admit(server: &Server, subject: &Subject) -> Admission {
    server.state.throttle.admit(subject).await.unwrap()
}

async fn sign_in(server: &Server, name: &str, password: &str) -> SignIn {
    server.state.users.sign_in(name, password).await.unwrap()
}

#[tokio::test]
async fn waits_double_up_to_the_longest_and_are_forgotten() {
    let server = start(LIMITS).await;
    let alice = Subject::account("alice");
    for _ in 0..3 {
        assert_eq!(admit(&server, &alice).await, Admission::Admitted);
    }
    for wait in [2, 4, 8, 16, 32, 60, 60] {
        assert_eq!(admit(&server, &alice).await, Admission::Admitted, "before {wait}");
        assert_eq!(admit(&server, &alice).await, Admission::Wait(wait));
        server.clock.advance(seconds(wait - 1));
        assert_eq!(
            admit(&server, &alice).await,
            Admission::Wait(1),
            "asking does not make it longer"
        );
        server.clock.advance(seconds(1));
    }
    server.clock.advance(seconds(3600));
    for _ in 0..4 {
        assert_eq!(admit(&server, &alice).await, Admission::Admitted, "the count began anew");
    }
    assert_eq!(admit(&server, &alice).await, Admission::Wait(2));
}

#[tokio::test]
async fn a_hundred_attempts_at_once_are_a_hundred_counts() {
    let server = start(LIMITS).await;
    let bob = Subject::account("bob");
    let outcomes = join_all((0..100).map(|_| admit(&server, &bob))).await;
    let admitted = outcomes.iter().filter(|o| **o == Admission::Admitted).count();
    assert_eq!(admitted, 4, "three that cost nothing and the one that begins the wait");
}

#[tokio::test]
async fn names_count_without_regard_to_case_and_are_not_kept() {
    assert_eq!(Subject::account(" Alice "), Subject::account("alice"));
    let shown = format!("{:?}", Subject::account("my-password"));
    assert!(!shown.contains("my-password"), "{shown}");
}

#[tokio::test]
async fn nobody_learns_whether_an_account_exists() {
    let server = start(LIMITS).await;
    server.user("alice", "correct horse").await;
    for name in ["alice", "nobody"] {
        for _ in 0..4 {
            assert_eq!(sign_in(&server, name, "wrong").await, SignIn::Refused, "{name}");
        }
        assert_eq!(sign_in(&server, name, "wrong").await, SignIn::Throttled(2), "{name}");
        assert_eq!(sign_in(&server, name, "correct horse").await, SignIn::Throttled(2), "{name}");
    }
}

#[tokio::test]
async fn success_forgets_the_failures_of_the_account() {
    let server = start(LIMITS).await;
    let alice = server.user("alice", "correct horse").await;
    for _ in 0..5 {
        for _ in 0..3 {
            assert_eq!(sign_in(&server, "alice", "wrong").await, SignIn::Refused);
        }
        assert_eq!(
            sign_in(&server, "ALICE", "correct horse").await,
            SignIn::Accepted(alice.clone())
        );
    }
}

#[tokio::test]
async fn counts_survive_a_restart() {
    let server = start(LIMITS).await;
    for _ in 0..4 {
        assert_eq!(sign_in(&server, "alice", "wrong").await, SignIn::Refused);
    }
    let Server { folder, clock, state, router } = server;
    state.store.close().await.unwrap();
    drop((state, router));
    let server = start_in(LIMITS, folder, clock).await;
    assert_eq!(sign_in(&server, "alice", "wrong").await, SignIn::Throttled(2));
}

#[tokio::test]
async fn sign_ups_are_counted_by_address() {
    let server = start(LIMITS).await;
    let at = |ip: &str| ClientAddress(ip.parse().unwrap());
    let throttle = &server.state.throttle;
    for _ in 0..3 {
        assert_eq!(throttle.admit_signup(at("2001:db8::1")).await.unwrap(), Admission::Admitted);
    }
    assert_eq!(
        throttle.admit_signup(at("2001:db8::2")).await.unwrap(),
        Admission::Wait(2),
        "one /64 is one customer"
    );
    assert_eq!(throttle.admit_signup(at("2001:db8:0:1::2")).await.unwrap(), Admission::Admitted);
}

#[tokio::test]
async fn what_has_run_out_is_swept() {
    let server = start(LIMITS).await;
    let _ = admit(&server, &Subject::account("a")).await;
    server.clock.advance(seconds(1800));
    let _ = admit(&server, &Subject::account("b")).await;
    assert_eq!(server.state.throttle.sweep(10).await.unwrap(), 0);
    server.clock.advance(seconds(1800));
    assert_eq!(server.state.throttle.sweep(10).await.unwrap(), 1);
    assert_eq!(oauth_server::maintenance::sweep(&server.state).await.unwrap(), 0);
}

const PASSWORD_GRANT: &str = "[grants]\ndanger_password = true\n[server]\ntrusted_proxies = [\"10.0.0.0/8\"]\n[[client]]\nid = \"app\"\nsecret = \"app-secret-1\"\ngrant_types = [\"password\"]\n";

/// A password grant from a peer, perhaps speaking for somebody.
async fn grant(
    server: &Server,
    peer: &str,
    forwarded: Option<&str>,
    user: (&str, &str),
) -> http::Response<axum::body::Body> {
    let form = [("grant_type", "password"), ("username", user.0), ("password", user.1)];
    let mut request = form_request("/oauth/token", Some(("app", "app-secret-1")), &form);
    let peer: SocketAddr = format!("{peer}:1000").parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    if let Some(address) = forwarded {
        request.headers_mut().insert("x-forwarded-for", address.parse().unwrap());
    }
    server.send(request).await
}

#[tokio::test]
async fn the_password_grant_is_throttled_by_the_address_of_the_client() {
    let server = start(&format!("{PASSWORD_GRANT}{LIMITS}")).await;
    server.user("alice", "correct horse").await;
    // Six failures on six accounts, all from one address behind the proxy; what it invents itself does not count.
    for i in 0..6 {
        let invented = format!("203.0.113.{i}, 192.0.2.7");
        let response =
            grant(&server, "10.0.0.1", Some(&invented), (&format!("user{i}"), "x")).await;
        assert_eq!(response.status(), 400);
        assert_eq!(json(response).await["error"], "invalid_grant");
    }
    let response = grant(&server, "10.0.0.1", Some("192.0.2.7"), ("alice", "correct horse")).await;
    assert_eq!(response.status(), 503);
    assert_eq!(json(response).await["error"], "temporarily_unavailable");
    let response = grant(&server, "192.0.2.7", None, ("alice", "correct horse")).await;
    assert_eq!(response.status(), 503, "the same address without the proxy");
    let response =
        grant(&server, "192.0.2.7", Some("198.51.100.1"), ("alice", "correct horse")).await;
    assert_eq!(response.status(), 503, "who is no proxy is not believed");
    let response =
        grant(&server, "10.0.0.1", Some("198.51.100.1"), ("alice", "correct horse")).await;
    assert_eq!(response.status(), 200, "others are not bothered");
    assert_eq!(header_of(&response, "cache-control"), "no-store");
}

#[tokio::test]
async fn success_does_not_count_against_an_address_and_does_not_reset_it() {
    let server = start(&format!("{PASSWORD_GRANT}{LIMITS}")).await;
    server.user("alice", "correct horse").await;
    for _ in 0..10 {
        let response = grant(&server, "192.0.2.7", None, ("alice", "correct horse")).await;
        assert_eq!(response.status(), 200);
    }
    for i in 0..5 {
        let response = grant(&server, "192.0.2.7", None, (&format!("user{i}"), "x")).await;
        assert_eq!(response.status(), 400);
        let response = grant(&server, "192.0.2.7", None, ("alice", "correct horse")).await;
        assert_eq!(response.status(), 200);
    }
    let response = grant(&server, "192.0.2.7", None, ("user9", "x")).await;
    assert_eq!(response.status(), 400, "the sixth failure, which begins the wait");
    let response = grant(&server, "192.0.2.7", None, ("alice", "correct horse")).await;
    assert_eq!(response.status(), 503);
}
