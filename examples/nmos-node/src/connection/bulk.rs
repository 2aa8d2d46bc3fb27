//! Many changes in one request.

use super::{Connected, Connections, Sent, id::is_id, json_of, transport::Kind};
use crate::answer::{NmosError, ok};
use axum::{
    extract::{Path, State},
    response::Response,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// More connections than one bulk request makes.
const MOST: usize = 1_000;

/// One change of many. What is wrong with its params is its own matter; anything else is a fault of the request.
struct Item<'a> {
    id: &'a str,
    params: &'a Value,
}

impl<'a> Item<'a> {
    fn read(item: &'a Value) -> Result<Self, NmosError> {
        const BAD: NmosError =
            NmosError::bad("an item has params, an id that is a UUID, and nothing else");
        let fields = item.as_object().filter(|fields| fields.len() == 2).ok_or(BAD)?;
        let id = fields.get("id").and_then(Value::as_str).filter(|id| is_id(id)).ok_or(BAD)?;
        Ok(Self { id, params: fields.get("params").ok_or(BAD)? })
    }

    /// Does it, and says how it went, as if it had been asked alone.
    fn outcome(&self, connections: &Arc<Connections>, kind: &str) -> Value {
        match connections.patch(kind, self.id, self.params) {
            Ok(applied) => json!({"id": self.id, "code": applied.status.as_u16()}),
            Err(problem) => {
                let code = problem.status.as_u16();
                json!({"id": self.id, "code": code, "error": problem.error, "debug": null})
            }
        }
    }
}

/// Nothing is done unless every item is well formed.
pub(super) async fn bulk(
    State(connections): Connected,
    Path(kind): Path<String>,
    body: Sent,
) -> Result<Response, NmosError> {
    Kind::parse(&kind).ok_or(NmosError::NOT_FOUND)?;
    let body = json_of(body)?;
    let items = read(&body)?;
    let outcomes: Vec<Value> = items.iter().map(|item| item.outcome(&connections, &kind)).collect();
    Ok(ok(&json!(outcomes)))
}

fn read(body: &Value) -> Result<Vec<Item<'_>>, NmosError> {
    let items = body.as_array().ok_or(NmosError::bad("the body must be a list"))?;
    if items.len() > MOST {
        return Err(NmosError::bad("these are too many at once"));
    }
    items.iter().map(Item::read).collect()
}
