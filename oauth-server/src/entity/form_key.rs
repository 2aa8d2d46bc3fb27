//! `oauth_form_key`: the private keys that forms are encrypted to.

use sea_orm::entity::prelude::*;

/// A row of `oauth_form_key`.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_form_key")]
pub struct Model {
    /// The key id: the thumbprint of RFC 7638.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kid: String,
    /// The one algorithm it decrypts.
    pub alg: String,
    /// Counts the keys of one algorithm; unique with it.
    pub sequence: i64,
    /// The PKCS #8 private key, sealed.
    #[sea_orm(column_type = "Blob")]
    pub sealed: Vec<u8>,
    /// When it was made.
    pub made_at: i64,
    /// From when front ends are given it.
    pub use_from: i64,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// Nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
