//! One renewal at a time for each client: whoever comes while one is under way waits for its outcome.

use crate::{
    client::AccessToken,
    error::{Error, Result},
};
use futures_util::future::{BoxFuture, FutureExt as _, Shared};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

type Flight = Shared<BoxFuture<'static, Result<AccessToken>>>;

/// The renewals under way in this process.
#[derive(Default)]
pub(crate) struct Flights(Arc<Mutex<HashMap<u32, (u64, Flight)>>>, std::sync::atomic::AtomicU64);

impl fmt::Debug for Flights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Flights")
    }
}

impl Flights {
    /// Joins the renewal under way, or starts one. It runs as a task of its own: whoever waits may go away, and the
    /// answer is stored all the same.
    pub(crate) async fn join(
        &self,
        client: u32,
        start: impl Future<Output = Result<AccessToken>> + Send + 'static,
    ) -> Result<AccessToken> {
        let flight = {
            let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, flight)) = flights.get(&client) {
                flight.clone()
            } else {
                let number = self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let landing = Landing { flights: Arc::clone(&self.0), client, number };
                let flight = launch(landing, start);
                flights.insert(client, (number, flight.clone()));
                flight
            }
        };
        flight.await
    }
}

/// Ends a flight when its task ends, however it does.
struct Landing {
    flights: Arc<Mutex<HashMap<u32, (u64, Flight)>>>,
    client: u32,
    number: u64,
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if flights.get(&self.client).is_some_and(|(n, _)| *n == self.number) {
            flights.remove(&self.client);
        }
    }
}

fn launch(
    landing: Landing,
    start: impl Future<Output = Result<AccessToken>> + Send + 'static,
) -> Flight {
    let task = tokio::spawn(async move {
        let _landing = landing;
        start.await
    });
    async move {
        task.await.unwrap_or_else(|_| Err(Error::Store("the renewal ended before its time".into())))
    }
    .boxed()
    .shared()
}
