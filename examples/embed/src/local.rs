//! The guard asks the provider in the same process: no network, and a revoked token is dead at once.

use oauth_core::Provider;
use resource_guard::{PresentedToken, Rejection, Timestamp, Verified, Verifier, async_trait};
use std::{sync::Arc, time::Duration};

/// Access tokens of this provider that were issued for no other resource.
pub(crate) struct Local(Provider);

impl Local {
    pub(crate) fn new(provider: &Provider) -> Self {
        Self(provider.clone())
    }
}

#[async_trait]
impl Verifier for Local {
    async fn verify(
        &self,
        token: &PresentedToken<'_>,
        _: Timestamp,
    ) -> Result<Arc<Verified>, Rejection> {
        let away = |_| Rejection::Unavailable { retry_after: Duration::from_secs(5) };
        let claims = self.0.access_token(token.as_str()).await.map_err(away)?;
        let claims = claims.ok_or(Rejection::Inactive)?;
        let here = self.0.env().issuer.as_str();
        if claims.get("aud").and_then(|aud| aud.as_str()) != Some(here) {
            return Err(Rejection::Audience);
        }
        Ok(Arc::new(Verified::from_claims(claims)?))
    }
}
