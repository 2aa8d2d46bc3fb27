//! `oauth_ceremony`: passkeys that are being added or asked for.

use sea_orm::entity::prelude::*;

/// A row of `oauth_ceremony`.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_ceremony")]
pub struct Model {
    /// The SHA-256 of the cookie.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Binary(32)")]
    pub hash: Vec<u8>,
    /// `register` or `sign_in`.
    pub kind: String,
    /// Who adds a passkey; nobody where somebody signs in, who is known only by the answer.
    pub user_id: Option<String>,
    /// The challenge and what goes with it, as JSON.
    #[sea_orm(column_type = "Text")]
    pub state: String,
    /// Until when the answer may come.
    pub expires_at: i64,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
