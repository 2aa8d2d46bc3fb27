//! Looking tokens up, the hottest read: on SQLite, those asked for at the same moment share a statement.
//!
//! A look-up begins after it was asked for, shared or not, so it sees whatever was committed before.

use super::{
    entity::{authorization, hash_bytes, token},
    gather::{Gather, Reply},
    only::Only,
};
use crate::{error::PortError, model::HashedToken};
use sea_orm::{ColumnTrait, DatabaseConnection, DbBackend, DbErr, EntityTrait, QueryFilter};
use std::{
    collections::{HashMap, VecDeque},
    iter,
    sync::Arc,
};

/// A token and the authorization it hangs below.
pub(super) type TokenRow = (token::Model, Option<authorization::Model>);

type Job = (HashedToken, Reply<Option<TokenRow>>);

#[derive(Clone)]
pub(super) struct Lookups {
    database: DatabaseConnection,
    /// PostgreSQL serves several connections at once, and one that is slow should not hold up the rest.
    together: Option<Arc<Gather<Job>>>,
}

impl Lookups {
    pub(super) fn new(database: DatabaseConnection) -> Self {
        let is_local = database.get_database_backend() == DbBackend::Sqlite;
        Self { together: is_local.then(Gather::new), database }
    }

    pub(super) async fn find(&self, hash: &HashedToken) -> Result<Option<TokenRow>, PortError> {
        if let Some(together) = &self.together {
            let (hash, database) = (*hash, self.database.clone());
            return together
                .join(|reply| (hash, reply), move |batch| answer(database.clone(), batch))
                .await;
        }
        let row = token::Entity::find_by_id(hash_bytes(hash))
            .find_also_related(authorization::Entity)
            .only(&self.database)
            .await?;
        Ok(row)
    }
}

async fn answer(database: DatabaseConnection, batch: VecDeque<Job>) {
    let found = find_all(&database, &batch).await.map_err(Arc::new);
    for (hash, reply) in batch {
        let outcome = match &found {
            Ok(rows) => Ok(rows.get(hash.as_bytes().as_slice()).cloned()),
            Err(e) => Err(PortError::new(Arc::clone(e))),
        };
        reply.send(outcome).ok();
    }
}

async fn find_all(
    database: &DatabaseConnection,
    batch: &VecDeque<Job>,
) -> Result<HashMap<Vec<u8>, TokenRow>, DbErr> {
    let rows = token::Entity::find()
        .filter(token::Column::Hash.is_in(padded(batch)))
        .find_also_related(authorization::Entity)
        .all(database)
        .await?;
    Ok(rows.into_iter().map(|row| (row.0.hash.clone(), row)).collect())
}

/// The hashes, the last one repeated up to the next power of two, so that few different statements have
/// to be planned.
fn padded(batch: &VecDeque<Job>) -> impl Iterator<Item = Vec<u8>> {
    let last = batch.back().map(|(hash, _)| hash_bytes(hash));
    let padding = batch.len().next_power_of_two() - batch.len();
    let hashes = batch.iter().map(|(hash, _)| hash_bytes(hash));
    hashes.chain(last.into_iter().flat_map(move |last| iter::repeat_n(last, padding)))
}
