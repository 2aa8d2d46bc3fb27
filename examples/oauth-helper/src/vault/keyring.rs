//! The keyring of the operating system: Secret Service, Keychain, Credential Manager.

use super::{Entry, Lease, Vault};
use crate::{
    error::{Error, Result},
    files,
};
use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{path::PathBuf, time::Duration};

/// Secrets in the keyring. What is kept in files beside it is locks, and nothing else.
#[derive(Debug)]
pub struct KeyringVault {
    service: String,
    locks: PathBuf,
}

impl KeyringVault {
    /// The values of this profile. Fails where there is no keyring, as on a server nobody is signed in to.
    pub async fn open(profile: &str, locks: PathBuf) -> Result<Self> {
        files::blocking(|| match keyring::Entry::store_status() {
            Ok(()) => Ok(()),
            Err(e) => Err(Error::store("there is no keyring here (use --store file)", e)),
        })
        .await?;
        Ok(Self { service: format!("oauth-helper/{profile}"), locks })
    }

    async fn with<T: Send + 'static>(
        &self,
        entry: Entry,
        run: impl FnOnce(&keyring::Entry) -> keyring::Result<T> + Send + 'static,
    ) -> Result<Option<T>> {
        let service = self.service.clone();
        files::blocking(move || {
            let outcome = keyring::Entry::new(&service, &entry.to_string()).and_then(|e| run(&e));
            match outcome {
                Ok(value) => Ok(Some(value)),
                Err(keyring::Error::NoEntry) => Ok(None),
                Err(e) => Err(Error::store("the keyring failed", kind(&e))),
            }
        })
        .await
    }
}

/// The kind of failure. The text of some variants contains the secret.
const fn kind(error: &keyring::Error) -> &'static str {
    match error {
        keyring::Error::NoStorageAccess(_) => "it is locked",
        keyring::Error::TooLong(..) => "the value is too long for it",
        keyring::Error::Ambiguous(_) => "there are several values of one name",
        keyring::Error::NoDefaultStore => "there is none",
        _ => "it gave no reason that can be shown",
    }
}

#[async_trait]
impl Vault for KeyringVault {
    fn name(&self) -> &'static str {
        "keyring"
    }

    async fn load(&self, entry: Entry) -> Result<Option<Vec<u8>>> {
        let Some(text) = self.with(entry, keyring::Entry::get_password).await? else {
            return Ok(None);
        };
        let damaged = |_| Error::Store(format!("the stored value {entry} is damaged"));
        STANDARD.decode(text).map(Some).map_err(damaged)
    }

    async fn save(
        &self,
        entry: Entry,
        value: &[u8],
        _life: Duration,
        _lease: Option<&Lease>,
    ) -> Result<()> {
        // As text, because people may look at it with tools that show text alone.
        let text = STANDARD.encode(value);
        self.with(entry, move |e| e.set_password(&text)).await.map(drop)
    }

    async fn remove(&self, entry: Entry) -> Result<()> {
        self.with(entry, keyring::Entry::delete_credential).await.map(drop)
    }

    async fn lock(&self, client: u32, patience: Duration) -> Result<Lease> {
        let lock = files::lock(&self.locks.join(format!("{client}.lock")), patience).await?;
        Ok(Lease { fence: None, held: Box::new(lock) })
    }
}
