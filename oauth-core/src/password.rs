//! Argon2id for secrets that people choose, a bounded number at a time.

use crate::{
    error::PortError,
    ports::{Passwords, Random, SystemRandom, Verdict},
};
use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::phc::PasswordHash,
};
use async_trait::async_trait;
use std::{
    fmt,
    sync::{Arc, LazyLock},
    thread::available_parallelism,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

/// Argon2id with 19 MiB, two passes and one lane.
///
/// A check takes some 20 ms of a processor and 19 MiB, so a flood of them is bounded twice: so many run,
/// so many wait, and whoever comes then hears [`Verdict::Busy`] at once. Clones share the bounds.
#[derive(Clone)]
pub struct Argon2Passwords {
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
    random: Arc<dyn Random>,
}

/// Longer secrets are refused unhashed; nobody types so much.
const LONGEST_SECRET: usize = 1024;
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Waiting checks for each running one: with 20 ms a check, a wait of about a second.
const QUEUE: usize = 50;

impl Argon2Passwords {
    /// Runs at most `running` checks at once and lets at most `waiting` more wait.
    pub fn new(running: usize, waiting: usize) -> Self {
        let running = running.max(1);
        Self {
            running: Arc::new(Semaphore::new(running)),
            admitted: Arc::new(Semaphore::new(
                running.saturating_add(waiting).min(Semaphore::MAX_PERMITS),
            )),
            random: Arc::new(SystemRandom),
        }
    }

    /// Takes salts from another source, for tests.
    pub fn with_random(mut self, random: Arc<dyn Random>) -> Self {
        self.random = random;
        self
    }

    /// A place to run, held by the work and not by the request: a request that goes away does not let
    /// another one in while its work still runs. Nothing when the queue is full.
    async fn place(&self) -> Option<Place> {
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().ok()?;
        let running = Arc::clone(&self.running).acquire_owned().await.ok()?;
        Some(Place { _running: running, _admitted: admitted })
    }
}

struct Place {
    _running: OwnedSemaphorePermit,
    _admitted: OwnedSemaphorePermit,
}

impl Default for Argon2Passwords {
    /// As many at once as there are processors.
    fn default() -> Self {
        let running = available_parallelism().map_or(1, usize::from);
        Self::new(running, running.saturating_mul(QUEUE))
    }
}

impl fmt::Debug for Argon2Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Argon2Passwords")
            .field("free", &self.running.available_permits())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Passwords for Argon2Passwords {
    async fn hash(&self, secret: &str) -> Result<String, PortError> {
        if secret.len() > LONGEST_SECRET {
            return Err(PortError::new("the secret is too long"));
        }
        let Some(place) = self.place().await else {
            return Err(PortError::new("too many passwords are being hashed"));
        };
        let mut salt = [0; 16];
        self.random.fill(&mut salt);
        let secret = Zeroizing::new(secret.to_owned());
        tokio::task::spawn_blocking(move || {
            let _held = place;
            hash(&secret, &salt)
        })
        .await
        .map_err(PortError::new)?
    }

    async fn verify(&self, phc: Option<&str>, secret: &str) -> Result<Verdict, PortError> {
        if secret.len() > LONGEST_SECRET {
            return Ok(Verdict::Wrong);
        }
        let Some(place) = self.place().await else {
            return Ok(Verdict::Busy);
        };
        let phc = phc.map(str::to_owned);
        let secret = Zeroizing::new(secret.to_owned());
        tokio::task::spawn_blocking(move || {
            let _held = place;
            verify(phc.as_deref(), &secret)
        })
        .await
        .map_err(PortError::new)?
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are in range");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(secret: &str, salt: &[u8]) -> Result<String, PortError> {
    let phc = argon2()
        .hash_password_with_salt(secret.as_bytes(), salt)
        .map_err(|e| PortError::new(e.to_string()))?;
    Ok(phc.to_string())
}

/// The hash nobody's secret fits, made with the same parameters as real ones.
static NOBODY: LazyLock<String> =
    LazyLock::new(|| hash("", &[0; 16]).expect("the parameters are in range"));

/// With no PHC string the same work is done for nothing.
fn verify(phc: Option<&str>, secret: &str) -> Result<Verdict, PortError> {
    let parsed = PasswordHash::new(phc.unwrap_or(&NOBODY))
        .map_err(|e| PortError::new(format!("a stored password hash cannot be read: {e}")))?;
    let fits = argon2().verify_password(secret.as_bytes(), &parsed).is_ok();
    Ok(if fits && phc.is_some() { Verdict::Right } else { Verdict::Wrong })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{pin::pin, sync::mpsc, task::Poll};

    #[tokio::test]
    async fn a_secret_fits_its_own_hash_only() {
        let passwords = Argon2Passwords::default();
        let phc = passwords.hash("correct horse").await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert_ne!(passwords.hash("correct horse").await.unwrap(), phc);
        let right = passwords.verify(Some(&phc), "correct horse").await.unwrap();
        assert_eq!(right, Verdict::Right);
        for wrong in ["", "correct hors", "Correct horse", "correct horse "] {
            let verdict = passwords.verify(Some(&phc), wrong).await.unwrap();
            assert_eq!(verdict, Verdict::Wrong, "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn nobody_has_no_password() {
        let passwords = Argon2Passwords::default();
        for tried in ["", "anything"] {
            assert_eq!(passwords.verify(None, tried).await.unwrap(), Verdict::Wrong);
        }
        assert!(passwords.verify(Some("not a PHC string"), "x").await.is_err());
    }

    #[tokio::test]
    async fn a_long_secret_costs_nothing() {
        let passwords = Argon2Passwords::default();
        let long = "x".repeat(LONGEST_SECRET + 1);
        assert!(passwords.hash(&long).await.is_err());
        assert_eq!(passwords.verify(None, &long).await.unwrap(), Verdict::Wrong);
        let longest = "x".repeat(LONGEST_SECRET);
        let phc = passwords.hash(&longest).await.unwrap();
        assert_eq!(passwords.verify(Some(&phc), &longest).await.unwrap(), Verdict::Right);
    }

    #[tokio::test]
    async fn a_full_queue_is_busy_at_once() {
        let passwords = Argon2Passwords::new(1, 0);
        let place = passwords.place().await;
        assert!(place.is_some());
        assert_eq!(passwords.verify(None, "x").await.unwrap(), Verdict::Busy);
        assert!(passwords.hash("x").await.is_err());
        drop(place);
        assert_eq!(passwords.verify(None, "x").await.unwrap(), Verdict::Wrong);
    }

    #[test]
    fn a_request_that_goes_away_keeps_its_place_until_the_work_is_done() {
        let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build();
        let runtime = runtime.unwrap();
        runtime.block_on(async {
            let (release, wait) = mpsc::channel::<()>();
            let occupied = tokio::task::spawn_blocking(move || wait.recv().ok());
            let passwords = Argon2Passwords::new(1, 0);
            {
                let mut left = pin!(passwords.verify(None, "x"));
                let polled = std::future::poll_fn(|c| Poll::Ready(left.as_mut().poll(c))).await;
                assert!(polled.is_pending());
            }
            assert_eq!(passwords.verify(None, "x").await.unwrap(), Verdict::Busy);
            release.send(()).unwrap();
            occupied.await.unwrap();
            // The work of the request that left is still done, and then its place is free.
            let free = passwords.admitted.acquire().await;
            assert!(free.is_ok());
        });
    }
}
