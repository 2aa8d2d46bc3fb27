//! `oauth_auth_code`: authorization codes, used ones included until they expire.

use super::{
    amr_text, authorization, from_json, hash_bytes, json, login, resources, resources_text, scope,
};
use crate::{
    error::PortError,
    model::{AuthCode, AuthorizationId, ClientId, NewCode, Timestamp},
};
use sea_orm::{Set, entity::prelude::*};

/// A row of `oauth_auth_code`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_auth_code")]
pub struct Model {
    /// The SHA-256 of the code.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Binary(32)")]
    pub hash: Vec<u8>,
    /// The authorization it belongs to.
    pub authorization_id: Uuid,
    /// The client it was issued to.
    pub client_id: String,
    /// Who signed in.
    pub user_id: String,
    /// When.
    pub auth_time: i64,
    /// How: a JSON list.
    #[sea_orm(column_type = "Text", nullable)]
    pub amr: Option<String>,
    /// The `redirect_uri` parameter.
    #[sea_orm(column_type = "Text", nullable)]
    pub redirect_uri: Option<String>,
    /// What was granted.
    #[sea_orm(column_type = "Text")]
    pub scope: String,
    /// URIs, separated by spaces.
    #[sea_orm(column_type = "Text")]
    pub resources: String,
    /// The PKCE challenge as JSON.
    #[sea_orm(column_type = "Text", nullable)]
    pub challenge: Option<String>,
    /// When it stops working.
    pub expires_at: i64,
    /// When it was exchanged.
    pub consumed_at: Option<i64>,
}

/// What a code refers to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The authorization; removed with it.
    #[sea_orm(
        belongs_to = "super::authorization::Entity",
        from = "Column::AuthorizationId",
        to = "super::authorization::Column::Id",
        on_delete = "Cascade"
    )]
    Authorization,
}

impl Related<authorization::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Authorization.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

impl ActiveModel {
    /// The row of a new code.
    pub(in super::super) fn new_row(code: &NewCode, authorization: AuthorizationId) -> Self {
        Self {
            hash: Set(hash_bytes(&code.hash)),
            authorization_id: Set(authorization.0),
            client_id: Set(code.client.as_str().to_owned()),
            user_id: Set(code.login.user.as_str().to_owned()),
            auth_time: Set(code.login.at.unix()),
            amr: Set(amr_text(&code.login)),
            redirect_uri: Set(code.redirect_uri.clone()),
            scope: Set(code.scope.to_string()),
            resources: Set(resources_text(&code.resources)),
            challenge: Set(code.challenge.as_ref().map(json)),
            expires_at: Set(code.expires_at.unix()),
            consumed_at: Set(None),
        }
    }
}

impl TryFrom<(Model, authorization::Model)> for AuthCode {
    type Error = PortError;

    fn try_from((row, parent): (Model, authorization::Model)) -> Result<Self, PortError> {
        Ok(Self {
            authorization: AuthorizationId(row.authorization_id),
            client: ClientId::new(row.client_id),
            login: login(row.user_id, row.auth_time, row.amr.as_deref(), Some(&parent))?,
            redirect_uri: row.redirect_uri,
            scope: scope(&row.scope)?,
            resources: resources(&row.resources)?,
            challenge: row.challenge.map(|c| from_json(&c, "PKCE challenge")).transpose()?,
            openid: parent.openid()?,
            expires_at: Timestamp::from_unix(row.expires_at),
            consumed_at: row.consumed_at.map(Timestamp::from_unix),
            revoked_at: parent.revoked_at.map(Timestamp::from_unix),
        })
    }
}
