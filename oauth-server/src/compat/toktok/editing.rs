//! `/api/usr/edit/{usr_id}`: changing and deleting a user. The original wrote any field that was named; here a name leads to
//! the typed change that [`people`](crate::people) has for it, or nowhere, and who may make it is decided there.

use super::{
    answers::{self, FIELDS, SHARED},
    body::Body,
    caller,
    refusal::No,
};
use crate::{
    people::{Complaint, Edit, Error, Refusal},
    state::AppState,
};
use axum::{
    extract::{Path, State, rejection::PathRejection},
    response::Response,
};
use http::HeaderMap;
use oauth_core::model::UserId;
use serde_json::{Map, Value, json};

type Entry = Map<String, Value>;

pub(super) async fn edit(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    Body(entries): Body<Vec<Entry>>,
) -> Result<Response, No> {
    let id = UserId::new(id?.0);
    let caller = caller::own_or_admin(&state, &headers, &id).await?;
    let edit = Edit::read(&wanted(entries)?).map_err(|refusal| in_their_words(refusal.into()))?;
    // There is no version in these requests; the last writer wins, field by field.
    let person = state.people().edit(&caller, &id, edit, "*").await.map_err(in_their_words)?;
    let view = person.seen_by(&caller).unwrap_or_default();
    Ok(answers::ok(&json!({
        "msg": "the user is changed",
        "data": answers::user(&view, &state.config),
        "query": answers::query(&caller, Some(id.as_str())),
    })))
}

/// Deletes a user, for itself or for an administrator, who signed in a short while ago.
pub(super) async fn remove(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, No> {
    let id = UserId::new(id?.0);
    let caller = caller::own_or_admin(&state, &headers, &id).await?;
    let people = state.people();
    people.fresh(&caller, None).await?;
    people.delete(&id).await?;
    tracing::info!(user.id = %id, by = %caller.subject, "user deleted");
    Ok(answers::ok(&json!({
        "msg": "the user is deleted",
        "query": answers::query(&caller, Some(id.as_str())),
    })))
}

/// A refusal with the names that were sent.
fn in_their_words(mut error: Error) -> No {
    if let Error::Refused(Refusal::Invalid(errors) | Refusal::FieldsNotAllowed(errors)) = &mut error
    {
        for error in errors {
            error.field = answers::their_field(&error.field).to_owned();
        }
    }
    error.into()
}

/// The change in the words of this server.
fn wanted(entries: Vec<Entry>) -> Result<Map<String, Value>, No> {
    let (mut edit, mut unknown) = (Map::new(), Vec::new());
    for mut entry in entries {
        let (Some(Value::String(field)), Some(value)) =
            (entry.remove("field_to_update"), entry.remove("field_value"))
        else {
            return Err(No::INPUT);
        };
        let is_list = entry.get("add_to_list").is_some_and(is_set);
        if is_list || !known(&field) {
            let text = "There is no such field that could be written.".into();
            unknown.push(Complaint { field, text });
        } else if !put(&mut edit, &field, value) {
            let text = "This field is there twice.".into();
            return Err(No::INPUT.about(vec![Complaint { field, text }]));
        }
    }
    if unknown.is_empty() { Ok(edit) } else { Err(No::UNKNOWN_FIELD.about(unknown)) }
}

/// Whether a flag is set: users have no lists that something could be added to.
fn is_set(flag: &Value) -> bool {
    !matches!(flag, Value::Null | Value::Bool(false))
}

fn known(field: &str) -> bool {
    field == "profile.usr_view" || FIELDS.iter().any(|(theirs, _)| *theirs == field)
}

/// Adds one field; not if it is there.
fn put(edit: &mut Map<String, Value>, field: &str, value: Value) -> bool {
    if field == "profile.usr_view" {
        let levels = SHARED.iter().map(|part| ((*part).to_owned(), value.clone())).collect();
        return edit.insert("visibility".into(), Value::Object(levels)).is_none();
    }
    let Some((_, ours)) = FIELDS.iter().find(|(theirs, _)| *theirs == field) else { return false };
    let value = match (*ours, value) {
        ("role", Value::String(word)) => answers::our_role(&word).into(),
        (_, value) => value,
    };
    match ours.strip_prefix("profile.") {
        Some(claim) => {
            let profile = edit.entry("profile").or_insert_with(|| Value::Object(Map::new()));
            let profile = profile.as_object_mut();
            profile.is_some_and(|profile| profile.insert(claim.to_owned(), value).is_none())
        }
        None => edit.insert((*ours).to_owned(), value).is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: Value) -> Result<Value, No> {
        wanted(serde_json::from_value(json).unwrap()).map(Value::Object)
    }

    #[test]
    fn s2_02_fields_become_typed_changes() {
        let edit = read(json!([
            {"field_to_update": "infos.name", "field_value": "Ada", "add_to_list": false},
            {"field_to_update": "infos.surname", "field_value": null, "edit_auth": "owner"},
            {"field_to_update": "auth.role", "field_value": "registred"},
            {"field_to_update": "auth.conf_usr", "field_value": true},
            {"field_to_update": "profile.usr_view", "field_value": "commons"},
        ]));
        let expected = json!({
            "profile": {"given_name": "Ada", "family_name": null},
            "role": "registered",
            "email_verified": true,
            "visibility": {"name": "commons", "given_name": "commons", "family_name": "commons",
                "nickname": "commons"},
        });
        assert_eq!(edit.unwrap(), expected);
        assert_eq!(read(json!([])).unwrap(), json!({}));
    }

    #[test]
    fn s2_02_no_other_field_leads_anywhere() {
        for field in [
            "auth",
            "auth.pwd",
            "auth.refr_tok",
            "_id",
            "infos",
            "infos.role",
            "log",
            "team",
            "$set",
            "infos.$",
            "role",
            "email",
            "disabled",
            "profile",
            "profile.given_name",
            "visibility",
            "password",
            "specs.doc_type",
            "datasets.dsi_list",
            "",
        ] {
            let entry = json!([{"field_to_update": field, "field_value": "admin"}]);
            assert_eq!(read(entry).unwrap_err().status(), 403, "{field}");
        }
        let list =
            json!([{"field_to_update": "infos.name", "field_value": "x", "add_to_list": true}]);
        assert_eq!(read(list).unwrap_err().status(), 403);
    }

    #[test]
    fn s2_02_what_is_no_change_is_refused() {
        for json in [
            json!([{"field_to_update": "infos.name"}]),
            json!([{"field_value": "x"}]),
            json!([{"field_to_update": 1, "field_value": "x"}]),
            json!([{"field_to_update": "infos.name", "field_value": "x"},
                {"field_to_update": "infos.name", "field_value": "y"}]),
        ] {
            assert_eq!(read(json.clone()).unwrap_err().status(), 400, "{json}");
        }
    }
}
