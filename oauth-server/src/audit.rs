//! What the protocol decided, as counters, and as log lines where the library writes none.

use crate::metrics::Metrics;
use oauth_core::ports::{Audit, Event};

/// Hears of decisions. Writes no secrets, since events hold none.
#[derive(Clone)]
pub struct ServerAudit {
    metrics: Metrics,
}

impl ServerAudit {
    /// Counts here.
    pub const fn new(metrics: Metrics) -> Self {
        Self { metrics }
    }
}

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
}
