//! `/account`: what there is to look after.

use crate::{
    pages::{
        errors::Trouble,
        page::{Frame, show as page},
        visit::SignedIn,
        words,
    },
    people::own_client,
    state::AppState,
};
use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use oauth_core::model::ClientId;
use std::collections::BTreeSet;

#[derive(Template)]
#[template(path = "account/overview.html")]
struct Overview {
    frame: Frame,
    notice: Option<&'static str>,
    username: String,
    since: String,
    sessions: String,
    applications: String,
    is_admin: bool,
}

pub(super) async fn show(
    State(state): State<AppState>,
    visit: SignedIn,
) -> Result<Response, Trouble> {
    let user = visit.user();
    let sessions = state.sessions.count(&user.id).await?;
    let grants = &state.provider.env().grants;
    let held = grants.authorizations(&user.id, state.now()).await?;
    let mut applications: BTreeSet<ClientId> = held.into_iter().map(|a| a.client).collect();
    applications.remove(&own_client::id());
    applications.extend(grants.consents(&user.id).await?.into_iter().map(|c| c.client));
    let account = state.store.account(&user.id).await?;
    let overview = Overview {
        frame: Frame::of(&state, user, "account"),
        notice: words::notice(visit.query.get("done")),
        username: user.username.clone(),
        since: words::minute(visit.session.created_at),
        sessions: match sessions {
            0 | 1 => "You are signed in here alone.".into(),
            2 => "You are signed in here and in one other browser.".into(),
            n => format!("You are signed in here and in {} other browsers.", n - 1),
        },
        applications: match applications.len() {
            0 => "No application may act for you.".into(),
            1 => "One application may act for you.".into(),
            n => format!("{n} applications may act for you."),
        },
        is_admin: account.is_some_and(|account| account.is_admin),
    };
    Ok(page(StatusCode::OK, overview))
}
