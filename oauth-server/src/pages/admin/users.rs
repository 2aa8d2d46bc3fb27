//! `/admin/users`: people, found by the beginning of their names.

use super::Admin;
use crate::{
    administration::users,
    pages::{
        errors::Trouble,
        page::{Frame, show as page},
        words::day,
    },
    state::AppState,
};
use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use oauth_core::seaorm::UserAccount;

/// So many on a page.
const MOST: usize = 50;

#[derive(Template)]
#[template(path = "admin/users.html")]
struct UsersPage {
    frame: Frame,
    name: String,
    users: Vec<Line>,
    /// Where the list goes on.
    next: Option<String>,
}

struct Line {
    id: String,
    name: String,
    made: String,
    is_admin: bool,
    disabled: bool,
}

pub(super) async fn show(State(state): State<AppState>, admin: Admin) -> Result<Response, Trouble> {
    let name = admin.query.get("name").unwrap_or_default().trim().to_owned();
    let after = admin.query.get("after");
    let mut found = users::beginning_with(&state, &name, after, MOST as u64 + 1).await?;
    let has_more = found.len() > MOST;
    found.truncate(MOST);
    let next = found.last().filter(|_| has_more).map(|last| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let pairs = [("name", &*name), ("after", &*last.username)];
        format!("/admin/users?{}", query.extend_pairs(pairs).finish())
    });
    let line = |user: UserAccount| Line {
        id: user.id.to_string(),
        name: user.username,
        made: day(user.created_at),
        is_admin: user.is_admin,
        disabled: user.disabled,
    };
    let content = UsersPage {
        frame: admin.frame(&state, "admin-users"),
        name,
        users: found.into_iter().map(line).collect(),
        next,
    };
    Ok(page(StatusCode::OK, content))
}
