//! `oauth_audit`: what was decided. Rows are added, read, and deleted when their time is over, but never changed.

use sea_orm::entity::prelude::*;

/// A row of `oauth_audit`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_audit")]
pub struct Model {
    /// What names it; later rows have greater ones.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// When it happened.
    pub at: i64,
    /// What happened.
    pub event: String,
    /// Who did or allowed it, if a person did.
    pub user_id: Option<String>,
    /// The client it is about.
    pub client_id: Option<String>,
    /// What was granted, or may be.
    #[sea_orm(column_type = "Text")]
    pub scope: Option<String>,
    /// By which grant.
    pub grant_type: Option<String>,
    /// The address the request came from, where there was one.
    pub address: Option<String>,
    /// What else there is to know.
    #[sea_orm(column_type = "Text")]
    pub detail: Option<String>,
    /// The process that wrote it, from its start to its end.
    pub chain: String,
    /// How many rows the process wrote before.
    pub sequence: i64,
    /// The seal of the row before, zeros for the first.
    #[sea_orm(column_type = "Binary(32)")]
    pub previous: Vec<u8>,
    /// The seal of this row, which only the sealing key can make.
    #[sea_orm(column_type = "Binary(32)")]
    pub seal: Vec<u8>,
}

/// Nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
