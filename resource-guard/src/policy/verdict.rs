//! What a policy says.

use crate::refusal::Refusal;
use std::{fmt, pin::Pin};

/// Whether a caller may do something: said at once, or after waiting for somebody else, such as a database.
#[non_exhaustive]
pub enum Verdict<'a> {
    /// It is known.
    Now(Result<(), Refusal>),
    /// It is to be waited for.
    Later(Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send + 'a>>),
}

impl<'a> Verdict<'a> {
    /// What this future says.
    pub fn later(verdict: impl Future<Output = Result<(), Refusal>> + Send + 'a) -> Self {
        Self::Later(Box::pin(verdict))
    }

    /// Waits for it, where it is not known.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn wait(self) -> Result<(), Refusal> {
        match self {
            Self::Now(verdict) => verdict,
            Self::Later(verdict) => verdict.await,
        }
    }
}

impl From<Result<(), Refusal>> for Verdict<'_> {
    fn from(verdict: Result<(), Refusal>) -> Self {
        Self::Now(verdict)
    }
}

impl fmt::Debug for Verdict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now(verdict) => f.debug_tuple("Now").field(verdict).finish(),
            Self::Later(_) => f.write_str("Later(..)"),
        }
    }
}
