//! `/api/users`: finding users, and looking after them.

use super::{Bearer, Json, Problem, answer};
use crate::{
    people::{Edit, Need, Refusal, Search},
    state::AppState,
};
use axum::{
    extract::{Path, RawQuery, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use oauth_core::{model::UserId, params::Params};
use serde_json::{Map, Value, json};

/// Users in one answer where nobody says how many.
const USUAL: usize = 20;

pub(super) async fn list(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let found = state.people().list(&search(query.as_deref())?, &caller).await?;
    let mut body = json!({"users": found.users});
    if let Some(next) = found.next {
        answer::add(&mut body, "next", &next);
    }
    Ok(answer::json(StatusCode::OK, &body))
}

fn search(query: Option<&str>) -> Result<Search, Problem> {
    let params = Params::parse(query.unwrap_or_default().as_bytes());
    let params = params.map_err(|_| Problem::malformed())?;
    if params.iter().any(|(name, _)| !["q", "after", "limit"].contains(&name)) {
        return Err(Problem::malformed());
    }
    let limit = params.get("limit").map_or(Ok(USUAL), str::parse).ok();
    let limit = limit.filter(|limit| (1..=crate::people::MOST).contains(limit));
    Ok(Search {
        text: params.get("q").map(str::to_owned),
        after: params.get("after").map(str::to_owned),
        limit: limit.ok_or_else(Problem::malformed)?,
    })
}

pub(super) async fn show(
    State(state): State<AppState>,
    Bearer(caller): Bearer,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(id) = id?;
    let (person, view) = state.people().seen(&UserId::new(id), &caller).await?;
    if Need::Staff.is_met_by(caller.role) || person.is(&caller.subject) {
        return Ok(answer::person(&person, view));
    }
    Ok(answer::json(StatusCode::OK, &Value::Object(view)))
}

pub(super) async fn edit(
    State(state): State<AppState>,
    bearer: Bearer,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    Json(body): Json<Map<String, Value>>,
) -> Result<Response, Problem> {
    let caller = bearer.needs(Need::User)?;
    let Path(id) = id?;
    let (tag, edit) = (if_match(&headers)?, Edit::read(&body)?);
    let person = state.people().edit(&caller, &UserId::new(id), edit, &tag).await?;
    let view = person.seen_by(&caller).unwrap_or_default();
    Ok(answer::person(&person, view))
}

pub(super) async fn remove(
    State(state): State<AppState>,
    bearer: Bearer,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let caller = bearer.needs(Need::Admin)?;
    let id = UserId::new(id?.0);
    if id == caller.subject {
        return Err(Refusal::Conflict("own_account").into());
    }
    let people = state.people();
    people.fresh(&caller, None).await?;
    people.delete(&id).await?;
    tracing::info!(user.id = %id, by = %caller.subject, "user deleted by an administrator");
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The tag that a change is meant for, without its quotes ([RFC 9110 13.1.1](https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1)).
pub(super) fn if_match(headers: &HeaderMap) -> Result<String, Refusal> {
    let value = headers.get(header::IF_MATCH).ok_or(Refusal::PreconditionMissing)?;
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(text.to_owned());
    }
    let tag = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    // Weak tags and lists never match one version exactly.
    Ok(tag.filter(|tag| !tag.contains('"') && *tag != "*").unwrap_or_default().to_owned())
}
