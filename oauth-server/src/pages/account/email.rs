//! `/account/email`: the address of whoever is signed in, and another one in its place.

use crate::{
    pages::{
        errors::{Explanation, Trouble},
        form::{Form, Problems},
        page::{Frame, see_other, show as page},
        visit::SignedIn,
        way::Destination,
        words,
    },
    people::{Error, Refusal},
    state::AppState,
};
use askama::Template;
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use oauth_core::{params::Params, ports::SignIn};

#[derive(Template)]
#[template(path = "account/email.html")]
struct EmailPage {
    frame: Frame,
    notice: Option<&'static str>,
    username: String,
    email: Option<String>,
    verified: bool,
    has_password: bool,
    typed: String,
    problems: Problems,
}

pub(super) async fn show(
    State(state): State<AppState>,
    visit: SignedIn,
) -> Result<Response, Trouble> {
    form(&state, &visit, &Params::default(), StatusCode::OK, Problems::default()).await
}

pub(super) async fn change(
    State(state): State<AppState>,
    visit: SignedIn,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let user = visit.user().id.clone();
    let account = state.store.account(&user).await?.ok_or(Explanation::not_found())?;
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    let email = params.get("new_email").unwrap_or_default();
    if account.has_password {
        let password = params.get("current_password").unwrap_or_default();
        if password.is_empty() {
            let problems = Problems::one("current_password", "Type your password.");
            return form(&state, &visit, &params, unprocessable, problems).await;
        }
        match state.users.sign_in(&account.username, password).await? {
            SignIn::Accepted(id) if id == user => {}
            SignIn::Throttled(seconds) => {
                return throttled(&state, &visit, &params, "current_password", seconds).await;
            }
            _ => {
                let problems = Problems::one("current_password", "This is not your password.");
                return form(&state, &visit, &params, StatusCode::FORBIDDEN, problems).await;
            }
        }
    } else if !Destination::Email.is_open_to(&visit.session, &state) {
        return Ok(see_other("/login?to=email"));
    }
    match state.people().change_email(&user, email).await {
        Ok(()) => Ok(see_other("/account/email?done=letter_sent")),
        Err(e) => refused(&state, &visit, &params, e).await,
    }
}

pub(super) async fn again(
    State(state): State<AppState>,
    visit: SignedIn,
    Form(params): Form,
) -> Result<Response, Trouble> {
    match state.people().confirm_again(&visit.user().id).await {
        Ok(()) => Ok(see_other("/account/email?done=letter_sent")),
        Err(e) => refused(&state, &visit, &params, e).await,
    }
}

async fn refused(
    state: &AppState,
    visit: &SignedIn,
    params: &Params,
    error: Error,
) -> Result<Response, Trouble> {
    match error {
        Error::Failed(e) => Err(e.into()),
        Error::Refused(Refusal::Throttled(seconds)) => {
            throttled(state, visit, params, "new_email", seconds).await
        }
        Error::Refused(Refusal::Closed(_)) => Err(Explanation::no_letters().into()),
        Error::Refused(Refusal::Invalid(complaints)) => {
            let mut problems = Problems::default();
            for complaint in complaints {
                problems.add("new_email", complaint.text);
            }
            form(state, visit, params, StatusCode::UNPROCESSABLE_ENTITY, problems).await
        }
        Error::Refused(_) => Err(Explanation::not_found().into()),
    }
}

async fn throttled(
    state: &AppState,
    visit: &SignedIn,
    params: &Params,
    field: &'static str,
    seconds: u64,
) -> Result<Response, Trouble> {
    let text = format!("There were too many attempts. Try again in {seconds} seconds.");
    let problems = Problems::one(field, text);
    let mut response = form(state, visit, params, StatusCode::TOO_MANY_REQUESTS, problems).await?;
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    Ok(response)
}

async fn form(
    state: &AppState,
    visit: &SignedIn,
    params: &Params,
    status: StatusCode,
    problems: Problems,
) -> Result<Response, Trouble> {
    let account = state.store.account(&visit.user().id).await?;
    let account = account.ok_or(Explanation::not_found())?;
    let content = EmailPage {
        frame: Frame::of(state, visit.user(), "email"),
        notice: words::notice(visit.query.get("done")),
        username: account.username,
        email: account.email,
        verified: account.email_verified,
        has_password: account.has_password,
        typed: params.get("new_email").unwrap_or_default().to_owned(),
        problems,
    };
    Ok(page(status, content))
}
