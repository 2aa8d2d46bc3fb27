//! Fetching the one row of a unique key.

use sea_orm::{
    ConnectionTrait, DbErr, EntityTrait, FromQueryResult, Select, SelectGetableTuple, SelectTwo,
    Selector, TryGetableMany,
};

/// SeaORM's `one` adds `LIMIT ?`, and SQLite plans a statement anew each time its limit is bound. A
/// unique key needs no limit.
pub(super) trait Only {
    type Row;
    /// The row, if there is one.
    async fn only(self, on: &impl ConnectionTrait) -> Result<Option<Self::Row>, DbErr>;
}

impl<E, M> Only for Select<E>
where
    E: EntityTrait<Model = M>,
    M: FromQueryResult + Send + Sync,
{
    type Row = M;
    async fn only(self, on: &impl ConnectionTrait) -> Result<Option<M>, DbErr> {
        Ok(self.all(on).await?.into_iter().next())
    }
}

impl<E, F> Only for SelectTwo<E, F>
where
    E: EntityTrait,
    F: EntityTrait,
{
    type Row = (E::Model, Option<F::Model>);
    async fn only(self, on: &impl ConnectionTrait) -> Result<Option<Self::Row>, DbErr> {
        Ok(self.all(on).await?.into_iter().next())
    }
}

impl<T: TryGetableMany> Only for Selector<SelectGetableTuple<T>> {
    type Row = T;
    async fn only(self, on: &impl ConnectionTrait) -> Result<Option<T>, DbErr> {
        Ok(self.all(on).await?.into_iter().next())
    }
}
