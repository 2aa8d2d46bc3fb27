//! JWT access tokens, verified offline and remembered until they expire.

use super::{PresentedToken, Rejection, Rules, Verified, Verifier, seen::SeenTokens};
use crate::{
    keys::{KeySource, Keys},
    token_use::TokenUse,
};
use async_trait::async_trait;
use oauth_core::{
    jose::{Jwt, JwtProblem, verify},
    model::Timestamp,
};
use std::sync::Arc;

/// Verifies JWTs by the keys of a source and the rules of the guard.
pub(crate) struct JwtVerifier {
    rules: Arc<Rules>,
    keys: Arc<dyn KeySource>,
    seen: SeenTokens,
}

impl JwtVerifier {
    /// Remembers at most `remember` tokens.
    pub(crate) fn new(rules: Arc<Rules>, keys: Arc<dyn KeySource>, remember: usize) -> Self {
        Self { rules, keys, seen: SeenTokens::new(remember) }
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
    fn recall(&self, token: &[u8], now: Timestamp) -> Option<Arc<Verified>> {
        self.seen.recall(token, self.keys.generation(now)?, now)
    }

    async fn verify(
        &self,
        token: &PresentedToken<'_>,
        now: Timestamp,
    ) -> Result<Arc<Verified>, Rejection> {
        let token = token.as_str();
        let keys = self.keys.keys(now).await?;
        if let Some(verified) = self.seen.recall(token.as_bytes(), keys.generation(), now) {
            return Ok(verified);
        }
        let (jwt, keys) = self.signed(token, keys, now).await?;
        self.rules.check_jwt(&jwt, now)?;
        let until = jwt.expires_at().ok_or(Rejection::Claim("exp"))?.plus(self.rules.leeway);
        let verified = Arc::new(read(jwt)?);
        self.seen.insert(token, &verified, keys.generation(), (now, until));
        Ok(verified)
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
