//! JWT access tokens, verified offline and remembered until they expire.

use super::{PresentedToken, Rejection, Rules, Verified, Verifier};
use crate::{
    keys::{KeySource, Keys},
    revocations::{Listed, session_entry},
    token_use::TokenUse,
};
use async_trait::async_trait;
use oauth_core::{
    jose::{Jwt, JwtProblem, verify},
    model::{HashedToken, Timestamp},
};
use quick_cache::sync::Cache;
use serde_json::Value;
use std::{sync::Arc, time::Duration};

/// What callers are told to wait when the list does not answer.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Verifies JWTs by the keys of a source and the rules of the guard.
pub(crate) struct JwtVerifier {
    rules: Arc<Rules>,
    keys: Arc<dyn KeySource>,
    /// Tokens found good before, by hash.
    seen: Option<Cache<HashedToken, Seen>>,
    /// Tokens that are dead before their time.
    listed: Option<Listed>,
}

/// A token that was good, until when, and by which keys.
#[derive(Clone)]
struct Seen {
    verified: Arc<Verified>,
    until: Timestamp,
    generation: u64,
}

impl JwtVerifier {
    /// Remembers at most `remember` tokens.
    pub(crate) fn new(
        rules: Arc<Rules>,
        keys: Arc<dyn KeySource>,
        remember: usize,
        listed: Option<Listed>,
    ) -> Self {
        let seen = (remember > 0).then(|| Cache::new(remember));
        Self { rules, keys, seen, listed }
    }

    fn recall(&self, hash: HashedToken, keys: &Keys, now: Timestamp) -> Option<Arc<Verified>> {
        let seen = self.seen.as_ref()?.get(&hash)?;
        (seen.generation == keys.generation() && now < seen.until).then_some(seen.verified)
    }

    /// Verifies the signature; when no key fits, once more with newer keys, if there are any.
    async fn signed(
        &self,
        token: &str,
        keys: Arc<Keys>,
        now: Timestamp,
    ) -> Result<(Jwt, Arc<Keys>), Rejection> {
        match verify(token, keys.set(), &self.rules.algorithms) {
            Ok(jwt) => Ok((jwt, keys)),
            Err(JwtProblem::UnknownKey) => {
                let keys = self.keys.keys_after(&keys, now).await?.ok_or(JwtProblem::UnknownKey)?;
                let jwt = verify(token, keys.set(), &self.rules.algorithms)?;
                Ok((jwt, keys))
            }
            Err(problem) => Err(problem.into()),
        }
    }

    async fn accepted(
        &self,
        token: &PresentedToken<'_>,
        now: Timestamp,
    ) -> Result<Arc<Verified>, Rejection> {
        let keys = self.keys.keys(now).await?;
        if let Some(verified) = self.recall(token.hash(), &keys, now) {
            return Ok(verified);
        }
        let (jwt, keys) = self.signed(token.as_str(), keys, now).await?;
        self.rules.check_jwt(&jwt, now)?;
        let until = jwt.expires_at().ok_or(Rejection::Claim("exp"))?.plus(self.rules.leeway);
        let verified = Arc::new(read(jwt)?);
        if let Some(seen) = &self.seen {
            let generation = keys.generation();
            seen.insert(token.hash(), Seen { verified: verified.clone(), until, generation });
        }
        Ok(verified)
    }
}

#[async_trait]
impl Verifier for JwtVerifier {
    async fn verify(
        &self,
        token: &PresentedToken<'_>,
        now: Timestamp,
    ) -> Result<Arc<Verified>, Rejection> {
        let verified = self.accepted(token, now).await?;
        unlisted(self.listed.as_ref(), verified, now).await
    }
}

/// What a JWT says that was found good.
pub(super) fn read(jwt: Jwt) -> Result<Verified, Rejection> {
    let is_refresh = jwt.is_typ("rt+jwt");
    let mut verified = Verified::from_claims(jwt.claims)?;
    if is_refresh && verified.token_use == TokenUse::Access {
        verified.token_use = TokenUse::Refresh;
    }
    Ok(verified)
}

/// Asks the list about a token that is good otherwise. One without `jti` could never be revoked, so where there is a list
/// it is refused.
pub(super) async fn unlisted(
    listed: Option<&Listed>,
    verified: Arc<Verified>,
    now: Timestamp,
) -> Result<Arc<Verified>, Rejection> {
    let Some(listed) = listed else { return Ok(verified) };
    let text = |name| verified.claims.get(name).and_then(Value::as_str);
    let jti = text("jti").filter(|jti| !jti.is_empty()).ok_or(Rejection::Claim("jti"))?;
    let session = text("sid").map(session_entry);
    let ids: Vec<&str> = [Some(jti), session.as_deref()].into_iter().flatten().collect();
    match listed.has(&ids, now).await {
        Some(false) => Ok(verified),
        Some(true) => Err(Rejection::Revoked),
        None => Err(Rejection::Unavailable { retry_after: RETRY_AFTER }),
    }
}
