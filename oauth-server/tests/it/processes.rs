//! Two server processes on one database: what may happen once happens once, whoever asks whom.
//!
//! Each test runs on PostgreSQL and on a SQLite file.

use crate::process::{Cluster, PATIENCE, Process, head_of_a_request};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::{join, join_all};
use oauth_core::testing::TestDatabase;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use tokio::time::timeout;

/// Races are run so often.
const ROUNDS: usize = 8;
/// The applications of these tests listen on this machine, and whoever looks for logouts to tell them of says so.
const TELLING: &str = "[outgoing]\nallowed_networks = [\"127.0.0.0/8\"]\ndanger_plain_http = true\n\
     [logs]\nlevel = \"info,oauth_server::maintenance=debug\"";
/// So many try at once.
const RIVALS: usize = 8;

/// Two processes on one database.
struct Pair {
    a: Process,
    b: Process,
    cluster: Cluster,
    _database: TestDatabase,
}

impl Pair {
    /// Starts both at once on an empty database, so that even migrations and first keys are a race.
    async fn start(database: TestDatabase, more: &str) -> Self {
        let mut cluster = Cluster::new(database.url(), more);
        let (a, b) = std::thread::scope(|threads| {
            let a = threads.spawn(|| cluster.start());
            let b = threads.spawn(|| cluster.start());
            (a.join().unwrap(), b.join().unwrap())
        });
        cluster.sign_in().await;
        Self { a, b, cluster, _database: database }
    }

    /// One of the two.
    fn of(&self, i: usize) -> &Process {
        if i.is_multiple_of(2) { &self.a } else { &self.b }
    }

    /// Tokens by a code of one process, redeemed at the other.
    async fn tokens(&self) -> (String, String) {
        let code = self.cluster.code(&self.a).await;
        let (status, tokens) = self.b.redeem(&code).await;
        assert_eq!(status, 200, "{tokens}");
        (text(&tokens, "access_token"), text(&tokens, "refresh_token"))
    }
}

fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer}")).to_owned()
}

/// Declares each test twice: on PostgreSQL and on SQLite.
macro_rules! on_both {
    ($($name:ident ($more:expr);)+) => {
        mod postgres { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let database = oauth_core::testing::TestDatabase::postgres().await;
                super::$name(super::Pair::start(database, $more).await).await;
            }
        )+ }
        mod sqlite { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let database = oauth_core::testing::TestDatabase::sqlite().await;
                super::$name(super::Pair::start(database, $more).await).await;
            }
        )+ }
    };
}

on_both! {
    one_code_is_redeemed_once("[tokens]\naccess_token_format = \"opaque\"");
    a_lost_answer_is_the_same_answer_again("");
    without_a_retry_window_one_refresh_wins_and_the_rest_revokes("[tokens]\nrefresh_retry_window = 0\naccess_token_format = \"opaque\"");
    revocation_beats_a_refresh_in_flight("");
    both_see_a_rotation("");
    one_logout_is_told_once(super::TELLING);
    failures_at_one_count_at_the_other("[throttle]\naccount_attempts = 3\nfirst_delay = \"10m\"");
    a_stopping_server_finishes_what_is_in_flight("");
}

async fn one_code_is_redeemed_once(pair: Pair) {
    for round in 0..ROUNDS {
        let code = pair.cluster.code(pair.of(round)).await;
        let answers = join_all((0..RIVALS).map(|i| pair.of(i).redeem(&code))).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|(status, _)| *status == 200);
        assert_eq!(won.len(), 1, "round {round}: {answers:?}");
        for (status, answer) in lost {
            assert_eq!((*status, &answer["error"]), (400, &"invalid_grant".into()));
        }
        let token = text(&won[0].1, "access_token");
        assert!(
            !pair.a.is_active(&token).await && !pair.b.is_active(&token).await,
            "a replay revokes what was issued"
        );
        let (status, answer) = pair.b.refresh(&text(&won[0].1, "refresh_token")).await;
        assert_eq!((status, &answer["error"]), (400, &"invalid_grant".into()));
    }
}

async fn a_lost_answer_is_the_same_answer_again(pair: Pair) {
    let (_, mut refresh) = pair.tokens().await;
    for _ in 0..ROUNDS {
        let answers = join_all((0..RIVALS).map(|i| pair.of(i).refresh(&refresh))).await;
        assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
        let successor = text(&answers[0].1, "refresh_token");
        assert_ne!(successor, refresh);
        assert!(
            answers.iter().all(|(_, a)| text(a, "refresh_token") == successor),
            "one successor, whoever asked whom"
        );
        refresh = successor;
    }
}

async fn without_a_retry_window_one_refresh_wins_and_the_rest_revokes(pair: Pair) {
    for round in 0..ROUNDS {
        let (_, refresh) = pair.tokens().await;
        let answers = join_all((0..RIVALS).map(|i| pair.of(i).refresh(&refresh))).await;
        let won: Vec<_> = answers.iter().filter(|(status, _)| *status == 200).collect();
        assert!(won.len() <= 1, "round {round}: {answers:?}");
        for (_, answer) in won {
            assert!(!pair.a.is_active(&text(answer, "access_token")).await);
            assert!(!pair.b.is_active(&text(answer, "refresh_token")).await);
        }
    }
}

