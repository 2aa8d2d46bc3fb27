//! `oauth_user`: people, for deployments that keep them here.

use crate::model::{Timestamp, User, UserId};
use sea_orm::entity::prelude::*;

/// A row of `oauth_user`.
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

/// A user as an administrator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserAccount {
    /// The stable identifier.
    pub id: UserId,
    /// The name as typed.
    pub username: String,
    /// Whether the user can sign in with a password.
    pub has_password: bool,
    /// Whether the user administers the server.
    pub is_admin: bool,
    /// Whether the user is locked out.
    pub disabled: bool,
    /// When the user was created.
    pub created_at: Timestamp,
}

impl From<Model> for UserAccount {
    fn from(row: Model) -> Self {
        Self {
            id: UserId::new(row.id),
            username: row.username,
            has_password: row.password_hash.is_some(),
            is_admin: row.is_admin,
            disabled: row.disabled,
            created_at: Timestamp::from_unix(row.created_at),
        }
    }
}
