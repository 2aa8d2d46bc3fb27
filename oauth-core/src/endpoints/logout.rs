//! Telling clients that a session has ended: by frames in the browser, and behind its back.

use crate::{
    env::Env,
    error::{OAuthError, PortError},
    issue::mint_logout_token,
    model::{LogoutNotice, Participant, Timestamp},
    openid::{frontchannel_address, session},
};
use std::{future::poll_fn, pin::Pin, time::Duration};

/// How long a notice belongs to the one who took it. Longer than any attempt lasts.
const LEASE: Duration = Duration::from_mins(1);
/// How many clients are told at the same time.
const AT_ONCE: u64 = 8;
/// How long to wait after each failure; after the last one there is no further attempt.
const WAITS: [Duration; 5] = [
    Duration::from_secs(10),
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
];

/// The pages of these clients that are to be loaded, in frames that nobody sees, by the browser whose session has
/// ended ([Front-Channel Logout 3](https://openid.net/specs/openid-connect-frontchannel-1_0.html#OPLogout)).
pub async fn frontchannel_logouts(
    env: &Env,
    participants: &[Participant],
) -> Result<Vec<String>, PortError> {
    let mut pages = Vec::new();
    for participant in participants {
        let Some(client) = env.clients.client(&participant.client).await? else { continue };
        if let Some(uri) = &client.metadata.frontchannel_logout_uri {
            let sid = session(env, &client, &participant.sid);
            pages.push(frontchannel_address(uri, &env.issuer, &sid));
        }
    }
    Ok(pages)
}

/// Tells clients whose notices are due, at most about `limit` of them; returns how many were due
/// ([Back-Channel Logout 2.5](https://openid.net/specs/openid-connect-backchannel-1_0.html#BCRequest)).
///
/// Any number of processes may do so at the same time: a notice is taken by one of them, and comes back should
/// that one not settle it.
pub async fn deliver_logouts(env: &Env, limit: u64) -> Result<u64, PortError> {
    let mut tried = 0;
    while tried < limit {
        let now = env.clock.now();
        let most = AT_ONCE.min(limit - tried);
        let due = env.grants.due_logouts(now, now.plus(LEASE), most).await?;
        if due.is_empty() {
            break;
        }
        tried += due.len() as u64;
        together(due.iter().map(|notice| deliver(env, notice)).collect()).await;
    }
    Ok(tried)
}

async fn deliver(env: &Env, notice: &LogoutNotice) {
    let client = &notice.participant.client;
    let now = env.clock.now();
    let retry_at = match tell(env, notice, now).await {
        Ok(()) => None,
        Err(why) => {
            let wait = usize::try_from(notice.attempts).ok().and_then(|n| WAITS.get(n));
            match wait {
                Some(wait) => {
                    let seconds = wait.as_secs();
                    tracing::info!(client.id = %client, why, seconds, "a client could not be told of a logout; there will be another attempt");
                }
                None => {
                    tracing::warn!(client.id = %client, why, "a client could not be told of a logout, and will not be");
                }
            }
            wait.map(|wait| now.plus(*wait))
        }
    };
    if let Err(e) = env.grants.settle_logout(notice.id, retry_at).await {
        let why = OAuthError::from(e).causes();
        tracing::error!(client.id = %client, why, "a notice of a logout could not be settled; it will be sent again");
    }
}

/// Sends the notice. There is nobody to tell when the client is gone or does not want to know.
async fn tell(env: &Env, notice: &LogoutNotice, now: Timestamp) -> Result<(), String> {
    let causes = |e: OAuthError| format!("{e}: {}", e.causes());
    let id = &notice.participant.client;
    let client = env.clients.client(id).await.map_err(|e| causes(e.into()))?;
    let Some(client) = client else { return Ok(()) };
    let Some(uri) = &client.metadata.backchannel_logout_uri else { return Ok(()) };
    let token = mint_logout_token(env, &client, &notice.participant, now).await.map_err(causes)?;
    // All characters of a compact JWT may stand in a form as they are.
    env.fetch.post_form(uri, &format!("logout_token={token}")).await.map_err(|e| e.to_string())
}

/// Waits for all of them. There are few, so each may be asked whenever one of them has moved.
async fn together<F: Future<Output = ()>>(all: Vec<F>) {
    let mut all: Vec<Pin<Box<F>>> = all.into_iter().map(Box::pin).collect();
    poll_fn(|context| {
        all.retain_mut(|one| one.as_mut().poll(context).is_pending());
        if all.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}
