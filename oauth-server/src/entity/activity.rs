//! `oauth_activity`: what happened to accounts, for their people to see.

use sea_orm::entity::prelude::*;

/// A row of `oauth_activity`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_activity")]
pub struct Model {
    /// Its number, in the order in which things were noted.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Whose account.
    pub user_id: String,
    /// When.
    pub at: i64,
    /// What, as one word.
    pub what: String,
    /// What it was about: a client, the way of signing in. Never a secret.
    #[sea_orm(column_type = "Text", nullable)]
    pub about: Option<String>,
    /// The network it came from.
    #[sea_orm(column_type = "Text", nullable)]
    pub network: Option<String>,
    /// What the browser called itself.
    #[sea_orm(column_type = "Text", nullable)]
    pub user_agent: Option<String>,
}

/// Nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
