//! `/admin/audit`: the audit log, searched and taken away as a file.

use super::Admin;
use crate::{
    audit::{Filter, Kind, csv, described},
    entity::audit::Model,
    pages::{
        errors::{Explanation, Trouble},
        page::{Frame, show as page},
        words::minute,
    },
    state::AppState,
};
use askama::Template;
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use oauth_core::{
    error::PortError,
    model::{Timestamp, UserId},
    params::Params,
    seaorm::entity::user,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use std::collections::BTreeMap;
use time::{Date, macros::format_description};

/// So many on a page.
const MOST: usize = 50;
/// So many in a file; the command line gives all.
const MOST_IN_FILE: u64 = 10_000;

#[derive(Template)]
#[template(path = "admin/audit.html")]
struct AuditPage {
    frame: Frame,
    is_on: bool,
    kinds: Vec<(&'static str, &'static str, bool)>,
    typed: Typed,
    lines: Vec<Line>,
    /// Where the list goes on.
    next: Option<String>,
    /// The query of the files.
    query: String,
}

/// What was typed.
#[derive(Clone, Default)]
struct Typed {
    event: String,
    user: String,
    client: String,
    from: String,
    to: String,
}

struct Line {
    at: String,
    title: &'static str,
    user: Option<String>,
    client: Option<String>,
    scope: Option<String>,
    grant: Option<String>,
    address: Option<String>,
    detail: Option<String>,
}

impl Typed {
    fn of(params: &Params) -> Self {
        let text = |name: &str| params.get(name).unwrap_or_default().trim().to_owned();
        Self {
            event: text("event"),
            user: text("user"),
            client: text("client"),
            from: text("from"),
            to: text("to"),
        }
    }

    /// The rows that are meant. A name of a user will do for its identifier; a day that cannot be read is none.
    async fn filter(&self, state: &AppState) -> Result<Filter, PortError> {
        let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let mut filter = Filter {
            kind: Kind::parse(&self.event),
            user: given(&self.user),
            client: given(&self.client),
            since: day(&self.from),
            until: day(&self.to).map(|at| Timestamp::from_unix(at.unix() + 86_400)),
            before: None,
        };
        if let Some(name) = filter.user.clone().filter(|name| !name.contains('\0'))
            && let Some(account) = state.store.account_by_name(&name).await?
        {
            filter.user = Some(account.id.as_str().to_owned());
        }
        Ok(filter)
    }

    fn query(&self, more: &[(&str, &str)]) -> String {
        let pairs = [
            ("event", &self.event),
            ("user", &self.user),
            ("client", &self.client),
            ("from", &self.from),
            ("to", &self.to),
        ];
        let pairs = pairs.iter().map(|(name, text)| (*name, text.as_str()));
        let pairs = pairs.filter(|(_, text)| !text.is_empty()).chain(more.iter().copied());
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }
}

/// The beginning of a day, in UTC.
fn day(text: &str) -> Option<Timestamp> {
    let date = Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?;
    Some(Timestamp::from_unix(date.midnight().assume_utc().unix_timestamp()))
}

pub(super) async fn show(State(state): State<AppState>, admin: Admin) -> Result<Response, Trouble> {
    let typed = Typed::of(&admin.query);
    let mut filter = typed.filter(&state).await?;
    filter.before = admin.query.get("before").map(str::to_owned);
    let mut rows = state.audit.list(&filter, MOST as u64 + 1).await?;
    let has_more = rows.len() > MOST;
    rows.truncate(MOST);
    let next = rows.last().filter(|_| has_more);
    let next = next.map(|last| format!("/admin/audit?{}", typed.query(&[("before", &last.id)])));
    let names = names(&state, &rows).await?;
    let kinds = Kind::ALL.iter();
    let kinds = kinds.map(|kind| (kind.as_str(), kind.title(), kind.as_str() == typed.event));
    let content = AuditPage {
        frame: admin.frame(&state, "admin-audit"),
        is_on: state.audit.is_on(),
        kinds: kinds.collect(),
        lines: rows.into_iter().map(|row| line(row, &names)).collect(),
        next,
        query: typed.query(&[]),
        typed,
    };
    Ok(page(StatusCode::OK, content))
}

/// The names of the people in the rows, by their identifiers.
async fn names(state: &AppState, rows: &[Model]) -> Result<BTreeMap<String, String>, PortError> {
    let ids: Vec<&str> = rows.iter().filter_map(|row| row.user_id.as_deref()).collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let users = user::Entity::find().filter(user::Column::Id.is_in(ids));
    let users = users.all(state.store.database()).await?;
    Ok(users.into_iter().map(|user| (user.id, user.username)).collect())
}

fn line(row: Model, names: &BTreeMap<String, String>) -> Line {
    Line {
        at: minute(Timestamp::from_unix(row.at)),
        title: Kind::parse(&row.event).map_or("Something else", Kind::title),
        user: row.user_id.map(|id| names.get(&id).cloned().unwrap_or(id)),
        client: row.client_id,
        scope: row.scope,
        grant: row.grant_type,
        address: row.address,
        detail: row.detail,
    }
}

/// The rows as a file. Who takes it away is written down, too.
pub(super) async fn export(
    State(state): State<AppState>,
    admin: Admin,
) -> Result<Response, Trouble> {
    let filter = Typed::of(&admin.query).filter(&state).await?;
    let format = admin.query.get("format").unwrap_or_default();
    let (kind, name) = match format {
        "csv" => ("text/csv; charset=utf-8", "attachment; filename=\"audit.csv\""),
        "json" => ("application/json", "attachment; filename=\"audit.json\""),
        _ => return Err(Explanation::bad_form(Some("format is neither csv nor json")).into()),
    };
    let rows = state.audit.export(&filter, MOST_IN_FILE).await?;
    let body = if format == "csv" {
        csv(&rows)
    } else {
        rows.iter().map(described).collect::<serde_json::Value>().to_string()
    };
    let user: &UserId = &admin.user().id;
    tracing::info!(user.id = %user, rows = rows.len(), "audit log taken away as a file");
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, body).into_response())
}
