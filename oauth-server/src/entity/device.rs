//! `oauth_device`: where somebody is signed in without a browser session.

use sea_orm::entity::prelude::*;

/// A row of `oauth_device`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_device")]
pub struct Model {
    /// The authorization that its tokens hang below.
    #[sea_orm(primary_key, auto_increment = false)]
    pub authorization_id: Uuid,
    /// Who is signed in.
    pub user_id: String,
    /// Since when.
    pub created_at: i64,
    /// When tokens were last refreshed.
    pub last_used_at: i64,
    /// The address of the client at the beginning.
    #[sea_orm(column_type = "Text", nullable)]
    pub address: Option<String>,
    /// What the program called itself.
    #[sea_orm(column_type = "Text", nullable)]
    pub user_agent: Option<String>,
}

/// Nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
