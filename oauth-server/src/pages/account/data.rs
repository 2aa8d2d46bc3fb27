//! `/account/data`: downloading everything that is kept about oneself, and deleting it. Both need a recent sign-in.

use super::recent::Recent;
use crate::{
    activity::{self, Deed, What},
    pages::{
        errors::{Explanation, Trouble},
        form::{Form, Problems},
        page::{Frame, see_other, show as page},
    },
    personal_data::{self, Deletion},
    state::AppState,
};
use askama::Template;
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};

#[derive(Template)]
#[template(path = "account/data.html")]
struct DataPage {
    frame: Frame,
}

#[derive(Template)]
#[template(path = "account/delete.html")]
struct DeletePage {
    frame: Frame,
    username: String,
    clients: usize,
    problems: Problems,
}

pub(super) async fn show(State(state): State<AppState>, Recent(visit): Recent) -> Response {
    page(StatusCode::OK, DataPage { frame: Frame::of(&state, visit.user(), "data") })
}

/// Everything as a file.
pub(super) async fn export(
    State(state): State<AppState>,
    Recent(visit): Recent,
    Form(_): Form,
) -> Result<Response, Trouble> {
    let user = &visit.user().id;
    activity::note(&state, user, Deed::of(What::DataExported, &visit.headers)).await;
    let data = personal_data::export(&state, user).await?.ok_or(Explanation::not_found())?;
    tracing::info!(user.id = %user, "user downloaded everything that is kept about it");
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"account.json\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, format!("{data:#}")).into_response())
}

pub(super) async fn ask(
    State(state): State<AppState>,
    recent: Recent,
) -> Result<Response, Trouble> {
    form(&state, &recent, StatusCode::OK, Problems::default()).await
}

/// Deletes the account, if its name was typed.
pub(super) async fn delete(
    State(state): State<AppState>,
    recent: Recent,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let visit = &recent.0;
    let typed = params.get("username").unwrap_or_default().trim();
    if typed != visit.user().username {
        let problems = Problems::one("username", "Type your user name, exactly as it is.");
        return form(&state, &recent, StatusCode::UNPROCESSABLE_ENTITY, problems).await;
    }
    match personal_data::delete(&state, &visit.user().id).await? {
        Deletion::LastAdministrator => {
            let text = "You are the last administrator: make somebody else one first.";
            let problems = Problems::one("username", text);
            form(&state, &recent, StatusCode::CONFLICT, problems).await
        }
        Deletion::Done | Deletion::Unknown => {
            // What is left is the cookie.
            let ended = state.sessions.end(&visit.headers).await?;
            let mut response = see_other("/?done=account_deleted");
            ended.cookies.put(response.headers_mut());
            Ok(response)
        }
    }
}

async fn form(
    state: &AppState,
    Recent(visit): &Recent,
    status: StatusCode,
    problems: Problems,
) -> Result<Response, Trouble> {
    let clients = state.provider.env().clients.clients_of(&visit.user().id).await?.len();
    let content = DeletePage {
        frame: Frame::of(state, visit.user(), "data"),
        username: visit.user().username.clone(),
        clients,
        problems,
    };
    Ok(page(status, content))
}
