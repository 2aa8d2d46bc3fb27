//! Registered clients.

use super::{
    SeaStore,
    entity::{authorization, client, consent, pending_authorization, token},
    only::Only,
};
use crate::{
    error::PortError,
    model::{Client, ClientId, UserId},
    ports::ClientStore,
};
use async_trait::async_trait;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder,
    sea_query::OnConflict,
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
        let update = client::Entity::update_many()
            .set(client::ActiveModel::from(&client))
            .filter(client::Column::Id.eq(client.id.as_str()));
        Ok(self.writer.execute(update).await? == 1)
    }

    async fn remove_client(&self, id: &ClientId) -> Result<bool, PortError> {
        let id = id.clone();
        self.write(move |on| Box::pin(async move { Ok(remove(on, &id).await?) })).await
    }
}

/// Whether a database takes it as text: PostgreSQL does not take NUL.
pub(super) fn is_text(text: &str) -> bool {
    !text.contains('\0')
}

/// Removes a client with everything issued to it.
///
/// Authorizations go a second time after the pending ones: an answer that was being given when this began
/// has either lost its pending authorization, and fails, or has by then written its authorization.
pub(super) async fn remove(on: &DatabaseTransaction, id: &ClientId) -> Result<bool, DbErr> {
    let id = id.as_str();
    let known = client::Entity::delete_by_id(id).exec(on).await?.rows_affected == 1;
    remove_authorizations(on, id).await?;
    pending_authorization::Entity::delete_many()
        .filter(pending_authorization::Column::ClientId.eq(id))
        .exec(on)
        .await?;
    remove_authorizations(on, id).await?;
    token::Entity::delete_many().filter(token::Column::ClientId.eq(id)).exec(on).await?;
    consent::Entity::delete_many().filter(consent::Column::ClientId.eq(id)).exec(on).await?;
    Ok(known)
}

/// Codes and tokens below go with them.
async fn remove_authorizations(on: &DatabaseTransaction, client: &str) -> Result<(), DbErr> {
    authorization::Entity::delete_many()
        .filter(authorization::Column::ClientId.eq(client))
        .exec(on)
        .await?;
    Ok(())
}
