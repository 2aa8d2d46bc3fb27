//! Letters to people: written into an outbox in the transaction of what they are about, sent afterwards.
//!
//! So there is a letter exactly if the change it speaks of was committed, and a mail server that does not answer
//! delays no request. Any number of processes may send from one outbox.

mod letter;
mod message;
mod outbox;
mod sender;
mod transport;

pub use letter::{Letter, Masthead, trial};
pub use outbox::Waiting;
pub use sender::{Fate, run};

use crate::{config::Config, entity, metrics::Metrics};
use anyhow::Context as _;
use lettre::transport::smtp::client::Certificate;
use message::Stationery;
use oauth_core::{
    error::PortError,
    jose::Sealer,
    model::Timestamp,
    ports::{Clock, Random},
    seaorm::SeaStore,
};
use outbox::Outbox;
use sea_orm::DatabaseTransaction;
use std::{path::Path, sync::Arc, time::Duration};
use tokio::sync::Notify;
use transport::Transport;

/// The most letters that are sent in one go.
pub const MOST: u64 = 200;

/// The letters of one server. Cheap to clone.
#[derive(Clone)]
pub struct Mail(Arc<Parts>);

struct Parts {
    outbox: Outbox,
    stationery: Stationery,
    transport: Transport,
    masthead: Masthead,
    attempts: i64,
    /// For how long a letter is the one's that sends it: longer than any attempt lasts.
    lease: Duration,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    metrics: Metrics,
    /// Told when a letter was queued.
    queued: Notify,
}

impl Mail {
    /// Letters in this store, sealed with a key that is derived from the sealing key.
    pub fn new(
        store: SeaStore,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
        sealing_key: &[u8; 32],
        metrics: Metrics,
        config: &Config,
    ) -> anyhow::Result<Self> {
        let sealer = Sealer::derived(sealing_key, b"letters");
        Ok(Self(Arc::new(Parts {
            outbox: Outbox::new(store, sealer),
            stationery: Stationery::new(config).context("letters cannot be written")?,
            transport: Transport::new(config).context("letters cannot be sent")?,
            masthead: Masthead::of(config),
            attempts: config.mail.attempts.into(),
            lease: config.mail.timeout + Duration::from_mins(1),
            clock,
            random,
            metrics,
            queued: Notify::new(),
        })))
    }

    /// Whether letters leave at all. Where they do not, nothing that needs one should be offered.
    pub fn is_on(&self) -> bool {
        self.0.transport.is_on()
    }

    /// Where letters become files, if they do.
    pub fn folder(&self) -> Option<&Path> {
        self.0.transport.folder()
    }

    /// What stands at the top and the bottom of every letter.
    pub fn masthead(&self) -> &Masthead {
        &self.0.masthead
    }

    /// Writes a letter into the outbox, in the transaction of what it is about. Whoever sends is woken.
    ///
    /// Where letters do not leave, nothing is written: a change is not refused because nobody can be told of it.
    ///
    /// # Errors
    /// When the address is none, or the subject has control characters, by which other headers could be written.
    pub async fn queue(&self, t: &DatabaseTransaction, letter: Letter) -> Result<(), PortError> {
        self.put(t, &letter).await.map(drop)
    }

    /// Writes a letter; its id, where letters leave.
    async fn put(
        &self,
        t: &DatabaseTransaction,
        letter: &Letter,
    ) -> Result<Option<String>, PortError> {
        let parts = &*self.0;
        letter.check()?;
        if !self.is_on() {
            tracing::warn!("a letter was not written: mail.transport is none");
            return Ok(None);
        }
        let id = parts.outbox.put(t, letter, parts.clock.now(), &*parts.random).await?;
        parts.queued.notify_one();
        Ok(Some(id))
    }

    /// How many letters wait, and since when; of the oldest, more.
    pub async fn waiting(&self) -> Result<Waiting, PortError> {
        self.0.outbox.waiting().await
    }

    /// Now.
    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Sends letters that are due, at most about `limit`; returns how many were taken up. Failures are logged.
    pub async fn deliver(&self, limit: u64) -> Result<u64, PortError> {
        sender::deliver(self, limit).await
    }

    /// Queues one letter and sends it at once, whatever else waits; what became of it, or `None` where no letters leave.
    pub async fn send_now(&self, letter: Letter) -> Result<Option<Fate>, PortError> {
        let own = self.clone();
        let outbox = &self.0.outbox;
        let queued = outbox
            .store()
            .write(move |t| Box::pin(async move { own.put(t, &letter).await }))
            .await?;
        let Some(id) = queued else { return Ok(None) };
        let now = self.now();
        match outbox.take(&id, now, now.plus(self.0.lease)).await? {
            Some(row) => Ok(Some(sender::send(self, &row).await)),
            // A server beside us was faster.
            None => Ok(Some(Fate::Sent)),
        }
    }
}

/// A letter that waits.
type Row = entity::letter::Model;

/// A file with certificates of authorities, tried.
pub(crate) fn authority(path: &Path) -> anyhow::Result<Certificate> {
    let pem = std::fs::read(path).context("cannot be read")?;
    let text = String::from_utf8_lossy(&pem);
    if !text.contains("-----BEGIN CERTIFICATE-----") {
        anyhow::bail!("is not a PEM file with certificates");
    }
    Certificate::from_pem(&pem).ok().context("is not a PEM file with certificates")
}
