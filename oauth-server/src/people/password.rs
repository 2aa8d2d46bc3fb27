//! Another password, by whoever knows the present one, without a browser session.

use super::{
    Caller, Device, People, Tokens,
    error::{Error, Refusal},
    letters::{About, Reader},
    links::Purpose,
};
use crate::{credentials::check_password, sign_in::StoredPassword};
use oauth_core::{
    error::PortError,
    model::Login,
    ports::SignIn,
    seaorm::{UserAccount, people},
};

impl People<'_> {
    /// Checks that a password is the caller's, and counts the attempt.
    pub(super) async fn prove(
        &self,
        caller: &Caller,
        password: &str,
    ) -> Result<StoredPassword, Error> {
        let account = caller.user()?;
        let stored = StoredPassword::of(&self.state.store, &account.username).await?;
        match self.state.users.sign_in(&account.username, password).await? {
            SignIn::Accepted(id) if id == account.id => Ok(stored),
            SignIn::Throttled(seconds) => Err(Refusal::Throttled(seconds).into()),
            _ => Err(Refusal::WrongCredentials.into()),
        }
    }

    /// Lets a caller go on who signed in a short while ago or knows the password.
    pub async fn fresh(&self, caller: &Caller, password: Option<&str>) -> Result<(), Error> {
        if let Some(password) = password {
            self.prove(caller, password).await?;
            return Ok(());
        }
        let within = self.state.config.accounts.fresh_for;
        caller.clone().fresh(self.state.now(), within)?;
        Ok(())
    }

    /// Replaces the password of the caller. Every session and token ends, but for those that are returned.
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: &str,
        new: &str,
        device: Device,
    ) -> Result<Tokens, Error> {
        let account = caller.user()?.clone();
        // Other tokens for a sign-in that would not be enough today are to be had on the page alone.
        if !self.state.second_factor.suffices(&caller.login).await? {
            return Err(Refusal::SecondFactorNeeded.into());
        }
        let shortest = self.state.config.signup.password_length;
        for name in [Some(&account.username), account.email.as_ref()].into_iter().flatten() {
            check_password(new, name, shortest)
                .map_err(|text| Refusal::invalid("new_password", text))?;
        }
        if new == current {
            let text = "Choose a password that you do not have already.";
            return Err(Refusal::invalid("new_password", text).into());
        }
        let stored = self.prove(caller, current).await?;
        let hash = self.state.passwords.hash(new).await?;
        let notice = self.password_notice(&account)?;
        let (mail, user) = (self.state.mail.clone(), account.id.clone());
        let ended = self.state.sessions.end_all_after(&account.id, move |t| {
            Box::pin(async move {
                if people::hold(t, &user).await?.is_none()
                    || !stored.is_current(t, &user).await?
                    || !people::set_password_hash(t, &user, Some(hash)).await?
                {
                    return Ok(false);
                }
                if let Some(notice) = notice {
                    mail.queue(t, notice).await?;
                }
                Ok(true)
            })
        });
        ended.await?.ok_or(Refusal::WrongCredentials)?;
        tracing::info!(user.id = %account.id, "user changed the password");
        let (at, user) = (self.state.now(), account.id);
        let Login { amr, acr, .. } = caller.login.clone();
        self.issue(Login { user, at, amr, acr, sid: None }, device).await
    }

    /// What tells a user that the password was replaced.
    pub(crate) fn password_notice(
        self,
        account: &UserAccount,
    ) -> Result<Option<crate::mail::Letter>, PortError> {
        let confirmed = account.email.as_deref().filter(|_| account.email_verified);
        let Some(to) = confirmed.filter(|_| self.state.mail.is_on()) else { return Ok(None) };
        let again = format!("{}/forgot-password", self.state.config.issuer().as_str());
        let about = About::PasswordChanged;
        self.letter(about, Reader::of(account, to), &again, Purpose::Reset).map(Some)
    }
}
