//! What was decided: counters and log lines for the operator, and the audit log for whoever must account for it.

mod log;
mod query;
mod writer;

pub use log::{AuditLog, Entry, Kind};
pub use query::{Filter, Verification, csv, described};

use crate::metrics::Metrics;
use async_trait::async_trait;
use oauth_core::{
    error::PortError,
    ports::{Audit, Event, RegistrationAct},
};

/// Hears of decisions. Writes no secrets, since events hold none.
#[derive(Clone)]
pub struct ServerAudit {
    metrics: Metrics,
    log: AuditLog,
}

impl ServerAudit {
    /// Counts here, and writes there.
    pub const fn new(metrics: Metrics, log: AuditLog) -> Self {
        Self { metrics, log }
    }
}

#[async_trait]
impl Audit for ServerAudit {
    fn record(&self, event: &Event<'_>) {
        match event {
            Event::Authorized { client, user, scope } => {
                tracing::info!(client.id = %client, user.id = %user, %scope, "client authorized");
            }
            Event::TokenIssued { grant_type, .. } => self.metrics.tokens(grant_type),
            Event::Refused { endpoint, error } => self.metrics.refusal(endpoint, error.as_str()),
            Event::Replayed { client } => {
                self.metrics.replay();
                tracing::warn!(client.id = %client, "used-up credential came back; its authorization is revoked");
            }
            _ => {}
        }
    }

    async fn keep(&self, event: &Event<'_>) -> Result<(), PortError> {
        match entry(event) {
            Some(entry) => self.log.write(entry).await,
            None => Ok(()),
        }
    }
}

/// What the audit log says of an event of the protocol.
fn entry(event: &Event<'_>) -> Option<Entry> {
    Some(match event {
        Event::Authorized { client, user, scope } => {
            Entry::new(Kind::Authorized).client(client).user(user).scope(&scope.to_string())
        }
        Event::TokenIssued { grant_type, client, user, scope } => {
            let kind =
                if *grant_type == "refresh_token" { Kind::Refreshed } else { Kind::TokenIssued };
            let entry = Entry::new(kind).client(client).scope(scope).grant_type(grant_type);
            user.iter().fold(entry, |entry, user| entry.user(user))
        }
        Event::Registration { act, client, owner, scope, invitation } => {
            let kind = match act {
                RegistrationAct::Asked => Kind::RegistrationAsked,
                RegistrationAct::Changed => Kind::RegistrationChanged,
                RegistrationAct::Removed => Kind::RegistrationRemoved,
                _ => Kind::Registered,
            };
            let entry = Entry::new(kind).client(client).scope(&scope.to_string());
            let entry = owner.iter().fold(entry, |entry, user| entry.user(user));
            let by = invitation.map(|name| format!("by the initial access token {name}"));
            by.into_iter().fold(entry, Entry::detail)
        }
        Event::Revoked { client } => Entry::new(Kind::Revoked).client(client),
        Event::Replayed { client } => Entry::new(Kind::Replayed).client(client),
        _ => return None,
    })
}
