//! `oauth_authorization`: the parent of codes and tokens.

use super::{from_json, json, scope};
use crate::{
    error::PortError,
    model::{
        Authorization, AuthorizationId, ClientId, NewAuthorization, OpenidContext, Timestamp,
        UserId,
    },
};
use sea_orm::{Set, entity::prelude::*};

/// A row of `oauth_authorization`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_authorization")]
pub struct Model {
    /// Its identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The client it was given to.
    pub client_id: String,
    /// The user who gave it.
    pub user_id: String,
    /// What was granted.
    #[sea_orm(column_type = "Text")]
    pub scope: String,
    /// When it was given.
    pub created_at: i64,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
    /// Until when the sweep need not look at it: some child lives at least that long.
    pub keep_until: i64,
    /// The browser session it was given in.
    pub sid: Option<String>,
    /// How strong the sign-in behind it was.
    pub acr: Option<String>,
    /// What OpenID Connect keeps of the request, as JSON; none for an authorization of plain OAuth.
    #[sea_orm(column_type = "Text", nullable)]
    pub openid: Option<String>,
}

/// What hangs below an authorization.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// Its codes.
    #[sea_orm(has_many = "super::auth_code::Entity")]
    AuthCode,
    /// Its tokens.
    #[sea_orm(has_many = "super::token::Entity")]
    Token,
}

impl Related<super::auth_code::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::AuthCode.def()
    }
}

impl Related<super::token::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Token.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

impl ActiveModel {
    /// The row of a new authorization.
    pub(in super::super) fn new_row(
        new: &NewAuthorization,
        at: Timestamp,
        keep_until: Timestamp,
    ) -> Self {
        Self {
            id: Set(new.id.0),
            client_id: Set(new.client.as_str().to_owned()),
            user_id: Set(new.user.as_str().to_owned()),
            scope: Set(new.scope.to_string()),
            created_at: Set(at.unix()),
            revoked_at: Set(None),
            keep_until: Set(keep_until.unix()),
            sid: Set(new.sid.clone()),
            acr: Set(new.acr.clone()),
            openid: Set(new.openid.as_ref().map(json)),
        }
    }
}

impl Model {
    /// What makes it an OpenID Connect authorization, if it is one.
    pub(super) fn openid(&self) -> Result<Option<OpenidContext>, PortError> {
        self.openid.as_deref().map(|text| from_json(text, "OpenID Connect context")).transpose()
    }
}

impl TryFrom<Model> for Authorization {
    type Error = PortError;

    fn try_from(row: Model) -> Result<Self, PortError> {
        Ok(Self {
            id: AuthorizationId(row.id),
            client: ClientId::new(row.client_id),
            user: UserId::new(row.user_id),
            scope: scope(&row.scope)?,
            created_at: Timestamp::from_unix(row.created_at),
            revoked_at: row.revoked_at.map(Timestamp::from_unix),
        })
    }
}
