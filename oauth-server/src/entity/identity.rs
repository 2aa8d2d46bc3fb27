//! `oauth_identity`: who somebody here is at another provider.

use sea_orm::entity::prelude::*;

/// A row of `oauth_identity`.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_identity")]
pub struct Model {
    /// The SHA-256 of issuer and subject, which together are one person.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Binary(32)")]
    pub hash: Vec<u8>,
    /// Who says so: the issuer, or the userinfo endpoint of a provider without one.
    #[sea_orm(column_type = "Text")]
    pub issuer: String,
    /// The identifier there.
    #[sea_orm(column_type = "Text")]
    pub subject: String,
    /// Whose it is here.
    pub user_id: String,
    /// The id of the provider in the configuration when it was linked.
    pub upstream: String,
    /// What the person is called there, for the account page.
    #[sea_orm(column_type = "Text", nullable)]
    pub label: Option<String>,
    /// When it was linked.
    pub created_at: i64,
    /// When somebody last signed in with it.
    pub last_used_at: i64,
    /// The tokens of the provider, sealed, where they are kept.
    #[sea_orm(column_type = "Blob", nullable)]
    pub tokens: Option<Vec<u8>>,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").field("upstream", &self.upstream).finish_non_exhaustive()
    }
}

/// Nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
