//! Work that runs once however many wait for it, and to its end however few remain.

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};

/// A running piece of work. Anybody may await a clone; nobody's leaving stops it. `None` means that it panicked.
pub(crate) type Flight<T> = Shared<BoxFuture<'static, Option<T>>>;

/// Starts the work on the runtime of the caller.
pub(crate) fn fly<T>(work: impl Future<Output = T> + Send + 'static) -> Flight<T>
where
    T: Clone + Send + Sync + 'static,
{
    let task = tokio::spawn(work);
    async move { task.await.ok() }.boxed().shared()
}
