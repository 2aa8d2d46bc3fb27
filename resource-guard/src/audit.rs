//! One event per decision, under the target `resource_guard::audit`: who asked for what, and what became of it. Never
//! the token.

use crate::{asked::Asked, passage::Passage, principal::Principal, refusal::Refusal};

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
        jti = principal.and_then(|p| p.claim("jti")?.as_str()),
        method = asked.method().as_str(),
        path = asked.path_for_log(),
        "request {decision}",
    );
}
