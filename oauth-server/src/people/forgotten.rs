//! A forgotten password: a letter to the confirmed address, and another password for the token in it.

use super::{
    People,
    error::{Error, Refusal},
    letters::{About, Reader},
    links::{self, Purpose},
};
use crate::{
    credentials::check_password,
    shell,
    state::AppState,
    throttle::{Admission, Subject},
};
use oauth_core::{
    error::OAuthError,
    model::{UserId, email_key},
    seaorm::{UserAccount, people},
};

impl People<'_> {
    /// Counts a letter that a stranger asks for: for where the wish comes from, and for whom it names.
    pub(super) async fn admit_letter(&self, whom: &str) -> Result<(), Error> {
        let address = shell::client_address().map(Subject::letters_from);
        for subject in address.into_iter().chain([Subject::letters_to(whom)]) {
            if let Admission::Wait(seconds) = self.state.throttle.admit(&subject).await? {
                return Err(Refusal::Throttled(seconds).into());
            }
        }
        Ok(())
    }

    /// Sends a letter to whoever has this name or confirmed address, if there is anybody. Whoever asks does not learn
    /// that, from the answer or from how long it takes: the letter is written after the answer.
    pub async fn forgot(&self, name_or_email: &str) -> Result<(), Error> {
        self.admit_letter(name_or_email).await?;
        let (state, whom) = (self.state.clone(), name_or_email.trim().to_owned());
        tokio::spawn(async move {
            if let Err(e) = remind(&state, &whom).await {
                let causes = match e {
                    Error::Failed(e) => e.causes(),
                    Error::Refused(_) => String::new(),
                };
                tracing::error!(causes, "a letter about a forgotten password was not written");
            }
        });
        Ok(())
    }

    /// Whether the token of a letter still replaces a forgotten password. It is not used up.
    pub async fn check_reset_token(&self, token: &str) -> Result<(), Error> {
        let link = links::peek(&self.state.store, Purpose::Reset, token, self.state.now()).await?;
        link.map(drop).ok_or_else(|| Refusal::LinkInvalid.into())
    }

    /// Replaces a forgotten password, by the token of the letter. Every session and every token of the user ends, and
    /// the user is told. Nobody is signed in by this.
    pub async fn reset(&self, token: &str, password: &str) -> Result<UserId, Error> {
        let now = self.state.now();
        let link = links::peek(&self.state.store, Purpose::Reset, token, now).await?;
        let link = link.ok_or(Refusal::LinkInvalid)?;
        let account = self.state.store.account(&link.user).await?.filter(|a| !a.disabled);
        let account = account.ok_or(Refusal::LinkInvalid)?;
        let shortest = self.state.config.signup.password_length;
        for name in [&account.username, &link.email] {
            check_password(password, name, shortest)
                .map_err(|text| Refusal::invalid("password", text))?;
        }
        let hash = self.state.passwords.hash(password).await?;
        let again = format!("{}/forgot-password", self.state.config.issuer().as_str());
        let reader = Reader::of(&account, &link.email);
        let notice = self.letter(About::PasswordChanged, reader, &again, Purpose::Reset)?;
        let (mail, user, token) = (self.state.mail.clone(), link.user.clone(), token.to_owned());
        let ended = self.state.sessions.end_all_after(&link.user, move |t| {
            Box::pin(async move {
                let Some(link) = links::consume(t, Purpose::Reset, &token, now).await? else {
                    return Ok(false);
                };
                // The letter went to an address, and is worth something while it is this user's.
                let key = email_key(&link.email);
                let row = people::hold(t, &user).await?;
                if row.is_none_or(|row| row.email_key != Some(key))
                    || !people::set_password_hash(t, &user, Some(hash)).await?
                {
                    return Ok(false);
                }
                mail.queue(t, notice).await?;
                Ok(true)
            })
        });
        let ended = ended.await?.ok_or(Refusal::LinkInvalid)?;
        self.state.throttle.reset(&Subject::account(&account.username)).await?;
        tracing::info!(user.id = %link.user, ended, "user chose another password by letter");
        Ok(link.user)
    }
}

/// Writes the letter.
async fn remind(state: &AppState, whom: &str) -> Result<(), Error> {
    let people = state.people();
    let row = state.store.row_by_login(whom).await?;
    let Some(row) = row.filter(|row| row.email_verified && !row.disabled) else { return Ok(()) };
    let account = UserAccount::from(row);
    let Some(email) = &account.email else { return Ok(()) };
    let link = people.new_link(Purpose::Reset, &account.id, email);
    let reader = Reader::of(&account, email);
    let letter = people.letter(About::Reset, reader, &link.url, Purpose::Reset);
    people.post(link, letter.map_err(OAuthError::from)?, Purpose::Reset).await
}
