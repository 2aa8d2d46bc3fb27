//! Who somebody here is at a provider.

use super::{Notice, Person, Refusal, Social, Upstream, exchange::Tokens};
use crate::{
    entity::identity::{ActiveModel, Column, Entity, Model},
    passkeys::{Leaving, Ways},
};
use oauth_core::{
    error::PortError,
    model::{Access, AccessRight, Timestamp, UserId},
    seaorm::{
        NewUser,
        entity::{access_right, user},
        new_user_id,
        people::{self, EmailChange},
    },
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, DatabaseTransaction, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, TryInsertResult,
    sea_query::{Expr, OnConflict},
};

/// How many names are tried with a number behind them before one gets random letters.
const NUMBERED: usize = 5;

/// What came of linking an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linked {
    /// It is linked now.
    Now,
    /// It was linked to this account already.
    Before,
}

/// What came of unlinking an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlinked {
    /// It is gone.
    Gone,
    /// It stays: without it the person could not sign in any more.
    LastWay,
    /// This account has no such identity.
    Unknown,
}

impl Social {
    /// Whose identity it is here.
    pub async fn owner(&self, person: &Person) -> Result<Option<UserId>, PortError> {
        let row = Entity::find_by_id(person.key()).one(self.0.store.database()).await?;
        Ok(row.map(|row| UserId::new(row.user_id)))
    }

    /// The identities of a user, the oldest first.
    pub async fn identities(&self, user: &UserId) -> Result<Vec<Model>, PortError> {
        let rows = Entity::find()
            .filter(Column::UserId.eq(user.as_str()))
            .order_by_asc(Column::CreatedAt)
            .order_by_asc(Column::Hash)
            .all(self.0.store.database());
        Ok(rows.await?)
    }

    /// Links an identity to an account, and has its owner told.
    ///
    /// # Errors
    /// [`Refusal::IdentityTaken`] where it belongs to another account.
    pub async fn link(
        &self,
        upstream: &Upstream,
        person: &Person,
        tokens: &Tokens,
        user: &UserId,
        notice: Notice,
    ) -> Result<Linked, Refusal> {
        let row = self.row(upstream, person, tokens, user)?;
        let linked = self.0.store.write(move |t| {
            Box::pin(async move {
                let linked = insert(t, row).await?;
                if linked {
                    notice.queue(t).await?;
                }
                Ok(linked)
            })
        });
        let linked = linked.await?;
        if linked {
            return Ok(Linked::Now);
        }
        match self.owner(person).await? {
            Some(owner) if owner == *user => Ok(Linked::Before),
            _ => Err(Refusal::IdentityTaken),
        }
    }

    /// Makes an account for somebody who comes for the first time, without password, with these rights. `None` where
    /// another request was faster: then the identity has an account.
    pub async fn create(
        &self,
        upstream: &Upstream,
        person: &Person,
        tokens: &Tokens,
        rights: Vec<(String, Access)>,
    ) -> Result<Option<UserId>, Refusal> {
        let id = new_user_id(self.now(), &*self.0.random);
        let row = self.row(upstream, person, tokens, &id)?;
        let names = self.names(person);
        let (profile, now, user) = (profile(person), self.now(), id.clone());
        let email = person.verified_email().filter(|_| upstream.trusts_email()).map(str::to_owned);
        let made = self.0.store.write(move |t| {
            Box::pin(async move {
                if !insert_user(t, &user, &names, now).await? {
                    return Err(PortError::new("no user name is free"));
                }
                if !insert(t, row).await? {
                    user::Entity::delete_by_id(user.as_str()).exec(t).await?;
                    return Ok(false);
                }
                say(t, &user, profile, email).await?;
                let right = |(api, access)| {
                    let user = user.clone();
                    access_right::ActiveModel::from(AccessRight {
                        user,
                        api,
                        access,
                        paths: Vec::new(),
                    })
                };
                if !rights.is_empty() {
                    let rows = rights.into_iter().map(right);
                    access_right::Entity::insert_many(rows).exec_without_returning(t).await?;
                }
                Ok(true)
            })
        });
        Ok(made.await?.then_some(id))
    }

    /// Whether an identity still belongs to a user who may sign in, and if so notes that it was used. For the
    /// transaction in which a session begins: whoever unlinks it or locks the user out waits for that.
    pub fn confirm(
        &self,
        upstream: &Upstream,
        person: &Person,
        tokens: &Tokens,
        user: &UserId,
    ) -> Result<Confirmation, Refusal> {
        let tokens = self.seal(upstream, person, tokens)?;
        let (label, now) = (person.label(), self.now());
        Ok(Confirmation { hash: person.key(), user: user.clone(), label, tokens, now })
    }

