//! `oauth_cutoff`: in which epoch something of a user was last revoked.

use crate::model::Epoch;
use sea_orm::{Set, entity::prelude::*};

/// The key of the row that has the newest epoch of all. No user is called so.
pub(in super::super) const NEWEST: &str = "";

/// A row of `oauth_cutoff`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_cutoff")]
pub struct Model {
    /// Whose authorizations were revoked.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    /// The epoch that began with that; zero where nothing was.
    pub epoch: i64,
    /// When it is forgotten; set by the first sweep that comes by.
    pub expires_at: Option<i64>,
}

/// Nothing: users may live in another store.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl ActiveModel {
    /// The row of a user.
    pub(in super::super) fn new_row(user: &str, epoch: Epoch) -> Self {
        Self { user_id: Set(user.to_owned()), epoch: Set(epoch.0), expires_at: Set(None) }
    }
}
