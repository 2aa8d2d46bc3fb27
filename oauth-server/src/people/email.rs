//! Another e-mail address: confirmed before it takes the place of the old one, which is told and can take it back.

use super::{
    People,
    error::{Error, Refusal},
    letters::{About, Reader},
    links::{self, Link, NewLink, Purpose},
};
use crate::{
    activity::{self, Deed, What},
    credentials::check_email,
    entity::unconfirmed,
    mail::{Letter, Mail},
};
use http::HeaderMap;
use oauth_core::{
    error::PortError,
    model::{Timestamp, UserId, email_key},
    seaorm::{
        UserAccount,
        entity::user::Model,
        people::{self, EmailChange},
    },
};
use sea_orm::{DatabaseTransaction, EntityTrait as _};
use std::time::Duration;

impl People<'_> {
    /// Sends a letter to an address that a user wants to have, who has just proven who it is. Whoever the address may
    /// belong to already, the answer is the same.
    pub async fn change_email(&self, user: &UserId, wanted: &str) -> Result<(), Error> {
        let email = check_email(wanted).map_err(|text| Refusal::invalid("email", text))?;
        if !self.state.mail.is_on() {
            return Err(Refusal::Closed("letters").into());
        }
        let account = self.state.store.account(user).await?.filter(|a| !a.disabled);
        let account = account.ok_or(Refusal::NotFound)?;
        let key = email_key(&email);
        if account.email_verified && account.email.as_deref().map(email_key) == Some(key) {
            return Err(Refusal::invalid("email", "This is your address already.").into());
        }
        self.admit_letter(&email).await?;
        let link = self.new_link(Purpose::Change, user, &email);
        let letter = match self.letter_to_owner(&email).await? {
            Some(letter) => letter,
            None => self.letter(
                About::Change,
                Reader::of(&account, &email),
                &link.url,
                Purpose::Change,
            )?,
        };
        self.post(link, letter, Purpose::Change).await?;
        tracing::info!(user.id = %user, "user wants another e-mail address");
        Ok(())
    }

    /// Gives a user the address that a letter went to, by its token. The old one is told, with a way back.
    pub async fn confirm_new_email(&self, token: &str) -> Result<UserId, Error> {
        let now = self.state.now();
        let link = links::peek(&self.state.store, Purpose::Change, token, now).await?;
        let link = link.ok_or(Refusal::LinkInvalid)?;
        let account = self.state.store.account(&link.user).await?.filter(|a| !a.disabled);
        let account = account.ok_or(Refusal::LinkInvalid)?;
        let old = account.email.clone().filter(|_| account.email_verified);
        let notice = old.as_deref().map(|old| self.notice(&account, old)).transpose()?;
        let token = token.to_owned();
        let deed = Deed::of(What::EmailChanged, &HeaderMap::new());
        let write = self.state.store.write(move |t| {
            Box::pin(async move {
                let Some(Link { user, email }) =
                    links::consume(t, Purpose::Change, &token, now).await?
                else {
                    return Ok(Err(Refusal::LinkInvalid));
                };
                let row = people::hold(t, &user).await?.filter(|row| !row.disabled);
                let verified = row.and_then(|row| row.email.filter(|_| row.email_verified));
                if verified != old {
                    // Another change came in between, and the notice would go to the wrong address.
                    return Ok(Err(Refusal::LinkInvalid));
                }
                if let Err(refusal) = take_email(t, &user, &email).await? {
                    return Ok(Err(refusal));
                }
                links::forget(t, &user, &[Purpose::Confirm, Purpose::Reset]).await?;
                activity::record(t, &user, now, deed).await?;
                if let Some(notice) = notice {
                    notice.write(t, &user, now).await?;
                }
                Ok(Ok(user))
            })
        });
        let user = write.await??;
        tracing::info!(user.id = %user, "user changed the e-mail address");
        Ok(user)
    }

    /// Takes a change of address back, by the token that went to the old one. Somebody else made it, so every session
    /// and token of the user ends, and what letters to the other address could do is worth nothing.
    pub async fn undo_email(&self, token: &str) -> Result<UserId, Error> {
        let now = self.state.now();
        let link = links::peek(&self.state.store, Purpose::Undo, token, now).await?;
        let link = link.ok_or(Refusal::LinkInvalid)?;
        if self.is_anothers(&link).await? {
            return Err(Refusal::Conflict("email_taken").into());
        }
        let (user, token) = (link.user.clone(), token.to_owned());
        let ended = self.state.sessions.end_all_after(&link.user, move |t| {
            Box::pin(async move {
                let Some(link) = links::consume(t, Purpose::Undo, &token, now).await? else {
                    return Ok(false);
                };
                if take_email(t, &user, &link.email).await?.is_err() {
                    return Ok(false);
                }
                links::forget(t, &user, &[Purpose::Confirm, Purpose::Undo]).await?;
                Ok(true)
            })
        });
        ended.await?.ok_or(Refusal::LinkInvalid)?;
        tracing::info!(user.id = %link.user, "user took a change of the e-mail address back");
        Ok(link.user)
    }

    /// What tells an address that another one takes its place.
    fn notice(self, account: &UserAccount, old: &str) -> Result<Notice, PortError> {
        let undo = self.new_link(Purpose::Undo, &account.id, old);
        let reader = Reader::of(account, old);
        let password = format!("{}/account/password", self.state.config.issuer().as_str());
        Ok(Notice {
            first: self.letter(About::EmailChanged, reader, &undo.url, Purpose::Undo)?,
            later: self.letter(About::EmailChangedAgain, reader, &password, Purpose::Undo)?,
            address: email_key(old),
            undo,
            life: Purpose::Undo.life(&self.state.config.accounts),
            mail: self.state.mail.clone(),
        })
    }

    async fn is_anothers(&self, link: &Link) -> Result<bool, Error> {
        let owner = self.state.store.account_by_email(&link.email).await?;
        Ok(owner.is_some_and(|owner| owner.id != link.user))
    }
}

