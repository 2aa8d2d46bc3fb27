//! A first password, for whoever came without one: through another provider, or with a passkey.

use super::{Event, Notices, People};
use crate::activity::{self, Deed};
use oauth_core::{
    error::PortError,
    model::UserId,
    seaorm::{UserAccount, people},
};

impl People<'_> {
    /// Gives a user the first password, and tells the user. False when there is one by now, or the user is locked out.
    /// Whether the password is a good one was checked before, and so was who asks.
    pub async fn choose_password(
        &self,
        user: &UserId,
        password: &str,
        deed: Deed,
    ) -> Result<bool, PortError> {
        let hash = self.state.passwords.hash(password).await?;
        let notices = Notices::new(self.state.mail.clone(), &self.state.config);
        let (now, user) = (self.state.now(), user.clone());
        let write = self.state.store.write(move |t| {
            Box::pin(async move {
                let row = people::hold(t, &user).await?;
                let Some(row) = row.filter(|row| !row.disabled && row.password_hash.is_none())
                else {
                    return Ok(false);
                };
                if !people::set_password_hash(t, &user, Some(hash)).await? {
                    return Ok(false);
                }
                notices.tell(t, Event::PasswordSet, &UserAccount::from(row)).await?;
                activity::record(t, &user, now, deed).await?;
                Ok(true)
            })
        });
        write.await
    }
}
