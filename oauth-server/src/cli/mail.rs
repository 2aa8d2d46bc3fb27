//! `oauth-server mail`.

use super::output::{self, Output, date, table};
use crate::{
    mail::{Fate, trial},
    state::AppState,
};
use anyhow::bail;
use clap::Subcommand;
use serde_json::json;

/// What to do with letters.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Send a letter, as the server would, and say what became of it
    Test {
        /// The address it goes to
        address: String,
    },
    /// List the letters that wait: how many, since when, how often they were tried; not what they say
    List,
}

pub(super) async fn run(command: Command, state: &AppState, output: Output) -> anyhow::Result<()> {
    match command {
        Command::Test { address } => test(&address, state).await,
        Command::List => {
            let waiting = state.mail.waiting().await?;
            let rows = &waiting.oldest;
            let json = json!({
                "waiting": waiting.count,
                "letters": rows.iter().map(|(id, created, due, attempts)| json!({
                    "id": id, "created_at": date(*created), "due_at": date(*due), "attempts": attempts,
                })).collect::<Vec<_>>(),
            });
            output.data(&json, || {
                let line = |(id, created, due, attempts): &(String, _, _, i64)| {
                    vec![id.clone(), date(*created), date(*due), attempts.to_string()]
                };
                let lines: Vec<_> = rows.iter().map(line).collect();
                let lines = table(&["ID", "WRITTEN", "DUE", "ATTEMPTS"], &lines);
                format!("{lines}\n{} waiting", waiting.count)
            })
        }
    }
}

async fn test(address: &str, state: &AppState) -> anyhow::Result<()> {
    let letter = trial(state.mail.masthead(), address)?;
    match state.mail.send_now(letter).await? {
        None => bail!("letters do not leave: mail.transport is \"none\""),
        Some(Fate::Sent) => match state.mail.folder() {
            Some(folder) => output::message(&format!("written to {}", folder.display())),
            None => output::message("the mail server took it"),
        },
        Some(Fate::Later(at, why)) => bail!("not sent, to be tried again at {}: {why}", date(at)),
        Some(Fate::GivenUp(why)) => bail!("not sent, and given up: {why}"),
    }
}
