//! Users and tokens in the words of the original.

use crate::{
    config::Config,
    people::{Caller, Level, Tokens, letters},
    state::AppState,
};
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use oauth_core::{error::PortError, model::Role};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// The fields of the original, and what they are here: what of a user can be written, and by whom, is decided there.
pub(super) const FIELDS: [(&str, &str); 8] = [
    ("infos.name", "profile.given_name"),
    ("infos.surname", "profile.family_name"),
    ("infos.pseudo", "profile.nickname"),
    ("infos.email", "email"),
    ("profile.lang", "profile.locale"),
    ("auth.role", "role"),
    ("auth.conf_usr", "email_verified"),
    ("auth.is_blacklisted", "disabled"),
];

/// The fields of the forms of signing up and in.
const FORM: [(&str, &str); 5] = [
    ("name", "given_name"),
    ("surname", "family_name"),
    ("lang", "locale"),
    ("pwd", "password"),
    ("email", "username"),
];

/// What is shared with one word, `profile.usr_view`.
pub(super) const SHARED: [&str; 4] = ["name", "given_name", "family_name", "nickname"];

/// The name that the original has for a field of a user.
pub(super) fn their_field(ours: &str) -> &str {
    if ours.starts_with("visibility.") { "profile.usr_view" } else { theirs(&FIELDS, ours) }
}

/// The name that the original has for a field of a form.
pub(super) fn form_field(ours: &str) -> &str {
    theirs(&FORM, ours)
}

fn theirs<'n>(names: &[(&'static str, &'static str)], ours: &'n str) -> &'n str {
    names.iter().find(|(_, name)| *name == ours).map_or(ours, |name| name.0)
}

/// The word that the original has for a role. Who is not confirmed is a `guest`, and there is no `system`.
pub(super) const fn role(role: Role) -> &'static str {
    match role {
        Role::Registered => "registred",
        other => other.as_str(),
    }
}

/// The role of such a word.
pub(super) fn our_role(word: &str) -> &str {
    if word == "registred" { Role::Registered.as_str() } else { word }
}

/// A length of time, for people.
pub(super) fn span(duration: Duration) -> String {
    letters::span(duration, letters::UNITS)
}

/// JSON.
pub(super) fn json(status: StatusCode, value: &Value) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json")];
    (status, headers, value.to_string()).into_response()
}

/// JSON of something that went well.
pub(super) fn ok(value: &Value) -> Response {
    json(StatusCode::OK, value)
}

/// A user from what somebody sees of it. Of whom one sees everything, every member is there.
pub(super) fn user(view: &Map<String, Value>, config: &Config) -> Map<String, Value> {
    let is_whole = view.contains_key("visibility");
    let profile = view.get("profile").and_then(Value::as_object);
    let claim = |name: &str| profile.and_then(|profile| profile.get(name)).cloned();
    let seen = |name: &str| view.get(name).cloned();
    let mut infos = Map::new();
    for (name, value) in [
        ("name", claim("given_name")),
        ("surname", claim("family_name")),
        ("email", seen("email")),
        ("pseudo", claim("nickname").or_else(|| seen("username"))),
    ] {
        if let Some(value) = value.or_else(|| is_whole.then_some(Value::Null)) {
            infos.insert(name.into(), value);
        }
    }
    let mut user = Map::new();
    user.insert("_id".into(), seen("id").unwrap_or_default());
    user.insert("infos".into(), Value::Object(infos));
    if let Some(known) = view.get("role").and_then(Value::as_str).and_then(Role::parse) {
        user.insert("auth".into(), auth(known));
    }
    let mut about = Map::new();
    if let Some(lang) = claim("locale").or_else(|| is_whole.then(|| "en".into())) {
        about.insert("lang".into(), lang);
    }
    if is_whole {
        // Who is here has agreed to the terms, where there are any.
        about.insert("agreement".into(), json!(config.accounts.terms_url.is_some()));
        about.insert("usr_view".into(), json!(shared(view).as_str()));
        about.insert("usr_profiles".into(), json!([]));
    }
    user.insert("profile".into(), Value::Object(about));
    user
}

