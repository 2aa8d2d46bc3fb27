//! `/admin/pending`: clients that registered themselves and await approval.

use super::{
    Admin, Recent,
    confirm::{self, Question},
};
use crate::{
    approval::{self, Answer},
    audit::{Entry, Kind},
    pages::{
        errors::{Explanation, Trouble},
        form::Form,
        page::{Frame, see_other, show as page},
        words::{grants, minute},
    },
    state::AppState,
};
use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use oauth_core::{
    model::{ClientId, Timestamp},
    params::Params,
};

/// More than this nobody reads at once.
const MOST: u64 = 100;

#[derive(Template)]
#[template(path = "admin/pending.html")]
struct PendingPage {
    frame: Frame,
    notice: Option<&'static str>,
    clients: Vec<Line>,
    /// How many there are beyond those that are shown.
    more: u64,
}

struct Line {
    id: String,
    name: String,
    uri: Option<String>,
    /// What else people see of it, each with its title.
    texts: Vec<(String, String)>,
    redirect_uris: Vec<String>,
    scope: String,
    grants: String,
    method: &'static str,
    address: Option<String>,
    asked: String,
    expires: String,
    /// The question that is shown.
    asked_at: i64,
    /// Whether it would act for itself, without any person.
    for_itself: bool,
}

pub(super) async fn show(State(state): State<AppState>, admin: Admin) -> Result<Response, Trouble> {
    let pending = approval::list(&state, MOST).await?;
    let all = approval::count(&state.store, state.now()).await?;
    let line = |pending: approval::Pending| {
        let client = pending.client;
        Line {
            id: client.id.to_string(),
            uri: client.uri,
            texts: client.metadata.texts.into_iter().map(titled).collect(),
            redirect_uris: client.redirect_uris.iter().map(ToString::to_string).collect(),
            scope: client.scope.to_string(),
            grants: grants(&client.grant_types),
            method: client.auth.method(),
            address: pending.address,
            asked: minute(pending.asked_at),
            expires: minute(pending.expires_at),
            asked_at: pending.asked_at.unix(),
            for_itself: client.grant_types.contains("client_credentials"),
            name: client.name,
        }
    };
    let content = PendingPage {
        frame: admin.frame(&state, "admin-pending"),
        notice: admin.notice(),
        clients: pending.into_iter().map(line).collect(),
        more: all.saturating_sub(MOST),
    };
    Ok(page(StatusCode::OK, content))
}

/// A text of a client with its title in the place of its name: `client_name#de` is the name for those who read German.
fn titled((full_name, text): (String, String)) -> (String, String) {
    let (name, language) = full_name.split_once('#').unwrap_or((full_name.as_str(), ""));
    let title = match name {
        "client_name" => "Name",
        "client_uri" => "Says it is at",
        "logo_uri" => "Logo",
        "policy_uri" => "Privacy policy",
        "tos_uri" => "Terms of service",
        other => other,
    };
    let language = if language.is_empty() { String::new() } else { format!(" ({language})") };
    (format!("{title}{language}"), text)
}

/// The client and the question that are meant.
fn meant(params: &Params) -> Result<(ClientId, Timestamp), Trouble> {
    let missing = |what| Explanation::bad_form(Some(what));
    let id = params.get("client_id").ok_or(missing("client_id is missing"))?;
    let asked_at = params.get("asked_at").and_then(|text| text.parse().ok());
    let asked_at = asked_at.ok_or(missing("asked_at is missing"))?;
    Ok((ClientId::new(id), Timestamp::from_unix(asked_at)))
}

pub(super) async fn approve(
    State(state): State<AppState>,
    admin: Recent,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let (id, asked_at) = meant(&params)?;
    answer(&state, &admin, (&id, asked_at), Answer::Approve).await
}

pub(super) async fn ask_refuse(
    State(state): State<AppState>,
    admin: Recent,
) -> Result<Response, Trouble> {
    let (id, asked_at) = meant(&admin.0.query)?;
    let pending = approval::find(&state, &id).await?.ok_or(Explanation::not_found())?;
    let question = Question {
        here: "admin-pending",
        title: format!("Refuse {}?", pending.client.name),
        text: "It is removed. The program that asks is not told, and may ask again.",
        about: id.to_string(),
        action: "/admin/pending/refuse".into(),
        field: Some(("client_id", format!("{} {}", asked_at.unix(), id))),
        back: "/admin/pending".into(),
        button: "Refuse",
    };
    Ok(question.page(&state, &admin))
}

pub(super) async fn refuse(
    State(state): State<AppState>,
    admin: Recent,
    Form(params): Form,
) -> Result<Response, Trouble> {
    // Both in one field, for the question has one.
    let both = params.get("client_id").and_then(|text| text.split_once(' '));
    let meant = both.and_then(|(at, id)| Some((ClientId::new(id), at.parse().ok()?)));
    let (id, asked_at) = meant.ok_or(Explanation::bad_form(Some("client_id is malformed")))?;
    match confirm::Answer::of(&state, &params).await? {
        confirm::Answer::NotAsked => Ok(see_other("/admin/pending")),
        confirm::Answer::Again => Ok(see_other("/admin/pending?done=already")),
        confirm::Answer::Yes => {
            answer(&state, &admin, (&id, Timestamp::from_unix(asked_at)), Answer::Refuse).await
        }
    }
}

async fn answer(
    state: &AppState,
    admin: &Recent,
    (id, asked_at): (&ClientId, Timestamp),
    answer: Answer,
) -> Result<Response, Trouble> {
    let Some(pending) = approval::find(state, id).await? else {
        return Ok(see_other("/admin/pending?done=answered"));
    };
    if !approval::answer(state, id, asked_at, answer).await? {
        return Ok(see_other("/admin/pending?done=answered"));
    }
    let (kind, what, done) = match answer {
        Answer::Approve => (Kind::Approved, "client approved", "approved"),
        Answer::Refuse => (Kind::Disapproved, "client refused", "refused"),
    };
    let entry = Entry::new(kind).client(id).user(&admin.0.user().id);
    state.audit.write(entry.scope(&pending.client.scope.to_string())).await?;
    admin.record(what, id.as_str());
    Ok(see_other(&format!("/admin/pending?done={done}")))
}
