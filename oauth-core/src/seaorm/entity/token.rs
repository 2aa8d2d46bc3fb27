//! `oauth_token`: opaque access tokens and refresh tokens, rotated ones included until they expire.

use super::{
    amr_text, authorization, damaged, hash_bytes, login, resources, resources_text, scope,
};
use crate::{
    error::PortError,
    model::{AuthorizationId, ClientId, NewToken, Timestamp, Token, TokenKind},
};
use sea_orm::{Set, entity::prelude::*};

/// A row of `oauth_token`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_token")]
pub struct Model {
    /// The SHA-256 of the token.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Binary(32)")]
    pub hash: Vec<u8>,
    /// `access` or `refresh`.
    pub kind: String,
    /// The authorization it belongs to; none for tokens a client got for itself.
    pub authorization_id: Option<Uuid>,
    /// The client it was issued to.
    pub client_id: String,
    /// Who signed in.
    pub user_id: Option<String>,
    /// When.
    pub auth_time: Option<i64>,
    /// How: a JSON list.
    #[sea_orm(column_type = "Text", nullable)]
    pub amr: Option<String>,
    /// What it allows.
    #[sea_orm(column_type = "Text")]
    pub scope: String,
    /// URIs, separated by spaces.
    #[sea_orm(column_type = "Text")]
    pub resources: String,
    /// When it was issued.
    pub issued_at: i64,
    /// When it stops working.
    pub expires_at: i64,
    /// When a refresh token was rotated.
    pub consumed_at: Option<i64>,
    /// When it was revoked by itself.
    pub revoked_at: Option<i64>,
    /// The hash of the refresh token that replaced it.
    #[sea_orm(column_type = "Binary(32)", nullable)]
    pub successor: Option<Vec<u8>>,
    /// The response that replaced it, sealed under it.
    #[sea_orm(column_type = "Blob", nullable)]
    pub response: Option<Vec<u8>>,
}

/// What a token refers to.
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
    /// The row of a new token.
    pub(in super::super) fn new_row(
        token: &NewToken,
        authorization: Option<AuthorizationId>,
    ) -> Self {
        let login = token.login.as_ref();
        Self {
            hash: Set(hash_bytes(&token.hash)),
            kind: Set(kind_text(token.kind).to_owned()),
            authorization_id: Set(authorization.map(|a| a.0)),
            client_id: Set(token.client.as_str().to_owned()),
            user_id: Set(login.map(|l| l.user.as_str().to_owned())),
            auth_time: Set(login.map(|l| l.at.unix())),
            amr: Set(login.and_then(amr_text)),
            scope: Set(token.scope.to_string()),
            resources: Set(resources_text(&token.resources)),
            issued_at: Set(token.issued_at.unix()),
            expires_at: Set(token.expires_at.unix()),
            ..<Self as Default>::default()
        }
    }
}

/// The stored word.
pub(in super::super) const fn kind_text(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Access => "access",
        TokenKind::Refresh => "refresh",
    }
}

impl TryFrom<(Model, Option<authorization::Model>)> for Token {
    type Error = PortError;

    fn try_from((row, parent): (Model, Option<authorization::Model>)) -> Result<Self, PortError> {
        let kind = match row.kind.as_str() {
            "access" => TokenKind::Access,
            "refresh" => TokenKind::Refresh,
            _ => return Err(damaged("token kind")),
        };
        let login = match (row.user_id, row.auth_time) {
            (Some(user), Some(at)) => Some(login(user, at, row.amr.as_deref(), parent.as_ref())?),
            (None, None) => None,
            _ => return Err(damaged("login")),
        };
        let revoked_at = row.revoked_at.or(parent.as_ref().and_then(|p| p.revoked_at));
        let openid = match &parent {
            Some(parent) => parent.openid()?,
            None => None,
        };
        let authorized_at = parent.map_or(row.issued_at, |p| p.created_at);
        Ok(Self {
            kind,
            authorization: row.authorization_id.map(AuthorizationId),
            client: ClientId::new(row.client_id),
            login,
            scope: scope(&row.scope)?,
            resources: resources(&row.resources)?,
            issued_at: Timestamp::from_unix(row.issued_at),
            expires_at: Timestamp::from_unix(row.expires_at),
            consumed_at: row.consumed_at.map(Timestamp::from_unix),
            revoked_at: revoked_at.map(Timestamp::from_unix),
            openid,
            authorized_at: Timestamp::from_unix(authorized_at),
        })
    }
}
