//! Clients that await approval.

use super::{Operator, Refusal, answer as json_answer};
use crate::{
    approval::{self, Answer, Pending},
    audit::{Entry, Kind},
    state::AppState,
};
use axum::{
    body::Bytes,
    extract::{Path, State},
    response::Response,
};
use oauth_core::model::{ClientId, Timestamp};
use serde::Deserialize;
use serde_json::json;

const MOST: u64 = 1000;

/// Those that ask, the oldest question first.
pub(super) async fn list(State(state): State<AppState>, _: Operator) -> Result<Response, Refusal> {
    let pending = approval::list(&state, MOST).await?;
    let described = |pending: &Pending| pending.described(|at| json!(at.unix()));
    Ok(json_answer(json!({ "registrations": pending.iter().map(described).collect::<Vec<_>>() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    answer: String,
    asked_at: i64,
}

/// Answers one of them.
pub(super) async fn answer(
    State(state): State<AppState>,
    operator: Operator,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let said: Said = serde_json::from_slice(&body).map_err(|_| {
        Refusal::Invalid(
            "the body must be {\"answer\": \"approve\" or \"refuse\", \"asked_at\": ..}",
        )
    })?;
    let (answer, kind) = match said.answer.as_str() {
        "approve" => (Answer::Approve, Kind::Approved),
        "refuse" => (Answer::Refuse, Kind::Disapproved),
        _ => return Err(Refusal::Invalid("answer is neither approve nor refuse")),
    };
    let id = ClientId::new(id);
    let Some(pending) = approval::find(&state, &id).await? else { return Err(Refusal::NotFound) };
    let entry = Entry::new(kind).client(&id).scope(&pending.client.scope.to_string());
    let entry = operator.sign(entry, "by a program");
    let asked_at = Timestamp::from_unix(said.asked_at);
    if !approval::answer(&state, &id, asked_at, answer).await? {
        return Err(Refusal::Conflict("somebody else has answered, or the client asks again"));
    }
    state.audit.write(entry).await?;
    tracing::info!(client.id = %id, answer = said.answer, "client's registration answered");
    Ok(json_answer(json!({ "client_id": id.as_str(), "answer": said.answer })))
}
