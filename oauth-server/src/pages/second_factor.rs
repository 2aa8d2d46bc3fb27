//! `/login/second-factor`: what is asked for after a first factor, of whoever has a second one.

mod set_up;

use super::{
    asker::Asker,
    errors::Trouble,
    form::{Form, Problems},
    page::{Frame, see_other, show as page, show_to, with_script},
    visit::Visit,
    way::Way,
};
use crate::{
    activity::{self, Deed, What},
    second_factor::{AMR_MFA, AMR_OTP, Attempt, Candidate, Demand, FirstFactor, Half},
    session::{Proven, Started},
    shell,
    state::AppState,
};
use askama::Template;
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
    routing::get,
};
use oauth_core::{error::PortError, model::UserId};

/// The path of the page.
const PATH: &str = "/login/second-factor";

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route(PATH, get(show).post(submit))
        .route(set_up::PATH, get(set_up::show).post(set_up::submit))
        .route(set_up::PICTURE, get(set_up::picture))
}

#[derive(Template)]
#[template(path = "second_factor.html")]
struct SecondFactorPage {
    frame: Frame,
    asker: Option<Asker>,
    interaction: String,
    to: String,
    query: String,
    /// Whether a code will do, and not a passkey alone.
    code: bool,
    problems: Problems,
}

/// Goes on after a first factor: with a session, with the question for the second one where there is one, or with setting
/// one up where there has to be one. `None` when the first factor is worth nothing by now, since its user was locked out or
/// has another password. Every way of signing in on a page ends here.
pub(super) async fn after(
    state: &AppState,
    visit: &Visit,
    way: Way,
    first: FirstFactor,
) -> Result<Option<Response>, Trouble> {
    let next = match state.second_factor.demand(&first.user).await? {
        Demand::Nothing => None,
        Demand::Prove | Demand::ProvePasskey => Some(PATH),
        Demand::SetUp => Some(set_up::PATH),
    };
    if let Some(path) = next {
        let query = way.query();
        let cookie = state.second_factor.suspend(first).await?;
        let mut response = see_other(&format!("{path}{query}"));
        response.headers_mut().append(header::SET_COOKIE, cookie);
        return Ok(Some(response));
    }
    let FirstFactor { user, amr, at, password } = first;
    let amr: Vec<&str> = amr.iter().map(String::as_str).collect();
    let proven = Proven { amr: &amr, at };
    let (address, id) = (shell::client_address(), user.clone());
    let started = state.sessions.start_if(&visit.headers, &user, proven, address, move |t| {
        Box::pin(async move {
            match password {
                Some(stored) => stored.is_current(t, &id).await,
                None => Ok(true),
            }
        })
    });
    let Some(started) = started.await? else { return Ok(None) };
    Ok(Some(way.begin(state, visit, started).await))
}

pub(super) async fn show(State(state): State<AppState>, visit: Visit) -> Result<Response, Trouble> {
    let way = Way::of(&state, &visit, &visit.query).await?;
    let Some(half) = state.second_factor.half(&visit.headers).await? else {
        return Ok(start_again(&way));
    };
    let demand = state.second_factor.demand(&half.user).await?;
    if demand == Demand::SetUp {
        return Ok(see_other(&format!("{}{}", set_up::PATH, way.query())));
    }
    Ok(form(&state, (&visit, &way), demand, StatusCode::OK, Problems::default()))
}

