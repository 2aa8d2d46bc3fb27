//! What is asked of the claims, however they were learnt.

use super::{Rejection, text};
use oauth_core::{
    jose::Jwt,
    model::{Issuer, SigningAlgorithm, Timestamp},
};
use serde_json::{Map, Value};
use std::time::Duration;

/// What is asked of `aud`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AudienceRule {
    /// One of ours is named.
    Named,
    /// The same, but an introspection answer may leave `aud` out.
    NamedIfTold,
    /// Nothing.
    Anyone,
}

/// Where claims come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Introspection,
    Jwt,
}

/// The rules of one guard.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) issuer: Option<Issuer>,
    pub(crate) audiences: Vec<String>,
    pub(crate) audience: AudienceRule,
    pub(crate) algorithms: Vec<SigningAlgorithm>,
    /// Accepted values of `typ`.
    pub(crate) types: Vec<String>,
    /// Whether a JWT may go without `typ`.
    pub(crate) untyped: bool,
    /// Whether an introspection answer may go without `token_type`.
    pub(crate) untyped_answers: bool,
    pub(crate) leeway: Duration,
}

impl Rules {
    /// Checks the header and all claims of a JWT whose signature is good
    /// ([RFC 9068 4](https://www.rfc-editor.org/rfc/rfc9068#section-4)).
    pub(super) fn check_jwt(&self, jwt: &Jwt, now: Timestamp) -> Result<(), Rejection> {
        let typed = match jwt.typ {
            None => self.untyped,
            Some(_) => self.types.iter().any(|typ| jwt.is_typ(typ)),
        };
        if !typed {
            return Err(Rejection::Type);
        }
        if text(&jwt.claims, "sub")?.is_none() {
            return Err(Rejection::Claim("sub"));
        }
        jwt.check_times(now, self.leeway)?;
        self.check_origin(&jwt.claims, Source::Jwt)
    }

    /// Checks an introspection answer that says `active`
    /// ([RFC 7662 2.2](https://www.rfc-editor.org/rfc/rfc7662#section-2.2)): what it tells must fit, what it leaves
    /// out the authorization server has answered for.
    pub(crate) fn check_introspected(
        &self,
        claims: Map<String, Value>,
        now: Timestamp,
    ) -> Result<Map<String, Value>, Rejection> {
        // A refresh token may be active too, and only `token_type` tells.
        let typed = match text(&claims, "token_type")? {
            None => self.untyped_answers,
            Some(typ) => typ.eq_ignore_ascii_case("bearer"),
        };
        if !typed {
            return Err(Rejection::Type);
        }
        let lasting = !claims.contains_key("exp");
        let mut told = Jwt { typ: None, kid: None, claims };
        if lasting {
            told.claims.insert("exp".to_owned(), Value::from(i64::MAX));
        }
        told.check_times(now, self.leeway)?;
        if lasting {
            told.claims.remove("exp");
        }
        self.check_origin(&told.claims, Source::Introspection)?;
        Ok(told.claims)
    }

    /// `iss`, `cnf` and, last, `aud`: a refusal for the audience means that everything else was right.
    fn check_origin(&self, claims: &Map<String, Value>, source: Source) -> Result<(), Rejection> {
        let ours = self.issuer.as_ref().map(Issuer::as_str);
        match (text(claims, "iss")?, source) {
            (None, Source::Introspection) => {}
            (Some(_), Source::Introspection) if ours.is_none() => {}
            (theirs, _) if theirs.is_some() && theirs == ours => {}
            _ => return Err(Rejection::Issuer),
        }
        if claims.contains_key("cnf") {
            return Err(Rejection::Bound);
        }
        let named =
            |aud: &Value| aud.as_str().is_some_and(|a| self.audiences.iter().any(|o| o == a));
        let fits = match (claims.get("aud"), self.audience) {
            (_, AudienceRule::Anyone) => true,
            (None, rule) => rule == AudienceRule::NamedIfTold && source == Source::Introspection,
            (Some(Value::Array(list)), _) => list.iter().any(named),
            (Some(one), _) => named(one),
        };
        if fits { Ok(()) } else { Err(Rejection::Audience) }
    }
}
