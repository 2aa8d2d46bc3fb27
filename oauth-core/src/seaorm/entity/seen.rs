//! `oauth_seen`: identifiers that may be used once.

use crate::model::{HashedToken, Timestamp};
use sea_orm::{Set, entity::prelude::*};

/// A row of `oauth_seen`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_seen")]
pub struct Model {
    /// The SHA-256 of kind and key, whatever the length of the key.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Binary(32)")]
    pub hash: Vec<u8>,
    /// The kind, for the operator's eye.
    pub kind: String,
    /// Until when it counts.
    pub expires_at: i64,
}

/// Nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl ActiveModel {
    /// The row of a mark.
    pub(in super::super) fn new_row(kind: &str, key: &str, until: Timestamp) -> Self {
        Self {
            hash: Set(mark(kind, key)),
            kind: Set(kind.to_owned()),
            expires_at: Set(until.unix()),
        }
    }
}

/// The primary key; the length keeps two pairs with the same concatenation apart.
pub(in super::super) fn mark(kind: &str, key: &str) -> Vec<u8> {
    super::hash_bytes(&HashedToken::of(&format!("{} {kind} {key}", kind.len())))
}
