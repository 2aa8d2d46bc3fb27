//! International atomic time, in which NMOS states times: `<seconds>:<nanoseconds>`.

use std::{fmt, time::Duration};

/// By how many seconds TAI is ahead of UTC, since 2017.
const AHEAD: u64 = 37;

/// A moment, or a length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tai(Duration);

impl Tai {
    /// Reads `<seconds>:<nanoseconds>`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (seconds, nanos) = text.split_once(':')?;
        let digits = |text: &str, longest: usize| {
            (1..=longest).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
        };
        if !digits(seconds, 11) || !digits(nanos, 9) {
            return None;
        }
        Some(Self(Duration::new(seconds.parse().ok()?, nanos.parse().ok()?)))
    }

    /// This long after that moment.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// This moment if it is later than the other; else the one right after the other.
    pub(crate) fn after(self, other: Self) -> Self {
        self.max(Self(other.0.saturating_add(Duration::from_nanos(1))))
    }

    /// How long it is until then.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Tai {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.as_secs(), self.0.subsec_nanos())
    }
}

/// What time it is.
pub(crate) trait Clock: Send + Sync {
    fn now(&self) -> Tai;
}

/// The clock of the operating system.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock of this program")]
    fn now(&self) -> Tai {
        let utc =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Tai(utc + Duration::from_secs(AHEAD))
    }
}

#[cfg(test)]
mod tests {
    use super::Tai;

    #[test]
    fn after_another_is_always_later() {
        let time = |text| Tai::parse(text).unwrap();
        for (this, other, after) in
            [("5:0", "4:0", "5:0"), ("5:0", "5:0", "5:1"), ("5:0", "5:999999999", "6:0")]
        {
            assert_eq!(time(this).after(time(other)), time(after));
        }
    }

    #[test]
    fn times_are_read_and_written() {
        for text in ["0:0", "1600000037:999999999", "2:5"] {
            assert_eq!(Tai::parse(text).unwrap().to_string(), text);
        }
        for bad in [
            "",
            "1",
            ":",
            "1:",
            ":1",
            "1:1:1",
            "-1:0",
            "+1:0",
            "1:1000000000",
            "1.5:0",
            "999999999999:0",
        ] {
            assert_eq!(Tai::parse(bad), None, "{bad}");
        }
    }
}
