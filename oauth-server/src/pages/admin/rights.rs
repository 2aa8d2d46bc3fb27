//! `/admin/users/{id}/rights`: how far a person may go with each API.

use super::{
    Recent,
    person::{Person, whole},
};
use crate::{
    administration::users::{check_paths, set_right},
    audit::{Entry, Kind},
    config::Api,
    pages::{
        errors::{Explanation, Trouble},
        form::{Form, Problems},
    },
    state::AppState,
};
use axum::{extract::State, http::StatusCode, response::Response};
use oauth_core::{
    error::PortError,
    model::{Access, AccessRight, UserId},
    ports::Users as _,
};

/// The one field of all the forms that can be wrong.
const FIELD: &str = "paths";

/// An API with the right of the person on it.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) levels: Vec<Level>,
    /// Patterns, one on each line.
    pub(super) paths: String,
    /// Whether its patterns are what is wrong.
    pub(super) is_wrong: bool,
}

pub(super) struct Level {
    pub(super) word: &'static str,
    pub(super) title: &'static str,
    pub(super) checked: bool,
}

fn levels(chosen: Access) -> Vec<Level> {
    let levels = [(Access::None, "None"), (Access::Read, "Read"), (Access::Write, "Write")];
    let level = |(access, title): (Access, _)| Level {
        word: access.as_str(),
        title,
        checked: access == chosen,
    };
    levels.into_iter().map(level).collect()
}

/// The APIs of the configuration with the rights on them; then rights on what the configuration no longer knows.
pub(super) async fn lines(state: &AppState, user: &UserId) -> Result<Vec<Line>, PortError> {
    let mut rights = state.store.rights(user).await?;
    let mut lines = Vec::new();
    for Api { name, title, .. } in state.config.known_apis() {
        let at = rights.iter().position(|r| r.api == name);
        let right = at.map(|at| rights.remove(at));
        lines.push(Line {
            title: if title.is_empty() { name.clone() } else { title },
            name,
            levels: levels(right.as_ref().map_or(Access::None, |r| r.access)),
            paths: right.map_or_else(String::new, |r| r.paths.join("\n")),
            is_wrong: false,
        });
    }
    lines.extend(rights.into_iter().map(|r| Line {
        title: format!("{}, which this server no longer knows", r.api),
        name: r.api,
        levels: levels(r.access),
        paths: r.paths.join("\n"),
        is_wrong: false,
    }));
    Ok(lines)
}

pub(super) async fn set(
    State(state): State<AppState>,
    admin: Recent,
    person: Person,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let api = params.get("api").ok_or(Explanation::bad_form(Some("api is missing")))?;
    let access = params.get("access").and_then(Access::parse);
    let access =
        access.ok_or(Explanation::bad_form(Some("access is none of none, read and write")))?;
    let typed = params.get(FIELD).unwrap_or_default();
    let user = &person.0.id;
    let mut lines = lines(&state, user).await?;
    let line = lines.iter_mut().find(|line| line.name == api);
    let line = line.ok_or(Explanation::not_found())?;
    let others: Vec<_> =
        state.store.rights(user).await?.into_iter().filter(|r| r.api != api).collect();
    match patterns(typed, &others) {
        Ok(paths) => {
            let detail = format!("{} on {api}: {}, for {user}", access.as_str(), paths.join(" "));
            let entry = Entry::new(Kind::RightSet).user(&admin.0.user().id).scope(api);
            state.audit.write(entry.detail(detail)).await?;
            set_right(&state, user, api, access, paths).await?;
            admin.record("right set", &format!("{user} {api} {}", access.as_str()));
            Ok(person.done("rights"))
        }
        Err(text) => {
            line.levels = levels(access);
            typed.clone_into(&mut line.paths);
            line.is_wrong = true;
            let status = (StatusCode::UNPROCESSABLE_ENTITY, None);
            let wrong = (lines, Problems::one(FIELD, text));
            whole(&state, &admin.0, person, status, wrong).await
        }
    }
}

/// The patterns of a text, one on each line.
fn patterns(text: &str, others: &[AccessRight]) -> Result<Vec<String>, &'static str> {
    let paths = text.lines().map(str::trim).filter(|p| !p.is_empty()).map(str::to_owned);
    check_paths(paths.collect(), others)
}
