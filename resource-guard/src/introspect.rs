//! Asking the authorization server about a token ([RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)).

use crate::{
    fetch::{Endpoint, FetchProblem, Http},
    flight::{Flight, fly},
    verify::{PresentedToken, Rejection, Rules, Verified, Verifier},
};
use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use form_urlencoded::{Serializer, byte_serialize};
use http::HeaderValue;
use oauth_core::{
    model::{HashedToken, Timestamp},
    ports::Clock,
};
use quick_cache::sync::Cache;
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Semaphore;

/// More than any answer about one token needs.
const MOST_ANSWER: usize = 64 * 1024;
/// Answers kept at once.
const MOST_REMEMBERED: usize = 8_192;
/// Questions asked at once; further ones queue.
const MOST_AT_ONCE: usize = 64;
/// What callers are told to wait when the server does not answer.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// What is known of a token, and why not if nothing is.
type Answer = Result<Arc<Verified>, Rejection>;

/// Introspection with answers kept for moments.
#[derive(Clone)]
pub(crate) struct Introspection(Arc<Inner>);

struct Inner {
    http: Http,
    endpoint: Endpoint,
    authorization: HeaderValue,
    rules: Arc<Rules>,
    clock: Arc<dyn Clock>,
    timeout: Duration,
    /// How long an answer may be used; zero asks every time.
    keep: Duration,
    answers: Cache<HashedToken, Kept>,
    flights: Mutex<HashMap<HashedToken, Flight<Answer>>>,
    turns: Semaphore,
}

#[derive(Clone)]
struct Kept {
    answer: Answer,
    since: Timestamp,
    until: Timestamp,
}

/// What introspection needs to know.
pub(crate) struct Asking {
    pub(crate) http: Http,
    pub(crate) endpoint: Endpoint,
    pub(crate) authorization: HeaderValue,
    pub(crate) rules: Arc<Rules>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) timeout: Duration,
    pub(crate) keep: Duration,
}

/// `client_secret_basic` with both parts form-encoded first
/// ([RFC 6749 2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1)).
pub(crate) fn basic(id: &str, secret: &str) -> Option<HeaderValue> {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encoded(id), encoded(secret));
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl Introspection {
    pub(crate) fn new(asking: Asking) -> Self {
        let Asking { http, endpoint, authorization, rules, clock, timeout, keep } = asking;
        Self(Arc::new(Inner {
            http,
            endpoint,
            authorization,
            rules,
            clock,
            timeout,
            keep,
            answers: Cache::new(MOST_REMEMBERED),
            flights: Mutex::default(),
            turns: Semaphore::new(MOST_AT_ONCE),
        }))
    }

    /// The question under way about this token, or a new one.
    fn flight(&self, token: &PresentedToken<'_>, now: Timestamp) -> Result<Flight<Answer>, Answer> {
        let inner = &self.0;
        let mut flights = inner.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(&token.hash()) {
            return Ok(flight.clone());
        }
        // Whoever asked before us put the answer there before taking the question away.
        if let Some(answer) = inner.recall(token.hash(), now) {
            return Err(answer);
        }
        let (inner, text, hash) = (inner.clone(), token.as_str().to_owned(), token.hash());
        let flight = fly(async move {
            let _done = Done(&inner, hash);
            let since = inner.clock.now();
            let answer = inner.ask(&text).await;
            inner.remember(hash, &answer, since);
            answer
        });
        flights.insert(token.hash(), flight.clone());
        Ok(flight)
    }
}

impl Inner {
    fn recall(&self, hash: HashedToken, now: Timestamp) -> Option<Answer> {
        let kept = self.answers.get(&hash)?;
        (kept.since <= now && now < kept.until).then_some(kept.answer)
    }

    /// Keeps an answer for a moment counted from the question, and never beyond the token.
    fn remember(&self, hash: HashedToken, answer: &Answer, since: Timestamp) {
        if self.keep.is_zero() || matches!(answer, Err(Rejection::Unavailable { .. })) {
            return;
        }
        let mut until = since.plus(self.keep);
        if let Some(end) = answer.as_ref().ok().and_then(|v| v.expires_at) {
            until = until.min(end.plus(self.rules.leeway));
        }
        self.answers.insert(hash, Kept { answer: answer.clone(), since, until });
    }

    async fn ask(&self, token: &str) -> Answer {
        let unavailable = Rejection::Unavailable { retry_after: RETRY_AFTER };
        let Ok(Ok(_turn)) = tokio::time::timeout(self.timeout, self.turns.acquire()).await else {
            tracing::warn!("too many introspections are under way");
            return Err(unavailable);
        };
        let form = Serializer::new(String::new())
            .append_pair("token", token)
            .append_pair("token_type_hint", "access_token")
            .finish();
        match self.http.post(&self.endpoint, &self.authorization, form, MOST_ANSWER).await {
            Ok(answer) => self.read(answer),
            Err(problem) => {
                if matches!(problem, FetchProblem::Status(401 | 403)) {
                    tracing::error!(error = %problem, "the introspection endpoint refuses the guard's own credentials");
                } else {
                    tracing::warn!(error = %problem, "introspection failed");
                }
                Err(unavailable)
            }
        }
    }

    fn read(&self, answer: Value) -> Answer {
        let Value::Object(mut answer) = answer else {
            return Err(Rejection::Inactive);
        };
        match answer.remove("active") {
            Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => return Err(Rejection::Inactive),
            _ => return Err(Rejection::Claim("active")),
        }
        let claims = self.rules.check_introspected(answer, self.clock.now())?;
        Verified::from_claims(claims).map(Arc::new)
    }
}

/// Takes the question off the list, even if asking panics.
struct Done<'a>(&'a Inner, HashedToken);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.flights.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

#[async_trait]
impl Verifier for Introspection {
    async fn verify(&self, token: &PresentedToken<'_>, now: Timestamp) -> Answer {
        if let Some(answer) = self.0.recall(token.hash(), now) {
            return answer;
        }
        match self.flight(token, now) {
            Ok(flight) => {
                flight.await.unwrap_or(Err(Rejection::Unavailable { retry_after: RETRY_AFTER }))
            }
            Err(answer) => answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::basic;

    #[test]
    fn rfc6749_s2_3_1_credentials_are_form_encoded_first() {
        let header = basic("a:b", "p w%é").unwrap();
        // "a%3Ab:p+w%25%C3%A9"
        assert_eq!(header.to_str().unwrap(), "Basic YSUzQWI6cCt3JTI1JUMzJUE5");
        assert!(header.is_sensitive());
    }
}
