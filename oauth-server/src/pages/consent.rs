//! `/consent`: what an application asks for, and a yes or no.

use super::{
    asker::Asker,
    errors::{Explanation, Trouble},
    form::{Form, Problems},
    page::{Frame, see_other, show_to},
    visit::Visit,
    way::{Way, finish, interaction_query},
    words,
};
use crate::{
    activity::{self, Deed, What},
    session::Session,
    state::AppState,
};
use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use oauth_core::{
    authorize::{Decision, Interaction},
    error::OAuthError,
    model::{Scope, User},
    params::Params,
};

#[derive(Template)]
#[template(path = "consent.html")]
struct Consent {
    frame: Frame,
    asker: Asker,
    interaction: String,
    user: String,
    /// Whether it asks who the person is, which cannot be taken away from the rest.
    sign_in: bool,
    scopes: Vec<Asked>,
    problems: Problems,
}

/// A scope or a single fact that is asked for.
struct Asked {
    name: String,
    title: String,
    description: String,
    /// How far the person's own rights go.
    level: Option<&'static str>,
    checked: bool,
}

/// An interaction that the person at the browser may answer.
struct Open {
    id: String,
    way: Way,
    user: User,
}

pub(super) async fn show(State(state): State<AppState>, visit: Visit) -> Result<Response, Trouble> {
    let open = open(&state, &visit, &visit.query).await?;
    form(&state, &visit, &open, None, Problems::default()).await
}

pub(super) async fn submit(
    State(state): State<AppState>,
    visit: Visit,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let open = open(&state, &visit, &params).await?;
    let asked = &open.interaction()?.needed;
    let ticked = ticked(asked, &params);
    let decision = match params.get("decision") {
        Some("deny") => Decision::Denied,
        Some("allow") if ticked == *asked => Decision::Approved { scope: None },
        Some("allow") if ticked.is_empty() => {
            let text = "Tick at least one thing to allow, or deny the request.";
            let problems = Problems::one("scopes", text);
            return form(&state, &visit, &open, Some(&ticked), problems).await;
        }
        Some("allow") => Decision::Approved { scope: Some(ticked) },
        _ => return Err(Explanation::bad_form(Some("neither allowed nor denied")).into()),
    };
    let allowed = matches!(decision, Decision::Approved { .. });
    let client = open.interaction()?.client.id.clone();
    let browser = visit.browser.as_str();
    let outcome = state.provider.resume(&open.id, browser, decision, visit.since).await;
    if allowed && outcome.is_ok() {
        let deed = Deed::of(What::ApplicationAllowed, &visit.headers).about(client.as_str());
        activity::note(&state, &open.user.id, deed).await;
    }
    Ok(finish(&state, outcome))
}

/// The interaction of a request, if the one who is signed in is the one whom it is about. Whoever is not is sent to
/// sign in: on a shared machine the next person must not answer for the last one, and what is allowed belongs to a
/// session that is alive.
async fn open(state: &AppState, visit: &Visit, params: &Params) -> Result<Open, Trouble> {
    let id = params
        .get("interaction")
        .ok_or(Explanation::bad_form(Some("the interaction is missing")))?;
    let way = Way::of(state, visit, params).await?;
    let login = way.interaction().and_then(|i| i.pending.login.as_ref());
    let session = visit.session.as_ref();
    let is_theirs =
        |s: &&Session| login.is_some_and(|l| l.user == s.user.id && l.sid == s.login.sid);
    match session.filter(is_theirs) {
        Some(session) => Ok(Open { id: id.to_owned(), user: session.user.clone(), way }),
        None => Err(see_other(&format!("/login{}", interaction_query(id))).into()),
    }
}

impl Open {
    fn interaction(&self) -> Result<&Interaction, OAuthError> {
        self.way.interaction().ok_or(OAuthError::invalid_request("the interaction is missing"))
    }
}

async fn form(
    state: &AppState,
    visit: &Visit,
    open: &Open,
    ticked: Option<&Scope>,
    problems: Problems,
) -> Result<Response, Trouble> {
    let interaction = open.interaction()?;
    let status =
        if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let rights = state.users.rights(&open.user.id).await?;
    let asked = |line: words::ScopeLine| Asked {
        level: rights.iter().find(|r| r.api == line.name).map(|r| words::access(r.access)),
        checked: ticked.is_none_or(|t| t.contains(&line.name)),
        name: line.name,
        title: line.title,
        description: line.description,
    };
    let page = Consent {
        frame: Frame::bare(state),
        asker: open.way.asker(visit).ok_or(Explanation::not_found())?,
        interaction: open.id.clone(),
        user: open.user.username.clone(),
        sign_in: interaction.pending.is_openid(),
        scopes: words::scopes(state, &optional(&interaction.needed))
            .into_iter()
            .map(asked)
            .collect(),
        problems,
    };
    let logo = page.asker.logo.clone();
    Ok(show_to(status, page, &interaction.pending.redirect_uri, logo.as_deref()))
}

/// What can be refused on its own. Who asks for a sign-in gets that or nothing.
fn optional(asked: &Scope) -> Scope {
    asked.clone().without(["openid"])
}

/// The part of what is asked that is ticked.
fn ticked(asked: &Scope, params: &Params) -> Scope {
    let optional = optional(asked);
    let unticked = optional.iter().filter(|s| params.get(&format!("scope:{s}")).is_none());
    let unticked: Vec<&str> = unticked.collect();
    asked.clone().without(unticked)
}
