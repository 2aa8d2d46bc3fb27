//! Signing out: at `/logout` by a button, so that no link or picture can do it, and at the end session endpoint,
//! where applications send people
//! ([RP-Initiated Logout](https://openid.net/specs/openid-connect-rpinitiated-1_0.html)).

use super::{
    asker::place,
    errors::Trouble,
    form::Form,
    page::{Frame, see_other, show as page, show_to, show_with_frames},
    visit::Visit,
    way::finish,
};
use crate::{
    front, maintenance,
    session::{Cookies, Session},
    state::AppState,
};
use askama::Template;
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::Response,
    routing::get,
};
use oauth_core::{
    authorize::Refused,
    endpoints::{Confirmed, LogoutRequest, LogoutStep},
    error::PortError,
    http::{ask_again_by_get, end_session_params},
    params::Params,
};
use std::time::Duration;

/// How long somebody who signs out waits for applications to be told.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the pages of applications have to load, in seconds.
const GO_ON_AFTER: u8 = 3;

#[derive(Template)]
#[template(path = "logout.html")]
struct Logout<'a> {
    frame: Frame,
    /// Who is signed in, as far as can be seen.
    user: Option<String>,
    /// The name of the application that asks.
    client: Option<&'a str>,
    /// Where the person goes on to, in words.
    back: Option<String>,
    /// What the application said, to be said again.
    fields: &'a [(&'static str, String)],
}

#[derive(Template)]
#[template(path = "logout_done.html")]
struct Done<'a> {
    frame: Frame,
    to: Option<&'a str>,
    back: Option<String>,
    /// Pages of applications, in which they sign the browser out themselves.
    pages: &'a [String],
}

/// The end session endpoint. Other sites lead and post here, so it must not be behind the check of where a request
/// comes from; what it does without a click it does for whoever has an id token of the session.
pub(super) fn routes(state: &AppState) -> Router<AppState> {
    let env = state.provider.env();
    if !env.policy.openid {
        return Router::new();
    }
    let path = format!("{}{}", env.issuer.path(), env.paths.end_session);
    Router::new().route(&path, get(end_session).post(end_session))
}

pub(super) async fn show(State(state): State<AppState>, visit: Visit) -> Response {
    match &visit.session {
        Some(session) => ask(&state, Some(session), None),
        None => see_other("/"),
    }
}

pub(super) async fn submit(
    State(state): State<AppState>,
    visit: Visit,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let login = visit.session.as_ref().map(|s| &s.login);
    match state.provider.end_session(&params, login, Confirmed::Yes).await {
        Ok(LogoutStep::Proceed(request) | LogoutStep::Confirm(request)) => {
            leave(&state, &visit.headers, Some(&request)).await
        }
        Err(e) => Ok(finish(&state, Err(Refused::Page(e)))),
    }
}

async fn end_session(State(state): State<AppState>, request: Request) -> Result<Response, Trouble> {
    let headers = request.headers().clone();
    let by_post = request.method() == Method::POST;
    let path = request.uri().path().to_owned();
    let session = state.sessions.current(&headers).await?;
    let params = match end_session_params(request).await {
        Ok(params) => params,
        Err(e) => return Ok(finish(&state, Err(Refused::Page(e)))),
    };
    if by_post && session.is_none() {
        if let Some(again) = ask_again_by_get(&path, &params) {
            return Ok(again);
        }
        return unseen(&state, &params).await;
    }
    let login = session.as_ref().map(|s| &s.login);
    match state.provider.end_session(&params, login, Confirmed::No).await {
        Ok(LogoutStep::Confirm(request)) => Ok(ask(&state, session.as_ref(), Some(&request))),
        Ok(LogoutStep::Proceed(request)) => leave(&state, &headers, Some(&request)).await,
        Err(e) => Ok(finish(&state, Err(Refused::Page(e)))),
    }
}

/// The page for a form from another site that is too long to come again as a GET: whether somebody is signed in is
/// seen when the button is pressed.
async fn unseen(state: &AppState, params: &Params) -> Result<Response, Trouble> {
    match state.provider.end_session(params, None, Confirmed::No).await {
        Ok(LogoutStep::Proceed(request) | LogoutStep::Confirm(request)) => {
            Ok(ask(state, None, Some(&request)))
        }
        Err(e) => Ok(finish(state, Err(Refused::Page(e)))),
    }
}

/// Ends the session of the browser, has applications told, and goes on to where the request wants to.
pub(super) async fn leave(
    state: &AppState,
    headers: &HeaderMap,
    request: Option<&LogoutRequest>,
) -> Result<Response, Trouble> {
    let to = request.and_then(LogoutRequest::return_to);
    let left = sign_out(state, headers).await?;
    let mut response = if left.pages.is_empty() {
        see_other(to.unwrap_or("/?done=signed_out"))
    } else {
        done(state, to, &left.pages)
    };
    left.cookies.put(response.headers_mut());
    for cookie in front::forget_tokens(state) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// What is left to do when a session has ended.
pub(crate) struct Left {
    /// Pages of applications, in which they sign the browser out themselves.
    pub(crate) pages: Vec<String>,
    /// What makes the browser forget the session.
    pub(crate) cookies: Cookies,
}

/// Ends the session of the browser and has applications told.
pub(crate) async fn sign_out(state: &AppState, headers: &HeaderMap) -> Result<Left, PortError> {
    let ended = state.sessions.end(headers).await?;
    let pages = state.provider.frontchannel_logouts(&ended.participants).await?;
    if let Some(participant) = ended.participants.first() {
        let applications = ended.participants.len();
        tracing::info!(user.id = %participant.user, applications, "user signed out of applications");
        tell(state).await;
    }
    Ok(Left { pages, cookies: ended.cookies })
}

/// Tells applications at once. Whoever does not answer soon is told while the person goes on.
async fn tell(state: &AppState) {
    let state = state.clone();
    let telling = tokio::spawn(async move { maintenance::tell_of_logouts(&state).await });
    if tokio::time::timeout(PATIENCE, telling).await.is_err() {
        tracing::debug!("not every application was told in time");
    }
}

fn ask(state: &AppState, session: Option<&Session>, request: Option<&LogoutRequest>) -> Response {
    let to = request.and_then(LogoutRequest::return_to);
    let question = Logout {
        frame: Frame::bare(state),
        user: session.map(|s| s.user.username.clone()),
        client: request.and_then(LogoutRequest::client).map(|c| c.name.as_str()),
        back: to.map(place),
        fields: request.map_or(&[], LogoutRequest::fields),
    };
    match to {
        Some(to) => show_to(StatusCode::OK, question, to, None),
        None => page(StatusCode::OK, question),
    }
}

/// The page in which applications sign the browser out, and which then goes on by itself.
///
/// A header has it go on, since nobody should have to read that in time: there is nothing to do here.
fn done(state: &AppState, to: Option<&str>, pages: &[String]) -> Response {
    let done = Done { frame: Frame::bare(state), to, back: to.map(place), pages };
    let mut response = show_with_frames(StatusCode::OK, done, pages);
    let refresh = to.and_then(|to| HeaderValue::from_str(&format!("{GO_ON_AFTER}; url={to}")).ok());
    if let Some(refresh) = refresh {
        response.headers_mut().insert(header::REFRESH, refresh);
    }
    response
}
