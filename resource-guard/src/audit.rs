//! One event per decision, under the target `resource_guard::audit`: who asked for what, and what became of it. Never
//! the token.

use crate::{
    asked::Asked, passage::Passage, principal::Principal, refusal::Refusal, verify::PresentedToken,
};
use oauth_core::{jose::peek, model::Timestamp};
use serde_json::{Map, Value};

const TARGET: &str = "resource_guard::audit";

/// The longest claim that is recorded of a token that was not found good, in bytes.
const LONGEST: usize = 255;

/// Who asks.
pub(crate) enum Caller {
    /// There was no token, or none that can be read.
    Unknown,
    /// What a token says that was not found good. Anybody can have made it.
    Claimed(Map<String, Value>),
    /// Whoever a good token speaks for.
    Proven(Principal),
}

impl Caller {
    /// What a refused token says, if anybody listens.
    pub(crate) fn claimed(token: &PresentedToken<'_>) -> Self {
        if !is_heard() {
            return Self::Unknown;
        }
        peek(token.as_str()).map_or(Self::Unknown, |told| Self::Claimed(told.claims))
    }

    fn text(&self, claim: &str) -> Option<&str> {
        match self {
            Self::Unknown => None,
            Self::Claimed(claims) => claims.get(claim)?.as_str().filter(|t| t.len() <= LONGEST),
            Self::Proven(principal) => principal.claim(claim)?.as_str(),
        }
    }

    fn subject(&self) -> Option<&str> {
        match self {
            Self::Proven(principal) => Some(principal.subject()),
            Self::Unknown | Self::Claimed(_) => self.text("sub"),
        }
    }

    fn expires_at(&self) -> Option<i64> {
        match self {
            Self::Unknown => None,
            Self::Claimed(claims) => claims.get("exp")?.as_i64(),
            Self::Proven(principal) => principal.expires_at().map(Timestamp::unix),
        }
    }

    /// Whether what is said of the caller is proven; nothing where nothing is said.
    const fn is_proven(&self) -> Option<bool> {
        match self {
            Self::Unknown => None,
            Self::Claimed(_) => Some(false),
            Self::Proven(_) => Some(true),
        }
    }
}

/// Records that a request was let through.
pub(crate) fn passed(asked: &Asked<'_>, passage: &Passage) {
    if !is_heard() {
        return;
    }
    match passage {
        Passage::Admitted(principal) => {
            record(
                asked,
                &Caller::Proven(principal.clone()),
                ("allowed", "the token allows it"),
                None,
            );
        }
        Passage::Anonymous(_) | Passage::Unguarded => {
            record(asked, &Caller::Unknown, ("allowed", "no token is needed"), None);
        }
    }
}

/// Records that a request was refused.
pub(crate) fn refused(asked: &Asked<'_>, caller: &Caller, refusal: &Refusal) {
    record(asked, caller, ("refused", refusal.reason()), Some(refusal.status().as_u16()));
}

/// Whether anybody listens.
fn is_heard() -> bool {
    tracing::enabled!(target: TARGET, tracing::Level::INFO)
}

fn record(
    asked: &Asked<'_>,
    caller: &Caller,
    (decision, reason): (&'static str, &str),
    status: Option<u16>,
) {
    tracing::info!(
        target: TARGET,
        decision,
        reason,
        status,
        proven = caller.is_proven(),
        sub = caller.subject(),
        client_id = caller.text("client_id").or_else(|| caller.text("azp")),
        iss = caller.text("iss"),
        jti = caller.text("jti"),
        exp = caller.expires_at(),
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
        target: TARGET,
        decision,
        reason,
        status,
        proven = true,
        sub = principal.subject(),
        client_id = principal.client_id(),
        iss = principal.issuer(),
        jti = principal.claim("jti").and_then(|jti| jti.as_str()),
        exp = principal.expires_at().map(Timestamp::unix),
        action,
        "{action} {decision}",
    );
}
