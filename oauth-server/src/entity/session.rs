//! `oauth_session`: browsers that somebody is signed in with.

use sea_orm::entity::prelude::*;

/// A row of `oauth_session`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_session")]
pub struct Model {
    /// The SHA-256 of the cookie.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Binary(32)")]
    pub hash: Vec<u8>,
    /// Who is signed in.
    pub user_id: String,
    /// When that person proved it, which may be long before; 0 where nobody knows when.
    pub login_at: i64,
    /// How, as words separated by spaces.
    pub amr: String,
    /// When the session began.
    pub created_at: i64,
    /// When it was last used, to the minute.
    pub last_seen_at: i64,
    /// When it ends unless it is used before; never later than its greatest age.
    pub expires_at: i64,
    /// The address of the client at the beginning.
    pub address: Option<String>,
    /// What the browser called itself.
    #[sea_orm(column_type = "Text", nullable)]
    pub user_agent: Option<String>,
    /// What clients know the session by: random, and nothing by which it could be continued.
    pub sid: Option<String>,
}

/// Nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
