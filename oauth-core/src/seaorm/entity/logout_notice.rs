//! `oauth_logout_notice`: logouts of which a client is still to be told.

use super::damaged;
use crate::{
    error::PortError,
    model::{ClientId, LogoutNotice, Participant, Timestamp, UserId},
};
use sea_orm::{Set, entity::prelude::*};

/// A row of `oauth_logout_notice`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_logout_notice")]
pub struct Model {
    /// Its identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Who is to be told.
    pub client_id: String,
    /// Of whom.
    pub user_id: String,
    /// The session that ended.
    pub sid: String,
    /// How often it was tried.
    pub attempts: i32,
    /// When the session ended.
    pub created_at: i64,
    /// When it is tried next; while somebody is at it, when another may take it.
    pub due_at: i64,
}

/// Nothing: clients and users may live in another store.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl ActiveModel {
    /// The row of a notice that is due when the session ends.
    pub(in super::super) fn new_row(notice: LogoutNotice) -> Self {
        let Participant { client, user, sid } = notice.participant;
        Self {
            id: Set(notice.id),
            client_id: Set(client.as_str().to_owned()),
            user_id: Set(user.as_str().to_owned()),
            sid: Set(sid),
            attempts: Set(0),
            created_at: Set(notice.created_at.unix()),
            due_at: Set(notice.created_at.unix()),
        }
    }
}

impl TryFrom<Model> for LogoutNotice {
    type Error = PortError;

    fn try_from(row: Model) -> Result<Self, PortError> {
        Ok(Self {
            id: row.id,
            attempts: u32::try_from(row.attempts).map_err(|_| damaged("count of attempts"))?,
            created_at: Timestamp::from_unix(row.created_at),
            participant: Participant {
                client: ClientId::new(row.client_id),
                user: UserId::new(row.user_id),
                sid: row.sid,
            },
        })
    }
}