pub(super) async fn submit(
    State(state): State<AppState>,
    visit: Visit,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let way = Way::of(&state, &visit, &params).await?;
    let Some(half) = state.second_factor.half(&visit.headers).await? else {
        return Ok(start_again(&way));
    };
    let demand = state.second_factor.demand(&half.user).await?;
    let again = |status, text: String| form(&state, (&visit, &way), demand, status, problem(text));
    let typed = params.get("code").unwrap_or_default();
    if typed.trim().is_empty() {
        return Ok(again(StatusCode::UNPROCESSABLE_ENTITY, "Type the code.".into()));
    }
    let user = half.user.clone();
    let candidate = match state.second_factor.attempt(&user, typed).await? {
        Attempt::Candidate(candidate) => candidate,
        Attempt::Wrong => {
            refused(&state, &visit, &user).await;
            return Ok(again(StatusCode::FORBIDDEN, WRONG.into()));
        }
        Attempt::Throttled(seconds) => {
            return Ok(throttled(again, seconds));
        }
    };
    let is_recovery = candidate.is_recovery();
    match begin(&state, &visit.headers, half, candidate).await? {
        Outcome::Started(started) => {
            state.second_factor.succeeded(&user).await?;
            tracing::info!(user.id = %user, recovery_code = is_recovery, "second factor accepted");
            if is_recovery {
                let deed = Deed::of(What::RecoveryCodeUsed, &visit.headers);
                activity::note(&state, &user, deed).await;
            }
            let mut response = way.begin(&state, &visit, *started).await;
            response.headers_mut().append(header::SET_COOKIE, state.second_factor.forget());
            Ok(response)
        }
        Outcome::WrongCode => {
            refused(&state, &visit, &user).await;
            Ok(again(StatusCode::FORBIDDEN, WRONG.into()))
        }
        Outcome::Over => Ok(start_again(&way)),
    }
}

/// Back to the first factor, on the same way: there is none that is good.
fn start_again(way: &Way) -> Response {
    see_other(&format!("/login{}", way.query()))
}

const WRONG: &str = "This code is wrong, or was used before.";

/// Somebody has the password, and not the second factor: its owner wants to know.
async fn refused(state: &AppState, visit: &Visit, user: &UserId) {
    tracing::info!(user.id = %user, "second factor refused");
    activity::note(state, user, Deed::of(What::SecondFactorRefused, &visit.headers)).await;
}

/// What came of both factors together.
enum Outcome {
    Started(Box<Started>),
    WrongCode,
    /// The first factor is no longer good.
    Over,
}

/// Begins a session, if both the code and the half sign-in are still good when it is written; each is used up once.
async fn begin(
    state: &AppState,
    headers: &HeaderMap,
    half: Half,
    candidate: Candidate,
) -> Result<Outcome, PortError> {
    let now = state.now();
    let user = half.user.clone();
    let mut amr = half.amr.clone();
    amr.extend([AMR_OTP.to_owned(), AMR_MFA.to_owned()]);
    let amr: Vec<&str> = amr.iter().map(String::as_str).collect();
    // Whoever shows a code is there now, however long ago the first factor was.
    let proven = Proven { amr: &amr, at: now };
    // What the transaction found, told past its answer, which is only yes or no.
    let (tell, told) = tokio::sync::oneshot::channel();
    let started =
        state.sessions.start_if(headers, &user, proven, shell::client_address(), move |t| {
            Box::pin(async move {
                if !candidate.consume(t).await? {
                    let _ = tell.send(Outcome::WrongCode);
                    return Ok(false);
                }
                half.consume(t, now).await
            })
        });
    Ok(match started.await? {
        Some(started) => Outcome::Started(Box::new(started)),
        None => told.await.unwrap_or(Outcome::Over),
    })
}

fn problem(text: String) -> Problems {
    Problems::one("code", text)
}

fn throttled(again: impl FnOnce(StatusCode, String) -> Response, seconds: u64) -> Response {
    let text = format!("There were too many attempts. Try again in {seconds} seconds.");
    let mut response = again(StatusCode::TOO_MANY_REQUESTS, text);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// The page.
pub(super) fn form(
    state: &AppState,
    (visit, way): (&Visit, &Way),
    demand: Demand,
    status: StatusCode,
    problems: Problems,
) -> Response {
    let asker = way.asker(visit);
    let logo = asker.as_ref().and_then(|a| a.logo.clone());
    let content = SecondFactorPage {
        frame: Frame::bare(state).for_passkeys(state),
        asker,
        interaction: way.id(),
        to: way.to(),
        query: way.query(),
        code: demand != Demand::ProvePasskey,
        problems,
    };
    let response = match way.interaction() {
        Some(i) => show_to(status, content, &i.pending.redirect_uri, logo.as_deref()),
        None => page(status, content),
    };
    with_script(state, response)
}
