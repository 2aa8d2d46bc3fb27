//! Encrypted forms, and the guest token that has to come with them.
//!
//! A front end may be told to encrypt names and passwords to a key of this server before it sends them. That keeps them
//! out of whatever reads requests between TLS and here: proxies, filters, dumps. It does not take the place of TLS: who
//! can alter the page can alter the key on it. And there is no forward secrecy but what the deletion of old keys gives.
//!
//! Every failure is one: wrong encoding, key, padding, guest token or time, or a form that came before, all end in what
//! a wrong password ends in, after the same work and counted the same way
//! (see [`People::refuse_unreadable`](crate::people::People::refuse_unreadable)).

mod keys;
mod sealed;
mod timetable;

pub use keys::KeyLine;
pub use sealed::{Opened, Sealed, Unreadable, Wanted};

pub use crate::config::Salt;
use crate::{config, nmos::hosted::Hosted, people::GuestToken};
use keys::{Held, Keys};
use oauth_core::{
    error::PortError,
    jose::{RsaPadding, Sealer},
    model::Timestamp,
    ports::{Clock, GrantStore as _, HostedKeys, Random},
    seaorm::SeaStore,
};
use sealed::{LIFE, Reading};
use serde_json::Value;
use std::{sync::Arc, time::Duration};

/// The kind under which forms are marked as used.
const SEEN: &str = "form";
/// How long a mark outlives what it is about.
const MARGIN: Duration = Duration::from_mins(1);

/// The key that front ends encrypt to at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// The key id, as in the key set of the server.
    pub kid: String,
    /// `RSA-OAEP-256` or `RSA1_5`.
    pub alg: &'static str,
    /// As PEM, a `SubjectPublicKeyInfo`.
    pub pem: String,
    /// As a JWK.
    pub jwk: Value,
}

/// Encrypted forms of one server. Clones are the same.
#[derive(Clone)]
pub struct Forms(Arc<Parts>);

struct Parts {
    salt: Salt,
    anojwt: bool,
    store: SeaStore,
    /// None where nothing is encrypted.
    keys: Option<Keys>,
    lifetime: Duration,
}

impl Forms {
    /// As the configuration says, with keys in this store, sealed with the sealing key.
    pub fn new(
        store: SeaStore,
        sealer: Sealer,
        ports: (Arc<dyn Clock>, Arc<dyn Random>),
        config: &config::Forms,
    ) -> Self {
        let padding = match config.salt {
            Salt::No => None,
            Salt::Yes => Some(RsaPadding::Oaep256),
            Salt::Jsencrypt => Some(RsaPadding::Pkcs1),
        };
        let spans = (config.key_lifetime, config.key_overlap);
        let keys = padding.map(|padding| Keys::new(store.clone(), sealer, ports, padding, spans));
        let (salt, anojwt, lifetime) = (config.salt, config.anojwt, config.key_lifetime);
        Self(Arc::new(Parts { salt, anojwt, store, keys, lifetime }))
    }

    /// Whether forms arrive encrypted, and how.
    pub fn salt(&self) -> Salt {
        self.0.salt
    }

    /// Whether a guest token must come with them.
    pub fn anojwt(&self) -> bool {
        self.0.anojwt
    }

    /// What front ends encrypt to at this moment; none where nothing is encrypted.
    pub async fn public_key(&self) -> Result<Option<PublicKey>, PortError> {
        let Some(keys) = &self.0.keys else { return Ok(None) };
        let now = keys.clock.now();
        Ok(keys.ring(now).await?.current(now).map(public))
    }

    /// The same as PEM, a `SubjectPublicKeyInfo`.
    pub async fn public_key_pem(&self) -> Result<Option<String>, PortError> {
        Ok(self.public_key().await?.map(|key| key.pem))
    }

