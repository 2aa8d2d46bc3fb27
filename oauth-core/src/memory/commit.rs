//! The commit, with the state locked: hold the parent, consume, write.

use super::{HeldAuthorization, HeldToken, Rotation, State};
use crate::{
    error::PortError,
    model::{
        AuthCode, Authorization, AuthorizationId, Committed, Consent, Consume, Issuance, Login,
        NewAuthorization, NewCode, NewToken, Parent, Scope, Timestamp, Token, TokenKind,
    },
};
use std::collections::HashSet;

/// The state of the credential to be used up.
enum Credential {
    /// It can be used up.
    Usable,
    /// It was used before.
    Used,
    /// It was rotated a moment ago and the successor is unused: the sealed response of then.
    JustRotated(Vec<u8>),
    /// It is unknown, expired, revoked, or another authorization's.
    Dead,
}

impl State {
    pub(super) fn commit(&mut self, issuance: Issuance) -> Result<Committed, PortError> {
        let at = issuance.at;
        let parent = match &issuance.parent {
            Parent::Existing(id) => Some(*id),
            Parent::New(new) => Some(new.id),
            Parent::None => None,
        };
        if let Parent::Existing(id) = &issuance.parent
            && self.authorizations.get(id).is_none_or(|a| a.given.revoked_at.is_some())
        {
            return Ok(Committed::Revoked);
        }
        if let Parent::New(new) = &issuance.parent
            && !self.stands(new)
        {
            return Ok(Committed::Revoked);
        }
        match self.judge(&issuance.consume, parent, at) {
            Credential::Usable => {}
            Credential::Used => {
                if let Some(id) = parent {
                    self.revoke(id, at);
                }
                return Ok(Committed::Replayed);
            }
            Credential::JustRotated(response) => return Ok(Committed::Repeated(response)),
            Credential::Dead => return Ok(Committed::Revoked),
        }
        self.refuse_doubles(&issuance)?;
        self.write(issuance, parent);
        Ok(Committed::Done)
    }

    /// Whether nothing of the user was revoked since the authorization was begun.
    fn stands(&self, new: &NewAuthorization) -> bool {
        let cutoff = self.cutoffs.get(&new.user).map(|(epoch, _)| *epoch);
        new.since.is_none_or(|since| cutoff.is_none_or(|cutoff| cutoff <= since))
    }

    fn judge(&self, what: &Consume, parent: Option<AuthorizationId>, at: Timestamp) -> Credential {
        match what {
            Consume::Nothing => Credential::Usable,
            Consume::Code(hash) => match self.codes.get(hash) {
                Some(code) if Some(code.authorization) != parent => Credential::Dead,
                Some(code) if code.consumed_at.is_some() => Credential::Used,
                Some(code) if code.expires_at > at => Credential::Usable,
                _ => Credential::Dead,
            },
            Consume::Interaction(hash) => match self.pending.get(hash) {
                Some(pending) if pending.expires_at > at => Credential::Usable,
                _ => Credential::Used,
            },
            Consume::Refresh { token, retry_since, .. } => match self.tokens.get(token) {
                Some(held) if held.token.authorization != parent => Credential::Dead,
                Some(held) if held.token.kind != TokenKind::Refresh => Credential::Dead,
                Some(held) if held.token.is_live(at) => Credential::Usable,
                Some(held) if held.token.consumed_at.is_some() => self
                    .repeat(held, *retry_since, at)
                    .map_or(Credential::Used, Credential::JustRotated),
                _ => Credential::Dead,
            },
        }
    }

    /// The response of a rotation at or after `retry_since` whose successor nobody used.
    fn repeat(&self, old: &HeldToken, retry_since: Timestamp, at: Timestamp) -> Option<Vec<u8>> {
        let rotation = old.rotation.as_ref()?;
        let successor = &self.tokens.get(&rotation.successor)?.token;
        let recent = old.token.consumed_at? >= retry_since;
        (recent && old.token.revoked_at.is_none() && successor.is_live(at))
            .then(|| rotation.response.clone())
    }

