//! Encrypted forms at two processes on one database: one key, and each form is read once, whoever is asked.
//!
//! Each test runs on PostgreSQL and on a SQLite file.

use crate::{
    forms_actors::{Lock, jti},
    process::{Cluster, Process},
};
use futures_util::future::join_all;
use oauth_core::{
    ports::{Clock as _, SystemClock},
    testing::TestDatabase,
};
use serde_json::{Value, json};

/// Races are run so often.
const ROUNDS: usize = 6;
/// So many try at once.
const RIVALS: usize = 8;
const MORE: &str = "[forms]\nsalt = \"yes\"\nanojwt = true\n\
    [throttle]\naccount_attempts = 1000\naddress_attempts = 1000";

/// Both start at once on an empty database, so that even the first key is a race.
async fn pair(database: &TestDatabase) -> (Cluster, [Process; 2]) {
    let mut cluster = Cluster::new(database.url(), MORE);
    let both = std::thread::scope(|threads| {
        let a = threads.spawn(|| cluster.start());
        let b = threads.spawn(|| cluster.start());
        [a.join().unwrap(), b.join().unwrap()]
    });
    cluster.sign_in().await;
    (cluster, both)
}

async fn features(process: &Process) -> Value {
    let request = process.http.get(process.url("/api/auth/features"));
    request.send().await.unwrap().json().await.unwrap()
}

async fn guest(process: &Process) -> String {
    let answer = process.http.post(process.url("/api/guest")).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn log_in(process: &Process, guest: &str, body: &Value) -> (u16, Value) {
    let request = process.http.post(process.url("/api/login")).bearer_auth(guest);
    let request = request.header("content-type", "application/json").body(body.to_string());
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn one_wins(both: &[Process; 2], guest: &str, body: &Value) {
    let of = |i: usize| &both[i % 2];
    let answers = join_all((0..RIVALS).map(|i| log_in(of(i), guest, body))).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|(status, _)| *status == 200);
    assert_eq!(won.len(), 1, "{answers:?}");
    for (status, answer) in lost {
        assert_eq!((*status, &answer["code"]), (401, &json!("wrong_credentials")));
    }
}

async fn each_form_is_read_once(database: TestDatabase) {
    let (_cluster, both) = pair(&database).await;
    let shown = features(&both[0]).await;
    assert_eq!(features(&both[1]).await["public_key"], shown["public_key"], "one key");
    let lock = Lock::of(&shown);
    for _ in 0..ROUNDS {
        let guest = guest(&both[0]).await;
        let form = json!({
            "email": "alice", "pwd": "correct horse", "jti": jti(&guest),
            "iat": SystemClock.now().unix(),
        });
        one_wins(&both, &guest, &json!({"form": lock.jwe(&form)})).await;
        let (email, pwd) = (lock.oaep("alice"), lock.oaep("correct horse"));
        one_wins(&both, &guest, &json!({"email_encrypt": email, "pwd_encrypt": pwd})).await;
    }
}

async fn both_have_the_next_key(database: TestDatabase) {
    let (cluster, both) = pair(&database).await;
    let old = features(&both[0]).await;
    cluster.command(&["keys", "forms", "rotate", "--now"]);
    for process in &both {
        process.signal("HUP");
        process.line("signing keys read again");
    }
    let new = features(&both[0]).await;
    assert_ne!(new["public_key"]["kid"], old["public_key"]["kid"]);
    assert_eq!(features(&both[1]).await["public_key"], new["public_key"]);
    let guest = guest(&both[0]).await;
    let body = |features: &Value| {
        let lock = Lock::of(features);
        let (email, pwd) = (lock.oaep("alice"), lock.oaep("correct horse"));
        json!({"email_encrypt": email, "pwd_encrypt": pwd})
    };
    for process in &both {
        let (status, answer) = log_in(process, &guest, &body(&old)).await;
        assert_eq!((status, &answer["code"]), (401, &json!("wrong_credentials")));
        let (status, answer) = log_in(process, &guest, &body(&new)).await;
        assert_eq!(status, 200, "{answer}");
    }
}

macro_rules! on_both {
    ($($name:ident as $test:ident;)+) => {
        mod postgres { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$name(oauth_core::testing::TestDatabase::postgres().await).await;
            }
        )+ }
        mod sqlite { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$name(oauth_core::testing::TestDatabase::sqlite().await).await;
            }
        )+ }
    };
}

on_both! {
    each_form_is_read_once as s2_26_each_form_is_read_once;
    both_have_the_next_key as s2_26_both_have_the_next_key;
}
