//! `oauth-server user passkeys`: what people sign in with in place of a password.

use super::output::{self, Output, date, table, yes};
use crate::{
    activity::{Deed, What},
    audit::{Entry, Kind},
    entity::passkey::Model,
    passkeys::Removed,
    state::AppState,
};
use anyhow::bail;
use clap::Subcommand;
use oauth_core::{model::Timestamp, seaorm::UserAccount};
use serde_json::{Value, json};
use uuid::Uuid;

/// What to do with passkeys.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List a user's passkeys
    List {
        /// The name of the user
        name: String,
    },
    /// Remove a user's passkey, for whoever lost the device. The user is told by mail
    Remove {
        /// The name of the user
        name: String,
        /// The id of the passkey, as `list` shows it
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Option<Uuid>,
        /// Remove all of them, even if the user cannot sign in afterwards
        #[arg(long)]
        all: bool,
    },
}

impl Command {
    /// The name of the user.
    pub(super) fn user(&self) -> &str {
        match self {
            Self::List { name } | Self::Remove { name, .. } => name,
        }
    }
}

pub(super) async fn run(
    command: &Command,
    state: &AppState,
    output: Output,
    user: &UserAccount,
) -> anyhow::Result<()> {
    match command {
        Command::List { .. } => list(state, output, user).await,
        Command::Remove { id, .. } => remove(state, user, *id).await,
    }
}

async fn list(state: &AppState, output: Output, user: &UserAccount) -> anyhow::Result<()> {
    let rows = state.passkeys.list(&user.id).await?;
    let day = |at: i64| date(Timestamp::from_unix(at));
    let described = |row: &Model| -> Value {
        json!({
            "id": row.id, "name": row.name, "synced": row.synced,
            "created_at": day(row.created_at), "last_used_at": row.last_used_at.map(day),
        })
    };
    output.data(&rows.iter().map(described).collect(), || {
        let line = |row: &Model| {
            let used = row.last_used_at.map_or_else(|| "-".to_owned(), day);
            vec![row.id.to_string(), row.name.clone(), yes(row.synced), day(row.created_at), used]
        };
        let lines: Vec<_> = rows.iter().map(line).collect();
        table(&["ID", "NAME", "SYNCED", "ADDED", "LAST USED"], &lines)
    })
}

async fn remove(state: &AppState, user: &UserAccount, id: Option<Uuid>) -> anyhow::Result<()> {
    let deed = Deed::of_operator(What::PasskeyRemoved);
    let detail = format!("passkeys of {}, at the command line", user.id);
    state.audit.write(Entry::new(Kind::FactorsReset).detail(detail)).await?;
    let name = &user.username;
    let Some(id) = id else {
        let gone = state.passkeys.remove_all(&user.id, deed).await?;
        return output::message(&format!("{gone} passkeys of {name} removed"));
    };
    match state.passkeys.remove(&user.id, id, deed).await? {
        Removed::Gone => output::message(&format!("the passkey of {name} is removed")),
        Removed::LastWay => bail!(
            "{name} could not sign in any more; set a password first, or remove it with --all"
        ),
        Removed::Unknown => {
            bail!("{name} has no such passkey; see `oauth-server user passkeys list`")
        }
    }
}
