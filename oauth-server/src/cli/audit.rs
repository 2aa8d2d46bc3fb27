//! `oauth-server audit`.

use super::output::{self, Output, date, table};
use crate::{
    audit::{Filter, Kind, csv, described},
    entity::audit::Model,
    state::AppState,
};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, builder::PossibleValuesParser};
use oauth_core::model::Timestamp;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List what was decided, the latest first
    List {
        #[command(flatten)]
        which: Which,
        /// List so many
        #[arg(long, default_value_t = 100)]
        limit: u64,
        /// Print comma-separated values
        #[arg(long)]
        csv: bool,
    },
    /// Check that no row was changed, and that none is missing between others; exit with 1 otherwise
    Verify,
}

/// Which rows.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Of this kind
    #[arg(long, value_parser = kinds())]
    event: Option<String>,
    /// Of this user, by name or identifier
    #[arg(long)]
    user: Option<String>,
    /// Of this client
    #[arg(long)]
    client: Option<String>,
    /// Not before this time, such as 2026-11-28T12:00:00Z
    #[arg(long)]
    since: Option<String>,
    /// Before this time
    #[arg(long)]
    until: Option<String>,
}

fn kinds() -> PossibleValuesParser {
    PossibleValuesParser::new(Kind::ALL.iter().map(|kind| kind.as_str()))
}

fn time(text: Option<&String>) -> anyhow::Result<Option<Timestamp>> {
    let Some(text) = text else { return Ok(None) };
    let at = OffsetDateTime::parse(text, &Rfc3339)
        .with_context(|| format!("{text:?} is no time such as 2026-11-28T12:00:00Z"))?;
    Ok(Some(Timestamp::from_unix(at.unix_timestamp())))
}

impl Which {
    async fn filter(&self, state: &AppState) -> anyhow::Result<Filter> {
        let mut user = self.user.clone();
        if let Some(name) = &self.user
            && let Some(account) = state.store.account_by_name(name).await?
        {
            user = Some(account.id.as_str().to_owned());
        }
        Ok(Filter {
            kind: self.event.as_deref().and_then(Kind::parse),
            user,
            client: self.client.clone(),
            since: time(self.since.as_ref())?,
            until: time(self.until.as_ref())?,
            before: None,
        })
    }
}

pub(super) async fn run(command: Command, state: &AppState, output: Output) -> anyhow::Result<()> {
    match command {
        Command::List { which, limit, csv: as_csv } => {
            let rows = state.audit.export(&which.filter(state).await?, limit).await?;
            if as_csv {
                return output::raw(csv(&rows).as_bytes());
            }
            let json = rows.iter().map(described).collect();
            output.data(&json, || table(&HEAD, &rows.iter().map(line).collect::<Vec<_>>()))
        }
        Command::Verify => {
            let found = state.audit.verify().await?;
            for id in &found.changed {
                output::message(&format!("{id} is not as it was written"))?;
            }
            for id in &found.gaps {
                output::message(&format!("before {id} something is missing"))?;
            }
            if !found.is_whole() {
                bail!("the audit log was tampered with, or sealed with another keys.sealing_key");
            }
            output::message(&format!("{} rows, all as they were written", found.rows))
        }
    }
}

const HEAD: [&str; 8] = ["AT", "EVENT", "USER", "CLIENT", "SCOPE", "GRANT", "ADDRESS", "DETAIL"];

fn line(row: &Model) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    vec![
        date(Timestamp::from_unix(row.at)),
        row.event.clone(),
        text(&row.user_id),
        text(&row.client_id),
        text(&row.scope),
        text(&row.grant_type),
        text(&row.address),
        text(&row.detail),
    ]
}
