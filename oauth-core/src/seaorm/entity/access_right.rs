//! `oauth_access_right`: what a user may do with which API.

use super::{damaged, from_json, json};
use crate::{
    error::PortError,
    model::{Access, AccessRight, UserId},
};
use sea_orm::{Set, entity::prelude::*};

/// A row of `oauth_access_right`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_access_right")]
pub struct Model {
    /// Whose right it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    /// The API.
    #[sea_orm(primary_key, auto_increment = false)]
    pub api: String,
    /// `none`, `read` or `write`.
    pub access: String,
    /// A JSON list of path patterns; none means everywhere.
    #[sea_orm(column_type = "Text", nullable)]
    pub paths: Option<String>,
    /// A JSON list of the path patterns for writing, where they are not those for reading.
    #[sea_orm(column_type = "Text", nullable)]
    pub write_paths: Option<String>,
}

/// What a right refers to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The user; removed with it.
    #[sea_orm(
        belongs_to = "super::user::Entity",
        from = "Column::UserId",
        to = "super::user::Column::Id",
        on_delete = "Cascade"
    )]
    User,
}

impl Related<super::user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::User.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

impl From<AccessRight> for ActiveModel {
    fn from(right: AccessRight) -> Self {
        Self {
            user_id: Set(right.user.as_str().to_owned()),
            api: Set(right.api),
            access: Set(right.access.as_str().to_owned()),
            paths: Set(listed(&right.paths)),
            write_paths: Set(listed(&right.write_paths)),
        }
    }
}

fn listed(paths: &[String]) -> Option<String> {
    (!paths.is_empty()).then(|| json(&paths))
}

fn unlisted(paths: Option<String>) -> Result<Vec<String>, PortError> {
    paths.map_or_else(|| Ok(Vec::new()), |paths| from_json(&paths, "path list"))
}

impl TryFrom<Model> for AccessRight {
    type Error = PortError;

    fn try_from(row: Model) -> Result<Self, PortError> {
        Ok(Self {
            user: UserId::new(row.user_id),
            api: row.api,
            access: Access::parse(&row.access).ok_or_else(|| damaged("access"))?,
            paths: unlisted(row.paths)?,
            write_paths: unlisted(row.write_paths)?,
        })
    }
}
