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

/// What a token may be listed under.
struct Entries {
    jti: String,
    session: Option<String>,
}

impl Entries {
    /// Nothing for a token that is no JWT.
    fn of(token: &str, verified: &Verified) -> Result<Option<Self>, Rejection> {
        let said = |claims: &Map<String, Value>, name: &str| {
            claims.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let (mut jti, mut sid) = (said(&verified.claims, "jti"), said(&verified.claims, "sid"));
        if jti.is_none() || sid.is_none() {
            // An introspection answer need not repeat what the token says.
            match peek(token) {
                Ok(told) => {
                    jti = jti.or_else(|| said(&told.claims, "jti"));
                    sid = sid.or_else(|| said(&told.claims, "sid"));
                }
                Err(_) if jti.is_none() => return Ok(None),
                Err(_) => {}
            }
        }
        let jti = jti.ok_or(Rejection::Claim("jti"))?;
        Ok(Some(Self { jti, session: sid.map(|sid| session_entry(&sid)) }))
    }
}

#[async_trait]
impl Verifier for Unlisted {
    // Nothing is recalled: the list is asked each time.

    async fn verify(
        &self,
        token: &PresentedToken<'_>,
        now: Timestamp,
    ) -> Result<Arc<Verified>, Rejection> {
        let verified = match self.verifier.recall(token.as_str().as_bytes(), now) {
            Some(verified) => verified,
            None => self.verifier.verify(token, now).await?,
        };
        let Some(entries) = Entries::of(token.as_str(), &verified)? else { return Ok(verified) };
        let ids: Vec<&str> =
            [Some(&*entries.jti), entries.session.as_deref()].into_iter().flatten().collect();
        match self.listed.has(&ids, now).await {
            Some(false) => Ok(verified),
            Some(true) => Err(Rejection::Revoked),
            None => Err(Rejection::Unavailable { retry_after: RETRY_AFTER }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocations::{MemoryRevocations, Revocations as _, WhileSilent};
    use serde_json::json;

    /// Has seen every token, and verifies none.
    struct Remembers(Arc<Verified>);

    #[async_trait]
    impl Verifier for Remembers {
        fn recall(&self, _: &[u8], _: Timestamp) -> Option<Arc<Verified>> {
            Some(self.0.clone())
        }

        async fn verify(
            &self,
            _: &PresentedToken<'_>,
            _: Timestamp,
        ) -> Result<Arc<Verified>, Rejection> {
            Err(Rejection::Inactive)
        }
    }

    #[tokio::test]
    async fn s0_15_a_remembered_token_is_not_verified_anew_for_the_sake_of_the_list() {
        let claims = json!({"sub": "u", "jti": "t-1", "sid": "s"});
        let verified = Verified::from_claims(claims.as_object().unwrap().clone()).unwrap();
        let list = Arc::new(MemoryRevocations::new());
        let (while_silent, timeout) = (WhileSilent::Refuse, Duration::from_secs(1));
        let listed = Listed { list: list.clone(), while_silent, timeout };
        let guard = Unlisted { verifier: Arc::new(Remembers(Arc::new(verified))), listed };
        let (token, now) = (PresentedToken::new("a.b.c"), Timestamp::from_unix(0));
        assert!(guard.verify(&token, now).await.is_ok());
        assert!(guard.recall(b"a.b.c", now).is_none(), "the list is asked each time");
        list.revoke(&session_entry("s"), Timestamp::from_unix(9)).await.unwrap();
        assert_eq!(guard.verify(&token, now).await.err(), Some(Rejection::Revoked));
    }
}
