//! Answers that were recorded, one file each.

use serde_json::{Value, json};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

/// A folder of recordings.
#[derive(Debug)]
pub struct Recorded {
    folder: PathBuf,
    reads: AtomicUsize,
}

/// A page of a chat.
#[derive(Clone, Debug, PartialEq)]
pub enum Page {
    /// There is no such chat.
    NoChat,
    /// The chat has no such page.
    NoPage,
    /// The page.
    Of(Value),
}

impl Recorded {
    /// The recordings in this folder.
    pub fn new(folder: impl AsRef<Path>) -> Self {
        Self { folder: folder.as_ref().to_owned(), reads: AtomicUsize::new(0) }
    }

    /// How many files were read.
    pub fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }

    /// Live videos with these words in title or description.
    pub fn search(&self, words: &str, max: usize) -> io::Result<Value> {
        let words = words.to_lowercase();
        let fits = |video: &&Value| {
            ["title", "description"].iter().any(|field| {
                video[*field].as_str().is_some_and(|text| text.to_lowercase().contains(&words))
            })
        };
        let all = self.read(&self.folder.join("search.json"))?;
        let found: Vec<&Value> =
            all.as_array().into_iter().flatten().filter(fits).take(max).collect();
        Ok(json!(found))
    }

    /// A channel; null where there is none.
    pub fn channel(&self, id: &str) -> io::Result<Value> {
        self.one("channels", id)
    }

    /// What is known of a live video; null where there is none.
    pub fn video(&self, id: &str) -> io::Result<Value> {
        self.one("videos", id)
    }

    /// The page of a chat that follows a token; the first without one. After the last there is an empty one, since
    /// nobody has written anything since.
    pub fn page(&self, chat: &str, after: Option<&str>) -> io::Result<Page> {
        let chat = self.one("chats", chat)?;
        let Some(pages) = chat.as_array() else { return Ok(Page::NoChat) };
        let Some(after) = after else {
            return Ok(pages.first().cloned().map_or(Page::NoPage, Page::Of));
        };
        let Some(at) = pages.iter().position(|page| page["nextPageToken"] == after) else {
            return Ok(Page::NoPage);
        };
        let nothing_new =
            || json!({ "nextPageToken": after, "pollingIntervalMillis": 10_000, "items": [] });
        Ok(Page::Of(pages.get(at + 1).cloned().unwrap_or_else(nothing_new)))
    }

    /// The recording of this id; null where there is none. Ids are names of files, so only harmless ones are looked up.
    fn one(&self, kind: &str, id: &str) -> io::Result<Value> {
        let harmless = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if id.is_empty() || id.len() > 64 || !id.bytes().all(harmless) {
            return Ok(Value::Null);
        }
        match self.read(&self.folder.join(kind).join(format!("{id}.json"))) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Value::Null),
            other => other,
        }
    }

    fn read(&self, path: &Path) -> io::Result<Value> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        Ok(serde_json::from_slice(&fs::read(path)?)?)
    }
}
