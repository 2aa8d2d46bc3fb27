//! The rights of people on APIs.

use super::{Operator, Refusal, answer, query};
use crate::{
    access_rights,
    administration::users::{beginning_with, set_right},
    audit::{Entry, Kind},
    state::AppState,
};
use axum::{
    body::Bytes,
    extract::{Path, RawQuery, State},
    response::Response,
};
use oauth_core::{
    model::{Access, AccessRight, UserId},
    ports::Users as _,
    seaorm::UserAccount,
};
use serde::Deserialize;
use serde_json::json;

/// How many people are listed at once.
const PAGE: u64 = 100;

/// People by the beginning of their names.
pub(super) async fn users(
    State(state): State<AppState>,
    _: Operator,
    RawQuery(raw): RawQuery,
) -> Result<Response, Refusal> {
    let params = query(raw)?;
    let beginning = params.get("begins").unwrap_or_default();
    let found = beginning_with(&state, beginning, params.get("after"), PAGE).await?;
    let line = |user: &UserAccount| {
        json!({
            "id": user.id.as_str(),
            "username": user.username,
            "is_admin": user.is_admin,
            "disabled": user.disabled,
        })
    };
    Ok(answer(json!({ "users": found.iter().map(line).collect::<Vec<_>>() })))
}

/// The rights of a person.
pub(super) async fn list(
    State(state): State<AppState>,
    _: Operator,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let user = account(&state, &id).await?;
    let rights = state.store.rights(&user.id).await?;
    Ok(answer(json!({
        "user_id": user.id.as_str(),
        "username": user.username,
        "rights": rights.iter().map(access_rights::described).collect::<Vec<_>>(),
    })))
}

/// What is to be set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    access: String,
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    write_paths: Vec<String>,
}

/// Sets how far a person may go with an API, in place of what was set before.
pub(super) async fn set(
    State(state): State<AppState>,
    operator: Operator,
    Path((id, api)): Path<(String, String)>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let wanted: Wanted = serde_json::from_slice(&body).map_err(|_| {
        Refusal::Invalid(
            "the body must be {\"access\": .., \"paths\": [..], \"write_paths\": [..]}",
        )
    })?;
    let access = Access::parse(&wanted.access)
        .ok_or(Refusal::Invalid("access is none of none, read and write"))?;
    if access != Access::Write && !wanted.write_paths.is_empty() {
        return Err(Refusal::Invalid("write_paths is for those who may write"));
    }
    let right = AccessRight {
        paths: wanted.paths,
        write_paths: wanted.write_paths,
        ..AccessRight::new(UserId::new(id), api, access)
    };
    change(&state, &operator, right).await
}

/// Takes the right of a person on an API back.
pub(super) async fn remove(
    State(state): State<AppState>,
    operator: Operator,
    Path((id, api)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    change(&state, &operator, AccessRight::new(UserId::new(id), api, Access::None)).await
}

async fn change(
    state: &AppState,
    operator: &Operator,
    right: AccessRight,
) -> Result<Response, Refusal> {
    let api = right.api.clone();
    let user = account(state, right.user.as_str()).await?;
    let rights = state.store.rights(&user.id).await?;
    let known = state.config.known_apis().iter().any(|known| known.name == api);
    if !known && rights.iter().all(|right| right.api != api) {
        return Err(Refusal::NotFound);
    }
    let others: Vec<_> = rights.into_iter().filter(|right| right.api != api).collect();
    let right = access_rights::check(right, &others).map_err(Refusal::Invalid)?;
    let entry = Entry::new(Kind::RightSet).scope(&api);
    let entry = operator.sign(entry, &format!("{}, for {}", access_rights::words(&right), user.id));
    state.audit.write(entry).await?;
    let answered = access_rights::described(&right);
    tracing::info!(user.id = %user.id, api = &*api, access = right.access.as_str(), "right set by a program");
    set_right(state, right).await?;
    Ok(answer(answered))
}

async fn account(state: &AppState, id: &str) -> Result<UserAccount, Refusal> {
    if id.chars().any(char::is_control) {
        return Err(Refusal::NotFound);
    }
    state.store.account(&UserId::new(id)).await?.ok_or(Refusal::NotFound)
}
