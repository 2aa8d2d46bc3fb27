//! Work that gathers while other work of its kind is being done.
//!
//! A job joins a queue. Whoever finds nobody at work starts a task that drains it, batch by batch, and
//! ends when it is empty; so nothing runs in an idle store, and a caller that goes away changes nothing.

use crate::error::PortError;
use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

/// Where the outcome of a job goes; nobody may be listening any more.
pub(super) type Reply<T> = oneshot::Sender<Result<T, PortError>>;

/// So that the first of a batch does not wait too long for the last.
const MOST_JOBS: usize = 256;

/// A queue of jobs and whether somebody drains it.
pub(super) struct Gather<J>(Mutex<Queue<J>>);

struct Queue<J> {
    jobs: VecDeque<J>,
    draining: bool,
}

impl<J: Send + 'static> Gather<J> {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Queue { jobs: VecDeque::new(), draining: false })))
    }

    /// Adds a job and waits for its outcome. `run` does a batch.
    pub(super) async fn join<T, R, F>(
        self: &Arc<Self>,
        job: impl FnOnce(Reply<T>) -> J,
        run: R,
    ) -> Result<T, PortError>
    where
        R: Fn(VecDeque<J>) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let start = {
            let mut queue = self.lock();
            queue.jobs.push_back(job(reply));
            !mem::replace(&mut queue.draining, true)
        };
        if start {
            tokio::spawn(drain(Shift { queue: Arc::clone(self), over: false }, run));
        }
        answer
            .await
            .map_err(|_| PortError::new("the runtime stopped before the database answered"))?
    }

    fn lock(&self) -> MutexGuard<'_, Queue<J>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next batch; when there is none the shift is over.
    fn next(&self) -> Option<VecDeque<J>> {
        let mut queue = self.lock();
        if queue.jobs.is_empty() {
            queue.draining = false;
            return None;
        }
        let most = queue.jobs.len().min(MOST_JOBS);
        Some(queue.jobs.drain(..most).collect())
    }
}

async fn drain<J, R, F>(mut shift: Shift<J>, run: R)
where
    J: Send + 'static,
    R: Fn(VecDeque<J>) -> F,
    F: Future<Output = ()>,
{
    while let Some(batch) = shift.queue.next() {
        run(batch).await;
        // Let those who were just answered come back before the next batch begins.
        tokio::task::yield_now().await;
    }
    shift.over = true;
}

/// Whoever drains the queue. If that ends early, because the runtime stops, those who wait are told.
struct Shift<J: Send + 'static> {
    queue: Arc<Gather<J>>,
    over: bool,
}

impl<J: Send + 'static> Drop for Shift<J> {
    fn drop(&mut self) {
        if !self.over {
            let mut queue = self.queue.lock();
            queue.draining = false;
            let abandoned = mem::take(&mut queue.jobs);
            drop(queue);
            drop(abandoned);
        }
    }
}
