//! What the calls of one flow do not hand on to each other.

use super::out_of_order;
use crate::error::OAuthError;
use std::sync::{Arc, Mutex, PoisonError};

/// Shared by the clones of one value.
pub(super) struct Memory<T>(Arc<Mutex<T>>);

impl<T> Memory<T> {
    /// Looks at it or changes it, without waiting in between.
    pub(super) fn with<R>(&self, look: impl FnOnce(&mut T) -> R) -> R {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> Memory<Option<T>> {
    /// Remembers something, once.
    pub(super) fn fill(&self, value: T) -> Result<(), OAuthError> {
        self.with(|slot| {
            if slot.is_some() {
                return Err(out_of_order());
            }
            *slot = Some(value);
            Ok(())
        })
    }
}

impl<T: Clone> Memory<Option<T>> {
    pub(super) fn recall(&self) -> Option<T> {
        self.with(|slot| slot.clone())
    }
}

impl<T> Clone for Memory<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Default> Default for Memory<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}