    /// Reads what arrived encrypted, and uses it up: what was read once is unreadable from then on, in every process.
    ///
    /// `guest` is the guest token that came with the request, which a JWE must name. Ask [`Sealed::fits`] before: what
    /// is missing altogether is the fault of the program, and may be told.
    pub async fn open(
        &self,
        guest: Option<&GuestToken>,
        sealed: Sealed,
        wanted: Wanted,
    ) -> Result<Result<Opened, Unreadable>, PortError> {
        let Some(keys) = &self.0.keys else {
            return Err(PortError::new("forms are not encrypted here"));
        };
        let now = keys.clock.now();
        let live = keys.ring(now).await?.live(now, keys.overlap);
        let (random, guest) = (Arc::clone(&keys.random), guest.map(|g| g.jti().to_owned()));
        let is_jwe = sealed.form.is_some();
        // Some milliseconds of work.
        let read = tokio::task::spawn_blocking(move || {
            let guest = guest.as_deref();
            Reading { keys: &live, random: &*random, now, guest }.read(&sealed, wanted)
        });
        let read = read.await.map_err(PortError::new)?;
        let until = match &read.outcome {
            Err(_) => now,
            Ok(_) if is_jwe => now.plus(LIFE + LIFE),
            Ok(_) => self.longest(now, keys.overlap),
        };
        let first = self.0.store.see(SEEN, &read.mark, until.plus(MARGIN), now).await?;
        Ok(match read.outcome {
            Ok(opened) if !first => Err(opened.into_unreadable()),
            outcome => outcome,
        })
    }

    /// When the youngest key there may be at this moment decrypts no longer.
    fn longest(&self, now: Timestamp, overlap: Duration) -> Timestamp {
        now.plus(self.0.lifetime + overlap + timetable::LEAD)
    }

    /// Makes the first key and due successors, and deletes keys whose time is over.
    pub async fn maintain(&self) -> Result<(), PortError> {
        match &self.0.keys {
            Some(keys) => keys.maintain().await,
            None => Ok(()),
        }
    }

    /// Every key and what it is doing.
    pub async fn keys(&self) -> Result<Vec<KeyLine>, PortError> {
        match &self.0.keys {
            Some(keys) => keys.list().await,
            None => Ok(Vec::new()),
        }
    }

    /// Makes the next key before its time; its id, or none where nothing is encrypted.
    pub async fn rotate(&self, when: Rotate) -> Result<Option<String>, PortError> {
        match (&self.0.keys, when) {
            (None, _) => Ok(None),
            (Some(keys), Rotate::WithOverlap) => keys.rotate().await.map(Some),
            (Some(keys), Rotate::AtOnce) => keys.replace().await.map(Some),
        }
    }

    /// The key set of the server has this key beside those that sign.
    pub fn published(&self, hosted: Hosted) -> Published {
        Published { forms: self.clone(), hosted }
    }
}

/// How the next key follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotate {
    /// The old one decrypts for a while.
    WithOverlap,
    /// The old ones are deleted, and who has them encrypts for nobody. For when one is in wrong hands.
    AtOnce,
}

fn public(held: &Held) -> PublicKey {
    let key = &held.key;
    PublicKey {
        kid: key.kid().to_owned(),
        alg: key.padding().as_str(),
        pem: key.public_pem().to_owned(),
        jwk: key.public_jwk().clone(),
    }
}

/// What the key set has beside the keys that sign: the key of forms, and those of other servers.
#[derive(Clone)]
pub struct Published {
    forms: Forms,
    hosted: Hosted,
}

impl HostedKeys for Published {
    fn keys(&self) -> Arc<Vec<Value>> {
        let hosted = self.hosted.keys();
        let own = self.forms.0.keys.as_ref();
        let own = own.and_then(|keys| keys.loaded().current(keys.clock.now()).map(public));
        match own {
            None => hosted,
            Some(own) => {
                let mut all = vec![own.jwk];
                all.extend(hosted.iter().cloned());
                Arc::new(all)
            }
        }
    }
}
