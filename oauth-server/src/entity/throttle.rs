//! `oauth_throttle`: how often somebody tried, and until when there is nothing to try.

use sea_orm::entity::prelude::*;

/// A row of `oauth_throttle`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_throttle")]
pub struct Model {
    /// What is counted: an account, by the hash of its name, or an address.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: String,
    /// Attempts since the count began.
    pub attempts: i64,
    /// The wait after the last attempt, in seconds.
    pub delay: i64,
    /// Until when every attempt is turned away.
    pub blocked_until: i64,
    /// When the count begins anew.
    pub expires_at: i64,
}

/// Nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
