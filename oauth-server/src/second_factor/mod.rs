//! Second factors: one-time passwords of an app ([RFC 6238](https://www.rfc-editor.org/rfc/rfc6238)), and recovery
//! codes for whoever lost it.
//!
//! A password alone does not sign in somebody who has one. Between the two factors a browser holds a *half sign-in*:
//! a cookie that is good for nothing but the second factor, for a few minutes, once. Where the operator demands a second
//! factor of somebody who has none, it is good for setting one up.

mod codes;
mod demand;
mod half;
mod set_up;
mod totp;

use crate::{
    config::Config,
    entity::{recovery_code, totp as entity},
    mail::Mail,
    people::{Event, Notices},
    throttle::{Admission, Subject, Throttle},
};
use oauth_core::{
    error::PortError,
    jose::Sealer,
    model::{Login, Timestamp, User, UserId},
    ports::{Clock, Random},
    seaorm::{SeaStore, UserAccount, entity::user},
};
use sea_orm::{
    ColumnTrait as _, DatabaseTransaction, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
};
use std::sync::Arc;

pub use demand::{Demand, Demands};
pub use half::{FirstFactor, Half, forget_halves};
pub use set_up::FirstCode;
pub use totp::Enrolment;

/// How somebody proved to be the holder of a second factor, as `amr` says it
/// ([RFC 8176 2](https://www.rfc-editor.org/rfc/rfc8176#section-2)).
pub const AMR_OTP: &str = "otp";
/// That more than one factor was proven.
pub const AMR_MFA: &str = "mfa";

/// What a user has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Whether one-time passwords are asked for.
    pub enrolled: bool,
    /// Recovery codes that are left.
    pub recovery_codes: u64,
}

/// A code that was typed and looks right. Whether it is still good, the database says when it is used up.
pub struct Candidate {
    user: UserId,
    proof: Proof,
}

enum Proof {
    /// A one-time password of this step, by the secret as it was stored.
    Step { step: i64, sealed: Vec<u8> },
    /// What may be a recovery code.
    Recovery(codes::RecoveryCode),
}

/// What came of a code that was typed.
pub enum Attempt {
    /// It may be good.
    Candidate(Candidate),
    /// It is not.
    Wrong,
    /// Too many attempts; nothing was checked. Seconds to wait.
    Throttled(u64),
}

/// The second factors of the users.
#[derive(Clone)]
pub struct SecondFactor {
    store: SeaStore,
    throttle: Throttle,
    notices: Notices,
    sealer: Arc<Sealer>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    https: bool,
    /// What apps show the codes under.
    place: String,
    demands: Demands,
}

impl SecondFactor {
    /// Second factors in this store, their secrets sealed with the sealing key.
    pub fn new(
        store: SeaStore,
        (throttle, mail): (Throttle, Mail),
        sealer: Sealer,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
        config: &Config,
    ) -> Self {
        let issuer = config.issuer();
        let (place, https) = (totp::label(issuer.as_str()), issuer.is_https());
        let (notices, demands) = (Notices::new(mail, config), Demands::new(store.clone(), config));
        let sealer = Arc::new(sealer);
        Self { store, throttle, notices, sealer, clock, random, https, place, demands }
    }

    /// What a first factor of this user leads to.
    pub async fn demand(&self, user: &UserId) -> Result<Demand, PortError> {
        self.demands.of(user).await
    }

    /// Whether the operator demands a second factor of this user.
    pub async fn is_demanded(&self, user: &UserId) -> Result<bool, PortError> {
        self.demands.cover(user).await
    }

    /// Whether a sign-in of before is enough by what is demanded today.
    pub async fn suffices(&self, login: &Login) -> Result<bool, PortError> {
        self.demands.are_met(login).await
    }

    /// What a user has.
    pub async fn status(&self, user: &UserId) -> Result<Status, PortError> {
        if !self.is_needed(user).await? {
            return Ok(Status::default());
        }
        let codes =
            recovery_code::Entity::find().filter(recovery_code::Column::UserId.eq(user.as_str()));
        let recovery_codes = codes.count(self.store.database()).await?;
        Ok(Status { enrolled: true, recovery_codes })
    }

