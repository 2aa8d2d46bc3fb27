//! Slowing down whoever guesses passwords or makes accounts: counters in the database, so that they survive a
//! restart and hold for all processes together.
//!
//! An attempt is counted *before* it is made, by one statement that also says whether it may be made. So a
//! hundred attempts at once are a hundred counts, and what succeeds gives its count back.

use crate::{address::ClientAddress, config, entity::throttle};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_core::{
    error::PortError,
    model::{HashedToken, Timestamp, UserId},
    ports::Clock,
    seaorm::SeaStore,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, DatabaseTransaction, EntityTrait as _, ExprTrait as _, QueryFilter as _,
    TryInsertResult,
    sea_query::{CaseStatement, Expr, OnConflict},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::{Semaphore, SemaphorePermit};

/// So many counts are written at once. Attempts of a flood wait for each other's rows anyway: better here than with
/// all connections to the database in their hands.
const WRITERS: usize = 2;

/// What attempts are counted for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    key: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Account,
    Address,
    Signup,
    Registration,
    Guest,
    Letters,
}

impl Subject {
    /// Signing in to an account, whether it exists or not. Only the hash of the name is kept, since people type
    /// passwords where the name should be.
    pub fn account(name: &str) -> Self {
        let hash = HashedToken::of(&name.trim().to_lowercase());
        Self {
            key: format!("account:{}", URL_SAFE_NO_PAD.encode(hash.as_bytes())),
            kind: Kind::Account,
        }
    }

    /// Second factors of a user.
    pub fn second_factor(user: &UserId) -> Self {
        Self { key: format!("second-factor:{user}"), kind: Kind::Account }
    }

    /// Signing in from an address.
    pub fn address(address: ClientAddress) -> Self {
        Self { key: format!("address:{}", address.network()), kind: Kind::Address }
    }

    /// Registering clients from an address.
    pub fn registration(address: ClientAddress) -> Self {
        Self { key: format!("registration:{}", address.network()), kind: Kind::Registration }
    }

    /// Guest tokens for an address.
    pub fn guest(address: ClientAddress) -> Self {
        Self { key: format!("guest:{}", address.network()), kind: Kind::Guest }
    }

    /// Lists of users for whoever has no token, at an address.
    pub fn list(address: ClientAddress) -> Self {
        Self { key: format!("list:{}", address.network()), kind: Kind::Guest }
    }

    /// Letters that somebody at an address asks for.
    pub fn letters_from(address: ClientAddress) -> Self {
        Self { key: format!("letters-from:{}", address.network()), kind: Kind::Address }
    }

    /// Letters to whoever goes by a name or an e-mail address, whether there is anybody or not.
    pub fn letters_to(whom: &str) -> Self {
        let hash = HashedToken::of(&oauth_core::model::email_key(whom));
        Self {
            key: format!("letters-to:{}", URL_SAFE_NO_PAD.encode(hash.as_bytes())),
            kind: Kind::Letters,
        }
    }

    /// Signing up from an address.
    pub fn signup(address: ClientAddress) -> Self {
        Self { key: format!("signup:{}", address.network()), kind: Kind::Signup }
    }
}

/// Whether an attempt may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Admission {
    /// It may, and is counted.
    Admitted,
    /// It may not, for so many seconds.
    Wait(u64),
}

/// The counters.
#[derive(Clone)]
pub struct Throttle {
    store: SeaStore,
    clock: Arc<dyn Clock>,
    limits: Arc<config::Throttle>,
    turns: Arc<Semaphore>,
}

impl Throttle {
    /// Counters in this store.
    pub fn new(store: SeaStore, clock: Arc<dyn Clock>, limits: config::Throttle) -> Self {
        Self { store, clock, limits: Arc::new(limits), turns: Arc::new(Semaphore::new(WRITERS)) }
    }

    /// Counts an attempt and says whether it may be made.
    pub async fn admit(&self, subject: &Subject) -> Result<Admission, PortError> {
        let now = self.clock.now();
        let key = subject.key.clone();
        let terms = self.terms(subject.kind, now);
        let _turn = self.turn().await?;
        self.store.write(move |t| Box::pin(async move { Ok(terms.admit(t, key).await?) })).await
    }

    /// Counts a sign-up and says whether it may go on.
    pub async fn admit_signup(&self, address: ClientAddress) -> Result<Admission, PortError> {
        self.admit(&Subject::signup(address)).await
    }