async fn revocation_beats_a_refresh_in_flight(pair: Pair) {
    for round in 0..ROUNDS * 2 {
        let (access, refresh) = pair.tokens().await;
        let (one, other) = (pair.of(round), pair.of(round + 1));
        let form = [("token", &*refresh)];
        let revoked = one.post("/oauth/revoke", &form);
        let (revoked, (status, answer)) = join(revoked, other.refresh(&refresh)).await;
        assert_eq!(revoked.status(), 200);
        assert!(status == 200 || answer["error"] == "invalid_grant", "{answer}");
        let mut dead = vec![access, refresh];
        if status == 200 {
            dead.extend([text(&answer, "access_token"), text(&answer, "refresh_token")]);
        }
        for token in dead {
            assert!(
                !pair.a.is_active(&token).await && !pair.b.is_active(&token).await,
                "round {round}: alive after revocation"
            );
        }
    }
}

async fn both_see_a_rotation(pair: Pair) {
    let before = pair.a.kids().await;
    assert_eq!(before.len(), 1, "two processes that start at once make one key");
    assert_eq!(pair.b.kids().await, before);
    pair.cluster.command(&["keys", "rotate", "--now"]);
    for process in [&pair.a, &pair.b] {
        process.signal("HUP");
        process.line("signing keys read again");
    }
    let after = pair.a.kids().await;
    assert_eq!(after.len(), 2);
    assert_eq!(pair.b.kids().await, after);
    // What one signs with the new key is alive at the other.
    let (access, _) = pair.tokens().await;
    assert!(pair.a.is_active(&access).await && pair.b.is_active(&access).await);
    let old = &before[0];
    pair.cluster.command(&["keys", "retire", old]);
    for process in [&pair.a, &pair.b] {
        process.signal("HUP");
        process.line("signing keys read again");
        assert!(!process.kids().await.contains(old));
    }
}

/// Whoever ends the session, however often and wherever: each application hears of it once, and its session is over at
/// both.
async fn one_logout_is_told_once(pair: Pair) {
    let (uri, mut heard) = application().await;
    pair.cluster.tell_of_logouts_at(&uri).await;
    let other = pair.cluster.another_session().await;
    for cookie in [pair.cluster.cookie(), &*other] {
        let code = pair.cluster.code_of(&pair.a, cookie).await;
        let (status, tokens) = pair.b.redeem(&code).await;
        assert_eq!(status, 200, "{tokens}");
        let ends = (0..RIVALS).map(|i| pair.of(i).log_out(cookie));
        assert!(join_all(ends).await.iter().all(|status| *status == 303));
        let token = timeout(PATIENCE, heard.recv()).await.unwrap().unwrap();
        assert_eq!(sid(&token), sid(&text(&tokens, "id_token")));
        for process in [&pair.a, &pair.b] {
            assert!(!process.is_active(&text(&tokens, "access_token")).await);
            assert!(pair.cluster.is_signed_out(process, cookie).await);
        }
    }
    // Both have looked for notices again.
    for process in [&pair.a, &pair.b] {
        process.forget_lines();
        process.line("no logouts are due");
    }
    assert!(heard.try_recv().is_err(), "told twice");
}

/// An application that listens: its address, and what is posted there.
async fn application() -> (String, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let (send, heard) = tokio::sync::mpsc::unbounded_channel();
    let hear = axum::routing::post(move |body: String| async move { send.send(body).unwrap() });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/out", listener.local_addr().unwrap());
    tokio::spawn(
        async move { axum::serve(listener, axum::Router::new().route("/out", hear)).await },
    );
    (uri, heard)
}

/// The session that a token is about, be it a logout token in a form or an id token.
fn sid(token: &str) -> String {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    text(&claims, "sid")
}

async fn failures_at_one_count_at_the_other(pair: Pair) {
    for i in 0..4 {
        let (status, answer) = pair.of(i).password("mallory", "guess").await;
        assert_eq!((status, &answer["error"]), (400, &"invalid_grant".into()));
    }
    for i in 0..2 {
        let (status, answer) = pair.of(i).password("mallory", "guess").await;
        assert_eq!((status, &answer["error"]), (503, &"temporarily_unavailable".into()));
    }
    let (status, _) = pair.b.password("alice", "correct horse").await;
    assert_eq!(status, 200, "others are not bothered");
}

async fn a_stopping_server_finishes_what_is_in_flight(pair: Pair) {
    let Pair { mut a, b, .. } = pair;
    let mut stream = a.connect();
    let body = head_of_a_request(&mut stream);
    a.signal("TERM");
    a.line("stopping: finishing what is in flight");
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\"access_token\""));
    a.line("stopped");
    assert_eq!(a.wait().code(), Some(0));
    assert!(std::net::TcpStream::connect(a.address()).is_err(), "nobody listens");
    assert_eq!(
        b.http.get(b.url("/readyz")).send().await.unwrap().status(),
        200,
        "the other goes on"
    );
}
