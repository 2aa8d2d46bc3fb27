//! Sealed files, one for each value.

use super::{Entry, Lease, Vault};
use crate::{
    error::Result,
    files,
    seal::{KeySource, Sealer},
};
use async_trait::async_trait;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Secrets in files that only their owner can read, sealed.
#[derive(Debug)]
pub struct FileVault {
    folder: PathBuf,
    sealer: Arc<Sealer>,
}

impl FileVault {
    /// The vault in this folder.
    pub async fn open(folder: &Path, source: KeySource) -> Result<Self> {
        let folder = folder.to_owned();
        files::blocking(move || {
            files::private_folder(&folder)?;
            let sealer = Arc::new(Sealer::open(&source, &folder.join("vault.json"))?);
            Ok(Self { folder, sealer })
        })
        .await
    }

    fn path(&self, entry: Entry) -> PathBuf {
        self.folder.join(format!("{entry}.sealed"))
    }
}

#[async_trait]
impl Vault for FileVault {
    fn name(&self) -> &'static str {
        "file"
    }

    async fn load(&self, entry: Entry) -> Result<Option<Vec<u8>>> {
        let (path, sealer) = (self.path(entry), Arc::clone(&self.sealer));
        files::blocking(move || {
            let Some(sealed) = files::read(&path)? else { return Ok(None) };
            Ok(Some(sealer.unseal(&entry.to_string(), &sealed)?.to_vec()))
        })
        .await
    }

    async fn save(
        &self,
        entry: Entry,
        value: &[u8],
        _life: Duration,
        _lease: Option<&Lease>,
    ) -> Result<()> {
        let (path, sealed) = (self.path(entry), self.sealer.seal(&entry.to_string(), value));
        files::blocking(move || files::replace(&path, &sealed)).await
    }

    async fn remove(&self, entry: Entry) -> Result<()> {
        let path = self.path(entry);
        files::blocking(move || files::remove(&path)).await
    }

    async fn lock(&self, client: u32, patience: Duration) -> Result<Lease> {
        let lock = files::lock(&self.folder.join(format!("{client}.lock")), patience).await?;
        Ok(Lease { fence: None, held: Box::new(lock) })
    }
}
