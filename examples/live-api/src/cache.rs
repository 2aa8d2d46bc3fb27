//! Answers for everybody, kept for a while. Never those that needed a token.

use oauth_core::{model::Timestamp, ports::Clock};
use serde_json::Value;
use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Answers kept at once. When there are more, the old ones go.
const MOST: usize = 512;

/// A cache of answers.
pub struct Cache {
    keep: Duration,
    clock: Arc<dyn Clock>,
    answers: Mutex<HashMap<String, (Timestamp, Value)>>,
}

impl Cache {
    /// Keeps each answer so long.
    pub fn new(keep: Duration, clock: Arc<dyn Clock>) -> Self {
        Self { keep, clock, answers: Mutex::default() }
    }

    /// The answer kept under a key, or the one that is found now. Failures are not kept.
    pub fn get_or(
        &self,
        key: String,
        find: impl FnOnce() -> io::Result<Value>,
    ) -> io::Result<Value> {
        let now = self.clock.now();
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((until, answer)) = answers.get(&key)
            && now < *until
        {
            return Ok(answer.clone());
        }
        let answer = find()?;
        if answers.len() >= MOST {
            answers.retain(|_, (until, _)| now < *until);
        }
        if answers.len() >= MOST {
            answers.clear();
        }
        answers.insert(key, (now.plus(self.keep), answer.clone()));
        Ok(answer)
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("keep", &self.keep).finish_non_exhaustive()
    }
}
