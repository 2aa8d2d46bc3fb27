//! Forms with an address and a password, which may have to come encrypted, and the token of a guest that they may have to
//! come with.

use super::{caller, refusal::No};
use crate::{
    api::{self, Came, Plain, Visitor},
    forms::{Opened, Salt, Sealed, Wanted},
    people::{Error, GuestToken, Refusal},
    state::AppState,
};
use http::HeaderMap;
use serde::Deserialize;

/// What is sent; more may be there, and is not read.
#[derive(Default, Deserialize)]
pub(super) struct Sent {
    email: Option<String>,
    pwd: Option<String>,
    email_encrypt: Option<String>,
    pwd_encrypt: Option<String>,
    form: Option<String>,
}

impl Sent {
    /// What is wanted of it, as it is and encrypted.
    fn parts(self, wanted: Wanted) -> (Plain, Sealed) {
        let name = |text: Option<String>| text.filter(|_| wanted != Wanted::Password);
        let password = |text: Option<String>| text.filter(|_| wanted != Wanted::Email);
        let plain = Plain { name: name(self.email), password: password(self.pwd) };
        let sealed = Sealed {
            email_encrypt: name(self.email_encrypt),
            pwd_encrypt: password(self.pwd_encrypt),
            form: self.form,
        };
        (plain, sealed)
    }
}

/// Lets guests in and nobody else, where the configuration wants that. Otherwise, the guest whose token came along, which
/// a form that is encrypted as a whole must name.
pub(super) async fn gate(state: &AppState, headers: &HeaderMap) -> Result<Visitor, No> {
    let presented = caller::token(headers)?;
    if !state.forms.anojwt() {
        return visitor(state, headers).await;
    }
    match state.people().guest_token(presented).await {
        Ok(guest) => Ok(Some(guest).into()),
        Err(Error::Refused(Refusal::NotAllowed)) => Err(No::ANONYMOUS_ONLY),
        Err(e) => Err(caller::explain(state, presented, e).await),
    }
}

/// The guest whose token came along, if one did; any other token is passed over.
pub(super) async fn visitor(state: &AppState, headers: &HeaderMap) -> Result<Visitor, No> {
    let presented = caller::token(headers)?;
    if state.forms.salt() == Salt::No || presented.is_none() {
        return Ok(None::<GuestToken>.into());
    }
    match state.people().guest_token(presented).await {
        Ok(guest) => Ok(Some(guest).into()),
        Err(Error::Refused(_)) => Ok(None.into()),
        Err(failed) => Err(failed.into()),
    }
}

/// Ends the tokens of the guest who became somebody.
pub(super) async fn leave(state: &AppState, headers: &HeaderMap) -> Result<(), No> {
    if let Some(token) = caller::token(headers)? {
        state.people().merge_guest(token).await?;
    }
    Ok(())
}

/// What was sent, decrypted where it has to be encrypted; what cannot be read is refused as a wrong password is.
pub(super) async fn read(
    state: &AppState,
    visitor: &Visitor,
    sent: Sent,
    wanted: Wanted,
) -> Result<Opened, No> {
    let came = api::read_form(state, visitor, sent.parts(wanted), wanted).await?;
    Ok(came.readable(state).await?)
}

/// Sends a letter to whom a form names; nobody is told who that is, or whether it could be read.
pub(super) async fn forgot(state: &AppState, visitor: &Visitor, sent: Sent) -> Result<(), No> {
    let (parts, people) = (sent.parts(Wanted::Email), state.people());
    match api::read_form(state, visitor, parts, Wanted::Email).await? {
        Came::Readable(read) => people.forgot(&read.email).await?,
        Came::Unreadable(unreadable) => people.forgot_unreadable(&unreadable).await?,
    }
    Ok(())
}
