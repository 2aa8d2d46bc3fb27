//! Registered clients.

use super::{
    SeaStore, commit,
    entity::{
        authorization, client, consent, logout_notice, pending_authorization, session_client, token,
    },
    only::Only,
    sessions,
};
use crate::{
    error::PortError,
    model::{Client, ClientId, Timestamp, UserId},
    ports::ClientStore,
};
use async_trait::async_trait;
use sea_orm::{
    ActiveValue::NotSet,
    ColumnTrait, Condition, DatabaseTransaction, DbErr, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect, UpdateMany,
    sea_query::{Expr, OnConflict},
};
use std::sync::Arc;

#[async_trait]
impl ClientStore for SeaStore {
    async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, PortError> {
        if !is_text(id.as_str()) {
            return Ok(None);
        }
        let row = client::Entity::find_by_id(id.as_str()).only(&self.reader).await?;
        row.map(|row| row.try_into().map(Arc::new)).transpose()
    }

    async fn clients_of(&self, owner: &UserId) -> Result<Vec<Client>, PortError> {
        let rows = client::Entity::find()
            .filter(client::Column::OwnerId.eq(owner.as_str()))
            .order_by_asc(client::Column::CreatedAt)
            .order_by_asc(client::Column::Id)
            .all(&self.reader)
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn insert_client(&self, client: Client) -> Result<bool, PortError> {
        let insert = client::Entity::insert(client::ActiveModel::from(&client))
            .on_conflict(OnConflict::new().do_nothing_on([client::Column::Id]).to_owned());
        Ok(self.writer.execute(insert).await? == 1)
    }

    async fn replace_client(&self, client: Client) -> Result<bool, PortError> {
        Ok(self.writer.execute(replacement(&client)).await? == 1)
    }

    async fn replace_unchanged_client(
        &self,
        client: Client,
        before: &Client,
    ) -> Result<bool, PortError> {
        let before = before.clone();
        self.write(move |on| {
            Box::pin(async move {
                // Nobody else writes it before this transaction has ended.
                let row = client::Entity::find_by_id(client.id.as_str());
                let row = row.lock_exclusive().one(on).await?;
                let stored: Option<Client> = row.map(TryInto::try_into).transpose()?;
                if !stored.is_some_and(|stored| stored.is_as(&before)) {
                    return Ok(false);
                }
                Ok(replacement(&client).exec(on).await?.rows_affected == 1)
            })
        })
        .await
    }

    async fn remove_client(&self, id: &ClientId) -> Result<bool, PortError> {
        let id = id.clone();
        self.write(move |on| Box::pin(async move { Ok(remove(on, &id).await?) })).await
    }

    async fn keep_client(&self, id: &ClientId) -> Result<bool, PortError> {
        let update = client::Entity::update_many()
            .col_expr(client::Column::ExpiresAt, Expr::value(None::<i64>))
            .filter(client::Column::Id.eq(id.as_str()));
        Ok(self.writer.execute(update).await? == 1)
    }
}

/// Puts a registration in the place of the one with its id. One that is kept for good stays so.
fn replacement(client: &Client) -> UpdateMany<client::Entity> {
    let stored = || Expr::col(client::Column::ExpiresAt);
    let until = client.expires_at.map(Timestamp::unix);
    let kept = Expr::case(stored().is_null(), stored()).finally(Expr::value(until));
    let row = client::ActiveModel { expires_at: NotSet, ..client.into() };
    client::Entity::update_many()
        .set(row)
        .col_expr(client::Column::ExpiresAt, kept.into())
        .filter(client::Column::Id.eq(client.id.as_str()))
}

/// Whether a database takes it as text: PostgreSQL does not take NUL.
pub(super) fn is_text(text: &str) -> bool {
    !text.contains('\0')
}

/// Removes a client with everything issued to it.
pub(super) async fn remove(on: &DatabaseTransaction, id: &ClientId) -> Result<bool, DbErr> {
    let known = client::Entity::delete_by_id(id.as_str()).exec(on).await?.rows_affected == 1;
    remove_issued(on, &Whose { clients: vec![id.as_str().to_owned()], user: None }).await?;
    Ok(known)
}

/// The same if the client has expired and nobody kept it meanwhile.
pub(super) async fn remove_expired(
    on: &DatabaseTransaction,
    id: &ClientId,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let expired = client::Entity::delete_many()
        .filter(client::Column::Id.eq(id.as_str()))
        .filter(client::Column::ExpiresAt.lte(now.unix()))
        .exec(on)
        .await?;
    if expired.rows_affected == 0 {
        return Ok(false);
    }
    remove_issued(on, &Whose { clients: vec![id.as_str().to_owned()], user: None }).await?;
    Ok(true)
}

/// Everything issued to these clients, and everything issued for this user.
pub(super) struct Whose {
    pub(super) clients: Vec<String>,
    pub(super) user: Option<String>,
}

impl Whose {
    fn is(&self, client: impl ColumnTrait, user: impl ColumnTrait) -> Condition {
        self.is_of(client).add_option(self.user.as_ref().map(|id| user.eq(id)))
    }

    fn is_of(&self, client: impl ColumnTrait) -> Condition {
        Condition::any().add(client.is_in(&self.clients))
    }
}

/// Removes what was issued, one table after the other in the order in which they are locked.
///
/// Authorizations go a second time after the pending ones: an answer that was being given when this began
/// has either lost its pending authorization, and fails, or has by then written its authorization.
pub(super) async fn remove_issued(on: &DatabaseTransaction, whose: &Whose) -> Result<(), DbErr> {
    remove_authorizations(on, whose).await?;
    pending_authorization::Entity::delete_many()
        .filter(whose.is_of(pending_authorization::Column::ClientId))
        .exec(on)
        .await?;
    remove_authorizations(on, whose).await?;
    token::Entity::delete_many().filter(whose.is_of(token::Column::ClientId)).exec(on).await?;
    let participants = whose.is(session_client::Column::ClientId, session_client::Column::UserId);
    let notices = whose.is(logout_notice::Column::ClientId, logout_notice::Column::UserId);
    sessions::forget(on, participants, notices).await?;
    consent::Entity::delete_many()
        .filter(whose.is(consent::Column::ClientId, consent::Column::UserId))
        .exec(on)
        .await?;
    Ok(())
}

/// Codes and tokens below go with them.
async fn remove_authorizations(on: &DatabaseTransaction, whose: &Whose) -> Result<(), DbErr> {
    let theirs = whose.is(authorization::Column::ClientId, authorization::Column::UserId);
    commit::hold_all(on, theirs.clone()).await?;
    authorization::Entity::delete_many().filter(theirs).exec(on).await?;
    Ok(())
}
