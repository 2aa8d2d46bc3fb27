//! `oauth_half_sign_in`: browsers in which somebody has passed the first factor and not yet the second.

use sea_orm::entity::prelude::*;

/// A row of `oauth_half_sign_in`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_half_sign_in")]
pub struct Model {
    /// The SHA-256 of the cookie.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Binary(32)")]
    pub hash: Vec<u8>,
    /// Who passed it.
    pub user_id: String,
    /// How, as words separated by spaces.
    #[sea_orm(column_type = "Text")]
    pub amr: String,
    /// The SHA-256 of what was stored of the password, where it was a password: with another one it counts no more.
    #[sea_orm(column_type = "Binary(32)", nullable)]
    pub password: Option<Vec<u8>>,
    /// When; 0 where nobody knows when.
    pub login_at: i64,
    /// Until when the second factor may follow.
    pub expires_at: i64,
}

/// Nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
