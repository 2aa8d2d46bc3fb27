//! What unit tests need to ask servers on this machine.

use super::{Asking, KeyTimes};
use crate::fetch::{Http, PlainHttp, Reach};
use oauth_core::{
    model::Timestamp,
    ports::{Clock, SystemRandom},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// A clock that goes when told to.
#[derive(Clone, Default)]
pub(crate) struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(1_800_000_000 + self.0.load(Ordering::SeqCst))
    }
}

/// Asks by plain http, and not for long.
pub(crate) fn asking(clock: &ManualClock) -> Asking {
    let plain = PlainHttp::Anywhere;
    let reach = Reach {
        timeout: Duration::from_secs(2),
        roots: Vec::new(),
        plain,
        environment_proxy: false,
        tls: false,
    };
    Asking {
        http: Http::new(&reach).unwrap(),
        plain,
        times: KeyTimes {
            refresh: Duration::from_hours(1),
            jitter: None,
            cool_down: Duration::from_secs(30),
        },
        clock: Arc::new(clock.clone()),
        random: Arc::new(SystemRandom),
    }
}
