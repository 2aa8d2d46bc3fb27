//! JWTs offline, everything else by introspection.

use super::{PresentedToken, Rejection, Verified, Verifier};
use crate::introspect::Introspection;
use async_trait::async_trait;
use oauth_core::{jose::JwtProblem, model::Timestamp};
use std::sync::Arc;

/// Asks the authorization server only about what cannot be decided here, or about everything.
pub(crate) struct Both {
    pub(crate) jwt: Arc<dyn Verifier>,
    pub(crate) introspection: Introspection,
    /// Whether good JWTs are introspected too, so that revoked ones are refused.
    pub(crate) always: bool,
}

#[async_trait]
impl Verifier for Both {
    fn recall(&self, token: &[u8], now: Timestamp) -> Option<Arc<Verified>> {
        if self.always { None } else { self.jwt.recall(token, now) }
    }

    async fn verify(
        &self,
        token: &PresentedToken<'_>,
        now: Timestamp,
    ) -> Result<Arc<Verified>, Rejection> {
        let jwt_shaped = token.as_str().bytes().filter(|&b| b == b'.').count() == 2;
        if !jwt_shaped {
            return self.introspection.verify(token, now).await;
        }
        match self.jwt.verify(token, now).await {
            Ok(verified) if !self.always => Ok(verified),
            Ok(verified) => {
                self.introspection.verify(token, now).await?;
                Ok(verified)
            }
            Err(Rejection::Jwt(JwtProblem::Malformed) | Rejection::Unavailable { .. }) => {
                self.introspection.verify(token, now).await
            }
            Err(rejection) => Err(rejection),
        }
    }
}