/// What tells an address that another one takes its place.
struct Notice {
    /// The address, as it is compared.
    address: String,
    undo: NewLink,
    /// To the address that can take it back.
    first: Letter,
    /// To one after it.
    later: Letter,
    life: Duration,
    mail: Mail,
}

impl Notice {
    /// Sends it. While an address before this one can still take a change back, it alone can: else whoever made that
    /// change would make another one, and take that back, and with it the power of the first.
    async fn write(
        self,
        t: &DatabaseTransaction,
        user: &UserId,
        now: Timestamp,
    ) -> Result<(), PortError> {
        let holder = links::address(t, user, Purpose::Undo, now).await?;
        if holder.is_some_and(|holder| email_key(&holder) != self.address) {
            return self.mail.queue(t, self.later).await;
        }
        self.undo.write(t, now, self.life).await?;
        self.mail.queue(t, self.first).await
    }
}

/// Gives a user an address whose letter it answered. From then on it does not wait for that.
pub(super) async fn take_email(
    t: &DatabaseTransaction,
    user: &UserId,
    email: &str,
) -> Result<Result<(), Refusal>, PortError> {
    match people::set_email(t, user, Some(email), true).await? {
        EmailChange::Done => {}
        EmailChange::Taken => return Ok(Err(Refusal::Conflict("email_taken"))),
        EmailChange::Unknown => return Ok(Err(Refusal::LinkInvalid)),
    }
    unconfirmed::Entity::delete_by_id(user.as_str()).exec(t).await?;
    Ok(Ok(()))
}

/// Gives a user an address by the word of whoever runs the server, or takes it away. Where it is another one, no letter
/// that went out before it does anything more.
pub(crate) async fn put_email(
    t: &DatabaseTransaction,
    row: &Model,
    email: Option<&str>,
    verified: bool,
) -> Result<EmailChange, PortError> {
    let user = UserId::new(row.id.as_str());
    let change = people::set_email(t, &user, email, verified).await?;
    if change == EmailChange::Done && email != row.email.as_deref() {
        links::forget(t, &user, &Purpose::ALL).await?;
    }
    Ok(change)
}
