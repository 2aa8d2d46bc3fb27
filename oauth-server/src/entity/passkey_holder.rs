//! `oauth_passkey_holder`: whom authenticators know people by.

use sea_orm::entity::prelude::*;

/// A row of `oauth_passkey_holder`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_passkey_holder")]
pub struct Model {
    /// Who.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    /// The user handle: random, so that an authenticator tells nobody who it is.
    #[sea_orm(unique)]
    pub handle: Uuid,
}

/// Nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
