//! People, their passwords and their rights.

use super::{
    SeaStore, clients, cutoff,
    entity::{access_right, client, json, user, user::UserAccount},
    only::Only,
    people::{self, EmailChange},
};
use crate::{
    error::PortError,
    model::{AccessRight, Timestamp, User, UserId, email_key},
    ports::{Random, SignIn, Users, Verdict},
};
use async_trait::async_trait;
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, DbErr, EntityTrait, Insert, QueryFilter,
    QueryOrder, QuerySelect, Set,
    sea_query::{Expr, OnConflict},
};
use serde_json::{Map, Value};
use uuid::Builder;

/// How long someone is asked to wait when too many passwords are being checked.
const BUSY_SECONDS: u64 = 2;

/// A user about to be created.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The identifier, as made by [`new_user_id`].
    pub id: UserId,
    /// The name; names that differ only in case are the same name.
    pub username: String,
    /// The PHC string of the password, as made by [`Passwords::hash`](crate::ports::Passwords::hash);
    /// none for a user who cannot sign in with a password.
    pub password_hash: Option<String>,
    /// The e-mail address. No two users have the same confirmed one.
    pub email: Option<String>,
    /// Whether the user is known to receive what is sent there.
    pub email_verified: bool,
    /// Whether the user administers the server.
    pub is_admin: bool,
    /// Whether the user helps to look after the others.
    pub is_staff: bool,
    /// Now.
    pub created_at: Timestamp,
}

impl NewUser {
    /// An ordinary user with a name and nothing else.
    pub fn new(id: UserId, username: impl Into<String>, created_at: Timestamp) -> Self {
        Self {
            id,
            username: username.into(),
            password_hash: None,
            email: None,
            email_verified: false,
            is_admin: false,
            is_staff: false,
            created_at,
        }
    }
}

/// A new identifier: a UUID of version 7.
pub fn new_user_id(now: Timestamp, random: &dyn Random) -> UserId {
    let mut bytes = [0; 10];
    random.fill(&mut bytes);
    let millis = u64::try_from(now.unix()).unwrap_or(0).saturating_mul(1000);
    UserId::new(Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid().to_string())
}

#[async_trait]
impl Users for SeaStore {
    async fn user(&self, id: &UserId) -> Result<Option<User>, PortError> {
        let row = user::Entity::find_by_id(id.as_str()).only(&self.reader).await?;
        Ok(row.filter(|row| !row.disabled).map(Into::into))
    }

    async fn sign_in(&self, name: &str, password: &str) -> Result<SignIn, PortError> {
        let row = self.row_by_login(name).await?.filter(|row| !row.disabled);
        let phc = row.as_ref().and_then(|row| row.password_hash.as_deref());
        let verdict = self.passwords.verify(phc, password).await?;
        Ok(match (verdict, row) {
            (Verdict::Right, Some(row)) => SignIn::Accepted(UserId::new(row.id)),
            (Verdict::Busy, _) => SignIn::Throttled(BUSY_SECONDS),
            _ => SignIn::Refused,
        })
    }

    async fn profile(&self, id: &UserId) -> Result<Map<String, Value>, PortError> {
        let row = user::Entity::find_by_id(id.as_str()).only(&self.reader).await?;
        row.map_or_else(|| Ok(Map::new()), |row| row.claims())
    }

    async fn rights(&self, id: &UserId) -> Result<Vec<AccessRight>, PortError> {
        let rows = access_right::Entity::find()
            .filter(access_right::Column::UserId.eq(id.as_str()))
            .order_by_asc(access_right::Column::Api)
            .all(&self.reader)
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}

/// Administration of users, for the screens of a server.
impl SeaStore {
    /// Creates a user; nothing when the name or the confirmed address is taken.
    pub async fn create_user(&self, new: NewUser) -> Result<Option<UserId>, PortError> {
        let id = new.id.clone();
        let made = self.write(move |on| Box::pin(people::insert(on, new))).await?;
        Ok(made.then_some(id))
    }

