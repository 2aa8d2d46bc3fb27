//! The devices somebody is signed in on without a browser session: one for each sign-in that gave tokens.

use super::{People, error::Error, own_client};
use crate::{
    audit::{Entry, Kind},
    entity::device::{ActiveModel, Column, Entity},
    shell,
};
use oauth_core::{
    error::PortError,
    model::{AuthorizationId, UserId},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, sea_query::Expr,
};

/// More of a user agent than this says nothing more.
const LONGEST_AGENT: usize = 256;

/// What is known of a device when somebody signs in on it.
#[derive(Clone, Debug, Default)]
pub struct Device {
    /// What the program calls itself.
    pub user_agent: Option<String>,
}

impl Device {
    /// As the headers of a request tell.
    pub fn of(headers: &http::HeaderMap) -> Self {
        let agent = headers.get(http::header::USER_AGENT).and_then(|v| v.to_str().ok());
        Self { user_agent: agent.map(|a| a.chars().take(LONGEST_AGENT).collect()) }
    }
}

impl People<'_> {
    pub(super) async fn note_device(
        &self,
        user: &UserId,
        authorization: AuthorizationId,
        device: Device,
    ) -> Result<(), Error> {
        let now = self.state.now().unix();
        let row = ActiveModel {
            authorization_id: Set(authorization.0),
            user_id: Set(user.as_str().to_owned()),
            created_at: Set(now),
            last_used_at: Set(now),
            address: Set(shell::client_address().map(|a| a.to_string())),
            user_agent: Set(device.user_agent),
        };
        let write = self.state.store.write(move |t| {
            Box::pin(async move {
                Entity::insert(row).exec_without_returning(t).await?;
                Ok(())
            })
        });
        Ok(write.await?)
    }

    pub(super) async fn note_use(&self, authorization: AuthorizationId) -> Result<(), Error> {
        let now = self.state.now().unix();
        let update = Entity::update_many()
            .col_expr(Column::LastUsedAt, Expr::value(now))
            .filter(Column::AuthorizationId.eq(authorization.0));
        let write = self.state.store.write(move |t| {
            Box::pin(async move {
                update.exec(t).await?;
                Ok(())
            })
        });
        Ok(write.await?)
    }

    /// Revokes the tokens of a device and forgets it.
    pub(super) async fn end_device(
        &self,
        user: &UserId,
        authorization: AuthorizationId,
    ) -> Result<(), PortError> {
        let env = self.state.provider.env();
        env.grants.revoke(authorization, env.clock.now()).await?;
        let entry = Entry::new(Kind::Revoked).client(&own_client::id()).user(user);
        self.state.audit.write(entry).await?;
        let write = self.state.store.write(move |t| {
            Box::pin(async move {
                Entity::delete_by_id(authorization.0).exec(t).await?;
                Ok(())
            })
        });
        write.await
    }
}
