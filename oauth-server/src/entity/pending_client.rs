//! `oauth_client_approval`: clients that registered themselves and await approval. While a row is here, nothing acts
//! for the client.

use sea_orm::entity::prelude::*;

/// A row of `oauth_client_approval`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_client_approval")]
pub struct Model {
    /// The client.
    #[sea_orm(primary_key, auto_increment = false)]
    pub client_id: String,
    /// When it asked.
    pub asked_at: i64,
    /// When the question is over.
    pub expires_at: i64,
    /// The address it asked from, where that is known.
    pub address: Option<String>,
}

/// Nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
