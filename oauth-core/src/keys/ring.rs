//! Loading, rotating, retiring.

use super::snapshot::{Entry, Keep, Snapshot};
use crate::{
    config::Policy,
    error::PortError,
    jose::{GeneratedKey, Sealer, Signer, generate, self_signed},
    model::{SigningAlgorithm, StoredKey, Timestamp},
    ports::{KeyStore, Random},
};
use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// How old a snapshot may be, in seconds.
const RELOAD_AFTER: i64 = 60;
/// How long a certificate outlives the last use of its key.
const CERTIFICATE_MARGIN: Duration = Duration::from_hours(30 * 24);

/// When a rotated key starts to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotateWhen {
    /// After it has been published for the lead time of the policy: nobody notices.
    AfterLead,
    /// At once, for when the old key is compromised; caches of the key set may lag.
    Now,
}

/// When keys come and go, as the policy decides.
struct Timetable {
    algorithms: Vec<SigningAlgorithm>,
    /// How long a key signs.
    lifetime: Duration,
    /// How long it is published before.
    lead: Duration,
    /// How long it is of use afterwards.
    keep: Keep,
}

/// It is published as long as anything it signed can live, and known as long as a session can last that an id token of
/// it came out of.
fn keep(policy: &Policy) -> Keep {
    let published = policy.access_token_max_ttl.max(policy.id_token_ttl);
    let known = if policy.openid { published.max(policy.session_ttl) } else { published };
    Keep { published, known }
}

/// The signing keys of this provider, loaded from the store and unsealed.
pub struct KeyRing {
    store: Arc<dyn KeyStore>,
    sealer: Arc<Sealer>,
    random: Arc<dyn Random>,
    timetable: Timetable,
    /// Names for certificates: the host of the issuer.
    names: Vec<String>,
    snapshot: RwLock<Arc<Snapshot>>,
    next_load: AtomicI64,
}

impl KeyRing {
    /// A ring over stored keys, not yet loaded.
    pub fn new(
        store: Arc<dyn KeyStore>,
        sealer: Arc<Sealer>,
        random: Arc<dyn Random>,
        policy: &Policy,
        names: Vec<String>,
    ) -> Self {
        Self {
            store,
            sealer,
            random,
            timetable: Timetable {
                algorithms: policy.algorithms.clone(),
                lifetime: policy.key_lifetime,
                lead: policy.key_publish_lead,
                keep: keep(policy),
            },
            names,
            snapshot: RwLock::default(),
            next_load: AtomicI64::new(i64::MIN),
        }
    }

    /// The keys, loaded again when the last load is a minute old. While one request loads, others go on with the old.
    pub async fn current(&self, now: Timestamp) -> Result<Arc<Snapshot>, PortError> {
        let due = self.next_load.load(Ordering::Acquire);
        let first = due == i64::MIN;
        // A due time further off than a reload means that the clock was set back.
        let is_due = due <= now.unix() || due > now.unix().saturating_add(RELOAD_AFTER);
        let mine = is_due
            && self
                .next_load
                .compare_exchange(
                    due,
                    now.unix().saturating_add(RELOAD_AFTER),
                    Ordering::AcqRel,
                    Ordering::Acquire,
                )
                .is_ok();
        if mine || first || self.loaded().entries.is_empty() {
            match self.load(now).await {
                Err(e) if first || self.loaded().entries.is_empty() => {
                    self.next_load.store(i64::MIN, Ordering::Release);
                    return Err(e);
                }
                Err(e) => {
                    tracing::warn!(error = %e, "signing keys could not be reloaded; the loaded ones stay in use");
                }
                Ok(()) => {}
            }
        }
        Ok(self.loaded())
    }

    /// The keys as they are stored at this moment, loaded anew.
    pub async fn reload(&self, now: Timestamp) -> Result<Arc<Snapshot>, PortError> {
        self.load(now).await?;
        Ok(self.loaded())
    }

