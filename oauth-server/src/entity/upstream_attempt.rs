//! `oauth_upstream_attempt`: people who were sent to another provider to sign in and are not back yet.

use sea_orm::entity::prelude::*;

/// A row of `oauth_upstream_attempt`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_upstream_attempt")]
pub struct Model {
    /// The SHA-256 of the `state`.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Binary(32)")]
    pub hash: Vec<u8>,
    /// The SHA-256 of the cookie of the browser.
    #[sea_orm(column_type = "Binary(32)")]
    pub browser: Vec<u8>,
    /// The id of the provider.
    pub upstream: String,
    /// The rest, sealed: PKCE verifier, nonce, and where the person goes on to.
    #[sea_orm(column_type = "Blob")]
    pub sealed: Vec<u8>,
    /// When it is over.
    pub expires_at: i64,
}

/// Nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
