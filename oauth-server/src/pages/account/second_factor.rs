//! `/account/second-factor`: an app whose codes are asked for after the password, and codes for whoever loses it.
//!
//! Whoever sits at a browser that somebody left must not change any of it: it takes a recent sign-in, and, once there is
//! a second factor, a code of it.

use crate::{
    activity::{self, Deed, What},
    pages::{
        admin,
        errors::Trouble,
        form::{Form, Problems},
        page::{Frame, see_other, show as page},
        visit::SignedIn,
        words,
    },
    second_factor::{AMR_MFA, AMR_OTP, Attempt, Enrolment, Refusal, Status},
    session::Proven,
    shell,
    state::AppState,
};
use askama::Template;
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use oauth_core::model::UserId;

const PATH: &str = "/account/second-factor";
const WRONG: &str = "This code is wrong, or was used before.";
const DEMANDED: &str = "A second factor is demanded of you here, so it stays. Whoever runs this server can take it away.";

#[derive(Template)]
#[template(path = "account/second_factor.html")]
struct SecondFactorPage {
    frame: Frame,
    notice: Option<&'static str>,
    status: Status,
    /// Whether the operator demands one, so that it cannot be turned off.
    demanded: bool,
    /// What is begun and not confirmed.
    begun: Option<Enrolment>,
    problems: Problems,
}

#[derive(Template)]
#[template(path = "account/recovery_codes.html")]
struct CodesPage {
    frame: Frame,
    codes: Vec<String>,
}

pub(super) async fn show(
    State(state): State<AppState>,
    visit: SignedIn,
) -> Result<Response, Trouble> {
    recent(&state, &visit)?;
    form(&state, &visit, StatusCode::OK, Problems::default()).await
}

/// Makes a secret for an app.
pub(super) async fn begin(
    State(state): State<AppState>,
    visit: SignedIn,
    Form(_): Form,
) -> Result<Response, Trouble> {
    recent(&state, &visit)?;
    state.second_factor.begin(visit.user()).await?;
    Ok(see_other(PATH))
}

/// The secret as a picture, while it is not confirmed.
pub(super) async fn picture(
    State(state): State<AppState>,
    visit: SignedIn,
) -> Result<Response, Trouble> {
    recent(&state, &visit)?;
    let Some(begun) = state.second_factor.begun(visit.user()).await? else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, begun.picture).into_response())
}

/// Turns the second factor on with a first code of the app.
pub(super) async fn confirm(
    State(state): State<AppState>,
    visit: SignedIn,
    Form(params): Form,
) -> Result<Response, Trouble> {
    recent(&state, &visit)?;
    let user = visit.user().id.clone();
    let codes =
        match state.second_factor.confirm(&user, params.get("code").unwrap_or_default()).await? {
            Ok(codes) => codes,
            Err(Refusal::Wrong) => {
                let problems =
                    Problems::one("code", "This is not the code that the app shows now.");
                return form(&state, &visit, StatusCode::FORBIDDEN, problems).await;
            }
            Err(Refusal::Throttled(seconds)) => return throttled(&state, &visit, seconds).await,
        };
    tracing::info!(user.id = %user, "second factor set up");
    activity::note(&state, &user, Deed::of(What::SecondFactorAdded, &visit.headers)).await;
    // Whoever has just shown a code has a session that says so; others end, in case somebody else is in one.
    let amr: Vec<&str> = visit.session.login.amr.iter().map(String::as_str).collect();
    let amr = [amr.as_slice(), &[AMR_OTP, AMR_MFA]].concat();
    let proven = Proven { amr: &amr, at: state.now() };
    let (headers, address) = (&visit.headers, shell::client_address());
    let started = state
        .sessions
        .start_over(headers, &user, proven, address, |_| Box::pin(async { Ok(true) }))
        .await?;
    let mut response = codes_page(&state, &visit, codes);
    if let Some(started) = started {
        started.cookies.put(response.headers_mut());
    }
    Ok(response)
}

