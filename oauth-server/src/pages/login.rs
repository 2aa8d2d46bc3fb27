//! `/login`: signing in, for its own sake or because an application asks.

use super::{
    asker::Asker,
    errors::Trouble,
    form::{Form, Problems},
    page::{Frame, see_other, show as page, show_to, with_script},
    second_factor,
    social::{Button, buttons, lead_out},
    visit::Visit,
    way::Way,
};
use crate::{
    config::Authenticator, second_factor::FirstFactor, session::Session, sign_in::StoredPassword,
    state::AppState,
};
use askama::Template;
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use oauth_core::{authorize::Interaction, openid::subject, ports::SignIn};

#[derive(Template)]
#[template(path = "login.html")]
struct Login {
    frame: Frame,
    asker: Option<Asker>,
    interaction: String,
    to: String,
    query: String,
    signup_open: bool,
    /// Whether a letter can help whoever forgot the password.
    letters: bool,
    username: String,
    /// The name of somebody who is signed in and may go on as that.
    known: Option<String>,
    /// The name of somebody who is signed in but has to prove it again.
    again: Option<String>,
    /// The name of somebody who is signed in and is not the one whom the application expects.
    other: Option<String>,
    /// Other providers to sign in through.
    providers: Vec<Button>,
    problems: Problems,
}

pub(super) async fn show(State(state): State<AppState>, visit: Visit) -> Result<Response, Trouble> {
    let way = Way::of(&state, &visit, &visit.query).await?;
    if let (Way::To(destination), Some(session)) = (&way, &visit.session)
        && destination.is_open_to(session, &state)
    {
        return Ok(see_other(&destination.path()));
    }
    Ok(form(&state, &visit, &way, StatusCode::OK, None, Problems::default()))
}

pub(super) async fn submit(
    State(state): State<AppState>,
    visit: Visit,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let way = Way::of(&state, &visit, &params).await?;
    if let Some(name) = params.get("continue") {
        return Ok(way.go_on(&state, &visit, name).await);
    }
    let username = params.get("username").unwrap_or_default().trim();
    let password = params.get("password").unwrap_or_default();
    let mut problems = Problems::default();
    if username.is_empty() {
        problems.add("username", "Type your user name.");
    }
    if password.is_empty() {
        problems.add("password", "Type your password.");
    }
    let again = |status, problems| form(&state, &visit, &way, status, Some(username), problems);
    if !problems.is_empty() {
        return Ok(again(StatusCode::UNPROCESSABLE_ENTITY, problems));
    }
    let wrong = || Problems::one("password", "The user name or the password is wrong.");
    let stored = StoredPassword::of(&state.store, username).await?;
    match state.users.sign_in(username, password).await? {
        SignIn::Accepted(user) => {
            let (amr, at) = (vec!["pwd".into()], state.now());
            let first = FirstFactor { user, amr, at, password: Some(stored) };
            let refused = again(StatusCode::FORBIDDEN, wrong());
            Ok(second_factor::after(&state, &visit, way, first).await?.unwrap_or(refused))
        }
        SignIn::Throttled(seconds) => {
            let text = format!("There were too many attempts. Try again in {seconds} seconds.");
            let problems = Problems::one("password", text);
            let mut response = again(StatusCode::TOO_MANY_REQUESTS, problems);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            Ok(response)
        }
        _ => Ok(again(StatusCode::FORBIDDEN, wrong())),
    }
}

/// The page.
pub(super) fn form(
    state: &AppState,
    visit: &Visit,
    way: &Way,
    status: StatusCode,
    typed: Option<&str>,
    problems: Problems,
) -> Response {
    let pending = way.interaction().map(|i| &i.pending);
    let known = way.known(state, visit).map(|s| s.user.username.clone());
    let insufficient = visit.session.as_ref().filter(|_| known.is_none());
    let name = insufficient.map(|s| s.user.username.clone());
    let (again, other) = match (insufficient, way) {
        (Some(s), Way::Interaction(_, i)) if is_expected(state, i, s) => (name, None),
        (Some(_), Way::Interaction(..)) => (None, name),
        (Some(s), Way::To(to)) if !to.is_open_to(s, state) => (name, None),
        _ => (None, None),
    };
    let hint = pending.and_then(|p| p.login_hint.clone()).filter(|h| known.as_ref() != Some(h));
    let username = match typed {
        Some(text) => text.to_owned(),
        None => hint.or_else(|| again.clone()).unwrap_or_default(),
    };
    let asker = way.asker(visit);
    let logo = asker.as_ref().and_then(|a| a.logo.clone());
    let page_of_login = Login {
        frame: Frame::bare(state).for_passkeys(state),
        asker,
        interaction: way.id(),
        to: way.to(),
        query: way.query(),
        signup_open: state.config.signup.open,
        letters: state.mail.is_on()
            && state.config.general.authenticator == Authenticator::Database,
        username,
        known,
        again,
        other,
        providers: buttons(state),
        problems,
    };
    let response = match pending {
        Some(pending) => show_to(status, page_of_login, &pending.redirect_uri, logo.as_deref()),
        None => page(status, page_of_login),
    };
    lead_out(state, with_script(state, response))
}

/// Whether it is the one whom the application expects, if it expects anybody.
fn is_expected(state: &AppState, interaction: &Interaction, session: &Session) -> bool {
    let expected = interaction.pending.expected_subject.as_ref();
    let env = state.provider.env();
    expected.is_none_or(|expected| subject(env, &interaction.client, &session.user.id) == *expected)
}
