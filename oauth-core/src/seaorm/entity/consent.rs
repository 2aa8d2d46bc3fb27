//! `oauth_consent`: what users agreed to.

use super::scope;
use crate::{
    error::PortError,
    model::{ClientId, Consent, Timestamp, UserId},
};
use sea_orm::{Set, entity::prelude::*};

/// A row of `oauth_consent`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_consent")]
pub struct Model {
    /// Who agreed.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    /// For which client.
    #[sea_orm(primary_key, auto_increment = false)]
    pub client_id: String,
    /// To what.
    #[sea_orm(column_type = "Text")]
    pub scope: String,
    /// When it was last given.
    pub given_at: i64,
}

/// Nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Consent> for ActiveModel {
    fn from(consent: &Consent) -> Self {
        Self {
            user_id: Set(consent.user.as_str().to_owned()),
            client_id: Set(consent.client.as_str().to_owned()),
            scope: Set(consent.scope.to_string()),
            given_at: Set(consent.at.unix()),
        }
    }
}

impl TryFrom<Model> for Consent {
    type Error = PortError;

    fn try_from(row: Model) -> Result<Self, PortError> {
        Ok(Self {
            user: UserId::new(row.user_id),
            client: ClientId::new(row.client_id),
            scope: scope(&row.scope)?,
            at: Timestamp::from_unix(row.given_at),
        })
    }
}