/// Makes new recovery codes, for whoever has a code.
pub(super) async fn renew(
    State(state): State<AppState>,
    visit: SignedIn,
    Form(params): Form,
) -> Result<Response, Trouble> {
    recent(&state, &visit)?;
    let user = visit.user().id.clone();
    match proven(&state, &user, params.get("code").unwrap_or_default()).await? {
        Proof::Given => {}
        Proof::Wrong => return wrong(&state, &visit).await,
        Proof::Throttled(seconds) => return throttled(&state, &visit, seconds).await,
    }
    match state.second_factor.renew_codes(&user).await? {
        Some(codes) => {
            tracing::info!(user.id = %user, "recovery codes renewed");
            let deed = Deed::of(What::RecoveryCodesRenewed, &visit.headers);
            activity::note(&state, &user, deed).await;
            Ok(codes_page(&state, &visit, codes))
        }
        None => Ok(see_other(PATH)),
    }
}

/// Turns the second factor off, for whoever has a code and need not have a second factor.
pub(super) async fn remove(
    State(state): State<AppState>,
    visit: SignedIn,
    Form(params): Form,
) -> Result<Response, Trouble> {
    recent(&state, &visit)?;
    let user = visit.user().id.clone();
    if state.second_factor.is_demanded(&user).await? {
        let problems = Problems::one("code", DEMANDED);
        return form(&state, &visit, StatusCode::FORBIDDEN, problems).await;
    }
    match proven(&state, &user, params.get("code").unwrap_or_default()).await? {
        Proof::Given => {}
        Proof::Wrong => return wrong(&state, &visit).await,
        Proof::Throttled(seconds) => return throttled(&state, &visit, seconds).await,
    }
    if state.second_factor.remove(&user).await? {
        tracing::info!(user.id = %user, "second factor removed");
        activity::note(&state, &user, Deed::of(What::SecondFactorRemoved, &visit.headers)).await;
    }
    Ok(see_other(&format!("{PATH}?done=second_factor_removed")))
}

/// Whether somebody has a code.
enum Proof {
    Given,
    Wrong,
    Throttled(u64),
}

/// Uses a code up.
async fn proven(state: &AppState, user: &UserId, typed: &str) -> Result<Proof, Trouble> {
    let candidate = match state.second_factor.attempt(user, typed).await? {
        Attempt::Candidate(candidate) => candidate,
        Attempt::Wrong => return Ok(Proof::Wrong),
        Attempt::Throttled(seconds) => return Ok(Proof::Throttled(seconds)),
    };
    let used = state.store.write(move |t| Box::pin(async move { candidate.consume(t).await }));
    if !used.await? {
        return Ok(Proof::Wrong);
    }
    state.second_factor.succeeded(user).await?;
    Ok(Proof::Given)
}

/// Sends whoever signed in long ago to do it again.
fn recent(state: &AppState, visit: &SignedIn) -> Result<(), Trouble> {
    if admin::is_recent(visit.session.login.at, state.now()) {
        Ok(())
    } else {
        Err(see_other("/login?to=second-factor").into())
    }
}

async fn wrong(state: &AppState, visit: &SignedIn) -> Result<Response, Trouble> {
    form(state, visit, StatusCode::FORBIDDEN, Problems::one("code", WRONG)).await
}

async fn throttled(state: &AppState, visit: &SignedIn, seconds: u64) -> Result<Response, Trouble> {
    let text = format!("There were too many attempts. Try again in {seconds} seconds.");
    let problems = Problems::one("code", text);
    let mut response = form(state, visit, StatusCode::TOO_MANY_REQUESTS, problems).await?;
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    Ok(response)
}

async fn form(
    state: &AppState,
    visit: &SignedIn,
    status: StatusCode,
    problems: Problems,
) -> Result<Response, Trouble> {
    let user = visit.user();
    let content = SecondFactorPage {
        frame: Frame::of(state, user, "second-factor"),
        notice: words::notice(visit.query.get("done")),
        status: state.second_factor.status(&user.id).await?,
        demanded: state.second_factor.is_demanded(&user.id).await?,
        begun: state.second_factor.begun(user).await?,
        problems,
    };
    Ok(page(status, content))
}

fn codes_page(state: &AppState, visit: &SignedIn, codes: Vec<String>) -> Response {
    let frame = Frame::of(state, visit.user(), "second-factor");
    page(StatusCode::OK, CodesPage { frame, codes })
}
