//! `/admin/users/{id}/rights`: how far a person may go with each API.

use super::{
    Recent,
    person::{Person, whole},
};
use crate::{
    access_rights,
    administration::users::set_right,
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

/// The fields of all the forms that can be wrong.
const FIELD: &str = "paths";
const WRITE_FIELD: &str = "write_paths";

/// An API with the right of the person on it.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) levels: Vec<Level>,
    pub(super) patterns: [Patterns; 2],
}

impl Line {
    fn of(right: &AccessRight, title: String) -> Self {
        let patterns = [
            (FIELD, "Paths", "One on each line, such as single/*. None means everywhere."),
            (
                WRITE_FIELD,
                "Paths to write",
                "Where they are others than those above; * is everywhere.",
            ),
        ];
        let texts = [right.paths.join("\n"), right.write_paths.join("\n")];
        let mut texts = texts.into_iter();
        let patterns = patterns.map(|(field, title, hint)| Patterns {
            id: format!("{}-{}", field.replace('_', "-"), right.api),
            field,
            title,
            hint,
            text: texts.next().unwrap_or_default(),
        });
        Self { title, name: right.api.clone(), levels: levels(right.access), patterns }
    }

    /// Whether there is something to see in what is otherwise folded away.
    pub(super) fn is_open(&self) -> bool {
        self.patterns.iter().any(|patterns| patterns.is_wrong() || !patterns.text.is_empty())
    }

    /// The line as somebody typed it, with what is wrong in a field.
    fn typed(&mut self, typed: &Typed<'_>, wrong: &'static str) {
        self.levels = levels(typed.access);
        for (patterns, text) in self.patterns.iter_mut().zip(typed.texts) {
            text.clone_into(&mut patterns.text);
            if patterns.field == wrong {
                wrong.clone_into(&mut patterns.id);
            }
        }
    }
}

pub(super) struct Level {
    pub(super) word: &'static str,
    pub(super) title: &'static str,
    pub(super) checked: bool,
}

/// Path patterns, one on each line.
pub(super) struct Patterns {
    /// Of the field on the page: its name alone where it is what is wrong.
    pub(super) id: String,
    pub(super) field: &'static str,
    pub(super) title: &'static str,
    pub(super) hint: &'static str,
    pub(super) text: String,
}

impl Patterns {
    pub(super) fn is_wrong(&self) -> bool {
        self.id == self.field
    }
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
        let title = if title.is_empty() { name.clone() } else { title };
        let right = right.unwrap_or_else(|| AccessRight::new(user.clone(), name, Access::None));
        lines.push(Line::of(&right, title));
    }
    let unknown = |api: &str| format!("{api}, which this server no longer knows");
    lines.extend(rights.iter().map(|right| Line::of(right, unknown(&right.api))));
    Ok(lines)
}

/// What somebody typed.
struct Typed<'a> {
    access: Access,
    texts: [&'a str; 2],
}

impl Typed<'_> {
    /// The right that is meant, if it may stand beside the others; else which field is wrong, and how.
    fn right(
        &self,
        user: &UserId,
        api: &str,
        others: &[AccessRight],
    ) -> Result<AccessRight, (&'static str, &'static str)> {
        let [paths, write_paths] = self.texts.map(listed);
        let reading = AccessRight { paths, ..AccessRight::new(user.clone(), api, self.access) };
        let reading = access_rights::check(reading, others).map_err(|text| (FIELD, text))?;
        let right = AccessRight { write_paths, ..reading };
        access_rights::check(right, others).map_err(|text| (WRITE_FIELD, text))
    }
}

/// The patterns of a text, one on each line.
fn listed(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|p| !p.is_empty()).map(str::to_owned).collect()
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
    let texts = [FIELD, WRITE_FIELD].map(|field| params.get(field).unwrap_or_default());
    let typed = Typed { access, texts };
    let user = &person.0.id;
    let mut lines = lines(&state, user).await?;
    let line = lines.iter_mut().find(|line| line.name == api);
    let line = line.ok_or(Explanation::not_found())?;
    let others: Vec<_> =
        state.store.rights(user).await?.into_iter().filter(|r| r.api != api).collect();
    match typed.right(user, api, &others) {
        Ok(right) => {
            let detail = format!("{}, for {user}", access_rights::words(&right));
            let entry = Entry::new(Kind::RightSet).user(&admin.0.user().id).scope(api);
            state.audit.write(entry.detail(detail)).await?;
            set_right(&state, right).await?;
            admin.record("right set", &format!("{user} {api} {}", access.as_str()));
            Ok(person.done("rights"))
        }
        Err((field, text)) => {
            line.typed(&typed, field);
            let status = (StatusCode::UNPROCESSABLE_ENTITY, None);
            let wrong = (lines, Problems::one(field, text));
            whole(&state, &admin.0, person, status, wrong).await
        }
    }
}
