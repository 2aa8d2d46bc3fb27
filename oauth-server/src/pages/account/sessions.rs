//! `/account/sessions`: the browsers and programs in which one is signed in, and signing them out.

use super::browser;
use crate::{
    activity::{self, Deed, What},
    pages::{
        errors::{Explanation, Trouble},
        form::Form,
        logout::leave,
        page::{Frame, see_other, show as page},
        visit::SignedIn,
        words,
    },
    people::{Error, Place},
    session::Session,
    state::AppState,
};
use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use oauth_core::model::{Timestamp, UserId};
use std::cmp::Reverse;

/// More than this nobody reads; the button for all others reaches the rest.
const MOST: usize = 50;

#[derive(Template)]
#[template(path = "account/sessions.html")]
struct SessionsPage {
    frame: Frame,
    notice: Option<&'static str>,
    sessions: Vec<Line>,
    /// How many there are beyond those that are shown.
    more: u64,
    /// Programs that hold tokens of the user service.
    programs: Vec<Line>,
}

struct Line {
    id: String,
    browser: String,
    address: Option<String>,
    since: String,
    last_used: String,
    /// Whether it is the one that asks.
    here: bool,
}

pub(super) async fn show(
    State(state): State<AppState>,
    visit: SignedIn,
) -> Result<Response, Trouble> {
    let mut sessions = state.sessions.list(visit.user()).await?;
    let more = state.sessions.count(&visit.user().id).await?.saturating_sub(MOST as u64);
    // One's own comes first, also where it is not among those that were used last.
    if sessions.iter().all(|session| session.id != visit.session.id) {
        sessions.push(visit.session.clone());
    }
    sessions.sort_by_key(|session| session.id != visit.session.id);
    sessions.truncate(MOST);
    let line = |session: Session| Line {
        here: session.id == visit.session.id,
        id: session.id,
        browser: browser::name(session.user_agent.as_deref()),
        address: session.address,
        since: words::minute(session.created_at),
        last_used: words::minute(session.last_seen_at),
    };
    let content = SessionsPage {
        programs: programs(&state, &visit).await?,
        frame: Frame::of(&state, visit.user(), "sessions"),
        notice: words::notice(visit.query.get("done")),
        sessions: sessions.into_iter().map(line).collect(),
        more,
    };
    Ok(page(StatusCode::OK, content))
}

/// The programs, the last used first.
async fn programs(state: &AppState, visit: &SignedIn) -> Result<Vec<Line>, Trouble> {
    let mut places = state.people().programs(&visit.user().id, None).await?;
    places.sort_by_key(|place| Reverse(place.last_used_at));
    places.truncate(MOST);
    let minute = |at| words::minute(Timestamp::from_unix(at));
    let line = |place: Place| Line {
        here: false,
        browser: browser::name(place.user_agent.as_deref()),
        address: place.address,
        since: minute(place.created_at),
        last_used: minute(place.last_used_at),
        id: place.id,
    };
    Ok(places.into_iter().map(line).collect())
}

/// Ends what a program may do; false when it was over.
async fn end_program(state: &AppState, user: &UserId, id: &str) -> Result<bool, Trouble> {
    match state.people().end_place(user, id).await {
        Ok(()) => Ok(true),
        Err(Error::Refused(_)) => Ok(false),
        Err(Error::Failed(e)) => Err(e.into()),
    }
}

pub(super) async fn end(
    State(state): State<AppState>,
    visit: SignedIn,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let user = &visit.user().id;
    let missing = Explanation::bad_form(Some("the session is missing"));
    let ended = match (params.get("session"), params.get("program")) {
        (Some(id), _) if id == visit.session.id => {
            return leave(&state, &visit.headers, None).await;
        }
        (Some(id), _) => state.sessions.end_one_of(user, id).await?,
        (None, Some(id)) => end_program(&state, user, id).await?,
        (None, None) => return Err(missing.into()),
    };
    if ended {
        activity::note(&state, user, Deed::of(What::SessionsEnded, &visit.headers)).await;
        tracing::info!(user.id = %user, "user ended a session");
    }
    let done = match (params.get("session").is_some(), ended) {
        (true, true) => "ended",
        (true, false) => "over",
        (false, true) => "program_ended",
        (false, false) => "program_over",
    };
    Ok(see_other(&format!("/account/sessions?done={done}")))
}

pub(super) async fn end_others(
    State(state): State<AppState>,
    visit: SignedIn,
) -> Result<Response, Trouble> {
    let user = &visit.user().id;
    let programs = state.people().end_programs(user, None).await?;
    let ended = programs + state.sessions.end_others_of(&visit.session).await?;
    let deed = Deed::of(What::SessionsEnded, &visit.headers);
    activity::note(&state, user, deed).await;
    tracing::info!(user.id = %user, ended, "user ended all other sessions");
    Ok(see_other("/account/sessions?done=ended_others"))
}
