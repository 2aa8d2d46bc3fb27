//! `/select-account`: whether to go on as somebody who is signed in, or as somebody else.

use super::{
    asker::Asker,
    errors::{Explanation, Trouble},
    form::Form,
    page::{Frame, see_other, show_to},
    visit::Visit,
    way::Way,
};
use crate::state::AppState;
use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

#[derive(Template)]
#[template(path = "select_account.html")]
struct SelectAccount {
    frame: Frame,
    asker: Asker,
    interaction: String,
    user: String,
    since: String,
}

pub(super) async fn show(State(state): State<AppState>, visit: Visit) -> Result<Response, Trouble> {
    let way = Way::of(&state, &visit, &visit.query).await?;
    let (Some(asker), Some(interaction)) = (way.asker(&visit), way.interaction()) else {
        return Err(Explanation::bad_form(Some("the interaction is missing")).into());
    };
    let Some(session) = way.known(&state, &visit) else {
        return Ok(see_other(&format!("/login{}", way.query())));
    };
    let logo = asker.logo.clone();
    let page = SelectAccount {
        frame: Frame::bare(&state),
        asker,
        interaction: way.id(),
        user: session.user.username.clone(),
        since: super::words::minute(session.created_at),
    };
    Ok(show_to(StatusCode::OK, page, &interaction.pending.redirect_uri, logo.as_deref()))
}

pub(super) async fn submit(
    State(state): State<AppState>,
    visit: Visit,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let way = Way::of(&state, &visit, &params).await?;
    let missing = |what| Explanation::bad_form(Some(what));
    way.interaction().ok_or(missing("the interaction is missing"))?;
    let name = params.get("account").ok_or(missing("the account is missing"))?;
    Ok(way.go_on(&state, &visit, name).await)
}