    /// Whether this user has an app that shows codes.
    pub async fn is_needed(&self, user: &UserId) -> Result<bool, PortError> {
        is_needed(&self.store, user).await
    }

    /// Begins to set up an app, in place of one that was begun before; `None` where one is set up already.
    pub async fn begin(&self, user: &User) -> Result<Option<Enrolment>, PortError> {
        let mut secret = [0; totp::SECRET_LENGTH];
        self.random.fill(&mut secret);
        let sealed = self.sealer.seal(&context(&user.id), &secret, &*self.random);
        let row = entity::ActiveModel {
            user_id: sea_orm::Set(user.id.as_str().to_owned()),
            sealed: sea_orm::Set(sealed),
            confirmed: sea_orm::Set(false),
            last_step: sea_orm::Set(0),
            created_at: sea_orm::Set(self.clock.now().unix()),
        };
        let begun = self.store.write(move |t| Box::pin(totp::replace_begun(t, row))).await?;
        Ok(if begun { totp::enrolment(&secret, &user.username, &self.place) } else { None })
    }

    /// What was begun and not confirmed, to show it again.
    pub async fn begun(&self, user: &User) -> Result<Option<Enrolment>, PortError> {
        let row = entity::Entity::find_by_id(user.id.as_str()).one(self.store.database()).await?;
        let Some(row) = row.filter(|row| !row.confirmed) else { return Ok(None) };
        let secret = self.open(&user.id, &row.sealed)?;
        Ok(totp::enrolment(&secret, &user.username, &self.place))
    }

    /// Confirms with a first code that the app knows the secret, and has the user told; recovery codes to be shown once,
    /// or why there are none: the code is wrong, or nothing was begun.
    pub async fn confirm(
        &self,
        user: &UserId,
        code: &str,
    ) -> Result<Result<Vec<String>, Refusal>, PortError> {
        if let Admission::Wait(seconds) = self.throttle.admit(&Subject::second_factor(user)).await?
        {
            return Ok(Err(Refusal::Throttled(seconds)));
        }
        let row = entity::Entity::find_by_id(user.as_str()).one(self.store.database()).await?;
        let Some(row) = row.filter(|row| !row.confirmed) else { return Ok(Err(Refusal::Wrong)) };
        let secret = self.open(user, &row.sealed)?;
        let Some(step) = totp::step(&secret, code, self.clock.now()) else {
            return Ok(Err(Refusal::Wrong));
        };
        let (plain, rows) = codes::fresh(user, &*self.random);
        let (id, sealed, notices) = (user.clone(), row.sealed, self.notices.clone());
        let confirmed = self
            .store
            .write(move |t| {
                Box::pin(async move {
                    if !totp::confirm(t, &id, sealed, step).await? {
                        return Ok(false);
                    }
                    codes::replace(t, &id, rows).await?;
                    tell(t, &notices, Event::SecondFactorAdded, &id).await?;
                    Ok(true)
                })
            })
            .await?;
        if !confirmed {
            return Ok(Err(Refusal::Wrong));
        }
        self.throttle.reset(&Subject::second_factor(user)).await?;
        Ok(Ok(plain))
    }

    /// New recovery codes in place of all that are left; `None` for a user without second factor.
    pub async fn renew_codes(&self, user: &UserId) -> Result<Option<Vec<String>>, PortError> {
        let (plain, rows) = codes::fresh(user, &*self.random);
        let id = user.clone();
        let renewed = self
            .store
            .write(move |t| {
                Box::pin(async move {
                    if !totp::hold_confirmed(t, &id).await? {
                        return Ok(false);
                    }
                    codes::replace(t, &id, rows).await?;
                    Ok(true)
                })
            })
            .await?;
        Ok(renewed.then_some(plain))
    }