    /// The user with this identifier, disabled ones included.
    pub async fn account(&self, id: &UserId) -> Result<Option<UserAccount>, PortError> {
        let row = user::Entity::find_by_id(id.as_str()).only(&self.reader).await?;
        Ok(row.map(Into::into))
    }

    /// The user with this name, disabled ones included.
    pub async fn account_by_name(&self, name: &str) -> Result<Option<UserAccount>, PortError> {
        Ok(self.row_by_name(name).await?.map(Into::into))
    }

    /// The user whose confirmed e-mail address this is, however it is spelled, disabled users included.
    pub async fn account_by_email(&self, email: &str) -> Result<Option<UserAccount>, PortError> {
        if !clients::is_text(email) {
            return Ok(None);
        }
        let has = user::Column::EmailKey.eq(email_key(email));
        Ok(user::Entity::find().filter(has).only(&self.reader).await?.map(Into::into))
    }

    /// The row of whoever signs in by this name or confirmed e-mail address, disabled users included, in one statement.
    /// An address goes before a name, since it was proven.
    pub async fn row_by_login(&self, login: &str) -> Result<Option<user::Model>, PortError> {
        if !clients::is_text(login) {
            return Ok(None);
        }
        let (name, email) = (name_key(login), email_key(login));
        let either = Condition::any()
            .add(user::Column::UsernameKey.eq(name))
            .add(user::Column::EmailKey.eq(email.as_str()));
        let rows = user::Entity::find().filter(either).all(&self.reader).await?;
        Ok(rows.into_iter().max_by_key(|row| row.email_key.as_deref() == Some(email.as_str())))
    }

    /// Gives a user an e-mail address, or takes it away.
    pub async fn set_email(
        &self,
        id: &UserId,
        email: Option<&str>,
        verified: bool,
    ) -> Result<EmailChange, PortError> {
        let (id, email) = (id.clone(), email.map(str::to_owned));
        self.write(move |on| {
            Box::pin(async move { people::set_email(on, &id, email.as_deref(), verified).await })
        })
        .await
    }

    /// Makes the user one of the staff, or no longer; false when there is no such user.
    pub async fn set_staff(&self, id: &UserId, is_staff: bool) -> Result<bool, PortError> {
        self.set_column(id, user::Column::IsStaff, Expr::value(is_staff)).await
    }

    /// Users in the order of their names, starting behind a name.
    pub async fn accounts(
        &self,
        after: Option<&str>,
        limit: u64,
    ) -> Result<Vec<UserAccount>, PortError> {
        let mut query = user::Entity::find().order_by_asc(user::Column::UsernameKey).limit(limit);
        if let Some(name) = after {
            query = query.filter(user::Column::UsernameKey.gt(name_key(name)));
        }
        Ok(query.all(&self.reader).await?.into_iter().map(Into::into).collect())
    }

    /// Whether there is any user at all.
    pub async fn has_users(&self) -> Result<bool, PortError> {
        Ok(user::Entity::find().limit(1).only(&self.reader).await?.is_some())
    }

    /// Replaces the password, or takes it away; false when there is no such user.
    pub async fn set_password_hash(
        &self,
        id: &UserId,
        phc: Option<String>,
    ) -> Result<bool, PortError> {
        self.set_column(id, user::Column::PasswordHash, Expr::value(phc)).await
    }

    /// Makes the user an administrator, or no longer one; false when there is no such user.
    pub async fn set_admin(&self, id: &UserId, is_admin: bool) -> Result<bool, PortError> {
        self.set_column(id, user::Column::IsAdmin, Expr::value(is_admin)).await
    }

    /// Locks the user out, or lets it in again; false when there is no such user.
    ///
    /// What was issued before is not revoked by this: call
    /// [`revoke_user`](crate::ports::GrantStore::revoke_user) beside it.
    pub async fn set_disabled(&self, id: &UserId, disabled: bool) -> Result<bool, PortError> {
        self.set_column(id, user::Column::Disabled, Expr::value(disabled)).await
    }

