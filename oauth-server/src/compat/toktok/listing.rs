//! `/api/usr/infos`: users, as far as whoever asks may see them.

use super::{answers, caller, refusal::No};
use crate::{
    people::{Caller, Complaint, Error, Need, Refusal, Search},
    shell,
    state::AppState,
    throttle::{Admission, Subject},
};
use axum::{
    extract::{Path, RawQuery, State, rejection::PathRejection},
    response::Response,
};
use http::HeaderMap;
use oauth_core::{model::UserId, params::Params};
use serde_json::{Map, Value, json};

/// How many users of a page there may be; 0 is all of them.
const PAGES: [usize; 8] = [0, 2, 5, 10, 20, 25, 50, 100];
/// The most users of one answer, on all of its pages together. They are looked for once: whoever has more finds the others
/// below `/api/users`.
const MOST: usize = 2_000;

pub(super) async fn one(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, No> {
    let id = UserId::new(id?.0);
    let caller = caller::anyone(&state, &headers).await?;
    let (_, view) = state.people().seen(&id, &caller).await?;
    Ok(answers::ok(&json!({
        "msg": "the user, as far as you may see it",
        "data": answers::user(&view, &state.config),
        "query": answers::query(&caller, Some(id.as_str())),
    })))
}

pub(super) async fn list(
    State(state): State<AppState>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, No> {
    let caller = caller::anyone(&state, &headers).await?;
    let asked = Asked::read(query.as_deref())?;
    if caller::token(&headers)?.is_none() {
        admit_stranger(&state).await?;
    }
    let seen = seen(&state, &caller, &asked).await?;
    let found = seen.len();
    let everybody = if Need::Staff.is_met_by(caller.role) {
        state.people().count().await?
    } else {
        // How many there are is for those who look after them.
        found as u64
    };
    let users = seen.iter().skip(asked.first()).take(asked.most());
    let users = users.map(|view| Value::Object(answers::user(view, &state.config)));
    let data = if asked.only_stats { Value::Null } else { asked.shaped(users.collect()) };
    let mut query = answers::query(&caller, None);
    if let Some(map) = query.as_object_mut() {
        map.insert("page_args".into(), json!({ "page": asked.page, "per_page": asked.per_page }));
        map.insert("query_args".into(), asked.to_json());
    }
    Ok(answers::ok(&json!({
        "msg": "the users you may see",
        "counts": {
            "all_docs_in_db": everybody,
            "docs_you_can_access": found,
            "docs_you_are_in_team": 0,
            "docs_you_are_not_in_team": found,
        },
        "data": data,
        "query": query,
    })))
}

/// Counts a list for the address of whoever has no token to be known by.
async fn admit_stranger(state: &AppState) -> Result<(), Error> {
    if let Some(address) = shell::client_address()
        && let Admission::Wait(seconds) = state.throttle.admit(&Subject::list(address)).await?
    {
        return Err(Refusal::Throttled(seconds).into());
    }
    Ok(())
}

/// Every user that was asked for and may be seen.
async fn seen(
    state: &AppState,
    caller: &Caller,
    asked: &Asked,
) -> Result<Vec<Map<String, Value>>, Error> {
    let search = Search { text: asked.search_for.clone(), after: None, limit: MOST };
    let mut users = state.people().list(&search, caller).await?.users;
    if !asked.oids.is_empty() {
        users.retain(|user| {
            let id = user.get("id").and_then(Value::as_str).unwrap_or_default();
            asked.oids.iter().any(|oid| oid == id)
        });
    }
    Ok(users)
}

/// Which users, and in which shape.
#[expect(clippy::struct_excessive_bools, reason = "the query has as many switches")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Asked {
    page: usize,
    per_page: usize,
    search_for: Option<String>,
    oids: Vec<String>,
    only_stats: bool,
    ignore_teams: bool,
    pivot: bool,
    normalize: bool,
}

impl Asked {
    /// Reads the query. Nobody has tags, so there is nothing that `tags` could leave out.
    fn read(query: Option<&str>) -> Result<Self, No> {
        let params = Params::parse(query.unwrap_or_default().as_bytes()).map_err(|_| No::INPUT)?;
        let mut complaints = Vec::new();
        let mut complain = |field: &str, text: &str| {
            complaints.push(Complaint { field: field.into(), text: text.into() });
        };
        let number = |name: &str, usual: usize| params.get(name).map_or(Ok(usual), str::parse);
        let page = number("page", 1).ok().filter(|page| (1..=100_000).contains(page));
        let per_page = number("per_page", 10).ok().filter(|n| PAGES.contains(n));
        if page.is_none() {
            complain("page", "Say a number from 1 on.");
        }
        if per_page.is_none() {
            complain("per_page", "Say 0, 2, 5, 10, 20, 25, 50 or 100.");
        }
        let mut flag = |name: &str| match params.get(name).map(str::to_lowercase).as_deref() {
            None | Some("false" | "0" | "no") => false,
            Some("true" | "1" | "yes") => true,
            Some(_) => {
                complain(name, "Say true or false.");
                false
            }
        };
        let asked = Self {
            page: page.unwrap_or(1),
            per_page: per_page.unwrap_or(10),
            search_for: params.get("search_for").map(str::to_owned),
            oids: params
                .get("oids")
                .unwrap_or_default()
                .split(',')
                .map(str::trim)
                .filter(|oid| !oid.is_empty())
                .map(str::to_owned)
                .collect(),
            only_stats: flag("only_stats"),
            ignore_teams: flag("ignore_teams"),
            pivot: flag("pivot_results"),
            normalize: flag("normalize"),
        };
        if complaints.is_empty() { Ok(asked) } else { Err(Refusal::Invalid(complaints).into()) }
    }

    /// How many users come before the page.
    const fn first(&self) -> usize {
        (self.page - 1) * self.per_page
    }

    /// The most users of the page.
    const fn most(&self) -> usize {
        if self.per_page == 0 { usize::MAX } else { self.per_page }
    }

    /// What was asked, as it is told again.
    fn to_json(&self) -> Value {
        json!({
            "search_for": self.search_for,
            "oids": self.oids,
            "only_stats": self.only_stats,
            "ignore_teams": self.ignore_teams,
            "pivot_results": self.pivot,
            "normalize": self.normalize,
        })
    }

    /// Users in the shape that was asked for. There are no teams, so nobody is in one.
    fn shaped(&self, users: Vec<Value>) -> Value {
        let users = if self.normalize { users.iter().map(flat).collect() } else { users };
        match (self.ignore_teams, self.pivot) {
            (true, true) => columns(&users),
            (true, false) => Value::Array(users),
            (false, _) => json!({ "docs_user_is_in_team": [], "docs_user_not_in_team": users }),
        }
    }
}

/// A user as one row: `infos.name` and the like.
fn flat(user: &Value) -> Value {
    let mut row = Map::new();
    flatten("", user, &mut row);
    Value::Object(row)
}

fn flatten(path: &str, value: &Value, row: &mut Map<String, Value>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(&path, value, row);
            }
        }
        other => {
            row.insert(path.to_owned(), other.clone());
        }
    }
}

