//! `/account/sessions`: the browsers in which one is signed in, and signing them out.

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
    session::Session,
    state::AppState,
};
use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

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
        since: words::minute(session.login.at),
        last_used: words::minute(session.last_seen_at),
    };
    let content = SessionsPage {
        frame: Frame::of(&state, visit.user(), "sessions"),
        notice: words::notice(visit.query.get("done")),
        sessions: sessions.into_iter().map(line).collect(),
        more,
    };
    Ok(page(StatusCode::OK, content))
}

pub(super) async fn end(
    State(state): State<AppState>,
    visit: SignedIn,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let id = params.get("session").ok_or(Explanation::bad_form(Some("the session is missing")))?;
    let user = &visit.user().id;
    if id == visit.session.id {
        return leave(&state, &visit.headers, None).await;
    }
    let ended = state.sessions.end_one_of(user, id).await?;
    if ended {
        activity::note(&state, user, Deed::of(What::SessionsEnded, &visit.headers)).await;
        tracing::info!(user.id = %user, "user ended a session");
    }
    Ok(see_other(if ended {
        "/account/sessions?done=ended"
    } else {
        "/account/sessions?done=over"
    }))
}

pub(super) async fn end_others(
    State(state): State<AppState>,
    visit: SignedIn,
) -> Result<Response, Trouble> {
    let ended = state.sessions.end_others_of(&visit.session).await?;
    let deed = Deed::of(What::SessionsEnded, &visit.headers);
    activity::note(&state, &visit.user().id, deed).await;
    tracing::info!(user.id = %visit.user().id, ended, "user ended all other sessions");
    Ok(see_other("/account/sessions?done=ended_others"))
}
