//! A process that dies between the answer and the store.

use crate::support::{Home, PATIENCE, Provider, signed_in};
use async_trait::async_trait;
use oauth_helper::{
    Result, TokenStore,
    client::State,
    seal::KeySource,
    vault::{Entry, FileVault, Kind, Lease, Vault},
};
use std::{
    io::Write as _,
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// A vault that never gets around to writing the answer: the first write is the intent, the second the answer.
#[derive(Debug)]
struct Stalling(FileVault, AtomicUsize);

#[async_trait]
impl Vault for Stalling {
    fn name(&self) -> &'static str {
        "stalling"
    }
    async fn load(&self, entry: Entry) -> Result<Option<Vec<u8>>> {
        self.0.load(entry).await
    }
    async fn save(
        &self,
        entry: Entry,
        value: &[u8],
        life: Duration,
        lease: Option<&Lease>,
    ) -> Result<()> {
        if entry.kind == Kind::Tokens && self.1.fetch_add(1, Ordering::SeqCst) == 1 {
            std::io::stdout().write_all(b"ANSWERED\n").unwrap();
            std::future::pending::<()>().await;
        }
        self.0.save(entry, value, life, lease).await
    }
    async fn remove(&self, entry: Entry) -> Result<()> {
        self.0.remove(entry).await
    }
    async fn lock(&self, client: u32, patience: Duration) -> Result<Lease> {
        self.0.lock(client, patience).await
    }
}

const FOLDER: &str = "OAUTH_HELPER_TEST_FOLDER";

#[tokio::test]
#[ignore = "the process that the next test kills"]
async fn the_process_that_is_killed() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("run by the next test"));
    let key = KeySource::File(folder.join("vault.key"));
    let vault = FileVault::open(&folder.join("secrets"), key).await.unwrap();
    let vault = Arc::new(Stalling(vault, AtomicUsize::new(0)));
    let store = TokenStore::builder(&folder).vault(vault).open().await.unwrap();
    store.client("app").await.unwrap().refresh().await.unwrap();
    panic!("it was to be killed before");
}

#[tokio::test]
async fn s3_11_a_kill_between_answer_and_store_loses_nothing() {
    let provider = Provider::start().await;
    let home = Home::new();
    let store = signed_in(&home, &provider, "app").await;
    let first = store.client("app").await.unwrap().access_token().await.unwrap();
    let before = provider.token_requests();
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::the_process_that_is_killed", "--ignored", "--nocapture"])
        .env(FOLDER, home.folder.path())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let answered = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            // The harness prints the name of the test on the same line.
            if line.ends_with("ANSWERED") {
                return true;
            }
        }
        false
    };
    assert!(tokio::time::timeout(PATIENCE, answered).await.unwrap());
    child.kill().await.unwrap();
    assert_eq!(provider.token_requests(), before + 1, "the provider has rotated the token");

    // The next process: the lock is free, the old token is still there, and the intent says what happened.
    let store = home.store().await;
    let client = store.client("app").await.unwrap();
    assert_eq!(client.status().await.unwrap().state, State::Interrupted);
    let second = client.access_token().await.unwrap();
    assert_ne!(second.token, first.token);
    assert_eq!(provider.token_requests(), before + 2);
    assert_eq!(client.status().await.unwrap().state, State::Valid);
    client.refresh().await.expect("the family of tokens is alive");
}
