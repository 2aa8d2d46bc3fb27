//! What is asked of the claims, however they were learnt.

use super::{Rejection, text};
use crate::name::{HostName, audience_means};
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

/// How a value of `aud` names this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AudienceForm {
    /// Character by character.
    Exact,
    /// As the domain name of this host, or the web address of it, wildcards included (AMWA IS-10).
    Host(HostName),
}

/// Whether a JWT must name the client that uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientRule {
    Named,
    NamedOrNot,
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
    pub(crate) form: AudienceForm,
    pub(crate) client: ClientRule,
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
        self.check_jwt_of(self.issuer.as_ref(), jwt, now)
    }

    /// The same, for a token of this issuer.
    pub(super) fn check_jwt_of(
        &self,
        issuer: Option<&Issuer>,
        jwt: &Jwt,
        now: Timestamp,
    ) -> Result<(), Rejection> {
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
        if self.client == ClientRule::Named {
            let client = text(&jwt.claims, "client_id")?.or(text(&jwt.claims, "azp")?);
            client.ok_or(Rejection::Claim("client_id"))?;
        }
        jwt.check_times(now, self.leeway)?;
        self.check_origin(issuer, &jwt.claims, Source::Jwt)
    }

    /// Whether a token would do if its signature were good and its issuer one to trust. Nothing is fetched for others.
    pub(super) fn worth_asking(
        &self,
        claims: Map<String, Value>,
        now: Timestamp,
    ) -> Result<(), Rejection> {
        let told = Jwt { typ: None, kid: None, claims };
        told.check_times(now, self.leeway)?;
        // For whom a token is that anybody can have made is not worth telling.
        if self.means_us(told.claims.get("aud"), Source::Jwt) {
            Ok(())
        } else {
            Err(Rejection::Issuer)
        }
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
        self.check_origin(self.issuer.as_ref(), &told.claims, Source::Introspection)?;
        Ok(told.claims)
    }

    /// `iss`, `cnf` and, last, `aud`: a refusal for the audience means that everything else was right.
    fn check_origin(
        &self,
        issuer: Option<&Issuer>,
        claims: &Map<String, Value>,
        source: Source,
    ) -> Result<(), Rejection> {
        let ours = issuer.map(Issuer::as_str);
        match (text(claims, "iss")?, source) {
            (None, Source::Introspection) => {}
            (Some(_), Source::Introspection) if ours.is_none() => {}
            (theirs, _) if theirs.is_some() && theirs == ours => {}
            _ => return Err(Rejection::Issuer),
        }
        if claims.contains_key("cnf") {
            return Err(Rejection::Bound);
        }
        let fits = self.means_us(claims.get("aud"), source);
        if fits { Ok(()) } else { Err(Rejection::Audience) }
    }

    fn means_us(&self, aud: Option<&Value>, source: Source) -> bool {
        match (aud, self.audience) {
            (_, AudienceRule::Anyone) => true,
            (None, rule) => rule == AudienceRule::NamedIfTold && source == Source::Introspection,
            (Some(Value::Array(list)), _) => list.iter().any(|aud| self.names_us(aud)),
            (Some(one), _) => self.names_us(one),
        }
    }

    fn names_us(&self, aud: &Value) -> bool {
        aud.as_str().is_some_and(|aud| {
            let host = match &self.form {
                AudienceForm::Exact => false,
                AudienceForm::Host(host) => audience_means(aud, host),
            };
            host || self.audiences.iter().any(|own| own == aud)
        })
    }
}
