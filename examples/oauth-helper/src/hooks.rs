//! Telling somebody: a command that runs, or an address that is called, when something happened to a client.

use crate::error::Result;
use serde::Serialize;
use std::{fmt, path::PathBuf, process::Stdio, time::Duration};
use url::Url;

/// A hook may take this long.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is told of events. None of it ever sees a token.
#[derive(Clone, Debug, Default)]
pub struct Hooks {
    /// A program that is run with the event as JSON on its standard input.
    pub command: Option<PathBuf>,
    /// An address the event is posted to as JSON.
    pub webhook: Option<Url>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum What {
    /// Somebody signed in, and there are tokens.
    LoggedIn,
    /// Signing in failed.
    LoginFailed,
    /// The access token was renewed.
    Refreshed,
    /// It could not be renewed.
    RefreshFailed,
    /// The tokens were taken back.
    Revoked,
}

/// An event.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// What happened.
    pub event: What,
    /// The name of the client.
    pub client: String,
    /// Its service.
    pub service: String,
    /// Why, where it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When.
    pub at: i64,
}

impl Hooks {
    /// Tells everybody. A hook that fails is logged and changes nothing.
    pub(crate) async fn tell(&self, event: &Event) {
        tracing::info!(event = ?event.event, client = event.client, "told");
        let Ok(body) = serde_json::to_vec(event) else { return };
        if let Some(command) = &self.command {
            note("hooks.command", run(command, &body).await);
        }
        if let Some(url) = &self.webhook {
            note("hooks.webhook", post(url, body).await);
        }
    }
}

fn note(hook: &str, outcome: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    if let Err(e) = outcome {
        tracing::warn!(hook, error = %e, "a hook failed");
    }
}

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

async fn run(command: &PathBuf, body: &[u8]) -> Outcome {
    use tokio::io::AsyncWriteExt as _;
    let mut child = tokio::process::Command::new(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let work = async {
        if let Some(mut input) = child.stdin.take() {
            input.write_all(body).await.ok();
        }
        let status = child.wait().await?;
        if status.success() { Ok(()) } else { Err(failed(&status)) }
    };
    tokio::time::timeout(PATIENCE, work).await?
}

async fn post(url: &Url, body: Vec<u8>) -> Outcome {
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let request = client.post(url.clone()).header(http::header::CONTENT_TYPE, "application/json");
    let status = request.body(body).send().await.map_err(reqwest::Error::without_url)?.status();
    if status.is_success() { Ok(()) } else { Err(failed(&status)) }
}

fn failed(status: &dyn fmt::Display) -> Box<dyn std::error::Error + Send + Sync> {
    format!("it ended with {status}").into()
}
