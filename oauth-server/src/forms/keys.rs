//! The private keys that forms are encrypted to: stored sealed, shared by all processes on one database, made and
//! deleted by the timetable.

use super::timetable::{self, Times};
use crate::entity::form_key::{ActiveModel, Column, Entity, Model};
use oauth_core::{
    error::PortError,
    jose::{DecryptionKey, RsaPadding, Sealer},
    model::Timestamp,
    ports::{Clock, Random},
    seaorm::SeaStore,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    TryInsertResult, sea_query::OnConflict,
};
use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use zeroize::Zeroizing;

/// How old the loaded keys may be, in seconds.
const RELOAD_AFTER: i64 = 60;

/// One key, ready to decrypt.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) key: Arc<DecryptionKey>,
    times: Times,
    made_at: Timestamp,
}

/// The keys as of one load.
#[derive(Clone, Default)]
pub(super) struct Ring(Vec<Held>);

impl Ring {
    fn times(&self) -> Vec<Times> {
        self.0.iter().map(|held| held.times).collect()
    }

    /// What front ends are given now.
    pub(super) fn current(&self, now: Timestamp) -> Option<&Held> {
        timetable::current(&self.times(), now).and_then(|at| self.0.get(at))
    }

    /// Every key that decrypts now.
    pub(super) fn live(&self, now: Timestamp, overlap: Duration) -> Vec<Arc<DecryptionKey>> {
        let all = self.times();
        let live = self.0.iter().filter(|held| timetable::decrypts(&all, held.times, now, overlap));
        live.map(|held| Arc::clone(&held.key)).collect()
    }
}

/// What a key is doing, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLine {
    /// The key id.
    pub kid: String,
    /// The algorithm.
    pub alg: &'static str,
    /// `next`, `in use` or `former`.
    pub state: &'static str,
    /// When it was made.
    pub made_at: Timestamp,
    /// From when front ends are given it.
    pub use_from: Timestamp,
    /// When it decrypts no longer, where that is known.
    pub ends_at: Option<Timestamp>,
}

/// The keys of one process.
pub(super) struct Keys {
    store: SeaStore,
    sealer: Sealer,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    padding: RsaPadding,
    lifetime: Duration,
    pub(super) overlap: Duration,
    loaded: RwLock<Arc<Ring>>,
    next_load: AtomicI64,
}

impl Keys {
    pub(super) fn new(
        store: SeaStore,
        sealer: Sealer,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
        padding: RsaPadding,
        (lifetime, overlap): (Duration, Duration),
    ) -> Self {
        let (loaded, next_load) = (RwLock::default(), AtomicI64::new(i64::MIN));
        Self { store, sealer, clock, random, padding, lifetime, overlap, loaded, next_load }
    }

