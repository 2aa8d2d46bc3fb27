//! A first password, for whoever came without one: through another provider, or with a passkey.

use super::People;
use crate::{
    activity::{self, Deed},
    mail::{Letter, Masthead},
};
use askama::Template;
use oauth_core::{
    error::PortError,
    seaorm::{UserAccount, people},
};

#[derive(Template)]
#[template(path = "emails/password_set.txt")]
struct Text<'a> {
    head: &'a Masthead,
    username: &'a str,
}

#[derive(Template)]
#[template(path = "emails/password_set.html")]
struct Html<'a> {
    head: &'a Masthead,
    username: &'a str,
}

impl People<'_> {
    /// Gives a user the first password, and tells the user. False when there is one by now, or the user is locked out.
    /// Whether the password is a good one was checked before, and so was who asks.
    pub async fn choose_password(
        &self,
        account: &UserAccount,
        password: &str,
        deed: Deed,
    ) -> Result<bool, PortError> {
        let hash = self.state.passwords.hash(password).await?;
        let notice = self.chosen(account)?;
        let (mail, now, user) = (self.state.mail.clone(), self.state.now(), account.id.clone());
        let write = self.state.store.write(move |t| {
            Box::pin(async move {
                let row = people::hold(t, &user).await?;
                if row.is_none_or(|row| row.disabled || row.password_hash.is_some())
                    || !people::set_password_hash(t, &user, Some(hash)).await?
                {
                    return Ok(false);
                }
                if let Some(notice) = notice {
                    mail.queue(t, notice).await?;
                }
                activity::record(t, &user, now, deed).await?;
                Ok(true)
            })
        });
        write.await
    }

    /// The letter about it, for whoever has a confirmed address.
    fn chosen(self, account: &UserAccount) -> Result<Option<Letter>, PortError> {
        let mail = &self.state.mail;
        let to = account.email.as_deref().filter(|_| account.email_verified && mail.is_on());
        let Some(to) = to else { return Ok(None) };
        let (head, username) = (mail.masthead(), &*account.username);
        let subject = format!("A new way to sign in to {}", head.place);
        Letter::render(to, &subject, &Text { head, username }, &Html { head, username }).map(Some)
    }
}