    /// Forgets all attempts: this one succeeded.
    pub async fn reset(&self, subject: &Subject) -> Result<(), PortError> {
        let key = subject.key.clone();
        let _turn = self.turn().await?;
        self.store
            .write(move |t| {
                Box::pin(async move {
                    throttle::Entity::delete_by_id(key).exec(t).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Takes back the count of one attempt that was harmless, and the wait it led to.
    pub async fn take_back(&self, subject: &Subject) -> Result<(), PortError> {
        let key = subject.key.clone();
        let _turn = self.turn().await?;
        self.store
            .write(move |t| {
                Box::pin(async move {
                    use throttle::Column as C;
                    throttle::Entity::update_many()
                        .col_expr(C::Attempts, Expr::col(C::Attempts).sub(1))
                        .col_expr(C::Delay, Expr::col(C::Delay).div(2))
                        .col_expr(C::BlockedUntil, Expr::value(0_i64))
                        .filter(C::Subject.eq(key))
                        .filter(C::Attempts.gt(0))
                        .exec(t)
                        .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Deletes at most `limit` counters that have run out.
    pub async fn sweep(&self, limit: u64) -> Result<u64, PortError> {
        let now = self.clock.now().unix();
        crate::maintenance::delete_expired::<throttle::Entity>(
            &self.store,
            throttle::Column::Subject,
            throttle::Column::ExpiresAt,
            now,
            limit,
        )
        .await
    }

    /// Waits for its turn to write, in the order of arrival.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, PortError> {
        self.turns.acquire().await.map_err(PortError::new)
    }

    fn terms(&self, kind: Kind, now: Timestamp) -> Terms {
        let seconds = |d: Duration| i64::try_from(d.as_secs()).unwrap_or(i64::MAX);
        Terms {
            free: i64::from(match kind {
                Kind::Account => self.limits.account_attempts,
                Kind::Address => self.limits.address_attempts,
                Kind::Signup => self.limits.signup_attempts,
                Kind::Registration => self.limits.registration_attempts,
                Kind::Guest => self.limits.guest_attempts,
                Kind::Letters => self.limits.letter_attempts,
            }),
            first: seconds(self.limits.first_delay),
            longest: seconds(self.limits.longest_delay),
            forget: now.plus(self.limits.forget_after).unix(),
            now: now.unix(),
        }
    }
}

/// The numbers of one count, in Unix time and seconds.
#[derive(Clone, Copy)]
struct Terms {
    free: i64,
    first: i64,
    longest: i64,
    forget: i64,
    now: i64,
}

impl Terms {
    async fn admit(
        self,
        t: &DatabaseTransaction,
        subject: String,
    ) -> Result<Admission, sea_orm::DbErr> {
        let first = if self.free == 0 { self.first } else { 0 };
        let row = throttle::ActiveModel {
            subject: Set(subject.clone()),
            attempts: Set(1),
            delay: Set(first),
            blocked_until: Set(self.now.saturating_add(first)),
            expires_at: Set(self.forget),
        };
        let insert = throttle::Entity::insert(row).on_conflict(self.count_on()).try_insert();
        if !matches!(
            insert.exec_without_returning(t).await?,
            TryInsertResult::Inserted(0) | TryInsertResult::Conflicted
        ) {
            return Ok(Admission::Admitted);
        }
        let row = throttle::Entity::find_by_id(subject).one(t).await?;
        let left = row.map_or(0, |r| r.blocked_until.saturating_sub(self.now));
        Ok(Admission::Wait(u64::try_from(left).map_or(1, |left| Ord::max(left, 1))))
    }

    /// What happens to the row that is there: nothing while it blocks, else one more attempt and its wait. Without a wait
    /// it never blocks, whatever the time was when another process wrote it.
    fn count_on(self) -> OnConflict {
        use throttle::Column as C;
        let own = |column: C| Expr::col((throttle::Entity, column));
        let anew = || own(C::ExpiresAt).lte(self.now);
        let attempts = CaseStatement::new().case(anew(), 1).finally(own(C::Attempts).add(1));
        let first = if self.free == 0 { self.first } else { 0 };
        let delay = || -> Expr {
            CaseStatement::new()
                .case(anew(), first)
                .case(own(C::Attempts).lt(self.free), 0)
                .case(own(C::Delay).mul(2).lt(self.first), self.first)
                .case(own(C::Delay).mul(2).gt(self.longest), self.longest)
                .finally(own(C::Delay).mul(2))
                .into()
        };
        OnConflict::column(C::Subject)
            .value(C::Attempts, attempts)
            .value(C::Delay, delay())
            .value(C::BlockedUntil, delay().add(self.now))
            .value(C::ExpiresAt, self.forget)
            .action_and_where(own(C::BlockedUntil).lte(self.now).or(own(C::Delay).eq(0)))
            .to_owned()
    }
}
