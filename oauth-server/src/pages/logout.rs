//! `/logout`: signing out, by a button, so that no link or picture can do it.

use super::{
    errors::Trouble,
    page::{Frame, see_other, show as page},
    visit::Visit,
};
use crate::state::AppState;
use askama::Template;
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::Response,
};

#[derive(Template)]
#[template(path = "logout.html")]
struct Logout {
    frame: Frame,
    user: String,
}

pub(super) async fn show(State(state): State<AppState>, visit: Visit) -> Response {
    let Some(session) = visit.session else { return see_other("/") };
    let frame = Frame::bare(&state);
    page(StatusCode::OK, Logout { frame, user: session.user.username })
}

pub(super) async fn submit(
    State(state): State<AppState>,
    visit: Visit,
) -> Result<Response, Trouble> {
    let forget = state.sessions.end(&visit.headers).await?;
    let mut response = see_other("/?done=signed_out");
    response.headers_mut().append(header::SET_COOKIE, forget);
    Ok(response)
}