    /// The keys as they were loaded last.
    pub(super) fn loaded(&self) -> Arc<Ring> {
        Arc::clone(&self.loaded.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The keys, loaded again when the last load is a minute old.
    pub(super) async fn ring(&self, now: Timestamp) -> Result<Arc<Ring>, PortError> {
        let due = self.next_load.load(Ordering::Acquire);
        // A due time further off than a reload means that the clock was set back.
        let is_due = due <= now.unix() || due > now.unix().saturating_add(RELOAD_AFTER);
        if is_due || self.loaded().0.is_empty() {
            self.load(now).await?;
        }
        Ok(self.loaded())
    }

    async fn load(&self, now: Timestamp) -> Result<Arc<Ring>, PortError> {
        let rows = Entity::find()
            .filter(Column::Alg.eq(self.padding.as_str()))
            .order_by_asc(Column::Sequence)
            .all(self.store.database())
            .await?;
        let old = self.loaded();
        let held = rows.iter().map(|row| self.held(&old, row)).collect::<Result<_, _>>()?;
        let ring = Arc::new(Ring(held));
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&ring);
        self.next_load.store(now.unix().saturating_add(RELOAD_AFTER), Ordering::Release);
        Ok(ring)
    }

    fn held(&self, old: &Ring, row: &Model) -> Result<Held, PortError> {
        let known = old.0.iter().find(|held| held.key.kid() == row.kid);
        let key = known.map_or_else(|| self.unsealed(row), |held| Ok(Arc::clone(&held.key)))?;
        let use_from = Timestamp::from_unix(row.use_from);
        let times = Times { sequence: row.sequence, use_from };
        Ok(Held { key, times, made_at: Timestamp::from_unix(row.made_at) })
    }

    fn unsealed(&self, row: &Model) -> Result<Arc<DecryptionKey>, PortError> {
        let pkcs8 = self.sealer.open(&context(&row.kid), &row.sealed).map_err(PortError::new)?;
        let key = DecryptionKey::from_pkcs8(self.padding, &pkcs8).map_err(PortError::new)?;
        Ok(Arc::new(key))
    }

    /// Makes the first key and due successors, and deletes keys whose time is over. Safe in many processes at once.
    pub(super) async fn maintain(&self) -> Result<(), PortError> {
        let now = self.clock.now();
        let ring = self.load(now).await?;
        if let Some(times) = timetable::due(&ring.times(), now, self.lifetime) {
            self.add(times, now).await?;
        }
        let ring = self.load(now).await?;
        let all = ring.times();
        let over = |held: &&Held| !timetable::decrypts(&all, held.times, now, self.overlap);
        let over: Vec<_> =
            ring.0.iter().filter(over).map(|held| held.key.kid().to_owned()).collect();
        if !over.is_empty() {
            self.remove(over).await?;
            self.load(now).await?;
        }
        Ok(())
    }

    /// Makes the next key before its time; its id. Front ends are given it after the lead time.
    pub(super) async fn rotate(&self) -> Result<String, PortError> {
        let now = self.clock.now();
        let ring = self.load(now).await?;
        let use_from = if ring.0.is_empty() { now } else { now.plus(timetable::LEAD) };
        let made = self.add(timetable::next(&ring.times(), use_from), now).await?;
        self.load(now).await?;
        made.ok_or_else(|| PortError::new("another process made a key at the same moment"))
    }

    /// Makes another key for now, and deletes all there were; its id. For when a key is in wrong hands.
    pub(super) async fn replace(&self) -> Result<String, PortError> {
        let now = self.clock.now();
        let ring = self.load(now).await?;
        let made = self.add(timetable::next(&ring.times(), now), now).await?;
        let made =
            made.ok_or_else(|| PortError::new("another process made a key at the same moment"))?;
        self.remove(ring.0.iter().map(|held| held.key.kid().to_owned()).collect()).await?;
        self.load(now).await?;
        Ok(made)
    }

    /// Every key and what it is doing.
    pub(super) async fn list(&self) -> Result<Vec<KeyLine>, PortError> {
        let now = self.clock.now();
        let ring = self.load(now).await?;
        let (all, current) = (ring.times(), ring.current(now).map(|held| held.times));
        let line = |held: &Held| KeyLine {
            kid: held.key.kid().to_owned(),
            alg: self.padding.as_str(),
            state: match held.times {
                times if Some(times) == current => "in use",
                times if times.use_from > now => "next",
                _ => "former",
            },
            made_at: held.made_at,
            use_from: held.times.use_from,
            ends_at: timetable::ends(&all, held.times, self.overlap),
        };
        Ok(ring.0.iter().map(line).collect())
    }

    /// Makes a key and writes it; none where another process was faster.
    async fn add(&self, times: Times, now: Timestamp) -> Result<Option<String>, PortError> {
        let padding = self.padding;
        let generate = move || DecryptionKey::generate(padding);
        let made = tokio::task::spawn_blocking(generate).await.map_err(PortError::new)?;
        let (key, pkcs8): (_, Zeroizing<Vec<u8>>) = made.map_err(PortError::new)?;
        let kid = key.kid().to_owned();
        let row = ActiveModel {
            kid: Set(kid.clone()),
            alg: Set(padding.as_str().to_owned()),
            sequence: Set(times.sequence),
            sealed: Set(self.sealer.seal(&context(&kid), &pkcs8, &*self.random)),
            made_at: Set(now.unix()),
            use_from: Set(times.use_from.unix()),
        };
        let taken = OnConflict::new().do_nothing_on([Column::Kid]).to_owned();
        let write = self.store.write(move |t| {
            Box::pin(async move {
                let insert = Entity::insert(row).on_conflict(taken).try_insert();
                Ok(!matches!(
                    insert.exec_without_returning(t).await?,
                    TryInsertResult::Inserted(0) | TryInsertResult::Conflicted
                ))
            })
        });
        if !write.await? {
            return Ok(None);
        }
        let (alg, use_from) = (padding.as_str(), times.use_from.unix());
        tracing::info!(kid, alg, use_from, "key for encrypted forms added");
        Ok(Some(kid))
    }

    async fn remove(&self, kids: Vec<String>) -> Result<(), PortError> {
        for kid in &kids {
            tracing::info!(kid, "key for encrypted forms deleted");
        }
        let remove = self.store.write(move |t| {
            Box::pin(async move {
                Entity::delete_many().filter(Column::Kid.is_in(kids)).exec(t).await?;
                Ok(())
            })
        });
        remove.await
    }
}

/// What a sealed key is bound to.
fn context(kid: &str) -> Vec<u8> {
    format!("form key {kid}").into_bytes()
}
