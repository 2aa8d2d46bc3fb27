//! `oauth_initial_access_token`: permissions to register clients.

use sea_orm::entity::prelude::*;

/// A row of `oauth_initial_access_token`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_initial_access_token")]
pub struct Model {
    /// What names it in lists; it says nothing about the token.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The SHA-256 of the token.
    #[sea_orm(unique, column_type = "Binary(32)")]
    pub hash: Vec<u8>,
    /// Whom or what it is for, in the words of whoever made it.
    #[sea_orm(column_type = "Text")]
    pub label: String,
    /// When it was made.
    pub created_at: i64,
    /// When it stops working.
    pub expires_at: i64,
    /// The administrator who made it; nobody where the operator did, at the command line.
    pub made_by: Option<String>,
}

/// Nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
