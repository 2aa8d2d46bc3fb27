//! Setting an app up between the factors, where there has to be a second one and there is none.
//!
//! The key is made from the half sign-in, so each browser is shown one of its own: whoever else has the password and came
//! before knows nothing of the one that is confirmed. Nothing is written before that.

use super::{Enrolment, Half, Refusal, SecondFactor, codes, context, entity, tell, totp};
use crate::{
    entity::recovery_code,
    people::{Event, Notices},
    throttle::{Admission, Subject},
};
use oauth_core::{
    error::PortError,
    model::{Timestamp, User},
};
use sea_orm::{ActiveValue::Set, DatabaseTransaction};
use zeroize::Zeroizing;

/// What the keys are made for.
const PURPOSE: &[u8] = b"oauth-server: key of an app that is set up between the factors";

/// A first code that is right. Whether the half sign-in is still good, the database says when it is used up.
pub struct FirstCode {
    half: Half,
    row: entity::ActiveModel,
    recovery_codes: Vec<recovery_code::ActiveModel>,
    notices: Notices,
}

impl SecondFactor {
    /// The key for the app of whoever passed the first factor.
    pub fn offer(&self, half: &Half, user: &User) -> Option<Enrolment> {
        totp::enrolment(&self.key(half), &user.username, &self.place)
    }

    /// Looks at the first code of an app that has this key. What is right is good only once [`FirstCode::consume`] says
    /// so; then the recovery codes that come with it are to be shown, once.
    pub async fn first_code(
        &self,
        half: &Half,
        typed: &str,
    ) -> Result<Result<(FirstCode, Vec<String>), Refusal>, PortError> {
        let user = &half.user;
        if let Admission::Wait(seconds) = self.throttle.admit(&Subject::second_factor(user)).await?
        {
            return Ok(Err(Refusal::Throttled(seconds)));
        }
        let (key, now) = (self.key(half), self.now());
        let Some(step) = totp::step(&key, typed, now) else { return Ok(Err(Refusal::Wrong)) };
        let row = entity::ActiveModel {
            user_id: Set(user.as_str().to_owned()),
            sealed: Set(self.sealer.seal(&context(user), &key, &*self.random)),
            confirmed: Set(true),
            last_step: Set(step),
            created_at: Set(now.unix()),
        };
        let (shown, recovery_codes) = codes::fresh(user, &*self.random);
        let (half, notices) = (half.clone(), self.notices.clone());
        Ok(Ok((FirstCode { half, row, recovery_codes, notices }, shown)))
    }

    fn key(&self, half: &Half) -> Zeroizing<Vec<u8>> {
        let tag = self.sealer.tag(PURPOSE, half.hash().as_bytes());
        Zeroizing::new(tag.into_iter().take(totp::SECRET_LENGTH).collect())
    }
}

impl FirstCode {
    /// Uses the half sign-in up, turns the second factor on and has the user told, in the transaction of the session that
    /// begins; false when either cannot be: it was used, ran out, or somebody was faster in another browser.
    pub async fn consume(self, t: &DatabaseTransaction, now: Timestamp) -> Result<bool, PortError> {
        let user = self.half.user.clone();
        // First the app, then the half sign-in, as everybody else does: else two could wait for each other.
        if totp::hold_confirmed(t, &user).await?
            || !self.half.consume(t, now).await?
            || !totp::replace_begun(t, self.row).await?
        {
            return Ok(false);
        }
        codes::replace(t, &user, self.recovery_codes).await?;
        tell(t, &self.notices, Event::SecondFactorAdded, &user).await?;
        Ok(true)
    }
}
