//! `/account/identities`: who one is at other providers, and may sign in as.

use super::is_recent;
use crate::{
    pages::{
        errors::Trouble,
        form::Form,
        page::{Frame, see_other, show as page},
        social::{Button, buttons, lead_out},
        visit::SignedIn,
        words,
    },
    social::Unlinked,
    state::AppState,
};
use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_core::model::Timestamp;

#[derive(Template)]
#[template(path = "account/identities.html")]
struct IdentitiesPage {
    frame: Frame,
    notice: Option<&'static str>,
    problem: Option<&'static str>,
    identities: Vec<Line>,
    providers: Vec<Button>,
}

struct Line {
    id: String,
    title: String,
    label: Option<String>,
    since: String,
    last_used: String,
}

pub(super) async fn show(
    State(state): State<AppState>,
    visit: SignedIn,
) -> Result<Response, Trouble> {
    render(&state, &visit, StatusCode::OK, None).await
}

pub(super) async fn unlink(
    State(state): State<AppState>,
    visit: SignedIn,
    Form(params): Form,
) -> Result<Response, Trouble> {
    if !is_recent(visit.session.login.at, state.now()) {
        return Ok(see_other("/login?to=identities"));
    }
    let user = &visit.user().id;
    let hash = URL_SAFE_NO_PAD.decode(params.get("identity").unwrap_or_default());
    let ways = state.passkeys.ways();
    match state.social.unlink(user, hash.unwrap_or_default(), ways).await? {
        Unlinked::Gone => {
            tracing::info!(user.id = %user, "user unlinked an identity");
            Ok(see_other("/account/identities?done=unlinked"))
        }
        Unlinked::Unknown => Ok(see_other("/account/identities?done=unlinked_before")),
        Unlinked::LastWay => {
            let text = "This is the only way in which you can sign in. Link another identity, add a passkey or get a password first.";
            render(&state, &visit, StatusCode::CONFLICT, Some(text)).await
        }
    }
}

async fn render(
    state: &AppState,
    visit: &SignedIn,
    status: StatusCode,
    problem: Option<&'static str>,
) -> Result<Response, Trouble> {
    let rows = state.social.identities(&visit.user().id).await?;
    let title = |id: &str| {
        state.social.upstream(id).map_or_else(|| id.to_owned(), |u| u.settings.name().to_owned())
    };
    let minute = |at| words::minute(Timestamp::from_unix(at));
    let identities = rows
        .into_iter()
        .map(|row| Line {
            id: URL_SAFE_NO_PAD.encode(&row.hash),
            title: title(&row.upstream),
            label: row.label,
            since: minute(row.created_at),
            last_used: minute(row.last_used_at),
        })
        .collect();
    let content = IdentitiesPage {
        frame: Frame::of(state, visit.user(), "identities"),
        notice: words::notice(visit.query.get("done")),
        problem,
        identities,
        providers: buttons(state),
    };
    Ok(lead_out(state, page(status, content)))
}
