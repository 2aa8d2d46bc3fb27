//! Many people, or one program, signing in at once: memory stays bounded, others are served, and what is counted is
//! counted for all processes together.

use crate::process::{Cluster, Process};
use axum::http::header;
use futures_util::future::{join, join_all};
use oauth_core::testing::TestDatabase;

/// So many try at once.
const ATTEMPTS: usize = 200;
/// What a server may take at its peak, in KiB. Hashing all attempts at once would take 19 MiB for each: 3.7 GiB.
const MOST_MEMORY: u64 = 512 * 1024;
/// Limits that no attempt here reaches, so that every password is really checked; a few at once, whatever the machine.
const NO_THROTTLE: &str = "[throttle]\naccount_attempts = 10000\naddress_attempts = 10000\n\
     [passwords]\nconcurrency = 4";
/// Three attempts from one address, however many accounts they are for.
const THREE_FROM_AN_ADDRESS: &str =
    "[throttle]\naddress_attempts = 3\naccount_attempts = 1000\nfirst_delay = \"10m\"";

/// Tries a password on the page; the status.
async fn sign_in(server: &Process, name: &str, password: &str) -> u16 {
    let request = server
        .http
        .post(server.url("/login"))
        .header("sec-fetch-site", "same-origin")
        .form(&[("username", name), ("password", password)]);
    request.send().await.unwrap().status().as_u16()
}

/// The most memory the process ever had, in KiB.
fn peak(server: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Fetches what needs no password; every answer must be 200.
async fn look_around(server: &Process) {
    for path in ["/livez", "/.well-known/jwks.json", "/login"].repeat(5) {
        fetch(server, path).await;
    }
}

async fn fetch(server: &Process, path: &str) {
    let answer = server.http.get(server.url(path)).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
}

async fn flood(database: TestDatabase) {
    let cluster = Cluster::new(database.url(), NO_THROTTLE);
    let server = cluster.start();
    let names: Vec<String> = (0..ATTEMPTS).map(|i| format!("nobody-{i}")).collect();
    let attempts = join_all(names.iter().map(|name| sign_in(&server, name, "a wrong guess")));
    let (statuses, ()) = join(attempts, look_around(&server)).await;
    assert!(
        statuses.iter().all(|status| [403, 429].contains(status)),
        "each is refused, or asked to come again: {statuses:?}"
    );
    assert!(statuses.contains(&403), "some were checked");
    let peak = peak(&server);
    assert!(peak < MOST_MEMORY, "{peak} KiB");
    assert_eq!(sign_in(&server, "alice", "correct horse").await, 303, "and afterwards all is well");
    fetch(&server, "/readyz").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_sign_ins_on_sqlite_keeps_memory_bounded_and_others_served() {
    flood(TestDatabase::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_sign_ins_on_postgresql_keeps_memory_bounded_and_others_served() {
    flood(TestDatabase::postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_from_one_address_count_for_both_processes_together() {
    let database = TestDatabase::postgres().await;
    let cluster = Cluster::new(database.url(), THREE_FROM_AN_ADDRESS);
    let servers = [cluster.start(), cluster.start()];
    for i in 0..4 {
        let status = sign_in(&servers[i % 2], &format!("nobody-{i}"), "a wrong guess").await;
        assert_eq!(status, 403, "attempt {i} is checked");
    }
    for server in &servers {
        let form = [("username", "alice"), ("password", "correct horse")];
        let request = server.http.post(server.url("/login")).form(&form);
        let answer = request.header("sec-fetch-site", "same-origin").send().await.unwrap();
        assert_eq!(answer.status(), 429, "at either");
        assert!(answer.headers().contains_key(header::RETRY_AFTER));
        assert!(!answer.headers().contains_key(header::SET_COOKIE));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rivals_at_two_processes_get_no_more_attempts_than_one_would() {
    const ALLOWED: usize = 3;
    let database = TestDatabase::postgres().await;
    let limits = format!(
        "[throttle]\naccount_attempts = {ALLOWED}\naddress_attempts = 10000\nfirst_delay = \"10m\""
    );
    let cluster = Cluster::new(database.url(), &limits);
    let servers = [cluster.start(), cluster.start()];
    let attempts = (0..24).map(|i| sign_in(&servers[i % 2], "alice", "a wrong guess"));
    let statuses = join_all(attempts).await;
    let checked = statuses.iter().filter(|status| **status == 403).count();
    assert_eq!(checked, ALLOWED + 1, "the one that begins the wait is still checked: {statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 24 - checked);
}
