//! Versions as the Node API gives them to resources: the moment of the last change.

use crate::tai::Tai;
use std::sync::{Mutex, PoisonError};

/// The latest version that any sender or receiver has, which is the version of their device.
pub(super) struct Versions(Mutex<Tai>);

impl Versions {
    pub(super) const fn new(start: Tai) -> Self {
        Self(Mutex::new(start))
    }

    pub(super) fn latest(&self) -> Tai {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The version of a change at that moment. It is later than every version before, though the clock may have been
    /// set back meanwhile.
    pub(super) fn rise(&self, at: Tai) -> Tai {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = at.after(*latest);
        *latest
    }
}
