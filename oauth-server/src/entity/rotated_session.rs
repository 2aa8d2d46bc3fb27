//! `oauth_rotated_session`: cookies of sessions that were replaced by others.

use sea_orm::entity::prelude::*;

/// A row of `oauth_rotated_session`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_rotated_session")]
pub struct Model {
    /// The SHA-256 of the cookie that was replaced.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Binary(32)")]
    pub hash: Vec<u8>,
    /// The session, by the name that it keeps.
    pub sid: String,
    /// The cookie that replaced it, sealed under the one that was replaced: only who has that can open it.
    pub sealed: Vec<u8>,
    /// When it was replaced.
    pub rotated_at: i64,
    /// When the session is over at the latest.
    pub expires_at: i64,
}

/// Nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
