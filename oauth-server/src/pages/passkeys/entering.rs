//! Signing in with a passkey, alone or in place of a code after the password.

use super::{challenge, words};
use crate::{
    activity::{self, Deed, What},
    metrics::SignInOutcome,
    pages::{
        errors::Trouble,
        form::{Form, Problems},
        login, second_factor,
        visit::Visit,
        way::Way,
    },
    passkeys::{Proof, Refusal},
    second_factor::Half,
    session::{Proven, Started},
    shell,
    state::AppState,
    throttle::{Admission, Subject},
};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};

/// A challenge for whoever wants to sign in.
pub(super) async fn begin(State(state): State<AppState>, headers: HeaderMap) -> Response {
    challenge(state.passkeys.begin_sign_in(&headers).await)
}

/// The answer.
pub(super) async fn submit(
    State(state): State<AppState>,
    visit: Visit,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let way = Way::of(&state, &visit, &params).await?;
    let answer = params.get("credential").unwrap_or_default();
    let refusal = match enter(&state, &visit, answer).await {
        Ok(started) => {
            state.metrics.passkey(SignInOutcome::Accepted);
            tracing::info!(user.id = %started.login.user, "sign-in by passkey accepted");
            let mut response = way.begin(&state, &visit, started).await;
            for cookie in [state.passkeys.forget(), state.second_factor.forget()] {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            return Ok(response);
        }
        Err(Refusal::Inside(e)) => return Err(e.into()),
        Err(refusal) => refusal,
    };
    note(&state, &visit, &refusal).await;
    let (status, text) = words(&refusal);
    let problems = Problems::one("passkey", text);
    let half = match params.get("step") {
        Some("second-factor") => state.second_factor.half(&visit.headers).await?,
        _ => None,
    };
    let mut response = match half {
        Some(half) => {
            let demand = state.second_factor.demand(&half.user).await?;
            second_factor::form(&state, (&visit, &way), demand, status, problems)
        }
        None => login::form(&state, &visit, &way, status, None, problems),
    };
    if let Refusal::Throttled(seconds) = refusal {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

/// Counts the attempt for the address, checks the answer and begins a session.
async fn enter(state: &AppState, visit: &Visit, answer: &str) -> Result<Started, Refusal> {
    let address = shell::client_address().map(Subject::address);
    if let Some(address) = &address
        && let Admission::Wait(seconds) = state.throttle.admit(address).await?
    {
        return Err(Refusal::Throttled(seconds));
    }
    let proof = state.passkeys.prove(&visit.headers, answer).await?;
    // Whoever gave the password before has proven that, too.
    let half = state.second_factor.half(&visit.headers).await?;
    let half = half.filter(|half| half.user == *proof.user());
    let started = start(state, &visit.headers, proof, half).await?;
    if let Some(address) = &address {
        state.throttle.take_back(address).await?;
    }
    Ok(started)
}

/// Begins the session, if the passkey, and the password where one was given, are still good when it is written.
async fn start(
    state: &AppState,
    headers: &HeaderMap,
    proof: Proof,
    half: Option<Half>,
) -> Result<Started, Refusal> {
    let (now, user) = (state.now(), proof.user().clone());
    let before = half.as_ref().map(|half| half.amr.clone()).unwrap_or_default();
    let amr: Vec<&str> = before.iter().map(String::as_str).chain(proof.amr()).collect();
    let proven = Proven { amr: &amr, at: now };
    // What the transaction found, told past its answer, which is only yes or no.
    let (tell, told) = tokio::sync::oneshot::channel();
    let started =
        state.sessions.start_if(headers, &user, proven, shell::client_address(), move |t| {
            Box::pin(async move {
                if let Err(refusal) = proof.consume(t, now).await? {
                    let _ = tell.send(refusal);
                    return Ok(false);
                }
                match half {
                    Some(half) => half.consume(t, now).await,
                    None => Ok(true),
                }
            })
        });
    match started.await? {
        Some(started) => Ok(started),
        None => Err(told.await.unwrap_or(Refusal::Over)),
    }
}

/// Writes down why somebody was not let in; a count that went backwards for the owner as well.
async fn note(state: &AppState, visit: &Visit, refusal: &Refusal) {
    state.metrics.passkey(match refusal {
        Refusal::Throttled(_) => SignInOutcome::Throttled,
        _ => SignInOutcome::Refused,
    });
    match refusal {
        Refusal::Counter(user) => {
            tracing::warn!(user.id = %user, code = refusal.code(), "sign-in by passkey refused");
            let deed = Deed::of(What::PasskeyRefused, &visit.headers);
            activity::note(state, user, deed).await;
        }
        refusal => tracing::info!(code = refusal.code(), "sign-in by passkey refused"),
    }
}