    /// Takes the second factor away, and has the user told; false when there was none. What was begun and not
    /// confirmed goes too, and is none. Of two requests at once the second sees what the first did.
    pub async fn remove(&self, user: &UserId) -> Result<bool, PortError> {
        let (id, notices) = (user.clone(), self.notices.clone());
        let work = self.store.write(move |t| {
            Box::pin(async move {
                let confirmed = totp::hold_confirmed(t, &id).await?;
                remove(t, &id).await?;
                if confirmed {
                    tell(t, &notices, Event::SecondFactorRemoved, &id).await?;
                }
                Ok(confirmed)
            })
        });
        work.await
    }

    /// Looks at a code: six digits of the app, or a recovery code. What looks right is good only once
    /// [`Candidate::consume`] says so.
    pub async fn attempt(&self, user: &UserId, typed: &str) -> Result<Attempt, PortError> {
        if let Admission::Wait(seconds) = self.throttle.admit(&Subject::second_factor(user)).await?
        {
            return Ok(Attempt::Throttled(seconds));
        }
        let Some(row) = confirmed(&self.store, user).await? else { return Ok(Attempt::Wrong) };
        let proof = if let Some(code) = codes::RecoveryCode::parse(typed) {
            Proof::Recovery(code)
        } else {
            let secret = self.open(user, &row.sealed)?;
            match totp::step(&secret, typed, self.clock.now()) {
                Some(step) if step > row.last_step => Proof::Step { step, sealed: row.sealed },
                _ => return Ok(Attempt::Wrong),
            }
        };
        Ok(Attempt::Candidate(Candidate { user: user.clone(), proof }))
    }

    /// Forgets failed attempts: one succeeded.
    pub async fn succeeded(&self, user: &UserId) -> Result<(), PortError> {
        self.throttle.reset(&Subject::second_factor(user)).await
    }

    fn open(&self, user: &UserId, sealed: &[u8]) -> Result<zeroize::Zeroizing<Vec<u8>>, PortError> {
        self.sealer.open(&context(user), sealed).map_err(PortError::new)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Why a code did not confirm anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is wrong, or there is nothing that it could confirm.
    Wrong,
    /// Too many attempts. Seconds to wait.
    Throttled(u64),
}

impl Candidate {
    /// Uses the code up, in the transaction of what it is good for; false when somebody was faster, or it never was
    /// a code of this user.
    pub async fn consume(self, t: &DatabaseTransaction) -> Result<bool, PortError> {
        match self.proof {
            Proof::Step { step, sealed } => totp::consume(t, &self.user, step, sealed).await,
            Proof::Recovery(code) => codes::consume(t, &self.user, &code).await,
        }
    }

    /// Whether it is a recovery code, of which there is one less afterwards.
    pub const fn is_recovery(&self) -> bool {
        matches!(self.proof, Proof::Recovery(_))
    }
}

/// Whether this user has an app that shows codes, without which a first factor alone does not sign in.
pub async fn is_needed(store: &SeaStore, user: &UserId) -> Result<bool, PortError> {
    Ok(confirmed(store, user).await?.is_some())
}

async fn confirmed(store: &SeaStore, user: &UserId) -> Result<Option<entity::Model>, PortError> {
    let row = entity::Entity::find_by_id(user.as_str()).one(store.database()).await?;
    Ok(row.filter(|row| row.confirmed))
}

/// Takes everything away that belongs to a second factor, in somebody else's transaction: with the user, for example.
pub async fn remove(t: &DatabaseTransaction, user: &UserId) -> Result<bool, PortError> {
    let gone = entity::Entity::delete_by_id(user.as_str()).exec(t).await?;
    recovery_code::Entity::delete_many()
        .filter(recovery_code::Column::UserId.eq(user.as_str()))
        .exec(t)
        .await?;
    forget_halves(t, user).await?;
    Ok(gone.rows_affected == 1)
}

/// Writes to the user, in the transaction of what happened.
async fn tell(
    t: &DatabaseTransaction,
    notices: &Notices,
    event: Event<'_>,
    user: &UserId,
) -> Result<(), PortError> {
    match user::Entity::find_by_id(user.as_str()).one(t).await? {
        Some(row) => notices.tell(t, event, &UserAccount::from(row)).await,
        None => Ok(()),
    }
}

/// What a sealed secret is bound to.
fn context(user: &UserId) -> Vec<u8> {
    format!("totp:{user}").into_bytes()
}
