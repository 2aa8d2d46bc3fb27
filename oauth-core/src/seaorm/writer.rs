//! How writes reach the database: one transaction each, or on SQLite in groups that share one flush.

mod group;
mod job;

use super::{Work, commit};
use crate::{
    error::PortError,
    model::{Committed, Issuance},
};
use group::Group;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, QueryTrait,
    TransactionTrait,
};

/// The one way to write.
#[derive(Clone)]
pub(super) struct Writer(How);

#[derive(Clone)]
enum How {
    /// Each in a transaction of its own.
    Alone(DatabaseConnection),
    /// Together with what else is being written.
    Grouped(Group),
}

impl Writer {
    pub(super) fn new(database: DatabaseConnection) -> Self {
        Self(match database.get_database_backend() {
            DbBackend::Sqlite => How::Grouped(Group::new(database)),
            _ => How::Alone(database),
        })
    }

    pub(super) fn database(&self) -> &DatabaseConnection {
        match &self.0 {
            How::Alone(database) => database,
            How::Grouped(group) => group.database(),
        }
    }

    /// Runs one statement; how many rows it changed.
    pub(super) async fn execute(&self, query: impl QueryTrait) -> Result<u64, PortError> {
        let statement = query.build(self.database().get_database_backend());
        match &self.0 {
            How::Alone(database) => Ok(database.execute_raw(statement).await?.rows_affected()),
            How::Grouped(group) => group.execute(statement).await,
        }
    }

    /// Uses up the credential and writes what is issued for it.
    pub(super) async fn commit(&self, issuance: Issuance) -> Result<Committed, PortError> {
        match &self.0 {
            How::Alone(database) => match commit::tokens_alone(&issuance) {
                Some(tokens) => {
                    commit::insert_alone(database, tokens).await?;
                    Ok(Committed::Done)
                }
                None => {
                    self.transact(|on| Box::pin(async move { commit::commit(on, &issuance).await }))
                        .await
                }
            },
            How::Grouped(group) => group.commit(issuance).await,
        }
    }

    /// Runs several statements, all or none.
    pub(super) async fn transact<T, F>(&self, work: F) -> Result<T, PortError>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a DatabaseTransaction) -> Work<'a, T> + Send + 'static,
    {
        match &self.0 {
            How::Alone(database) => {
                let transaction = database.begin().await?;
                let outcome = work(&transaction).await;
                if outcome.is_ok() {
                    transaction.commit().await?;
                } else {
                    transaction.rollback().await?;
                }
                outcome
            }
            How::Grouped(group) => group.transact(work).await,
        }
    }
}
