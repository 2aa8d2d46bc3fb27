//! What waits in the queue of a group, and who waits for it.

use super::super::{Work, gather::Reply};
use crate::{
    error::PortError,
    model::{Committed, Issuance},
};
use sea_orm::{DatabaseTransaction, Statement};
use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::Poll,
};

/// One caller's write.
pub(super) enum Job {
    /// A commit.
    Commit(Box<Issuance>, Reply<Committed>),
    /// Something else.
    Other(Other),
}

/// A write that is not a commit.
pub(super) enum Other {
    /// A statement, which by itself is all or nothing.
    Statement(Statement, Reply<u64>),
    /// Several statements in a savepoint.
    Work(Box<dyn Task>),
}

impl Other {
    /// Gives it up because the group failed before.
    pub(super) fn abandon(self) -> Box<dyn Answer> {
        match self {
            Self::Statement(_, reply) => Pending::never(reply),
            Self::Work(task) => task.finish(),
        }
    }
}

/// A failure that several callers share.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the group of writes failed")]
pub(super) struct GroupFailed(#[source] pub(super) Arc<PortError>);

/// A job that did what it had to and waits for the commit.
pub(super) trait Answer: Send {
    /// Tells the caller.
    fn answer(self: Box<Self>, committed: Result<(), GroupFailed>);
}

/// An outcome that is the caller's once the group is committed.
pub(super) struct Pending<T>(Reply<T>, Result<T, PortError>);

impl<T: Send + 'static> Pending<T> {
    pub(super) fn boxed(reply: Reply<T>, outcome: Result<T, PortError>) -> Box<dyn Answer> {
        Box::new(Self(reply, outcome))
    }

    /// For a job that was not reached.
    pub(super) fn never(reply: Reply<T>) -> Box<dyn Answer> {
        Self::boxed(reply, Err(PortError::new("the write never ran")))
    }
}

impl<T: Send> Answer for Pending<T> {
    fn answer(self: Box<Self>, committed: Result<(), GroupFailed>) {
        let outcome = match committed {
            Ok(()) => self.1,
            Err(e) => Err(PortError::new(e)),
        };
        self.0.send(outcome).ok();
    }
}

/// Work whose result type is forgotten.
pub(super) trait Task: Send {
    /// Runs it; whether its changes may stay.
    fn run<'a>(&'a mut self, transaction: &'a DatabaseTransaction) -> Running<'a>;
    /// What to tell the caller, once the group is committed.
    fn finish(self: Box<Self>) -> Box<dyn Answer>;
}

pub(super) type Running<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// Whether a savepoint is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Keep,
    Undo,
}

pub(super) struct WorkTask<T, F> {
    work: Option<F>,
    outcome: Option<Result<T, PortError>>,
    reply: Reply<T>,
}

impl<T, F> WorkTask<T, F> {
    pub(super) fn new(work: F, reply: Reply<T>) -> Self {
        Self { work: Some(work), outcome: None, reply }
    }
}

impl<T, F> Task for WorkTask<T, F>
where
    T: Send + 'static,
    F: for<'a> FnOnce(&'a DatabaseTransaction) -> Work<'a, T> + Send + 'static,
{
    fn run<'a>(&'a mut self, transaction: &'a DatabaseTransaction) -> Running<'a> {
        Box::pin(async move {
            let Some(work) = self.work.take() else {
                return Outcome::Undo;
            };
            let outcome = unless_it_panics(work, transaction).await;
            let verdict = if outcome.is_ok() { Outcome::Keep } else { Outcome::Undo };
            self.outcome = Some(outcome);
            verdict
        })
    }

    fn finish(self: Box<Self>) -> Box<dyn Answer> {
        let outcome = self.outcome.unwrap_or_else(|| Err(PortError::new("the write never ran")));
        Pending::boxed(self.reply, outcome)
    }
}

/// Runs the work; a panic in it is its own failure and not that of the writes beside it.
async fn unless_it_panics<T, F>(work: F, on: &DatabaseTransaction) -> Result<T, PortError>
where
    F: for<'a> FnOnce(&'a DatabaseTransaction) -> Work<'a, T>,
{
    let panicked = || PortError::new("a write panicked");
    let mut future = catch_unwind(AssertUnwindSafe(|| work(on))).map_err(|_| panicked())?;
    poll_fn(|context| {
        catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)))
            .unwrap_or_else(|_| Poll::Ready(Err(panicked())))
    })
    .await
}
