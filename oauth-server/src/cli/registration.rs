//! `oauth-server registration`.

use super::{
    output::{self, Output, date, table},
    pending::{self, Question},
};
use crate::{
    administration::invitations, approval::Answer, entity::initial_access_token::Model,
    state::AppState,
};
use anyhow::bail;
use clap::Subcommand;
use oauth_core::model::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

/// Seconds of a day.
const DAY: u64 = 24 * 60 * 60;

/// What to do with initial access tokens, which let programs register clients.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an initial access token; prints it, which is shown only this once
    Invite {
        /// Whom or what it is for
        #[arg(long, default_value = "")]
        label: String,
        /// For how many days it works
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=3650))]
        days: u64,
    },
    /// List the initial access tokens that still work
    List,
    /// Take an initial access token back; clients that were registered with it stay
    Revoke {
        /// Its id, as listed
        id: String,
    },
    /// List the clients that await approval
    Pending,
    /// Approve of a client that awaits it
    Approve {
        #[command(flatten)]
        question: Question,
    },
    /// Refuse a client that awaits approval; it is removed
    Refuse {
        #[command(flatten)]
        question: Question,
    },
}

pub(super) async fn run(command: Command, state: &AppState, output: Output) -> anyhow::Result<()> {
    match command {
        Command::Invite { label, days } => {
            let life = Duration::from_secs(days * DAY);
            let (row, token) = invitations::invite(state, None, &label, life).await?;
            let token = token.reveal();
            let mut json = described(&row);
            if let Some(map) = json.as_object_mut() {
                map.insert("initial_access_token".into(), json!(token));
            }
            output.data(&json, || token)?;
            output::message("Keep the token: it cannot be shown again.")
        }
        Command::List => {
            let rows = state.registrars.invitations().await?;
            let json = rows.iter().map(described).collect();
            output.data(&json, || {
                let line = |row: &Model| {
                    let at = |seconds| date(Timestamp::from_unix(seconds));
                    vec![row.id.clone(), row.label.clone(), at(row.created_at), at(row.expires_at)]
                };
                let lines: Vec<_> = rows.iter().map(line).collect();
                table(&["ID", "LABEL", "MADE", "EXPIRES"], &lines)
            })
        }
        Command::Revoke { id } => {
            if !invitations::uninvite(state, None, &id).await? {
                bail!("there is no initial access token with the id {id:?}");
            }
            output::message(&format!("{id} no longer works"))
        }
        Command::Pending => pending::list(state, output).await,
        Command::Approve { question } => question.answer(state, Answer::Approve).await,
        Command::Refuse { question } => question.answer(state, Answer::Refuse).await,
    }
}

fn described(row: &Model) -> Value {
    json!({
        "id": row.id,
        "label": row.label,
        "created_at": date(Timestamp::from_unix(row.created_at)),
        "expires_at": date(Timestamp::from_unix(row.expires_at)),
    })
}
