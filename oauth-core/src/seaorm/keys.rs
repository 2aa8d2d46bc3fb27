//! Sealed signing keys.

use super::{SeaStore, entity::signing_key};
use crate::{
    error::PortError,
    model::{StoredKey, Timestamp},
    ports::KeyStore,
};
use async_trait::async_trait;
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, Func, OnConflict},
};

#[async_trait]
impl KeyStore for SeaStore {
    async fn keys(&self) -> Result<Vec<StoredKey>, PortError> {
        let rows = signing_key::Entity::find()
            .order_by_asc(signing_key::Column::Alg)
            .order_by_asc(signing_key::Column::Sequence)
            .all(&self.reader)
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn insert_key(&self, key: StoredKey) -> Result<bool, PortError> {
        let insert = signing_key::Entity::insert(signing_key::ActiveModel::from(key))
            .on_conflict(OnConflict::new().do_nothing_on([signing_key::Column::Kid]).to_owned());
        Ok(self.writer.execute(insert).await? == 1)
    }

    async fn retire_key(&self, kid: &str, at: Timestamp) -> Result<bool, PortError> {
        // The first withdrawal counts.
        let first =
            Func::coalesce([Expr::col(signing_key::Column::RetiredAt), Expr::value(at.unix())]);
        let update = signing_key::Entity::update_many()
            .col_expr(signing_key::Column::RetiredAt, first.into())
            .filter(signing_key::Column::Kid.eq(kid));
        Ok(self.writer.execute(update).await? == 1)
    }

    async fn remove_key(&self, kid: &str) -> Result<(), PortError> {
        let delete = signing_key::Entity::delete_many().filter(signing_key::Column::Kid.eq(kid));
        self.writer.execute(delete).await?;
        Ok(())
    }
}
