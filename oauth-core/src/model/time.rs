//! Time as the protocol sees it.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Seconds since 1970-01-01T00:00:00Z, the `NumericDate` of
/// [RFC 7519 2](https://www.rfc-editor.org/rfc/rfc7519#section-2) and the integer column of every table.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// A point in time from Unix seconds.
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Unix seconds.
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// This time plus a duration, in whole seconds; saturates.
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(whole_seconds(by)))
    }

    /// This time minus a duration, in whole seconds; saturates.
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(whole_seconds(by)))
    }

    /// Whole seconds from `earlier` until this time; negative when this time comes first.
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

fn whole_seconds(d: Duration) -> i64 {
    i64::try_from(d.as_secs()).unwrap_or(i64::MAX)
}
