//! The metadata file: which clients there are. Nothing in it is secret.

use crate::{
    error::{Error, Result},
    files, legacy,
    model::Client,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(10);
/// More clients than this are not somebody's own.
const MOST: usize = 10_000;

/// The clients of a profile, in a file.
#[derive(Clone, Debug)]
pub struct Registry {
    path: PathBuf,
}

/// What the file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clients {
    version: u32,
    next_id: u32,
    #[serde(rename = "clients")]
    all: BTreeMap<u32, Client>,
}

impl Default for Clients {
    fn default() -> Self {
        Self { version: 1, next_id: 1, all: BTreeMap::new() }
    }
}

impl Registry {
    /// The clients in this file, which need not exist yet.
    pub const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Everything in it.
    pub async fn load(&self) -> Result<Clients> {
        let path = self.path.clone();
        files::blocking(move || read(&path)).await
    }

    /// Changes it under a lock; what `change` returns an error for is not written.
    pub async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Clients) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let path = self.path.clone();
        files::blocking(move || {
            let _lock = files::lock_blocking(&with_suffix(&path, "lock"), PATIENCE)?;
            let before = read(&path)?;
            let mut clients = before.clone();
            let outcome = change(&mut clients)?;
            if clients != before {
                write(&path, &clients)?;
            }
            Ok(outcome)
        })
        .await
    }
}

impl Clients {
    /// All clients, by service and name.
    pub fn all(&self) -> Vec<&Client> {
        let mut all: Vec<_> = self.all.values().collect();
        all.sort_by(|a, b| (&a.service, &a.name).cmp(&(&b.service, &b.name)));
        all
    }

    /// The client with this name or number.
    pub fn find(&self, which: &str) -> Result<&Client> {
        let by_number = which.parse().ok().and_then(|id: u32| self.all.get(&id));
        by_number
            .or_else(|| self.all.values().find(|c| c.name == which))
            .ok_or_else(|| Error::UnknownClient(crate::error::clean(which)))
    }

    /// The client with this number.
    pub fn get(&self, id: u32) -> Result<&Client> {
        self.all.get(&id).ok_or_else(|| Error::UnknownClient(id.to_string()))
    }

    /// Adds a client and gives it a number.
    pub fn add(&mut self, mut client: Client, now: i64) -> Result<Client> {
        if self.all.len() >= MOST {
            return Err(Error::Invalid(format!("there are {MOST} clients already")));
        }
        client.id = self.next_id;
        client.added_at = now;
        client.modified_at = now;
        self.put(client.clone())?;
        self.next_id = self.next_id.saturating_add(1);
        Ok(client)
    }

    /// Puts a changed client in the place of the old one.
    pub fn put(&mut self, client: Client) -> Result<()> {
        client.check()?;
        if self.all.values().any(|c| c.name == client.name && c.id != client.id) {
            return Err(Error::Invalid(format!("there is a client {:?} already", client.name)));
        }
        self.all.insert(client.id, client);
        Ok(())
    }

    /// Removes a client.
    pub fn remove(&mut self, id: u32) -> Result<Client> {
        self.all.remove(&id).ok_or_else(|| Error::UnknownClient(id.to_string()))
    }
}

fn read(path: &Path) -> Result<Clients> {
    let Some(bytes) = files::read(path)? else { return Ok(Clients::default()) };
    let damaged = |why: String| Error::store(&format!("{} is damaged", path.display()), why);
    let value: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|e| damaged(e.to_string()))?;
    if legacy::is_legacy(&value) {
        return Err(Error::Store(format!(
            "{} was written by another program: read it with oauth-helper client import {0}, into a new file",
            path.display()
        )));
    }
    let clients: Clients = serde_json::from_value(value).map_err(|e| damaged(e.to_string()))?;
    if clients.version != 1 {
        return Err(damaged(format!("version {} is not known", clients.version)));
    }
    Ok(clients)
}

fn write(path: &Path, clients: &Clients) -> Result<()> {
    let mut text =
        serde_json::to_vec_pretty(clients).map_err(|e| Error::store("the clients", e))?;
    text.push(b'\n');
    files::replace(path, &text)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}
