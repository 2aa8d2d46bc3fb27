//! `oauth_pending_authorization`: authorization requests that wait for a person.

use super::{from_json, hash_bytes, json};
use crate::{
    error::PortError,
    model::{HashedToken, PendingAuthorization},
};
use sea_orm::{Set, entity::prelude::*};

/// A row of `oauth_pending_authorization`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_pending_authorization")]
pub struct Model {
    /// The SHA-256 of the interaction id.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Binary(32)")]
    pub hash: Vec<u8>,
    /// Who asks.
    pub client_id: String,
    /// The whole request as JSON.
    #[sea_orm(column_type = "Text")]
    pub request: String,
    /// When it is forgotten.
    pub expires_at: i64,
}

/// Nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl ActiveModel {
    /// The row of a pending authorization.
    pub(in super::super) fn new_row(
        interaction: &HashedToken,
        pending: &PendingAuthorization,
    ) -> Self {
        Self {
            hash: Set(hash_bytes(interaction)),
            client_id: Set(pending.client.as_str().to_owned()),
            request: Set(json(pending)),
            expires_at: Set(pending.expires_at.unix()),
        }
    }
}

impl TryFrom<Model> for PendingAuthorization {
    type Error = PortError;

    fn try_from(row: Model) -> Result<Self, PortError> {
        from_json(&row.request, "pending authorization")
    }
}