    /// What the primary keys of a database refuse.
    fn refuse_doubles(&self, issuance: &Issuance) -> Result<(), PortError> {
        let mut hashes = HashSet::new();
        let taken = issuance
            .tokens
            .iter()
            .any(|t| self.tokens.contains_key(&t.hash) || !hashes.insert(t.hash))
            || issuance.code.as_ref().is_some_and(|c| self.codes.contains_key(&c.hash))
            || matches!(&issuance.parent, Parent::New(n) if self.authorizations.contains_key(&n.id));
        if taken {
            return Err(PortError::new("a code, token or authorization with this key exists"));
        }
        if issuance.code.is_some() && issuance.parent == Parent::None {
            return Err(PortError::new("a code needs an authorization"));
        }
        Ok(())
    }

    fn write(&mut self, issuance: Issuance, parent: Option<AuthorizationId>) {
        self.consume(issuance.consume, issuance.at);
        if let Parent::New(new) = issuance.parent {
            self.join_session(&new);
            self.authorizations.insert(new.id, written_authorization(new, issuance.at));
        }
        let parent = parent.and_then(|id| self.authorizations.get(&id));
        if let (Some(parent), Some(code)) = (parent, issuance.code) {
            self.codes.insert(code.hash, written_code(code, parent));
        }
        for new in issuance.tokens {
            let hash = new.hash;
            let token = written_token(new, parent);
            self.tokens.insert(hash, HeldToken { token, rotation: None });
        }
        if let Some(consent) = issuance.consent {
            self.remember(consent);
        }
    }

    fn consume(&mut self, what: Consume, at: Timestamp) {
        match what {
            Consume::Nothing => {}
            Consume::Code(hash) => {
                if let Some(code) = self.codes.get_mut(&hash) {
                    code.consumed_at = Some(at);
                }
            }
            Consume::Interaction(hash) => {
                self.pending.remove(&hash);
            }
            Consume::Refresh { token, response, successor, .. } => {
                if let Some(held) = self.tokens.get_mut(&token) {
                    held.token.consumed_at = Some(at);
                    held.rotation = Some(Rotation { successor, response });
                }
            }
        }
    }

    fn remember(&mut self, consent: Consent) {
        let key = (consent.user.clone(), consent.client.clone());
        let scope = match self.consents.get(&key) {
            Some(old) => union(&old.scope, &consent.scope),
            None => consent.scope,
        };
        self.consents.insert(key, Consent { scope, ..consent });
    }
}

fn union(one: &Scope, other: &Scope) -> Scope {
    Scope::parse(&format!("{one} {other}")).expect("scope tokens joined by a space are a scope")
}

/// What the authorization knows of the sign-in is kept there alone.
fn inherited(login: Login, parent: Option<&HeldAuthorization>) -> Login {
    let (acr, sid) = parent.map(|p| (p.acr.clone(), p.sid.clone())).unwrap_or_default();
    Login { acr, sid, ..login }
}

fn written_code(new: NewCode, parent: &HeldAuthorization) -> AuthCode {
    AuthCode {
        authorization: parent.given.id,
        client: new.client,
        login: inherited(new.login, Some(parent)),
        redirect_uri: new.redirect_uri,
        scope: new.scope,
        resources: new.resources,
        challenge: new.challenge,
        openid: parent.openid.clone(),
        expires_at: new.expires_at,
        consumed_at: None,
        revoked_at: None,
    }
}

fn written_authorization(new: NewAuthorization, at: Timestamp) -> HeldAuthorization {
    let given = Authorization {
        id: new.id,
        client: new.client,
        user: new.user,
        scope: new.scope,
        created_at: at,
        revoked_at: None,
    };
    HeldAuthorization { given, openid: new.openid, acr: new.acr, sid: new.sid }
}

fn written_token(new: NewToken, parent: Option<&HeldAuthorization>) -> Token {
    Token {
        kind: new.kind,
        authorization: parent.map(|p| p.given.id),
        client: new.client,
        login: new.login.map(|login| inherited(login, parent)),
        scope: new.scope,
        resources: new.resources,
        issued_at: new.issued_at,
        expires_at: new.expires_at,
        consumed_at: None,
        revoked_at: None,
        openid: parent.and_then(|p| p.openid.clone()),
        authorized_at: parent.map_or(new.issued_at, |p| p.given.created_at),
    }
}
