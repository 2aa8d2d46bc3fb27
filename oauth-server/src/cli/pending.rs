//! `oauth-server registration pending`, `approve` and `refuse`: clients that await approval.

use super::output::{self, Output, date};
use crate::{
    approval::{self, Answer, Pending},
    audit::{Entry, Kind},
    state::AppState,
};
use anyhow::{Context as _, bail, ensure};
use clap::Args;
use oauth_core::model::{ClientId, Timestamp};
use serde_json::json;
use std::io::{BufRead as _, IsTerminal as _};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// More than this nobody reads.
const MOST: u64 = 1000;
const LOOK_AGAIN: &str = "the client has changed itself since, or somebody else has answered; look again with `oauth-server registration pending`";

/// Which question is answered.
#[derive(Debug, Args)]
pub(super) struct Question {
    /// The `client_id`
    client_id: String,
    /// Its `asked_at`, as `pending` lists it: a client that has changed itself since is not answered. Without it the
    /// client is shown, and whoever is at the terminal asked
    #[arg(long, value_name = "TIME", value_parser = time)]
    asked_at: Option<Timestamp>,
}

/// Lists the clients that await approval, each with all that people will be shown of it.
pub(super) async fn list(state: &AppState, output: Output) -> anyhow::Result<()> {
    let all = approval::list(state, MOST).await?;
    let json = all.iter().map(|pending| pending.described(|at| json!(date(at)))).collect();
    output.data(&json, || all.iter().map(shown).collect::<Vec<_>>().join("\n\n"))
}

impl Question {
    /// Answers it, once somebody has seen what is asked.
    pub(super) async fn answer(self, state: &AppState, answer: Answer) -> anyhow::Result<()> {
        let id = ClientId::new(self.client_id);
        let Some(pending) = approval::find(state, &id).await? else {
            bail!("no client {id} awaits approval");
        };
        match self.asked_at {
            Some(seen) => ensure!(seen == pending.asked_at, LOOK_AGAIN),
            None => ask(&pending, answer)?,
        }
        if !approval::answer(state, &id, pending.asked_at, answer).await? {
            bail!(LOOK_AGAIN);
        }
        let (kind, done) = match answer {
            Answer::Approve => (Kind::Approved, "approved"),
            Answer::Refuse => (Kind::Disapproved, "refused"),
        };
        let entry = Entry::new(kind).client(&id).scope(&pending.client.scope.to_string());
        state.audit.write(entry.detail("at the command line")).await?;
        output::message(&format!("{id} is {done}"))
    }
}

/// Shows the client to whoever is at the terminal, and asks; nothing but yes will do.
fn ask(pending: &Pending, answer: Answer) -> anyhow::Result<()> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        bail!(
            "nobody is here to be asked: say which question is answered with --asked-at, as `oauth-server registration pending` lists it"
        );
    }
    let what = match answer {
        Answer::Approve => "approve of it",
        Answer::Refuse => "refuse it; it is removed",
    };
    output::message(&format!("{}\n\nType yes to {what}.", shown(pending)))?;
    let mut typed = String::new();
    std::io::stdin().lock().read_line(&mut typed).context("cannot read the answer")?;
    ensure!(typed.trim() == "yes", "nothing is answered");
    Ok(())
}

/// A client for people, a line for each thing that is to be known of it.
fn shown(pending: &Pending) -> String {
    let client = &pending.client;
    let line = |name: &str, value: &str| format!("{name:16}  {value}").trim_end().to_owned();
    let grants: Vec<&str> = client.grant_types.iter().map(String::as_str).collect();
    let mut lines = vec![line("client_id", client.id.as_str()), line("name", &client.name)];
    lines.extend(client.uri.iter().map(|uri| line("uri", uri)));
    lines.extend(client.metadata.texts.iter().map(|(name, text)| line(name, text)));
    lines.push(line("scope", &client.scope.to_string()));
    lines.extend(client.redirect_uris.iter().map(|uri| line("redirect URI", uri.as_str())));
    lines.push(line("grant types", &grants.join(" ")));
    lines.push(line("authentication", client.auth.method()));
    lines.extend(pending.address.iter().map(|address| line("from", address)));
    lines.push(line("asked_at", &date(pending.asked_at)));
    lines.push(line("expires_at", &date(pending.expires_at)));
    lines.join("\n")
}

/// A time as it is listed here, or in seconds, as programs have it.
fn time(text: &str) -> Result<Timestamp, &'static str> {
    let listed = || OffsetDateTime::parse(text, &Rfc3339).map(OffsetDateTime::unix_timestamp).ok();
    let seconds = text.parse().ok().or_else(listed);
    seconds.map(Timestamp::from_unix).ok_or("expected a time such as 2026-11-28T12:00:00Z")
}
