//! `oauth_passkey`: credentials by which people sign in without a password.

use sea_orm::entity::prelude::*;

/// A row of `oauth_passkey`.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_passkey")]
pub struct Model {
    /// What names it on the pages.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose.
    pub user_id: String,
    /// The SHA-256 of the credential id, which is too long for an index.
    #[sea_orm(column_type = "Binary(32)", unique)]
    pub credential_hash: Vec<u8>,
    /// The credential with its public key, as JSON.
    #[sea_orm(column_type = "Text")]
    pub credential: String,
    /// What its owner calls it.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// Whether it may be on several devices, by the word of the authenticator.
    pub synced: bool,
    /// How often it signed, as it said last; zero where it does not count.
    pub sign_count: i64,
    /// When it was added.
    pub created_at: i64,
    /// When somebody last signed in with it.
    pub last_used_at: Option<i64>,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
