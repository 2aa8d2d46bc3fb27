//! When a key is given out, decrypts and goes: computed from stored times and the clock, so that processes agree without
//! messages.

use oauth_core::model::Timestamp;
use std::time::Duration;

/// How long a key is stored before front ends are given it. Every process has loaded it by then.
pub(super) const LEAD: Duration = Duration::from_mins(5);

/// The times of one key, of all of one algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    /// Counts the keys.
    pub(super) sequence: i64,
    /// From when front ends are given it.
    pub(super) use_from: Timestamp,
}

/// Which key front ends are given now: the youngest whose time has come; before that, the oldest.
pub(super) fn current(all: &[Times], now: Timestamp) -> Option<usize> {
    let at = |wanted: Times| all.iter().position(|key| *key == wanted);
    let come = all.iter().copied().filter(|key| key.use_from <= now);
    let wanted = come.max_by_key(|key| key.sequence);
    wanted.or_else(|| all.iter().copied().min_by_key(|key| key.sequence)).and_then(at)
}

/// Whether the key still decrypts: until the overlap after its successor's time has come is over.
pub(super) fn decrypts(all: &[Times], key: Times, now: Timestamp, overlap: Duration) -> bool {
    ends(all, key, overlap).is_none_or(|end| end > now)
}

/// When the key decrypts no longer; none as long as it has no successor.
pub(super) fn ends(all: &[Times], key: Times, overlap: Duration) -> Option<Timestamp> {
    let successors = all.iter().filter(|other| other.sequence > key.sequence);
    successors.map(|other| other.use_from).min().map(|at| at.plus(overlap))
}

/// The times of the key that is to be made now, if one is.
pub(super) fn due(all: &[Times], now: Timestamp, lifetime: Duration) -> Option<Times> {
    let Some(newest) = all.iter().max_by_key(|key| key.sequence) else {
        return Some(Times { sequence: 1, use_from: now });
    };
    let due = newest.use_from.plus(lifetime);
    (due.minus(LEAD) <= now)
        .then(|| Times { sequence: newest.sequence + 1, use_from: due.max(now.plus(LEAD)) })
}

/// The times of a key that somebody wants before its time.
pub(super) fn next(all: &[Times], use_from: Timestamp) -> Times {
    let newest = all.iter().map(|key| key.sequence).max().unwrap_or(0);
    Times { sequence: newest + 1, use_from }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);
    const MONTH: Duration = Duration::from_hours(30 * 24);

    fn at(days: i64) -> Timestamp {
        Timestamp::from_unix(1_790_000_000 + days * 86_400)
    }

    fn key(sequence: i64, days: i64) -> Times {
        Times { sequence, use_from: at(days) }
    }

    #[test]
    fn s2_26_the_first_key_is_used_at_once_and_the_next_after_its_life() {
        assert_eq!(due(&[], at(0), MONTH), Some(key(1, 0)));
        let all = [key(1, 0)];
        assert_eq!(due(&all, at(29), MONTH), None);
        assert_eq!(due(&all, at(30).minus(LEAD), MONTH), Some(key(2, 30)));
        let late = due(&all, at(50), MONTH).unwrap();
        assert_eq!((late.sequence, late.use_from), (2, at(50).plus(LEAD)));
    }

    #[test]
    fn s2_26_keys_overlap_and_the_old_one_goes() {
        let all = [key(1, 0), key(2, 30)];
        assert_eq!(current(&[], at(0)), None);
        assert_eq!(current(&all, at(29)), Some(0));
        assert_eq!(current(&all, at(30)), Some(1));
        assert_eq!(current(&all, at(-1)), Some(0), "a clock that lags finds a key");
        assert!(decrypts(&all, all[0], at(30), DAY), "people who are typing have the old key");
        assert!(!decrypts(&all, all[0], at(31), DAY));
        assert!(decrypts(&all, all[1], at(99), DAY));
        assert!(decrypts(&all, all[1], at(0), DAY), "before anybody is given it");
        assert_eq!(ends(&all, all[0], DAY), Some(at(31)));
        assert_eq!(ends(&all, all[1], DAY), None);
        assert_eq!(next(&all, at(3)), key(3, 3));
    }
}