/// Users as columns: what each has in `infos.name` and the like, by its id.
fn columns(users: &[Value]) -> Value {
    let mut columns: Map<String, Value> = Map::new();
    for user in users {
        let id = user.get("_id").and_then(Value::as_str).unwrap_or_default();
        let row = flat(user);
        for (name, value) in
            row.as_object().into_iter().flatten().filter(|(name, _)| *name != "_id")
        {
            let column = columns.entry(name).or_insert_with(|| json!({}));
            if let Some(column) = column.as_object_mut() {
                column.insert(id.to_owned(), value.clone());
            }
        }
    }
    Value::Object(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s2_02_the_query_is_read_or_refused() {
        let asked = Asked::read(None).unwrap();
        assert_eq!((asked.page, asked.per_page, asked.first(), asked.most()), (1, 10, 0, 10));
        let asked = Asked::read(Some("page=3&per_page=25&search_for=ada&oids=1,2&only_stats=True"));
        let asked = asked.unwrap();
        assert_eq!((asked.first(), asked.most(), asked.only_stats), (50, 25, true));
        assert_eq!(asked.oids, ["1", "2"]);
        let all = Asked::read(Some("per_page=0&page=7")).unwrap();
        assert_eq!((all.first(), all.most()), (0, usize::MAX));
        for bad in [
            "page=0",
            "page=x",
            "page=-1",
            "per_page=3",
            "per_page=x",
            "only_stats=maybe",
            "a=1&a=2",
        ] {
            assert_eq!(Asked::read(Some(bad)).unwrap_err().status(), 400, "{bad}");
        }
    }

    #[test]
    fn s2_02_users_come_in_four_shapes() {
        let users =
            vec![json!({"_id": "1", "infos": {"name": "Ada"}}), json!({"_id": "2", "infos": {}})];
        let shape = |query: &str| Asked::read(Some(query)).unwrap().shaped(users.clone());
        assert_eq!(shape(""), json!({"docs_user_is_in_team": [], "docs_user_not_in_team": users}));
        assert_eq!(shape("ignore_teams=true"), json!(users));
        assert_eq!(
            shape("ignore_teams=true&normalize=true"),
            json!([{"_id": "1", "infos.name": "Ada"}, {"_id": "2"}])
        );
        assert_eq!(
            shape("ignore_teams=true&pivot_results=true"),
            json!({"infos.name": {"1": "Ada"}})
        );
    }
}
