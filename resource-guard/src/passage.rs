//! What the guard tells those behind it about a request it let through.

use crate::{
    principal::Principal,
    refusal::{Realm, Refusal, Style, Voice},
};
use http::{Extensions, Response};
use std::sync::Arc;

/// Why a request was let through. Kept in its extensions; only the guard can make one.
#[derive(Clone, Debug)]
pub(crate) enum Passage {
    /// A good token was there and allows this.
    Admitted(Principal),
    /// No token was needed.
    Anonymous(Arc<Voice>),
    /// The guard is switched off.
    Unguarded,
}

impl Principal {
    /// The caller, from the extensions of a request. Otherwise the answer to give: 401 where the guard let the request
    /// through without a token, and 500 where no guard stands or where it is switched off, since nobody proved
    /// anything.
    pub fn of<B: From<String>>(extensions: &Extensions) -> Result<&Self, Response<B>> {
        match extensions.get::<Passage>() {
            Some(Passage::Admitted(principal)) => Ok(principal),
            Some(Passage::Anonymous(voice)) => Err(Refusal::no_token().response(voice)),
            Some(Passage::Unguarded) => Err(unproven(
                "the guard is switched off: handlers that run without it ask for an optional Principal",
            )),
            None => Err(unproven("no guard stands before this handler")),
        }
    }

    /// The caller, if there is one. Where no guard stands the answer is 500 also here: the handler would take everybody
    /// for anonymous by mistake.
    pub fn optional<B: From<String>>(
        extensions: &Extensions,
    ) -> Result<Option<&Self>, Response<B>> {
        match extensions.get::<Passage>() {
            Some(Passage::Admitted(principal)) => Ok(Some(principal)),
            Some(Passage::Anonymous(_) | Passage::Unguarded) => Ok(None),
            None => Err(unproven("no guard stands before this handler")),
        }
    }
}

fn unproven<B: From<String>>(why: &'static str) -> Response<B> {
    tracing::error!("a handler asks for a Principal, but {why}");
    let voice = Voice { style: Style::default(), realm: Realm::default() };
    Refusal::misconfigured().response(&voice)
}
