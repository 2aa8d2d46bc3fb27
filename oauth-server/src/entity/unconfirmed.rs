//! `oauth_unconfirmed`: who signed up with an address that has yet to be confirmed.

use sea_orm::entity::prelude::*;

/// A row of `oauth_unconfirmed`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_unconfirmed")]
pub struct Model {
    /// Who.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    /// Whether the account goes when the time is over; otherwise the address does.
    pub removes_account: bool,
    /// When the time is over.
    pub expires_at: i64,
}

/// Nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
