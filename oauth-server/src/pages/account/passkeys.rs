//! `/account/passkeys`: what somebody signs in with in place of a password.
//!
//! Whoever sits at a browser that somebody left must not change any of it: it takes a recent sign-in.

use super::recent::Recent;
use crate::{
    activity::{Deed, What},
    entity::passkey::Model,
    pages::{
        errors::{Explanation, Trouble},
        form::{Form, Problems},
        page::{Frame, see_other, show as page, with_script},
        visit::SignedIn,
        words,
    },
    passkeys::{LONGEST_NAME, MOST, Removed, check_name},
    state::AppState,
};
use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use oauth_core::{model::Timestamp, params::Params};
use uuid::Uuid;

#[derive(Template)]
#[template(path = "account/passkeys.html")]
struct PasskeysPage {
    frame: Frame,
    notice: Option<&'static str>,
    /// Why nobody can use passkeys here.
    off: Option<String>,
    passkeys: Vec<Line>,
    /// Whether there is room for another one.
    room: bool,
    longest: usize,
    problems: Problems,
}

struct Line {
    id: Uuid,
    name: String,
    synced: bool,
    since: String,
    last_used: Option<String>,
}

impl Line {
    fn of(row: Model) -> Self {
        let minute = |at| words::minute(Timestamp::from_unix(at));
        Self {
            id: row.id,
            name: row.name,
            synced: row.synced,
            since: minute(row.created_at),
            last_used: row.last_used_at.map(minute),
        }
    }
}

pub(super) async fn show(
    State(state): State<AppState>,
    Recent(visit): Recent,
) -> Result<Response, Trouble> {
    form(&state, &visit, StatusCode::OK, Problems::default()).await
}

pub(super) async fn rename(
    State(state): State<AppState>,
    Recent(visit): Recent,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let (user, id) = (&visit.user().id, named(&params)?);
    let name = match check_name(params.get("name").unwrap_or_default()) {
        Ok(name) => name,
        Err(text) => {
            let problems = Problems::one("passkeys", text);
            return form(&state, &visit, StatusCode::UNPROCESSABLE_ENTITY, problems).await;
        }
    };
    let deed = Deed::of(What::PasskeyRenamed, &visit.headers).about(&name);
    let renamed = state.passkeys.rename(user, id, name, deed).await?;
    Ok(see_other(if renamed {
        "/account/passkeys?done=passkey_renamed"
    } else {
        "/account/passkeys?done=passkey_removed_before"
    }))
}

pub(super) async fn remove(
    State(state): State<AppState>,
    Recent(visit): Recent,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let (user, id) = (&visit.user().id, named(&params)?);
    let deed = Deed::of(What::PasskeyRemoved, &visit.headers);
    match state.passkeys.remove(user, id, deed).await? {
        Removed::Gone => {
            tracing::info!(user.id = %user, "passkey removed");
            Ok(see_other("/account/passkeys?done=passkey_removed"))
        }
        Removed::Unknown => Ok(see_other("/account/passkeys?done=passkey_removed_before")),
        Removed::LastWay => {
            let text = "This is the only way in which you can sign in. Add another passkey, link an identity or get a password first.";
            let problems = Problems::one("passkeys", text);
            form(&state, &visit, StatusCode::CONFLICT, problems).await
        }
    }
}

/// The passkey that is meant.
fn named(params: &Params) -> Result<Uuid, Explanation> {
    let id = params.get("passkey").and_then(|id| Uuid::parse_str(id).ok());
    id.ok_or(Explanation::bad_form(Some("the passkey is missing")))
}

/// The page.
pub(in crate::pages) async fn form(
    state: &AppState,
    visit: &SignedIn,
    status: StatusCode,
    problems: Problems,
) -> Result<Response, Trouble> {
    let rows = state.passkeys.list(&visit.user().id).await?;
    let content = PasskeysPage {
        frame: Frame::of(state, visit.user(), "passkeys").for_passkeys(state),
        notice: words::notice(visit.query.get("done")),
        off: state.passkeys.why_off(),
        room: (rows.len() as u64) < MOST,
        passkeys: rows.into_iter().map(Line::of).collect(),
        longest: LONGEST_NAME,
        problems,
    };
    Ok(with_script(state, page(status, content)))
}
