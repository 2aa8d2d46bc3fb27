//! `oauth_agreement`: which terms a user agreed to.

use sea_orm::entity::prelude::*;

/// A row of `oauth_agreement`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_agreement")]
pub struct Model {
    /// Who.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    /// Where the terms are, as configured at that time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub terms_url: String,
    /// When.
    pub agreed_at: i64,
}

/// Nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
