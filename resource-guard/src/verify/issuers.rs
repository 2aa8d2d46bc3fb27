//! JWT access tokens of several issuers, each verified with the keys of its own server (AMWA IS-10, resource servers).

use super::{
    PresentedToken, Rejection, Rules, Verified, Verifier, jwt::read, seen::SeenTokens, text,
};
use crate::keys::{Issuers, Server};
use async_trait::async_trait;
use oauth_core::{
    jose::{Jwt, JwtProblem, KeySet, peek, verify},
    model::{JwsAlgorithm, Timestamp},
};
use std::{sync::Arc, time::Duration};

/// How long a token is remembered at least, while keys are being fetched.
const SOON: Duration = Duration::from_secs(1);

/// Verifies tokens of every issuer that is trusted.
pub(crate) struct IssuersVerifier {
    rules: Arc<Rules>,
    issuers: Arc<Issuers>,
    seen: SeenTokens,
}

impl IssuersVerifier {
    /// Remembers at most `remember` tokens.
    pub(crate) fn new(rules: Arc<Rules>, issuers: Arc<Issuers>, remember: usize) -> Self {
        Self { rules, issuers, seen: SeenTokens::new(remember) }
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
        keys: &KeySet,
    ) -> Result<(Jwt, Arc<Server>), JwtProblem> {
        let jwt = verify(token, keys, &self.rules.algorithms)?;
        Ok((jwt, server.clone()))
    }

    /// Verifies the signature, and says whose keys it is good by: by the keys at hand, then by those that the other servers of the facility host, then by
    /// newer ones of the issuer.
    async fn signed(
        &self,
        token: &str,
        server: &Arc<Server>,
        now: Timestamp,
    ) -> Result<(Jwt, Arc<Server>), Rejection> {
        // While the issuer never answered, nobody waits for it whom another server can help.
        if server.in_hand().is_none()
            && let Some(signed) = self.hosted_elsewhere(token, server)
        {
            return Ok(signed);
        }
        let keys = server.keys(now).await;
        if let Ok(keys) = &keys {
            match self.verify_by(token, server, keys.set()) {
                Err(JwtProblem::UnknownKey) => {}
                other => return Ok(other?),
            }
        }
        if let Some(signed) = self.hosted_elsewhere(token, server) {
            return Ok(signed);
        }
        let keys = keys?;
        // Nor is anybody asked again for the sake of a token that could not be good anyway.
        self.rules.worth_asking(peek(token)?.claims, now)?;
        let newer = server.keys_after(&keys, now).await?.ok_or(JwtProblem::UnknownKey)?;
        Ok(self.verify_by(token, server, newer.set())?)
    }

    /// By a key of the issuer that another server of the facility hosts. What the issuer has withdrawn counts no more,
    /// whoever still hosts it, and what others say counts if it is no older than what the issuer said itself.
    fn hosted_elsewhere(&self, token: &str, server: &Arc<Server>) -> Option<(Jwt, Arc<Server>)> {
        let facility = self.issuers.facility();
        if !facility.iter().any(|member| Arc::ptr_eq(member, server)) {
            return None;
        }
        let withdrawn = server.withdrawn();
        facility
            .iter()
            .filter(|other| !Arc::ptr_eq(other, server) && other.may_speak_for(server))
            .find_map(|other| {
                let hosted = other.in_hand()?.set().without(&withdrawn);
                self.verify_by(token, other, &hosted).ok()
            })
    }
}

#[async_trait]
impl Verifier for IssuersVerifier {
    fn recall(&self, token: &[u8], now: Timestamp) -> Option<Arc<Verified>> {
        self.seen.recall(token, self.issuers.epoch().number(), now)
    }

    async fn verify(
        &self,
        token: &PresentedToken<'_>,
        now: Timestamp,
    ) -> Result<Arc<Verified>, Rejection> {
        let token = token.as_str();
        // Before the keys are read: what changes from here on is noticed.
        let epoch = self.issuers.epoch().number();
        let server = self.server(token, now)?;
        let (jwt, signer) = self.signed(token, &server, now).await?;
        self.rules.check_jwt_of(Some(server.issuer()), &jwt, now)?;
        let end = jwt.expires_at().ok_or(Rejection::Claim("exp"))?.plus(self.rules.leeway);
        let mut verified = read(jwt)?;
        verified.shares_clients = !server.is_guest();
        let verified = Arc::new(verified);
        // Whoever comes when the keys are to be fetched again sees to that.
        let until = end.min(signer.due_at().max(now.plus(SOON)));
        self.seen.insert(token, &verified, epoch, (now, until));
        Ok(verified)
    }
}
