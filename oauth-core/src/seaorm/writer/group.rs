//! Group commit: while one transaction is being flushed to the disk, the next one gathers.

use super::{
    super::{
        Work, commit,
        gather::{Gather, Reply},
    },
    job::{Answer, GroupFailed, Job, Other, Outcome, Pending, Task, WorkTask},
};
use crate::{
    error::PortError,
    model::{Committed, Issuance},
};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseConnectionType, DatabaseTransaction, DbErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, sqlx::Connection,
};
use std::{collections::VecDeque, iter, sync::Arc};

/// So that one insert stays well below SQLite's limit on parameters.
const MOST_ROWS: usize = 500;

#[derive(Clone)]
pub(super) struct Group {
    database: DatabaseConnection,
    jobs: Arc<Gather<Job>>,
}

impl Group {
    pub(super) fn new(database: DatabaseConnection) -> Self {
        Self { database, jobs: Gather::new() }
    }

    pub(super) fn database(&self) -> &DatabaseConnection {
        &self.database
    }

    pub(super) async fn execute(&self, statement: Statement) -> Result<u64, PortError> {
        self.join(|reply| Job::Other(Other::Statement(statement, reply))).await
    }

    pub(super) async fn commit(&self, issuance: Issuance) -> Result<Committed, PortError> {
        self.join(|reply| Job::Commit(Box::new(issuance), reply)).await
    }

    pub(super) async fn transact<T, F>(&self, work: F) -> Result<T, PortError>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a DatabaseTransaction) -> Work<'a, T> + Send + 'static,
    {
        let work = |reply| Other::Work(Box::new(WorkTask::new(work, reply)));
        self.join(|reply| Job::Other(work(reply))).await
    }

    async fn join<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, PortError> {
        let database = self.database.clone();
        self.jobs.join(job, move |batch| run(database.clone(), batch)).await
    }
}

/// Runs a batch in one transaction and answers when it is on disk.
async fn run(database: DatabaseConnection, batch: VecDeque<Job>) {
    let (mut commits, mut rest) = (VecDeque::new(), VecDeque::new());
    for job in batch {
        match job {
            Job::Commit(issuance, reply) => commits.push_back((issuance, reply)),
            Job::Other(other) => rest.push_back(other),
        }
    }
    let mut batch = Batch { commits, rest, answers: Vec::new() };
    let outcome = batch.run(&database).await.map_err(|e| GroupFailed(Arc::new(e)));
    if outcome.is_err() {
        discard_broken(&database).await;
    }
    for caller in batch.into_answers() {
        caller.answer(outcome.clone());
    }
}

struct Batch {
    commits: VecDeque<(Box<Issuance>, Reply<Committed>)>,
    rest: VecDeque<Other>,
    answers: Vec<Box<dyn Answer>>,
}

impl Batch {
    /// Runs everything in one transaction. An error is one that the whole transaction suffers from.
    async fn run(&mut self, database: &DatabaseConnection) -> Result<(), PortError> {
        let mut transaction = begin(database).await?;
        if let Ok(outcomes) = commit_all(&transaction, &self.commits).await {
            let done = self.commits.drain(..).zip(outcomes);
            self.answers
                .extend(done.map(|((_, reply), outcome)| Pending::boxed(reply, Ok(outcome))));
        } else {
            // One of them failed, and what it had written before must go. So must all, to be tried one
            // by one: a savepoint around each costs too much where none is needed.
            transaction.rollback().await?;
            transaction = begin(database).await?;
            self.commit_each(&transaction).await?;
        }
        let alone = self.answers.is_empty() && self.rest.len() == 1;
        while let Some(job) = self.rest.pop_front() {
            match job {
                Other::Statement(statement, reply) => {
                    let outcome = transaction.execute_raw(statement).await;
                    let outcome = own_failure(outcome.map(|done| done.rows_affected()))?;
                    self.answers.push(Pending::boxed(reply, outcome));
                }
                Other::Work(task) if alone => {
                    if self.perform(task, &transaction).await == Outcome::Undo {
                        return Ok(transaction.rollback().await?);
                    }
                }
                Other::Work(task) => {
                    let savepoint = transaction.begin().await?;
                    match self.perform(task, &savepoint).await {
                        Outcome::Keep => savepoint.commit().await?,
                        Outcome::Undo => savepoint.rollback().await?,
                    }
                }
            }
        }
        Ok(transaction.commit().await?)
    }

    async fn commit_each(&mut self, transaction: &DatabaseTransaction) -> Result<(), PortError> {
        while let Some((issuance, reply)) = self.commits.pop_front() {
            let savepoint = transaction.begin().await?;
            let outcome = commit::commit(&savepoint, &issuance).await;
            let undo = outcome.is_err();
            self.answers.push(Pending::boxed(reply, outcome));
            if undo {
                savepoint.rollback().await?;
            } else {
                savepoint.commit().await?;
            }
        }
        Ok(())
    }

    async fn perform(&mut self, mut task: Box<dyn Task>, on: &DatabaseTransaction) -> Outcome {
        let outcome = task.run(on).await;
        self.answers.push(task.finish());
        outcome
    }

    /// The answers, and those of the jobs that were not reached.
    fn into_answers(self) -> impl Iterator<Item = Box<dyn Answer>> {
        let commits = self.commits.into_iter().map(|(_, reply)| Pending::never(reply));
        self.answers.into_iter().chain(commits).chain(self.rest.into_iter().map(Other::abandon))
    }
}

async fn begin(database: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    database.begin_with_options(options).await
}

/// Closes connections that believe to be in a transaction which the database has given up, for want of
/// disk space for example: what they began next would be a savepoint in a transaction of another kind.
async fn discard_broken(database: &DatabaseConnection) {
    let DatabaseConnectionType::SqlxSqlitePoolConnection(_) = &database.inner else { return };
    let pool = database.get_sqlite_connection_pool();
    // The one in question may still be on its way back to the pool.
    let mut suspects = Vec::from_iter(pool.acquire().await.ok());
    suspects.extend(iter::from_fn(|| pool.try_acquire()));
    for mut connection in suspects {
        // The answer comes after whatever is queued, such as the rollback of a dropped transaction.
        let answers = connection.ping().await.is_ok();
        if !answers || connection.is_in_transaction() {
            connection.close_on_drop();
        }
    }
}

/// Runs all commits; those that only write tokens share one statement.
async fn commit_all(
    on: &DatabaseTransaction,
    commits: &VecDeque<(Box<Issuance>, Reply<Committed>)>,
) -> Result<Vec<Committed>, PortError> {
    let mut together = Vec::new();
    let mut outcomes = Vec::with_capacity(commits.len());
    for (issuance, _) in commits {
        outcomes.push(match commit::tokens_alone(issuance) {
            Some(tokens) if together.len() + tokens.len() <= MOST_ROWS => {
                together.extend(tokens);
                Committed::Done
            }
            _ => commit::commit(on, issuance).await?,
        });
    }
    if !together.is_empty() {
        commit::insert_alone(on, together).await?;
    }
    Ok(outcomes)
}

/// Tells a violated constraint, which is the caller's own failure, from one the transaction may not have survived.
fn own_failure<T>(outcome: Result<T, DbErr>) -> Result<Result<T, PortError>, DbErr> {
    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err(e) if e.sql_err().is_some() => Ok(Err(e.into())),
        Err(e) => Err(e),
    }
}