/// What a user is to the server.
pub(super) fn auth(known: Role) -> Value {
    json!({ "role": role(known), "conf_usr": known >= Role::Registered })
}

/// How far the parts are shared that have one word in the original: as far as the one that is shared least.
fn shared(view: &Map<String, Value>) -> Level {
    let levels = view.get("visibility").and_then(Value::as_object);
    let level = |part: &&str| {
        let word = levels.and_then(|levels| levels.get(*part)).and_then(Value::as_str);
        word.and_then(Level::parse).unwrap_or_default()
    };
    SHARED.iter().map(level).min().unwrap_or_default()
}

/// Tokens as they are handed out.
pub(super) async fn tokens(state: &AppState, tokens: &Tokens) -> Result<Value, PortError> {
    let mut all = json!({ "access_token": tokens.access_token });
    if let (Some(map), Some(refresh)) = (all.as_object_mut(), &tokens.refresh_token) {
        map.insert("refresh_token".into(), json!(refresh));
    }
    add_salt(state, &mut all).await?;
    Ok(all)
}

/// The public key that forms are encrypted with, where they are.
async fn add_salt(state: &AppState, tokens: &mut Value) -> Result<(), PortError> {
    if let (Some(pem), Some(map)) = (state.forms.public_key_pem().await?, tokens.as_object_mut()) {
        map.insert("salt_token".into(), json!(pem));
    }
    Ok(())
}

/// What was asked, and by whom.
pub(super) fn query(caller: &Caller, id: Option<&str>) -> Value {
    let mut query = json!({
        "document_type": "usr",
        "user_id": caller.account.as_ref().map(|account| account.id.as_str()),
        "user_role": role(caller.role),
    });
    if let (Some(map), Some(id)) = (query.as_object_mut(), id) {
        map.insert("doc_id".into(), json!(id));
    }
    query
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s2_02_roles_have_the_words_of_the_original() {
        for (known, word, confirmed) in [
            (Role::Anonymous, "anonymous", false),
            (Role::Guest, "guest", false),
            (Role::Registered, "registred", true),
            (Role::Staff, "staff", true),
            (Role::Admin, "admin", true),
        ] {
            assert_eq!(auth(known), json!({"role": word, "conf_usr": confirmed}));
            assert_eq!(our_role(word), known.as_str());
        }
    }

    #[test]
    fn s2_02_fields_have_the_names_of_the_original() {
        for (ours, theirs) in [
            ("profile.given_name", "infos.name"),
            ("profile.nickname", "infos.pseudo"),
            ("email", "infos.email"),
            ("role", "auth.role"),
            ("visibility.nickname", "profile.usr_view"),
            ("username", "username"),
        ] {
            assert_eq!(their_field(ours), theirs);
        }
        for (ours, theirs) in
            [("password", "pwd"), ("username", "email"), ("email", "email"), ("page", "page")]
        {
            assert_eq!(form_field(ours), theirs);
        }
    }

    #[test]
    fn s2_30_of_strangers_there_is_what_they_share_and_no_more() {
        let config = Config::default();
        let view = json!({"id": "1", "profile": {"given_name": "Ada"}});
        let seen = user(view.as_object().unwrap(), &config);
        assert_eq!(
            Value::Object(seen),
            json!({"_id": "1", "infos": {"name": "Ada"}, "profile": {}})
        );
        let view = json!({"id": "1", "username": "ada", "role": "registered", "email": null,
            "visibility": {"name": "opendata", "given_name": "commons", "family_name": "opendata",
            "nickname": "opendata"}, "profile": {"locale": "fr"}});
        let seen = user(view.as_object().unwrap(), &config);
        let expected = json!({
            "_id": "1",
            "infos": {"name": null, "surname": null, "email": null, "pseudo": "ada"},
            "auth": {"role": "registred", "conf_usr": true},
            "profile": {"lang": "fr", "agreement": false, "usr_view": "commons", "usr_profiles": []},
        });
        assert_eq!(Value::Object(seen), expected);
    }
}
