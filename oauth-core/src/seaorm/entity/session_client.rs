//! `oauth_session_client`: clients that take part in a browser session.

use crate::model::{ClientId, NewAuthorization, Participant, UserId};
use sea_orm::{Set, entity::prelude::*};

/// A row of `oauth_session_client`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_session_client")]
pub struct Model {
    /// The session.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sid: String,
    /// The client.
    #[sea_orm(primary_key, auto_increment = false)]
    pub client_id: String,
    /// Who is signed in.
    pub user_id: String,
    /// When the client is forgotten.
    pub expires_at: i64,
}

/// Nothing: clients and users may live in another store.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl ActiveModel {
    /// The row of the client of an authorization that was given in the session.
    pub(in super::super) fn new_row(sid: &str, new: &NewAuthorization) -> Self {
        Self {
            sid: Set(sid.to_owned()),
            client_id: Set(new.client.as_str().to_owned()),
            user_id: Set(new.user.as_str().to_owned()),
            expires_at: Set(new.participates_until.unix()),
        }
    }
}

impl From<Model> for Participant {
    fn from(row: Model) -> Self {
        Self { client: ClientId::new(row.client_id), user: UserId::new(row.user_id), sid: row.sid }
    }
}
