//! One-time tokens that travel in letters.
//!
//! Only hashes are kept. A token is good once, for one thing, for one user and one address, and not for long; using it
//! is one statement that removes its row, so of two who do so at once one is refused.

use super::{
    People,
    error::{Error, Refusal},
};
use crate::{
    config::Accounts,
    entity::mail_token::{ActiveModel, Column, Entity, Model},
};
use oauth_core::{
    error::PortError,
    model::{HashedToken, Issuer, PlainToken, Timestamp, UserId},
    ports::Random,
    seaorm::{SeaStore, people},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, DatabaseTransaction, EntityTrait as _, QueryFilter as _,
};
use std::time::Duration;

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To confirm the address somebody signed up with.
    Confirm,
    /// To choose another password.
    Reset,
    /// To confirm an address that is to take the place of another one.
    Change,
    /// To take back that change.
    Undo,
}

impl Purpose {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Confirm, Self::Reset, Self::Change, Self::Undo];

    /// The stored word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Reset => "reset",
            Self::Change => "change",
            Self::Undo => "undo",
        }
    }

    /// The page that takes it.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Confirm => "/confirm-email",
            Self::Reset => "/reset-password",
            Self::Change => "/confirm-new-email",
            Self::Undo => "/undo-email",
        }
    }

    /// How long it is good.
    pub const fn life(self, accounts: &Accounts) -> Duration {
        match self {
            Self::Confirm => accounts.confirm_ttl,
            Self::Reset => accounts.reset_ttl,
            Self::Change => accounts.change_ttl,
            Self::Undo => accounts.undo_ttl,
        }
    }
}

/// A token that is not written yet, and where it will lead.
pub(super) struct NewLink {
    purpose: Purpose,
    user: UserId,
    email: String,
    hash: HashedToken,
    /// The link, for the letter and nothing else.
    pub(super) url: String,
}

/// What a token that is good stands for.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) user: UserId,
    pub(super) email: String,
}

impl NewLink {
    /// A link of this server, whose address is that of the configuration and never that of a request.
    pub(super) fn new(
        issuer: &Issuer,
        random: &dyn Random,
        purpose: Purpose,
        user: &UserId,
        email: &str,
    ) -> Self {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        let token = PlainToken::from_bytes(bytes);
        let hash = token.hash();
        let url = format!("{}{}?token={}", issuer.as_str(), purpose.path(), token.reveal());
        Self { purpose, user: user.clone(), email: email.to_owned(), hash, url }
    }

    /// Writes it. What was sent for the same purpose before is worth nothing then.
    pub(super) async fn write(
        self,
        t: &DatabaseTransaction,
        now: Timestamp,
        life: Duration,
    ) -> Result<(), PortError> {
        forget(t, &self.user, &[self.purpose]).await?;
        let row = ActiveModel {
            hash: Set(self.hash.as_bytes().to_vec()),
            purpose: Set(self.purpose.word().into()),
            user_id: Set(self.user.as_str().into()),
            email: Set(self.email),
            created_at: Set(now.unix()),
            expires_at: Set(now.plus(life).unix()),
        };
        Entity::insert(row).exec_without_returning(t).await?;
        Ok(())
    }
}

/// Whose token somebody holds, for a page that asks before it does something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkAccount {
    /// The user name.
    pub username: String,
    /// The address the token is about.
    pub email: String,
}

impl People<'_> {
    /// What a token is about, without using it.
    pub async fn link(&self, purpose: Purpose, token: &str) -> Result<LinkAccount, Error> {
        let store = &self.state.store;
        let link = peek(store, purpose, token, self.state.now()).await?;
        let Link { user, email } = link.ok_or(Refusal::LinkInvalid)?;
        let account = store.account(&user).await?.filter(|a| !a.disabled);
        let username = account.ok_or(Refusal::LinkInvalid)?.username;
        Ok(LinkAccount { username, email })
    }
}

/// Drops the tokens of a user for these purposes.
pub(super) async fn forget(
    t: &DatabaseTransaction,
    user: &UserId,
    purposes: &[Purpose],
) -> Result<(), PortError> {
    let words = purposes.iter().map(|purpose| purpose.word());
    Entity::delete_many()
        .filter(Column::UserId.eq(user.as_str()))
        .filter(Column::Purpose.is_in(words))
        .exec(t)
        .await?;
    Ok(())
}

/// The address that a good token of a user for this purpose is about, if there is such a token.
pub(super) async fn address(
    t: &DatabaseTransaction,
    user: &UserId,
    purpose: Purpose,
    now: Timestamp,
) -> Result<Option<String>, PortError> {
    let row = Entity::find()
        .filter(Column::UserId.eq(user.as_str()))
        .filter(Column::Purpose.eq(purpose.word()))
        .filter(Column::ExpiresAt.gt(now.unix()))
        .one(t)
        .await?;
    Ok(row.map(|row| row.email))
}

/// What a token stands for, without using it.
pub(super) async fn peek(
    store: &SeaStore,
    purpose: Purpose,
    token: &str,
    now: Timestamp,
) -> Result<Option<Link>, PortError> {
    Ok(by_hash(token).one(store.database()).await?.and_then(|row| good(row, purpose, now)))
}

/// Uses a token up: what it stood for, for one caller.
pub(super) async fn consume(
    t: &DatabaseTransaction,
    purpose: Purpose,
    token: &str,
    now: Timestamp,
) -> Result<Option<Link>, PortError> {
    let Some(link) = by_hash(token).one(t).await?.and_then(|row| good(row, purpose, now)) else {
        return Ok(None);
    };
    // The user before the token, as whoever forgets all of a user's: else two could wait for each other.
    people::hold(t, &link.user).await?;
    let gone = Entity::delete_many()
        .filter(Column::Hash.eq(HashedToken::of(token).as_bytes().to_vec()))
        .filter(Column::Purpose.eq(purpose.word()))
        .filter(Column::ExpiresAt.gt(now.unix()))
        .exec(t)
        .await?;
    Ok((gone.rows_affected == 1).then_some(link))
}

fn by_hash(token: &str) -> sea_orm::Select<Entity> {
    Entity::find_by_id(HashedToken::of(token).as_bytes().to_vec())
}

fn good(row: Model, purpose: Purpose, now: Timestamp) -> Option<Link> {
    let fits = row.purpose == purpose.word() && row.expires_at > now.unix();
    fits.then(|| Link { user: UserId::new(row.user_id), email: row.email })
}
