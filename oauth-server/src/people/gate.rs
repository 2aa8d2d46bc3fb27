//! The gate for guests, and what could not be read at it.

use super::{
    Need, People,
    error::{Error, Refusal},
};
use crate::{forms::Unreadable, sign_in::StoredPassword};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_core::{jose::peek, model::UserId, ports::SignIn};

/// A guest token that was good when it was looked at. Only [`People::guest_token`] makes one.
#[derive(Clone, Debug)]
pub struct GuestToken {
    subject: UserId,
    jti: String,
}

impl GuestToken {
    /// The guest.
    pub const fn subject(&self) -> &UserId {
        &self.subject
    }

    /// The id of the token, which a form that is encrypted as a whole must name.
    pub fn jti(&self) -> &str {
        &self.jti
    }
}

impl People<'_> {
    /// Whether this is the token of a guest. It stays as good as it was: a gate is passed as often as one likes.
    pub async fn guest_token(&self, presented: Option<&str>) -> Result<GuestToken, Error> {
        let caller = self.caller(presented).await?.needs(Need::GuestToken)?;
        // Its hash is in the database, so what it says was said here.
        let claims = presented.and_then(|token| peek(token).ok()).map(|token| token.claims);
        let jti = claims.and_then(|claims| Some(claims.get("jti")?.as_str()?.to_owned()));
        Ok(GuestToken { subject: caller.subject, jti: jti.ok_or(Refusal::TokenInvalid)? })
    }

    /// What could not be read, where a letter about a forgotten password is asked for: it is counted as if it named
    /// somebody, the answer is the same, and nobody gets a letter.
    pub async fn forgot_unreadable(&self, unreadable: &Unreadable) -> Result<(), Error> {
        self.admit_letter(unreadable.name()).await
    }

    /// Refuses what could not be read as a wrong password is refused: with the same answer, after the same work, and
    /// counted for the same account and address.
    pub async fn refuse_unreadable(&self, unreadable: &Unreadable) -> Error {
        let mut bytes = [0; 32];
        self.state.provider.env().random.fill(&mut bytes);
        let nobodys = URL_SAFE_NO_PAD.encode(bytes);
        let name = unreadable.name();
        if let Err(e) = StoredPassword::of(&self.state.store, name).await {
            return e.into();
        }
        match self.state.users.sign_in(name, &nobodys).await {
            Ok(SignIn::Throttled(seconds)) => Refusal::Throttled(seconds).into(),
            Ok(_) => Refusal::WrongCredentials.into(),
            Err(e) => e.into(),
        }
    }
}