    /// Makes first keys and due successors, deletes keys nobody needs, and loads the result. Safe in many processes at once.
    pub async fn maintain(&self, now: Timestamp) -> Result<(), PortError> {
        self.load(now).await?;
        for &alg in &self.timetable.algorithms {
            let snapshot = self.loaded();
            let (newest, sequence) = snapshot.newest(alg, now);
            let sign_from = match newest {
                None => now,
                Some(key) => {
                    let due = key.sign_from.plus(self.timetable.lifetime);
                    if due.minus(self.timetable.lead) > now {
                        continue;
                    }
                    due.max(now.plus(self.timetable.lead))
                }
            };
            let key = generate(alg, &*self.random).map_err(PortError::new)?;
            self.add(key, Slot { sequence: sequence + 1, now, sign_from }, None).await?;
        }
        for kid in self.loaded().disposable(now) {
            self.store.remove_key(&kid).await?;
            tracing::info!(kid, "signing key deleted: nothing needs it any more");
        }
        self.load(now).await
    }

    /// Adds a successor to the key of this algorithm; returns its id.
    pub async fn rotate(
        &self,
        alg: SigningAlgorithm,
        when: RotateWhen,
        now: Timestamp,
    ) -> Result<String, PortError> {
        let key = generate(alg, &*self.random).map_err(PortError::new)?;
        self.adopt(key, None, when, now).await
    }

    /// Adds a key made elsewhere as successor; without a certificate one is made. Returns its id.
    pub async fn adopt(
        &self,
        key: GeneratedKey,
        certificate: Option<String>,
        when: RotateWhen,
        now: Timestamp,
    ) -> Result<String, PortError> {
        self.load(now).await?;
        let kid = key.signer.kid().to_owned();
        if self.loaded().stored().any(|k| k.kid == kid) {
            return Err(PortError::new("this key is already in the store"));
        }
        let (newest, sequence) = {
            let snapshot = self.loaded();
            let (newest, sequence) = snapshot.newest(key.signer.alg(), now);
            (newest.is_some(), sequence)
        };
        let sign_from = match when {
            RotateWhen::AfterLead if newest => now.plus(self.timetable.lead),
            _ => now,
        };
        let slot = Slot { sequence: sequence + 1, now, sign_from };
        if !self.add(key, slot, certificate).await? {
            return Err(PortError::new(
                "another process rotated this algorithm at the same moment",
            ));
        }
        self.load(now).await?;
        Ok(kid)
    }

    /// Withdraws a key at once; false when there is none of this id.
    pub async fn retire(&self, kid: &str, now: Timestamp) -> Result<bool, PortError> {
        let found = self.store.retire_key(kid, now).await?;
        self.load(now).await?;
        Ok(found)
    }

    async fn add(
        &self,
        key: GeneratedKey,
        slot: Slot,
        certificate: Option<String>,
    ) -> Result<bool, PortError> {
        let life = self.timetable.lead
            + self.timetable.lifetime
            + self.timetable.keep.published
            + CERTIFICATE_MARGIN;
        let certificate = match certificate {
            Some(pem) => pem,
            None => self_signed(&key, &self.names, slot.now, life).map_err(PortError::new)?,
        };
        let kid = key.signer.kid().to_owned();
        let alg = key.signer.alg();
        let added = self
            .store
            .insert_key(StoredKey {
                sealed: self.sealer.seal(kid.as_bytes(), &key.pkcs8, &*self.random),
                kid: kid.clone(),
                alg,
                sequence: slot.sequence,
                certificate,
                publish_at: slot.now,
                sign_from: slot.sign_from,
                retired_at: None,
            })
            .await?;
        if added {
            tracing::info!(kid, %alg, sign_from = slot.sign_from.unix(), "signing key added");
        }
        Ok(added)
    }

    async fn load(&self, now: Timestamp) -> Result<(), PortError> {
        let stored = self.store.keys().await?;
        let old = self.loaded();
        let mut entries = Vec::with_capacity(stored.len());
        for stored in stored {
            let known = old.entries.iter().find(|e| e.stored.kid == stored.kid);
            let signer = match known {
                Some(entry) => Arc::clone(&entry.signer),
                None => Arc::new(self.unseal(&stored)?),
            };
            entries.push(Entry { stored, signer });
        }
        let snapshot = Arc::new(Snapshot::new(entries, now, self.timetable.keep));
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
        self.next_load.store(now.unix().saturating_add(RELOAD_AFTER), Ordering::Release);
        Ok(())
    }

    fn unseal(&self, key: &StoredKey) -> Result<Signer, PortError> {
        let pkcs8 = self.sealer.open(key.kid.as_bytes(), &key.sealed).map_err(PortError::new)?;
        Signer::from_pkcs8(key.alg, &pkcs8).map_err(PortError::new)
    }

    fn loaded(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Slot {
    sequence: i64,
    now: Timestamp,
    sign_from: Timestamp,
}
