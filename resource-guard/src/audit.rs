//! One event per decision, under the target `resource_guard::audit`: who asked for what, and what became of it. Never
//! the token.

use crate::{asked::Asked, passage::Passage, principal::Principal, refusal::Refusal};
use oauth_core::model::Timestamp;

/// Records a decision.
pub(crate) fn record(
    asked: &Asked<'_>,
    principal: Option<&Principal>,
    outcome: &Result<Passage, Refusal>,
) {
    let (decision, reason, status) = match outcome {
        Ok(Passage::Admitted(_)) => ("allowed", "the token allows it", None),
        Ok(_) => ("allowed", "no token is needed", None),
        Err(refusal) => ("refused", refusal.reason(), Some(refusal.status().as_u16())),
    };
    tracing::info!(
        target: "resource_guard::audit",
        decision,
        reason,
        status,
        sub = principal.map(Principal::subject),
        client_id = principal.and_then(Principal::client_id),
        iss = principal.and_then(Principal::issuer),
        jti = principal.and_then(|p| p.claim("jti")?.as_str()),
        exp = principal.and_then(Principal::expires_at).map(Timestamp::unix),
        websocket = asked.is_websocket(),
        method = asked.method().as_str(),
        path = asked.path_for_log(),
        "request {decision}",
    );
}

/// Records what was decided about a request after it was let in, by what its body says.
pub(crate) fn later<T>(principal: &Principal, action: &'static str, outcome: &Result<T, Refusal>) {
    let (decision, reason, status) = match outcome {
        Ok(_) => ("allowed", "the client may do this", None),
        Err(refusal) => ("refused", refusal.reason(), Some(refusal.status().as_u16())),
    };
    tracing::info!(
        target: "resource_guard::audit",
        decision,
        reason,
        status,
        sub = principal.subject(),
        client_id = principal.client_id(),
        iss = principal.issuer(),
        jti = principal.claim("jti").and_then(|jti| jti.as_str()),
        exp = principal.expires_at().map(Timestamp::unix),
        action,
        "{action} {decision}",
    );
}
