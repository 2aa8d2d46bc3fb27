//! JWT access tokens of several issuers, each verified with the keys of its own server (AMWA IS-10, resource servers).

use super::{
    PresentedToken, Rejection, Rules, Verified, Verifier,
    jwt::{read, unlisted},
    text,
};
use crate::{
    keys::{Issuers, Keys, Server},
    revocations::Listed,
};
use async_trait::async_trait;
use oauth_core::{
    jose::{Jwt, JwtProblem, peek, verify},
    model::{HashedToken, JwsAlgorithm, Timestamp},
};
use quick_cache::sync::Cache;
use std::sync::Arc;

/// Verifies tokens of every issuer that is trusted.
pub(crate) struct IssuersVerifier {
    rules: Arc<Rules>,
    issuers: Arc<Issuers>,
    /// Tokens found good before, by hash.
    seen: Option<Cache<HashedToken, Seen>>,
    /// Tokens that are dead before their time.
    listed: Option<Listed>,
}

/// A token that was good, until when, and by whose keys.
#[derive(Clone)]
struct Seen {
    verified: Arc<Verified>,
    until: Timestamp,
    issuer: Arc<Server>,
    signed: Signed,
}

/// Whose keys a signature was good by, and which.
#[derive(Clone)]
struct Signed {
    by: Arc<Server>,
    generation: u64,
}

impl IssuersVerifier {
    /// Remembers at most `remember` tokens.
    pub(crate) fn new(
        rules: Arc<Rules>,
        issuers: Arc<Issuers>,
        remember: usize,
        listed: Option<Listed>,
    ) -> Self {
        let seen = (remember > 0).then(|| Cache::new(remember));
        Self { rules, issuers, seen, listed }
    }

    async fn recall(&self, hash: HashedToken, now: Timestamp) -> Option<Arc<Verified>> {
        let seen = self.seen.as_ref()?.get(&hash).filter(|seen| now < seen.until)?;
        if !seen.issuer.is_trusted() || !seen.signed.by.is_trusted() {
            return None;
        }
        let keys = seen.signed.by.keys(now).await.ok()?;
        (keys.generation() == seen.signed.generation).then_some(seen.verified)
    }

    /// The server of the issuer that the token names. Nothing is believed of the token yet, so nobody is asked for the
    /// sake of one that could not be good anyway.
    fn server(&self, token: &str, now: Timestamp) -> Result<Arc<Server>, Rejection> {
        let told = peek(token)?;
        let allowed = |alg: &JwsAlgorithm| {
            self.rules.algorithms.iter().any(|ours| JwsAlgorithm::from(*ours) == *alg)
        };
        told.alg.filter(allowed).ok_or(JwtProblem::Algorithm)?;
        let issuer = text(&told.claims, "iss")?.ok_or(Rejection::Claim("iss"))?.to_owned();
        if let Some(server) = self.issuers.known(&issuer) {
            return Ok(server);
        }
        self.rules.worth_asking(told.claims, now)?;
        self.issuers.meet(&issuer, now)
    }

    fn verify_by(
        &self,
        token: &str,
        server: &Arc<Server>,
        keys: &Keys,
    ) -> Result<(Jwt, Signed), JwtProblem> {
        let jwt = verify(token, keys.set(), &self.rules.algorithms)?;
        Ok((jwt, Signed { by: server.clone(), generation: keys.generation() }))
    }

    /// Verifies the signature: by the keys at hand, then by those that the other servers of the facility host, then by
    /// newer ones of the issuer.
    async fn signed(
        &self,
        token: &str,
        server: &Arc<Server>,
        now: Timestamp,
    ) -> Result<(Jwt, Signed), Rejection> {
        let keys = server.keys(now).await;
        if let Ok(keys) = &keys {
            match self.verify_by(token, server, keys) {
                Err(JwtProblem::UnknownKey) => {}
                other => return Ok(other?),
            }
        }
        if let Some(signed) = self.hosted_elsewhere(token, server) {
            return Ok(signed);
        }
        let newer = server.keys_after(&*keys?, now).await?.ok_or(JwtProblem::UnknownKey)?;
        Ok(self.verify_by(token, server, &newer)?)
    }

    fn hosted_elsewhere(&self, token: &str, server: &Arc<Server>) -> Option<(Jwt, Signed)> {
        let facility = self.issuers.facility();
        if !facility.iter().any(|member| Arc::ptr_eq(member, server)) {
            return None;
        }
        facility
            .iter()
            .filter(|other| !Arc::ptr_eq(other, server))
            .find_map(|other| self.verify_by(token, other, &*other.in_hand()?).ok())
    }
}

impl IssuersVerifier {
    async fn accepted(
        &self,
        token: &PresentedToken<'_>,
        now: Timestamp,
    ) -> Result<Arc<Verified>, Rejection> {
        if let Some(verified) = self.recall(token.hash(), now).await {
            return Ok(verified);
        }
        let server = self.server(token.as_str(), now)?;
        let (jwt, signed) = self.signed(token.as_str(), &server, now).await?;
        self.rules.check_jwt_of(Some(server.issuer()), &jwt, now)?;
        let until = jwt.expires_at().ok_or(Rejection::Claim("exp"))?.plus(self.rules.leeway);
        let verified = Arc::new(read(jwt)?);
        if let Some(seen) = &self.seen {
            let entry = Seen { verified: verified.clone(), until, issuer: server, signed };
            seen.insert(token.hash(), entry);
        }
        Ok(verified)
    }
}

#[async_trait]
impl Verifier for IssuersVerifier {
    async fn verify(
        &self,
        token: &PresentedToken<'_>,
        now: Timestamp,
    ) -> Result<Arc<Verified>, Rejection> {
        let verified = self.accepted(token, now).await?;
        unlisted(self.listed.as_ref(), verified, now).await
    }
}
