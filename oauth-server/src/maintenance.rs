//! What has to happen by itself: keys are made and retired by timetable, expired rows go.

use crate::{activity, approval, state::AppState};
use oauth_core::{error::PortError, seaorm::SeaStore};
use sea_orm::{
    ColumnTrait as _, EntityTrait, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    QueryTrait as _,
};
use std::time::Duration;
use tokio::{
    task::yield_now,
    time::{Instant, sleep, sleep_until},
};

/// How often the keys are looked after.
const KEYS_EVERY: Duration = Duration::from_mins(1);
/// How often clients are told of logouts that nobody waits for.
const LOGOUTS_EVERY: Duration = Duration::from_secs(5);
/// The most clients that are told in one go.
const MOST_LOGOUTS: u64 = 200;
/// How often metrics are summed up.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);
/// The most rows of a kind that are deleted before others have a turn.
const SWEEP_LIMIT: u64 = 5_000;

/// Looks after keys and rows until it is dropped. A failure is logged and tried again the next time.
pub async fn run(state: AppState) {
    tokio::join!(
        keys(&state),
        sweeps(&state),
        logouts(&state),
        upkeep(&state),
        hosted_keys(&state)
    );
}

/// Keys of other servers: at once, and then every now and then.
async fn hosted_keys(state: &AppState) {
    let settings = &state.config.nmos;
    if settings.hosted_key_urls.is_empty() {
        return;
    }
    loop {
        state.hosted.fetch(state).await;
        sleep(jittered(settings.hosted_keys_every, state)).await;
    }
}

async fn keys(state: &AppState) {
    loop {
        sleep(KEYS_EVERY).await;
        state.hosted.read_files(&state.config);
        if let Err(e) = maintain_keys(state).await {
            tracing::error!(error = crate::causes(&e), "signing keys could not be looked after");
        }
    }
}

async fn sweeps(state: &AppState) {
    let settings = &state.config.maintenance;
    if !settings.sweep {
        return;
    }
    loop {
        sleep(jittered(settings.sweep_every, state)).await;
        match sweep(state).await {
            Ok(0) => tracing::debug!("nothing has expired"),
            Ok(rows) => tracing::info!(rows, "expired rows deleted"),
            Err(e) => {
                tracing::error!(error = crate::causes(&e), "expired rows could not be deleted");
            }
        }
    }
}

async fn logouts(state: &AppState) {
    loop {
        sleep(jittered(LOGOUTS_EVERY, state)).await;
        tell_of_logouts(state).await;
    }
}

async fn upkeep(state: &AppState) {
    if !state.metrics.is_on() {
        return;
    }
    let mut next = Instant::now();
    loop {
        next += UPKEEP_EVERY;
        sleep_until(next).await;
        state.metrics.upkeep();
    }
}

/// Makes first keys and due successors, of those that sign and of those that forms are encrypted to; deletes keys that
/// nobody needs.
pub async fn maintain_keys(state: &AppState) -> Result<(), PortError> {
    let env = state.provider.env();
    env.keys.maintain(env.clock.now()).await?;
    state.forms.maintain().await
}

/// Deletes what has expired, one kind after the other; returns how many rows it was.
pub async fn sweep(state: &AppState) -> Result<u64, PortError> {
    let env = state.provider.env();
    let (now, retention) = (|| env.clock.now(), state.config.audit.retention);
    let mut gone = all(|| env.grants.sweep(now(), SWEEP_LIMIT)).await?;
    gone += all(|| state.sessions.sweep(SWEEP_LIMIT)).await?;
    gone += all(|| state.throttle.sweep(SWEEP_LIMIT)).await?;
    gone += all(|| state.registrars.sweep(SWEEP_LIMIT)).await?;
    gone += all(|| state.revocations.sweep(now(), SWEEP_LIMIT)).await?;
    gone += all(|| state.social.sweep(SWEEP_LIMIT)).await?;
    gone += all(|| approval::sweep(state, SWEEP_LIMIT)).await?;
    gone += all(|| state.audit.sweep(retention, now(), SWEEP_LIMIT)).await?;
    gone += all(|| async move { state.people().sweep(SWEEP_LIMIT).await }).await?;
    gone += all(|| state.second_factor.sweep(SWEEP_LIMIT)).await?;
    gone += all(|| state.passkeys.sweep(SWEEP_LIMIT)).await?;
    gone += all(|| activity::sweep(state, SWEEP_LIMIT)).await?;
    Ok(gone)
}

/// Deletes until fewer rows are left of a kind than are deleted at once. Strangers can make rows of some kinds as fast as
/// they like: with a bound on a whole round there would be more after each.
async fn all<F>(mut some: impl FnMut() -> F) -> Result<u64, PortError>
where
    F: Future<Output = Result<u64, PortError>>,
{
    let mut gone = 0;
    loop {
        let rows = some().await?;
        gone += rows;
        if rows < SWEEP_LIMIT {
            return Ok(gone);
        }
        yield_now().await;
    }
}

/// Tells clients of the logouts that are due, a bounded number. A failure is logged; the notices stay.
pub async fn tell_of_logouts(state: &AppState) {
    match state.provider.deliver_logouts(MOST_LOGOUTS).await {
        Ok(0) => tracing::debug!("no logouts are due"),
        Ok(notices) => tracing::info!(notices, "clients told of logouts"),
        Err(e) => {
            tracing::error!(error = crate::causes(&e), "clients could not be told of logouts");
        }
    }
}

/// Between three and five quarters of the period, so that several processes do not sweep at the same moment.
fn jittered(period: Duration, state: &AppState) -> Duration {
    let mut dice = [0; 2];
    state.provider.env().random.fill(&mut dice);
    let fraction = f64::from(u16::from_le_bytes(dice)) / f64::from(u16::MAX);
    period.mul_f64(0.75 + fraction / 2.0)
}

/// Deletes at most `limit` rows of a table whose time has come. The time is asked for again when deleting,
/// since a row may have been renewed after it was found.
pub(crate) async fn delete_expired<E>(
    store: &SeaStore,
    key: E::Column,
    expires_at: E::Column,
    now: i64,
    limit: u64,
) -> Result<u64, PortError>
where
    E: EntityTrait,
{
    store
        .write(move |t| {
            Box::pin(async move {
                let due = E::find()
                    .select_only()
                    .column(key)
                    .filter(expires_at.lte(now))
                    .order_by_asc(expires_at)
                    .limit(limit)
                    .into_query();
                let gone = E::delete_many()
                    .filter(key.in_subquery(due))
                    .filter(expires_at.lte(now))
                    .exec(t)
                    .await?;
                Ok(gone.rows_affected)
            })
        })
        .await
}
