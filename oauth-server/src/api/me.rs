//! `/api/users/me`: one's own account.

use super::{Bearer, Json, Problem, answer, users::if_match};
use crate::{
    people::{Device, Edit, Need},
    state::AppState,
};
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(super) async fn show(
    State(state): State<AppState>,
    bearer: Bearer,
) -> Result<Response, Problem> {
    let caller = bearer.needs(Need::User)?;
    let person = state.people().person(&caller.subject).await?;
    Ok(answer::person(&person, person.whole()))
}

pub(super) async fn edit(
    State(state): State<AppState>,
    bearer: Bearer,
    headers: HeaderMap,
    Json(body): Json<Map<String, Value>>,
) -> Result<Response, Problem> {
    let caller = bearer.needs(Need::User)?;
    let (tag, edit) = (if_match(&headers)?, Edit::read(&body)?);
    let person = state.people().edit(&caller, &caller.subject, edit, &tag).await?;
    Ok(answer::person(&person, person.whole()))
}

/// Proof of who asks, for a caller who signed in some while ago.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Proof {
    password: Option<String>,
}

pub(super) async fn remove(
    State(state): State<AppState>,
    bearer: Bearer,
    Json(body): Json<Proof>,
) -> Result<Response, Problem> {
    let caller = bearer.needs(Need::User)?;
    let people = state.people();
    people.fresh(&caller, body.password.as_deref()).await?;
    people.delete(&caller.subject).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewEmail {
    email: String,
    password: Option<String>,
}

/// The answer is the same whether the address is somebody's or not.
pub(super) async fn change_email(
    State(state): State<AppState>,
    bearer: Bearer,
    Json(body): Json<NewEmail>,
) -> Result<Response, Problem> {
    let caller = bearer.needs(Need::User)?;
    let people = state.people();
    people.fresh(&caller, body.password.as_deref()).await?;
    people.change_email(&caller.subject, &body.email).await?;
    let text = "A letter is on its way to the address. It is yours once it is confirmed.";
    Ok(answer::json(StatusCode::ACCEPTED, &json!({"message": text})))
}

pub(super) async fn confirm_again(
    State(state): State<AppState>,
    bearer: Bearer,
) -> Result<Response, Problem> {
    let caller = bearer.needs(Need::User)?;
    state.people().confirm_again(&caller.subject).await?;
    Ok(StatusCode::ACCEPTED.into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPassword {
    current_password: String,
    new_password: String,
}

pub(super) async fn change_password(
    State(state): State<AppState>,
    bearer: Bearer,
    headers: HeaderMap,
    Json(body): Json<NewPassword>,
) -> Result<Response, Problem> {
    let caller = bearer.needs(Need::User)?;
    let (current, new) = (&body.current_password, &body.new_password);
    let people = state.people();
    let tokens = people.change_password(&caller, current, new, Device::of(&headers)).await?;
    Ok(answer::tokens(&tokens))
}

pub(super) async fn sessions(
    State(state): State<AppState>,
    bearer: Bearer,
) -> Result<Response, Problem> {
    let caller = bearer.needs(Need::User)?;
    let places = state.people().places(&caller).await?;
    Ok(answer::json(StatusCode::OK, &json!({"sessions": places})))
}

pub(super) async fn end(
    State(state): State<AppState>,
    bearer: Bearer,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let caller = bearer.needs(Need::User)?;
    state.people().end_place(&caller.subject, &id?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn end_others(
    State(state): State<AppState>,
    bearer: Bearer,
) -> Result<Response, Problem> {
    let caller = bearer.needs(Need::User)?;
    let ended = state.people().end_other_places(&caller).await?;
    Ok(answer::json(StatusCode::OK, &json!({"ended": ended})))
}
