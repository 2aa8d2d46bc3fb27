//! Sending what is in the outbox, again and again until it is sent or given up.

use super::{MOST, Mail, Row, transport::Failure};
use futures_util::future::join_all;
use oauth_core::{error::PortError, model::Timestamp};
use std::time::Duration;
use tokio::{sync::watch, time::sleep};

/// How many letters are sent at the same time.
const AT_ONCE: u64 = 4;
/// The wait after the first failure; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(30);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_hours(2);
/// How often the outbox is looked into when nobody says that there is something in it.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// When it is looked into after a letter was queued: its transaction may take a moment.
const LOOK_SOON: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(3),
];

/// What became of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// It was sent.
    Sent,
    /// It was not, and will be tried again at this time. The text is for the operator.
    Later(Timestamp, String),
    /// It was not, and will not be. The text is for the operator.
    GivenUp(String),
}

/// Sends letters until told to stop, and then finishes those that are under way.
pub async fn run(mail: Mail, mut stop: watch::Receiver<bool>) {
    if !mail.is_on() {
        return;
    }
    let mut soon = [].iter();
    loop {
        let wait = soon.next().copied().unwrap_or_else(|| jittered(&mail, LOOK_EVERY));
        let woken = tokio::select! {
            // Whoever could say so being gone means the same.
            () = told(&mut stop) => return,
            () = mail.0.queued.notified() => true,
            () = sleep(wait) => false,
        };
        if woken {
            soon = LOOK_SOON.iter();
            sleep(soon.next().copied().unwrap_or_default()).await;
        }
        if let Err(e) = deliver(&mail, MOST).await {
            tracing::error!(error = crate::causes(&e), "the outbox could not be read or written");
        }
    }
}

async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

pub(super) async fn deliver(mail: &Mail, limit: u64) -> Result<u64, PortError> {
    let mut tried = 0;
    while mail.is_on() && tried < limit {
        let now = mail.now();
        let most = AT_ONCE.min(limit - tried);
        let due = mail.0.outbox.take_due(now, now.plus(mail.0.lease), most).await?;
        if due.is_empty() {
            break;
        }
        tried += due.len() as u64;
        join_all(due.iter().map(|row| send(mail, row))).await;
    }
    Ok(tried)
}

/// Sends a letter that was taken, and notes what became of it. Its address and its words are in no log.
pub(super) async fn send(mail: &Mail, row: &Row) -> Fate {
    let id = &row.id;
    let outbox = &mail.0.outbox;
    let (fate, noted) = match attempt(mail, row).await {
        Ok(()) => {
            tracing::info!(letter.id = id, "a letter was sent");
            (Fate::Sent, outbox.remove(row).await)
        }
        Err(failure) if failure.is_final || row.attempts >= mail.0.attempts => {
            let (why, attempts) = (&failure.why, row.attempts);
            tracing::error!(letter.id = id, why, attempts, "a letter is given up");
            (Fate::GivenUp(failure.in_full()), outbox.remove(row).await)
        }
        Err(failure) => {
            let wait = jittered(mail, wait_after(row.attempts));
            let (why, seconds) = (&failure.why, wait.as_secs());
            tracing::warn!(
                letter.id = id,
                why,
                seconds,
                "a letter could not be sent; it will be tried again"
            );
            let due = mail.now().plus(wait);
            (Fate::Later(due, failure.in_full()), outbox.put_back(row, due).await)
        }
    };
    mail.0.metrics.letter(match fate {
        Fate::Sent => "sent",
        Fate::Later(..) => "later",
        Fate::GivenUp(_) => "given_up",
    });
    if let Err(e) = noted {
        let error = crate::causes(&e);
        tracing::error!(
            letter.id = id,
            error,
            "what became of a letter could not be noted; it may be sent again"
        );
    }
    fate
}

async fn attempt(mail: &Mail, row: &Row) -> Result<(), Failure> {
    let inside = |e: anyhow::Error| Failure::temporary(format!("{e:#}"));
    let letter = mail.0.outbox.open(row).map_err(inside)?;
    let message = mail.0.stationery.message(&row.id, row.created_at, &letter).map_err(inside)?;
    mail.0.transport.send(&row.id, message).await
}

/// How long to wait after so many attempts.
fn wait_after(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(16);
    FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT)
}

/// Between three and five quarters of a time, so that not everybody comes at the same moment.
fn jittered(mail: &Mail, time: Duration) -> Duration {
    let mut dice = [0; 2];
    mail.0.random.fill(&mut dice);
    let fraction = f64::from(u16::from_le_bytes(dice)) / f64::from(u16::MAX);
    time.mul_f64(0.75 + fraction / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_twice_the_one_before() {
        for (attempts, seconds) in [(1, 30), (2, 60), (3, 120), (7, 1920), (9, 7200), (900, 7200)] {
            assert_eq!(wait_after(attempts).as_secs(), seconds, "after {attempts}");
        }
    }
}
