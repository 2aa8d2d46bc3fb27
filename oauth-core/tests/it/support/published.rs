//! What clients have published, as far as a test lets it be fetched.

use async_trait::async_trait;
use oauth_core::ports::{Fetch, FetchProblem};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use tokio::sync::Semaphore;

/// The port [`Fetch`] over a table. Clones share it.
#[derive(Clone)]
pub(crate) struct Published(Arc<Inner>);

struct Inner {
    documents: Mutex<HashMap<String, Vec<u8>>>,
    asked: Mutex<Vec<String>>,
    sent: Mutex<Vec<(String, String)>>,
    /// One permit stands for one answer.
    answers: Semaphore,
}

impl Published {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner {
            documents: Mutex::default(),
            asked: Mutex::default(),
            sent: Mutex::default(),
            answers: Semaphore::new(Semaphore::MAX_PERMITS),
        }))
    }

    /// Puts a document at the address, in the place of an earlier one.
    #[expect(clippy::needless_pass_by_value, reason = "documents are made where they are put")]
    pub(crate) fn put(&self, url: &str, document: impl ToString) {
        self.put_bytes(url, document.to_string().as_bytes());
    }

    pub(crate) fn put_bytes(&self, url: &str, document: &[u8]) {
        self.0.documents.lock().unwrap().insert(url.into(), document.into());
    }

    /// There is nothing at the address any more.
    pub(crate) fn remove(&self, url: &str) {
        self.0.documents.lock().unwrap().remove(url);
    }

    /// How often the address was asked.
    pub(crate) fn asked(&self, url: &str) -> usize {
        self.0.asked.lock().unwrap().iter().filter(|asked| *asked == url).count()
    }

    /// What was posted, and where.
    pub(crate) fn sent(&self) -> Vec<(String, String)> {
        self.0.sent.lock().unwrap().clone()
    }

    /// From now on nobody gets an answer.
    pub(crate) fn hold(&self) {
        self.0.answers.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Lets so many answers through.
    pub(crate) fn let_through(&self, answers: usize) {
        self.0.answers.add_permits(answers);
    }
}

#[async_trait]
impl Fetch for Published {
    async fn get(&self, url: &str, limit: usize) -> Result<Vec<u8>, FetchProblem> {
        self.0.asked.lock().unwrap().push(url.into());
        self.0.answers.acquire().await.unwrap().forget();
        match self.0.documents.lock().unwrap().get(url) {
            Some(document) if document.len() > limit => Err(FetchProblem::TooLong(limit)),
            Some(document) => Ok(document.clone()),
            None => Err(FetchProblem::Status(404)),
        }
    }

    async fn post_form(&self, url: &str, form: &str) -> Result<(), FetchProblem> {
        self.0.sent.lock().unwrap().push((url.into(), form.into()));
        if self.0.documents.lock().unwrap().contains_key(url) {
            Ok(())
        } else {
            Err(FetchProblem::Status(404))
        }
    }
}
