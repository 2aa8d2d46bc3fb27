//! The list of revoked tokens, around whatever else decides.

use super::{PresentedToken, Rejection, Verified, Verifier};
use crate::revocations::{Listed, session_entry};
use async_trait::async_trait;
use oauth_core::{jose::peek, model::Timestamp};
use serde_json::{Map, Value};
use std::{sync::Arc, time::Duration};

/// What callers are told to wait when the list does not answer.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Asks the list about every JWT that is good otherwise, whoever said so. A JWT without `jti` could never be revoked,
/// so it is refused. Other tokens are on no list: the authorization server answers for them each time.
pub(crate) struct Unlisted {
    pub(crate) verifier: Arc<dyn Verifier>,
    pub(crate) listed: Listed,
}

#[async_trait]
impl Verifier for Unlisted {
    async fn verify(
        &self,
        token: &PresentedToken<'_>,
        now: Timestamp,
    ) -> Result<Arc<Verified>, Rejection> {
        let verified = self.verifier.verify(token, now).await?;
        let told = peek(token.as_str()).ok();
        let text = |name| {
            // An introspection answer need not repeat what the token says.
            let said = |claims: &Map<String, Value>| claims.get(name)?.as_str().map(str::to_owned);
            said(&verified.claims)
                .or_else(|| said(&told.as_ref()?.claims))
                .filter(|t| !t.is_empty())
        };
        let jti = match text("jti") {
            Some(jti) => jti,
            None if told.is_none() => return Ok(verified),
            None => return Err(Rejection::Claim("jti")),
        };
        let session = text("sid").map(|sid| session_entry(&sid));
        let ids: Vec<&str> = [Some(&*jti), session.as_deref()].into_iter().flatten().collect();
        match self.listed.has(&ids, now).await {
            Some(false) => Ok(verified),
            Some(true) => Err(Rejection::Revoked),
            None => Err(Rejection::Unavailable { retry_after: RETRY_AFTER }),
        }
    }
}
