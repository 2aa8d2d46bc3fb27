//! How long ago somebody must have signed in.

use super::{Policy, Verdict};
use crate::{asked::Asked, principal::Principal, refusal::Refusal};
use oauth_core::model::Timestamp;
use serde_json::Value;
use std::time::Duration;

/// How far the clock of an authorization server may be ahead of ours.
const MOST_AHEAD: i64 = 60;

/// An access token of somebody who signed in not long ago, by its `auth_time`. Refreshing a token does not make it
/// fresh. The refusal says what would do, so that the client can send the person to sign in again
/// ([RFC 9470 3](https://www.rfc-editor.org/rfc/rfc9470#section-3)).
#[derive(Clone, Copy, Debug)]
pub struct Fresh {
    max_age: Duration,
}

impl Fresh {
    /// At most so long ago.
    pub const fn within(max_age: Duration) -> Self {
        Self { max_age }
    }

    fn is_fresh(self, principal: &Principal, now: Timestamp) -> bool {
        // Some issuers say so in a word, too. Yes without a time is no proof; no is no.
        if principal.claim("fresh").is_some_and(|fresh| *fresh != Value::Bool(true)) {
            return false;
        }
        let Some(at) = principal.claim("auth_time").and_then(Value::as_i64) else { return false };
        let age = now.seconds_since(Timestamp::from_unix(at));
        let most = i64::try_from(self.max_age.as_secs()).unwrap_or(i64::MAX);
        (-MOST_AHEAD..=most).contains(&age)
    }
}

impl Policy for Fresh {
    fn allow<'a>(&'a self, asked: &'a Asked<'a>, principal: &'a Principal) -> Verdict<'a> {
        let verdict = if principal.is_guest() {
            Err(Refusal::insufficient_scope(None))
        } else if self.is_fresh(principal, asked.now()) {
            Ok(())
        } else {
            Err(Refusal::stale(self.max_age))
        };
        verdict.into()
    }
}
