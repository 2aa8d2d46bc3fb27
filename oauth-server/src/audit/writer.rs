//! The task that writes the audit log: whatever waits goes into one transaction, and one chain of seals.

use super::log::{Entry, Seals};
use crate::entity::audit::{ActiveModel, Entity, Model};
use oauth_core::{error::PortError, model::Timestamp, ports::Random, seaorm::SeaStore};
use sea_orm::{EntityTrait as _, IntoActiveModel as _};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use uuid::Builder;

/// Rows in one statement. Each has thirteen columns, and databases bound the number of parameters.
const BATCH: usize = 64;

/// A row to be written, and whom to tell whether it was.
pub(super) struct Job {
    pub(super) entry: Entry,
    pub(super) at: Timestamp,
    pub(super) done: oneshot::Sender<bool>,
}

/// What the next row goes behind.
struct Chain {
    name: String,
    sequence: i64,
    previous: Vec<u8>,
}

pub(super) struct Writer {
    store: SeaStore,
    seals: Seals,
    random: Arc<dyn Random>,
}

impl Writer {
    pub(super) fn new(store: SeaStore, seals: Seals, random: Arc<dyn Random>) -> Self {
        Self { store, seals, random }
    }

    /// Writes until nobody can send any more.
    pub(super) async fn run(self, mut queue: mpsc::Receiver<Job>) {
        let mut chain = self.chain();
        let mut jobs = Vec::with_capacity(BATCH);
        while queue.recv_many(&mut jobs, BATCH).await > 0 {
            let rows: Vec<Model> = jobs.iter().map(|job| self.row(&mut chain, job)).collect();
            let outcome = self.insert(rows).await;
            if let Err(e) = &outcome {
                tracing::error!(error = crate::causes(e), "the audit log cannot be written");
                // The rows may be there nevertheless. What follows must not go in their place.
                chain = self.chain();
            }
            for job in jobs.drain(..) {
                // Whoever has gone away meanwhile need not be told.
                let _ = job.done.send(outcome.is_ok());
            }
        }
    }

    fn chain(&self) -> Chain {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes);
        let name = Builder::from_random_bytes(bytes).into_uuid().to_string();
        Chain { name, sequence: 0, previous: vec![0; 32] }
    }

    fn row(&self, chain: &mut Chain, job: &Job) -> Model {
        let mut bytes = [0; 10];
        self.random.fill(&mut bytes);
        // The clock knows seconds; what was written later within one gets the greater name.
        let within = chain.sequence.unsigned_abs() % 1000;
        let millis = job.at.unix().unsigned_abs().saturating_mul(1000).saturating_add(within);
        let entry = job.entry.clone();
        let mut row = Model {
            id: Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid().to_string(),
            at: job.at.unix(),
            event: entry.kind.as_str().to_owned(),
            user_id: entry.user,
            client_id: entry.client,
            scope: entry.scope,
            grant_type: entry.grant_type,
            address: entry.address,
            detail: entry.detail,
            chain: chain.name.clone(),
            sequence: chain.sequence,
            previous: chain.previous.clone(),
            seal: Vec::new(),
        };
        row.seal = self.seals.of(&row).to_vec();
        chain.sequence += 1;
        chain.previous.clone_from(&row.seal);
        row
    }

    async fn insert(&self, rows: Vec<Model>) -> Result<(), PortError> {
        let rows: Vec<ActiveModel> = rows.into_iter().map(Model::into_active_model).collect();
        self.store
            .write(move |t| {
                Box::pin(async move {
                    Entity::insert_many(rows).exec_without_returning(t).await?;
                    Ok(())
                })
            })
            .await
    }
}
