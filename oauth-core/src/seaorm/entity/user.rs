//! `oauth_user`: people, for deployments that keep them here.

use super::from_json;
use crate::{
    error::PortError,
    model::{Role, Timestamp, User, UserId},
};
use sea_orm::entity::prelude::*;
use serde_json::{Map, Value};

/// A row of `oauth_user`.
#[expect(clippy::struct_excessive_bools, reason = "each is a column of its own")]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_user")]
pub struct Model {
    /// The stable identifier, `sub` in tokens.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The name as the user typed it.
    pub username: String,
    /// The name in lower case, which is unique.
    #[sea_orm(unique)]
    pub username_key: String,
    /// A PHC string; none for users who cannot sign in with a password.
    #[sea_orm(column_type = "Text", nullable)]
    pub password_hash: Option<String>,
    /// Whether the user administers the server.
    pub is_admin: bool,
    /// Whether the user is locked out.
    pub disabled: bool,
    /// When the user was created.
    pub created_at: i64,
    /// The standard claims as a JSON object; none where nothing is known.
    #[sea_orm(column_type = "Text", nullable)]
    pub profile: Option<String>,
    /// The e-mail address as the user typed it; the one home of the claim `email` where there is one.
    #[sea_orm(column_type = "Text", nullable)]
    pub email: Option<String>,
    /// A confirmed address as [`email_key`](crate::model::email_key) makes it, which is unique. An address that is not
    /// confirmed has no key: it keeps nobody out, and nobody signs in with it.
    #[sea_orm(unique)]
    pub email_key: Option<String>,
    /// Whether the user has proven to receive what is sent to the address.
    pub email_verified: bool,
    /// Whether the user helps to look after the others.
    pub is_staff: bool,
    /// Who may see which part of the profile, as a JSON object; whatever is not in it is private.
    #[sea_orm(column_type = "Text", nullable)]
    pub visibility: Option<String>,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What refers to a user.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The user's rights.
    #[sea_orm(has_many = "super::access_right::Entity")]
    AccessRight,
}

impl Related<super::access_right::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::AccessRight.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

impl From<Model> for User {
    fn from(row: Model) -> Self {
        Self { id: UserId::new(row.id), username: row.username }
    }
}

impl Model {
    /// The standard claims: those of the profile, and the address with whether it is confirmed.
    pub fn claims(&self) -> Result<Map<String, Value>, PortError> {
        let mut claims = match &self.profile {
            Some(text) => from_json(text, "profile")?,
            None => Map::new(),
        };
        if let Some(email) = &self.email {
            claims.insert("email".into(), email.as_str().into());
            claims.insert("email_verified".into(), self.email_verified.into());
        }
        Ok(claims)
    }

    /// The claim `locale` of the profile, if it has one.
    pub fn locale(&self) -> Option<String> {
        let profile: Map<String, Value> = serde_json::from_str(self.profile.as_deref()?).ok()?;
        profile.get("locale")?.as_str().map(str::to_owned)
    }
}

/// A user as an administrator sees it.
#[expect(clippy::struct_excessive_bools, reason = "each says something of its own")]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserAccount {
    /// The stable identifier.
    pub id: UserId,
    /// The name as typed.
    pub username: String,
    /// The e-mail address as typed, if there is one.
    pub email: Option<String>,
    /// Whether the user has proven to receive what is sent there.
    pub email_verified: bool,
    /// The language tag in which the user wants to be written to (the claim `locale`,
    /// [OpenID Connect Core 5.1](https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims)).
    pub locale: Option<String>,
    /// Whether the user can sign in with a password.
    pub has_password: bool,
    /// Whether the user helps to look after the others.
    pub is_staff: bool,
    /// Whether the user administers the server.
    pub is_admin: bool,
    /// Whether the user is locked out.
    pub disabled: bool,
    /// When the user was created.
    pub created_at: Timestamp,
}

impl From<Model> for UserAccount {
    fn from(row: Model) -> Self {
        let locale = row.locale();
        Self {
            id: UserId::new(row.id),
            username: row.username,
            locale,
            email: row.email,
            email_verified: row.email_verified,
            is_staff: row.is_staff,
            has_password: row.password_hash.is_some(),
            is_admin: row.is_admin,
            disabled: row.disabled,
            created_at: Timestamp::from_unix(row.created_at),
        }
    }
}

impl UserAccount {
    /// What the user is to the server. Derived, never stored: an administrator, one of the staff, somebody who has an
    /// address that is not confirmed, or an ordinary user. Whoever has no address at all was let in without one.
    pub const fn role(&self) -> Role {
        if self.is_admin {
            Role::Admin
        } else if self.is_staff {
            Role::Staff
        } else if self.email.is_some() && !self.email_verified {
            Role::Guest
        } else {
            Role::Registered
        }
    }
}