    /// Replaces the standard claims of a user, `sub` left out; false when there is no such user. An address that was
    /// given with [`set_email`](Self::set_email) is told instead of one in here.
    pub async fn set_profile(
        &self,
        id: &UserId,
        mut profile: Map<String, Value>,
    ) -> Result<bool, PortError> {
        profile.remove("sub");
        let text = (!profile.is_empty()).then(|| json(&profile));
        self.set_column(id, user::Column::Profile, Expr::value(text)).await
    }

    /// Replaces all rights of a user.
    pub async fn set_rights(&self, id: &UserId, rights: Vec<AccessRight>) -> Result<(), PortError> {
        let id = id.clone();
        self.write(move |on| Box::pin(async move { Ok(set_rights(on, &id, rights).await?) })).await
    }

    /// Removes a user with its rights, consents, authorizations and everything below them, and the
    /// clients it made; false when there is none.
    pub async fn remove_user(&self, id: &UserId) -> Result<bool, PortError> {
        let id = id.clone();
        self.write(move |on| Box::pin(async move { Ok(remove(on, &id).await?) })).await
    }

    async fn row_by_name(&self, name: &str) -> Result<Option<user::Model>, PortError> {
        if !clients::is_text(name) {
            return Ok(None);
        }
        let named = user::Column::UsernameKey.eq(name_key(name));
        Ok(user::Entity::find().filter(named).only(&self.reader).await?)
    }

    async fn set_column(
        &self,
        id: &UserId,
        column: user::Column,
        value: Expr,
    ) -> Result<bool, PortError> {
        let update = user::Entity::update_many()
            .col_expr(column, value)
            .filter(user::Column::Id.eq(id.as_str()));
        Ok(self.writer.execute(update).await? == 1)
    }
}

fn name_key(name: &str) -> String {
    name.to_lowercase()
}

/// The statement that creates a user unless name or address are taken.
pub(super) fn insert_statement(new: NewUser) -> Insert<user::ActiveModel> {
    let row = user::ActiveModel {
        id: Set(new.id.as_str().to_owned()),
        username_key: Set(name_key(&new.username)),
        username: Set(new.username),
        password_hash: Set(new.password_hash),
        is_admin: Set(new.is_admin),
        disabled: Set(false),
        created_at: Set(new.created_at.unix()),
        profile: Set(None),
        email_key: Set(new.email.as_deref().filter(|_| new.email_verified).map(email_key)),
        email_verified: Set(new.email_verified && new.email.is_some()),
        email: Set(new.email),
        is_staff: Set(new.is_staff),
        visibility: Set(None),
    };
    user::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing_on([user::Column::Id]).to_owned())
}

async fn set_rights(
    on: &DatabaseTransaction,
    id: &UserId,
    rights: Vec<AccessRight>,
) -> Result<(), DbErr> {
    access_right::Entity::delete_many()
        .filter(access_right::Column::UserId.eq(id.as_str()))
        .exec(on)
        .await?;
    if !rights.is_empty() {
        let rows = rights.into_iter().map(|right| {
            access_right::ActiveModel::from(AccessRight { user: id.clone(), ..right })
        });
        access_right::Entity::insert_many(rows).exec_without_returning(on).await?;
    }
    Ok(())
}

pub(super) async fn remove(on: &DatabaseTransaction, id: &UserId) -> Result<bool, DbErr> {
    // Of what the user is doing at this moment nothing is written after this. The row goes a day later.
    cutoff::begin_epoch(on, id).await?;
    let known = user::Entity::delete_by_id(id.as_str()).exec(on).await?.rows_affected == 1;
    let made: Vec<String> = client::Entity::find()
        .filter(client::Column::OwnerId.eq(id.as_str()))
        .select_only()
        .column(client::Column::Id)
        .order_by_asc(client::Column::Id)
        .lock_exclusive()
        .into_tuple()
        .all(on)
        .await?;
    client::Entity::delete_many().filter(client::Column::Id.is_in(&made)).exec(on).await?;
    let whose = clients::Whose { clients: made, user: Some(id.as_str().to_owned()) };
    clients::remove_issued(on, &whose).await?;
    Ok(known)
}
