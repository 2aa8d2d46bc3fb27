//! `oauth_revoked_token`: tokens, and sessions with everything issued in them, that are dead before their time.

use sea_orm::entity::prelude::*;

/// A row of `oauth_revoked_token`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_revoked_token")]
pub struct Model {
    /// The `jti` of a token, or what a session is listed under.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// When it would be dead anyway.
    pub expires_at: i64,
}

/// Nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
