//! From a presented token to what it says, or why it is not accepted.

mod both;
mod issuers;
mod jwt;
mod listed;
mod rules;
mod seen;

pub(crate) use both::Both;
pub(crate) use issuers::IssuersVerifier;
pub(crate) use jwt::JwtVerifier;
pub(crate) use listed::Unlisted;
pub(crate) use rules::{AudienceForm, AudienceRule, ClientRule, Rules};

use crate::{rights::Rights, token_use::TokenUse};
use async_trait::async_trait;
use oauth_core::{
    jose::JwtProblem,
    model::{HashedToken, Scope, Timestamp},
};
use serde_json::{Map, Value};
use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// Decides whether tokens are good. The guard brings verifiers for JWTs and for introspection; an embedder may bring
/// another.
#[async_trait]
pub trait Verifier: Send + Sync {
    /// What a token says that was found good before and still is, without waiting and without a new signature check.
    /// `None` where that is not known: then [`verify`](Self::verify) is asked. The token is as it was sent, and need not
    /// have the form of one.
    fn recall(&self, token: &[u8], now: Timestamp) -> Option<Arc<Verified>> {
        let _ = (token, now);
        None
    }

    /// What the token says, if it is good at `now`.
    async fn verify(
        &self,
        token: &PresentedToken<'_>,
        now: Timestamp,
    ) -> Result<Arc<Verified>, Rejection>;
}

/// A token as a request carried it. It is never printed.
pub struct PresentedToken<'a> {
    text: Cow<'a, str>,
    hash: OnceLock<HashedToken>,
}

impl<'a> PresentedToken<'a> {
    pub(crate) fn new(text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: text.into(), hash: OnceLock::new() }
    }

    /// The token.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its SHA-256, under which answers about it may be remembered.
    pub fn hash(&self) -> HashedToken {
        *self.hash.get_or_init(|| HashedToken::of(&self.text))
    }
}

impl fmt::Debug for PresentedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PresentedToken(..)")
    }
}

/// Why a token is not accepted. The text is for the log of the resource server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// `aud` names none of the guard's audiences.
    #[error("the token is for another audience")]
    Audience,
    /// The token is bound to a key or certificate (`cnf`), which a bearer request does not prove.
    #[error("the token is bound to a key that a bearer request does not prove")]
    Bound,
    /// A claim is missing or of the wrong type.
    #[error("the claim {0} is missing or of the wrong type")]
    Claim(&'static str),
    /// The authorization server says no.
    #[error("the authorization server says that the token is not active")]
    Inactive,
    /// `iss` is not the guard's issuer.
    #[error("the token is from another issuer")]
    Issuer,
    /// The JWT itself is not acceptable.
    #[error(transparent)]
    Jwt(#[from] JwtProblem),
    /// It, or the session it was issued in, is on the list of revoked ones.
    #[error("the token is on the list of revoked ones")]
    Revoked,
    /// It is not a token of the accepted types, such as an ID token.
    #[error("this is not an access token")]
    Type,
    /// Nobody can say at the moment: the authorization server does not answer.
    #[error("the authorization server cannot be asked at the moment")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
}

/// What a good token says.
pub struct Verified {
    pub(crate) subject: String,
    pub(crate) client_id: Option<String>,
    pub(crate) scope: Scope,
    pub(crate) issuer: Option<String>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) rights: Rights,
    pub(crate) token_use: TokenUse,
    /// Whether the issuer is a server of a facility, which share their clients (AMWA IS-10, client registration).
    pub(crate) shares_clients: bool,
    pub(crate) claims: Map<String, Value>,
}

impl Verified {
    /// Reads the claims of a token, or of an introspection answer
    /// ([RFC 9068 2.2](https://www.rfc-editor.org/rfc/rfc9068#section-2.2),
    /// [RFC 7662 2.2](https://www.rfc-editor.org/rfc/rfc7662#section-2.2)). Whoever calls this has checked them.
    ///
    /// `sub` may be missing where a client acts for itself: then the subject is the client.
    pub fn from_claims(claims: Map<String, Value>) -> Result<Self, Rejection> {
        let client_id = match text(&claims, "client_id")? {
            None => text(&claims, "azp")?,
            some => some,
        };
        let subject = text(&claims, "sub")?.or(client_id).ok_or(Rejection::Claim("sub"))?;
        let scope = match claims.get("scope") {
            None => Scope::default(),
            Some(scope) => {
                scope.as_str().and_then(Scope::parse).ok_or(Rejection::Claim("scope"))?
            }
        };
        Ok(Self {
            subject: subject.to_owned(),
            client_id: client_id.map(str::to_owned),
            scope,
            issuer: text(&claims, "iss")?.map(str::to_owned),
            expires_at: expiry(&claims),
            rights: Rights::of(&claims),
            token_use: TokenUse::of(&claims),
            shares_clients: false,
            claims,
        })
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("subject", &self.subject)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// A claim that, if it is there, is text and not empty.
fn text<'c>(
    claims: &'c Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'c str>, Rejection> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(_) => Err(Rejection::Claim(name)),
    }
}

/// `exp` in whole seconds, rounded down.
fn expiry(claims: &Map<String, Value>) -> Option<Timestamp> {
    let exp = claims.get("exp")?.as_f64().filter(|exp| exp.is_finite())?;
    #[expect(clippy::cast_possible_truncation, reason = "a float that is too large saturates")]
    Some(Timestamp::from_unix(exp.floor() as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(claims: &Value) -> Result<Verified, Rejection> {
        Verified::from_claims(claims.as_object().unwrap().clone())
    }

    #[test]
    fn rfc9068_s2_2_who_and_for_whom() {
        let v = read(&json!({"sub": "u", "client_id": "c", "azp": "z", "scope": "b a"})).unwrap();
        assert_eq!((v.subject.as_str(), v.client_id.as_deref()), ("u", Some("c")));
        assert_eq!(v.scope.to_string(), "a b");
        assert_eq!(read(&json!({"sub": "u", "azp": "z"})).unwrap().client_id.as_deref(), Some("z"));
        let own = read(&json!({"client_id": "c", "exp": 7.9})).unwrap();
        assert_eq!((own.subject.as_str(), own.expires_at), ("c", Some(Timestamp::from_unix(7))));
        for (claims, name) in [
            (json!({}), "sub"),
            (json!({"sub": ""}), "sub"),
            (json!({"sub": 7}), "sub"),
            (json!({"sub": "u", "client_id": ["c"]}), "client_id"),
            (json!({"sub": "u", "scope": ["a"]}), "scope"),
            (json!({"sub": "u", "scope": "a\u{7}"}), "scope"),
            (json!({"sub": "u", "iss": null}), "iss"),
        ] {
            assert_eq!(read(&claims).err(), Some(Rejection::Claim(name)), "{claims}");
        }
    }

    #[test]
    fn tokens_are_not_printed() {
        assert_eq!(format!("{:?}", PresentedToken::new("secret")), "PresentedToken(..)");
    }
}
