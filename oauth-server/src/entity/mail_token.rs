//! `oauth_mail_token`: one-time tokens that travel in letters.

use sea_orm::entity::prelude::*;

/// A row of `oauth_mail_token`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_mail_token")]
pub struct Model {
    /// The SHA-256 of the token.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Binary(32)")]
    pub hash: Vec<u8>,
    /// What it is good for.
    pub purpose: String,
    /// For whom.
    pub user_id: String,
    /// The address it is about.
    #[sea_orm(column_type = "Text")]
    pub email: String,
    /// When it was made.
    pub created_at: i64,
    /// When it stops working.
    pub expires_at: i64,
}

/// Nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
