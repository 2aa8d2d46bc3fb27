//! JWT access tokens, verified offline and remembered until they expire.

use super::{PresentedToken, Rejection, Rules, Verified, Verifier};
use crate::keys::{KeySource, Keys};
use async_trait::async_trait;
use oauth_core::{
    jose::{Jwt, JwtProblem, verify},
    model::{HashedToken, Timestamp},
};
use quick_cache::sync::Cache;
use std::sync::Arc;

/// Verifies JWTs by the keys of a source and the rules of the guard.
pub(crate) struct JwtVerifier {
    rules: Arc<Rules>,
    keys: Arc<dyn KeySource>,
    /// Tokens found good before, by hash.
    seen: Option<Cache<HashedToken, Seen>>,
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
    pub(crate) fn new(rules: Arc<Rules>, keys: Arc<dyn KeySource>, remember: usize) -> Self {
        let seen = (remember > 0).then(|| Cache::new(remember));
        Self { rules, keys, seen }
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
}

#[async_trait]
impl Verifier for JwtVerifier {
    async fn verify(
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
        let verified = Arc::new(Verified::from_claims(jwt.claims)?);
        if let Some(seen) = &self.seen {
            let generation = keys.generation();
            seen.insert(token.hash(), Seen { verified: verified.clone(), until, generation });
        }
        Ok(verified)
    }
}
