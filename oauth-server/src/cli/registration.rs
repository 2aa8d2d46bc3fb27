//! `oauth-server registration`.

use super::output::{self, Output, date, table};
use crate::{
    approval::{self, Answer, Pending},
    audit::{Entry, Kind},
    entity::initial_access_token::Model,
    state::AppState,
};
use anyhow::bail;
use clap::Subcommand;
use oauth_core::model::{ClientId, Timestamp};
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
        /// Its `client_id`
        client_id: String,
    },
    /// Refuse a client that awaits approval; it is removed
    Refuse {
        /// Its `client_id`
        client_id: String,
    },
}

pub(super) async fn run(command: Command, state: &AppState, output: Output) -> anyhow::Result<()> {
    match command {
        Command::Invite { label, days } => {
            let life = Duration::from_secs(days * DAY);
            let (row, token) = state.registrars.invite(&label, life).await?;
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
            if !state.registrars.uninvite(&id).await? {
                bail!("there is no initial access token with the id {id:?}");
            }
            output::message(&format!("{id} no longer works"))
        }
        Command::Pending => pending(state, output).await,
        Command::Approve { client_id } => answer(state, client_id, Answer::Approve).await,
        Command::Refuse { client_id } => answer(state, client_id, Answer::Refuse).await,
    }
}

/// More than this nobody reads.
const MOST: u64 = 1000;

async fn pending(state: &AppState, output: Output) -> anyhow::Result<()> {
    let all = approval::list(state, MOST).await?;
    let json = all.iter().map(|pending| pending.described(|at| json!(date(at)))).collect();
    output.data(&json, || {
        let line = |pending: &Pending| {
            let client = &pending.client;
            let address = pending.address.clone().unwrap_or_default();
            let (scope, asked) = (client.scope.to_string(), date(pending.asked_at));
            vec![client.id.to_string(), client.name.clone(), scope, asked, address]
        };
        let lines: Vec<_> = all.iter().map(line).collect();
        table(&["CLIENT ID", "NAME", "SCOPE", "ASKED", "FROM"], &lines)
    })
}

async fn answer(state: &AppState, id: String, answer: Answer) -> anyhow::Result<()> {
    let id = ClientId::new(id);
    let Some(pending) = approval::find(state, &id).await? else {
        bail!("no client {id} awaits approval");
    };
    if !approval::answer(state, &id, pending.asked_at, answer).await? {
        bail!("somebody else has answered, or the client has changed itself meanwhile; look again");
    }
    let (kind, done) = match answer {
        Answer::Approve => (Kind::Approved, "approved"),
        Answer::Refuse => (Kind::Disapproved, "refused"),
    };
    let entry = Entry::new(kind).client(&id).scope(&pending.client.scope.to_string());
    state.audit.write(entry.detail("at the command line")).await?;
    output::message(&format!("{id} is {done}"))
}

fn described(row: &Model) -> Value {
    json!({
        "id": row.id,
        "label": row.label,
        "created_at": date(Timestamp::from_unix(row.created_at)),
        "expires_at": date(Timestamp::from_unix(row.expires_at)),
    })
}
