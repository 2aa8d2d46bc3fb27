//! Whether Redis can be used.

use crate::{
    config::{Config, Problems},
    revocations,
};

/// Notes an address that leads nowhere.
pub(super) fn check(config: &Config, problems: &mut Problems) {
    if let Some(url) = &config.redis.url
        && let Err(what) = revocations::check_redis(url.reveal())
    {
        problems.add("redis.url", what);
    }
}
