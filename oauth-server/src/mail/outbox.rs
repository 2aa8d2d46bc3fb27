//! The outbox: letters in the database, sealed, each sent by one of however many processes there are.

use super::{Letter, Row};
use crate::entity::letter::{ActiveModel, Column, Entity};
use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_core::{
    error::PortError, jose::Sealer, model::Timestamp, ports::Random, seaorm::SeaStore,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, DatabaseTransaction, EntityTrait as _, ExprTrait as _,
    PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, sea_query::Expr,
};

use std::sync::atomic::{AtomicU32, Ordering};

/// The most waiting letters that are listed.
const MOST_LISTED: u64 = 50;

/// What waits in the outbox.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// How many letters.
    pub count: u64,
    /// The oldest of them: id, when it was written, when it is sent next, how often it was tried.
    pub oldest: Vec<(String, Timestamp, Timestamp, i64)>,
}

/// The outbox of one store.
pub(super) struct Outbox {
    store: SeaStore,
    sealer: Sealer,
    /// Letters of one second are sent in the order in which they were written.
    written: AtomicU32,
}

impl Outbox {
    pub(super) const fn new(store: SeaStore, sealer: Sealer) -> Self {
        Self { store, sealer, written: AtomicU32::new(0) }
    }

    pub(super) const fn store(&self) -> &SeaStore {
        &self.store
    }

    /// Adds a letter that is due at once; its id.
    pub(super) async fn put(
        &self,
        t: &DatabaseTransaction,
        letter: &Letter,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<String, PortError> {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let id = format!("{:010x}{number:08x}{}", now.unix(), URL_SAFE_NO_PAD.encode(bytes));
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(letter).map_err(PortError::new)?);
        let row = ActiveModel {
            id: Set(id.clone()),
            sealed: Set(self.sealer.seal(context(&id).as_bytes(), &plain, random)),
            created_at: Set(now.unix()),
            due_at: Set(now.unix()),
            attempts: Set(0),
        };
        Entity::insert(row).exec_without_returning(t).await?;
        Ok(id)
    }

    /// The letter of a row.
    pub(super) fn open(&self, row: &Row) -> anyhow::Result<Letter> {
        let plain = self.sealer.open(context(&row.id).as_bytes(), &row.sealed);
        let plain = plain.context("it was sealed with another key")?;
        serde_json::from_slice(&plain).context("it is not a letter")
    }

    /// Takes letters that are due until the lease ends, at most `limit`. Of several that want one, one gets it.
    pub(super) async fn take_due(
        &self,
        now: Timestamp,
        lease: Timestamp,
        limit: u64,
    ) -> Result<Vec<Row>, PortError> {
        let due = Entity::find()
            .filter(Column::DueAt.lte(now.unix()))
            .order_by_asc(Column::DueAt)
            .order_by_asc(Column::Id)
            .limit(limit)
            .all(self.store.database())
            .await?;
        let mut taken = Vec::with_capacity(due.len());
        for row in due {
            taken.extend(self.hold(row, lease).await?);
        }
        Ok(taken)
    }

    /// Takes one letter by its id if it is due.
    pub(super) async fn take(
        &self,
        id: &str,
        now: Timestamp,
        lease: Timestamp,
    ) -> Result<Option<Row>, PortError> {
        let due = Entity::find_by_id(id).filter(Column::DueAt.lte(now.unix()));
        match due.one(self.store.database()).await? {
            Some(row) => self.hold(row, lease).await,
            None => Ok(None),
        }
    }

    /// Takes a letter as it was found, or not at all: one statement counts the attempt and moves the letter away from
    /// everybody else, if nobody has done so meanwhile.
    async fn hold(&self, row: Row, lease: Timestamp) -> Result<Option<Row>, PortError> {
        let taken = Row { due_at: lease.unix(), attempts: row.attempts + 1, ..row.clone() };
        let held = self
            .store
            .write(move |t| {
                Box::pin(async move {
                    let held = Entity::update_many()
                        .col_expr(Column::DueAt, Expr::value(lease.unix()))
                        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
                        .filter(Column::Id.eq(row.id))
                        .filter(Column::DueAt.eq(row.due_at))
                        .filter(Column::Attempts.eq(row.attempts))
                        .exec(t)
                        .await?;
                    Ok(held.rows_affected == 1)
                })
            })
            .await?;
        Ok(held.then_some(taken))
    }

    /// Puts a letter back until a later time, unless somebody else has taken it since.
    pub(super) async fn put_back(&self, row: &Row, due: Timestamp) -> Result<(), PortError> {
        let (id, attempts) = (row.id.clone(), row.attempts);
        self.store
            .write(move |t| {
                Box::pin(async move {
                    Entity::update_many()
                        .col_expr(Column::DueAt, Expr::value(due.unix()))
                        .filter(Column::Id.eq(id))
                        .filter(Column::Attempts.eq(attempts))
                        .exec(t)
                        .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Deletes a letter: it was sent, or is given up.
    pub(super) async fn remove(&self, row: &Row) -> Result<(), PortError> {
        let id = row.id.clone();
        self.store
            .write(move |t| {
                Box::pin(async move {
                    Entity::delete_by_id(id).exec(t).await?;
                    Ok(())
                })
            })
            .await
    }

    pub(super) async fn waiting(&self) -> Result<Waiting, PortError> {
        let count = Entity::find().count(self.store.database()).await?;
        let rows = Entity::find()
            .order_by_asc(Column::CreatedAt)
            .order_by_asc(Column::Id)
            .limit(MOST_LISTED)
            .all(self.store.database())
            .await?;
        let at = Timestamp::from_unix;
        let oldest =
            rows.into_iter().map(|r| (r.id, at(r.created_at), at(r.due_at), r.attempts)).collect();
        Ok(Waiting { count, oldest })
    }
}

/// What a letter is sealed for: a row cannot take the place of another.
fn context(id: &str) -> String {
    format!("letter:{id}")
}
