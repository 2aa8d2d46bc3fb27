//! Forms that may arrive encrypted, and the guest token that may have to come with them.

use super::{Problem, asked::bearer};
use crate::{
    forms::{Opened, Salt, Sealed, Unreadable, Wanted},
    people::{Error, GuestToken, Refusal},
    state::AppState,
};
use axum::{extract::FromRequestParts, http::request::Parts};
use oauth_core::error::PortError;

/// The guest whose token came along. Where the configuration wants one, there is no request without.
pub(crate) struct Visitor(Option<GuestToken>);

impl FromRequestParts<AppState> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let people = state.people();
        if state.forms.anojwt() {
            return Ok(Self(Some(people.guest_token(bearer(&parts.headers)?).await?)));
        }
        guest_of(parts, state).await.map(Self)
    }
}

/// The guest whose token came along, if one did, where nobody asks for one.
pub(super) struct PossibleVisitor(Option<GuestToken>);

impl FromRequestParts<AppState> for PossibleVisitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        guest_of(parts, state).await.map(Self)
    }
}

/// A token that is no guest's is passed over. Without encrypted forms nobody looks for one.
async fn guest_of(parts: &Parts, state: &AppState) -> Result<Option<GuestToken>, Problem> {
    let presented = bearer(&parts.headers).ok().flatten();
    if state.forms.salt() == Salt::No || presented.is_none() {
        return Ok(None);
    }
    match state.people().guest_token(presented).await {
        Ok(guest) => Ok(Some(guest)),
        Err(Error::Refused(_)) => Ok(None),
        Err(failed) => Err(failed.into()),
    }
}

impl From<Option<GuestToken>> for Visitor {
    fn from(guest: Option<GuestToken>) -> Self {
        Self(guest)
    }
}

impl From<PossibleVisitor> for Visitor {
    fn from(possible: PossibleVisitor) -> Self {
        Self(possible.0)
    }
}

/// What came as it is.
#[derive(Default)]
pub(crate) struct Plain {
    pub(crate) name: Option<String>,
    pub(crate) password: Option<String>,
}

/// What came, decrypted where it was encrypted.
pub(crate) enum Came {
    Readable(Opened),
    Unreadable(Unreadable),
}

/// Why nothing was read.
pub(crate) enum Unfit {
    /// Members are missing, or there are others.
    Malformed,
    /// It is refused.
    Refused(Error),
}

impl From<Unfit> for Problem {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Malformed => Self::malformed(),
            Unfit::Refused(error) => error.into(),
        }
    }
}

impl From<Refusal> for Unfit {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<PortError> for Unfit {
    fn from(e: PortError) -> Self {
        Self::Refused(e.into())
    }
}

/// Takes what the configuration wants, encrypted or as it is, and refuses the other.
pub(crate) async fn read(
    state: &AppState,
    visitor: &Visitor,
    (plain, sealed): (Plain, Sealed),
    wanted: Wanted,
) -> Result<Came, Unfit> {
    let salt = state.forms.salt();
    if salt == Salt::No {
        let has_all = plain.name.is_some() == (wanted != Wanted::Password)
            && plain.password.is_some() == (wanted != Wanted::Email);
        if !sealed.is_empty() || !has_all {
            return Err(Unfit::Malformed);
        }
        let (email, password) =
            (plain.name.unwrap_or_default(), plain.password.unwrap_or_default());
        return Ok(Came::Readable(Opened { email, password, username: None }));
    }
    if plain.name.is_some() || plain.password.is_some() {
        return Err(Refusal::NotEncrypted.into());
    }
    if !sealed.fits(salt, wanted) {
        return Err(Unfit::Malformed);
    }
    Ok(match state.forms.open(visitor.0.as_ref(), sealed, wanted).await? {
        Ok(opened) => Came::Readable(opened),
        Err(unreadable) => Came::Unreadable(unreadable),
    })
}

impl Came {
    /// What was read, or the refusal of a wrong password.
    pub(crate) async fn readable(self, state: &AppState) -> Result<Opened, Error> {
        match self {
            Self::Readable(opened) => Ok(opened),
            Self::Unreadable(unreadable) => {
                Err(state.people().refuse_unreadable(&unreadable).await)
            }
        }
    }
}

/// What became of what was read. Under PKCS #1 v1.5, to say that a field is not acceptable would be to say that its
/// padding was right, from which whoever asks often enough learns to decrypt: it is the refusal of what could not be
/// read.
pub(crate) async fn hushed<T>(
    state: &AppState,
    read: Opened,
    outcome: Result<T, Error>,
) -> Result<T, Error> {
    let about_a_field = matches!(&outcome, Err(Error::Refused(Refusal::Invalid(_))));
    if state.forms.salt() == Salt::Jsencrypt && about_a_field {
        let unreadable = read.into_unreadable();
        return Err(state.people().refuse_unreadable(&unreadable).await);
    }
    outcome
}