    /// Unlinks an identity, unless it is the last of the ways in which the person can sign in. Of two requests at once
    /// the second sees what the first did.
    pub async fn unlink(
        &self,
        user: &UserId,
        hash: Vec<u8>,
        ways: Ways,
    ) -> Result<Unlinked, PortError> {
        let user = user.clone();
        self.0
            .store
            .write(move |t| {
                Box::pin(async move {
                    let row =
                        user::Entity::find_by_id(user.as_str()).lock_exclusive().one(t).await?;
                    let Some(row) = row else { return Ok(Unlinked::Unknown) };
                    let own = || Entity::find().filter(Column::UserId.eq(user.as_str()));
                    if !ways.remain(t, &row, Leaving::Identity(&hash)).await? {
                        let is_there = own().filter(Column::Hash.eq(hash)).count(t).await? == 1;
                        return Ok(if is_there { Unlinked::LastWay } else { Unlinked::Unknown });
                    }
                    let gone = Entity::delete_by_id(hash)
                        .filter(Column::UserId.eq(user.as_str()))
                        .exec(t)
                        .await?;
                    Ok(if gone.rows_affected == 1 { Unlinked::Gone } else { Unlinked::Unknown })
                })
            })
            .await
    }

    fn row(
        &self,
        upstream: &Upstream,
        person: &Person,
        tokens: &Tokens,
        user: &UserId,
    ) -> Result<ActiveModel, PortError> {
        let now = self.now().unix();
        Ok(ActiveModel {
            hash: Set(person.key()),
            issuer: Set(person.issuer.clone()),
            subject: Set(person.subject.clone()),
            user_id: Set(user.as_str().to_owned()),
            upstream: Set(upstream.settings.id.clone()),
            label: Set(person.label()),
            created_at: Set(now),
            last_used_at: Set(now),
            tokens: Set(self.seal(upstream, person, tokens)?),
        })
    }

    /// The tokens of the provider, sealed, where they are kept.
    fn seal(
        &self,
        upstream: &Upstream,
        person: &Person,
        tokens: &Tokens,
    ) -> Result<Option<Vec<u8>>, PortError> {
        if !upstream.settings.keep_tokens {
            return Ok(None);
        }
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(tokens).map_err(PortError::new)?);
        Ok(Some(self.0.sealer.seal(&person.key(), &plain, &*self.0.random)))
    }

    /// Names to try, one after the other. The last one is free.
    fn names(&self, person: &Person) -> Vec<String> {
        let bases = person.usernames();
        let numbered = |base: &String| {
            let base = base.clone();
            (2..2 + NUMBERED).map(move |n| format!("{base}-{n}"))
        };
        let mut names = bases.clone();
        names.extend(bases.first().into_iter().flat_map(numbered));
        let mut bytes = [0; 8];
        self.0.random.fill(&mut bytes);
        names.push(format!("person-{:016x}", u64::from_le_bytes(bytes)));
        names
    }
}

/// What has to be true when a session begins.
#[derive(Debug)]
pub struct Confirmation {
    hash: Vec<u8>,
    user: UserId,
    label: Option<String>,
    tokens: Option<Vec<u8>>,
    now: Timestamp,
}

impl Confirmation {
    /// Whether it is.
    pub async fn holds(self, t: &DatabaseTransaction) -> Result<bool, PortError> {
        let row = user::Entity::find_by_id(self.user.as_str()).lock_shared().one(t).await?;
        if row.is_none_or(|row| row.disabled) {
            return Ok(false);
        }
        let used = Entity::update_many()
            .col_expr(Column::LastUsedAt, Expr::value(self.now.unix()))
            .col_expr(Column::Label, Expr::value(self.label))
            .col_expr(Column::Tokens, Expr::value(self.tokens))
            .filter(Column::Hash.eq(self.hash))
            .filter(Column::UserId.eq(self.user.as_str()))
            .exec(t)
            .await?;
        Ok(used.rows_affected == 1)
    }
}

/// Writes an identity; false where somebody has it already.
async fn insert(t: &DatabaseTransaction, row: ActiveModel) -> Result<bool, sea_orm::DbErr> {
    let taken = OnConflict::column(Column::Hash).do_nothing_on([Column::Hash]).to_owned();
    let insert = Entity::insert(row).on_conflict(taken).try_insert();
    Ok(!matches!(
        insert.exec_without_returning(t).await?,
        TryInsertResult::Inserted(0) | TryInsertResult::Conflicted
    ))
}

/// Writes a user under the first of the names that is free.
async fn insert_user(
    t: &DatabaseTransaction,
    id: &UserId,
    names: &[String],
    now: Timestamp,
) -> Result<bool, PortError> {
    for name in names {
        if people::insert(t, NewUser::new(id.clone(), name.clone(), now)).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Writes down what the provider says of somebody who is new. An address that another one has by now stays away.
async fn say(
    t: &DatabaseTransaction,
    user: &UserId,
    profile: Option<String>,
    email: Option<String>,
) -> Result<(), PortError> {
    user::Entity::update_many()
        .col_expr(user::Column::Profile, Expr::value(profile))
        .filter(user::Column::Id.eq(user.as_str()))
        .exec(t)
        .await?;
    if let Some(email) = email
        && people::set_email(t, user, Some(&email), true).await? == EmailChange::Taken
    {
        tracing::info!(user.id = %user, "the address of a new user is somebody's already");
    }
    Ok(())
}

/// What of the provider's words becomes the profile here.
fn profile(person: &Person) -> Option<String> {
    let name = person.name.as_ref()?;
    Some(serde_json::json!({ "name": name }).to_string())
}
