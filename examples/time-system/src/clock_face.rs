//! What the resource server knows: the time, in two forms. No HTTP here.

use oauth_core::model::Timestamp;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The time by RFC 3339, in UTC.
pub fn current_time(now: Timestamp) -> String {
    OffsetDateTime::from_unix_timestamp(now.unix())
        .ok()
        .and_then(|t| t.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("{} seconds since 1970-01-01T00:00:00Z", now.unix()))
}

/// The time in seconds since the epoch.
pub const fn epoch_time(now: Timestamp) -> i64 {
    now.unix()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_moment_in_both_forms() {
        let now = Timestamp::from_unix(1_575_594_001);
        assert_eq!(current_time(now), "2019-12-06T01:00:01Z");
        assert_eq!(epoch_time(now), 1_575_594_001);
        assert!(current_time(Timestamp::from_unix(i64::MAX)).starts_with("9223372036854775807"));
    }
}
