//! `/signup`: making an account, with the access rights that the operator lets people choose.

use super::{
    asker::Asker,
    errors::{Explanation, Trouble},
    form::{Form, Problems},
    page::{Frame, see_other, show as page, show_to},
    second_factor,
    social::{Button, buttons, lead_out},
    visit::Visit,
    way::Way,
};
use crate::{
    config::{AccountEmail, SelfService},
    people::{Error, Refusal, Registration},
    second_factor::FirstFactor,
    sign_in::StoredPassword,
    state::AppState,
};
use askama::Template;
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use oauth_core::{model::Access, params::Params};

/// The field that nobody sees.
const UNSEEN: &str = "website";

#[derive(Template)]
#[template(path = "signup.html")]
struct Signup {
    frame: Frame,
    asker: Option<Asker>,
    interaction: String,
    to: String,
    query: String,
    username: String,
    email: String,
    email_required: bool,
    terms_url: Option<String>,
    password_length: u16,
    rights: Vec<Right>,
    /// Who is signed in already.
    known: Option<String>,
    /// Whether there is a field that nobody sees.
    honeypot: bool,
    /// Other providers to sign in through.
    providers: Vec<Button>,
    problems: Problems,
}

/// An API, with how far one may go.
struct Right {
    name: String,
    title: String,
    levels: Vec<Level>,
}

struct Level {
    word: &'static str,
    title: &'static str,
    checked: bool,
}

pub(super) async fn show(State(state): State<AppState>, visit: Visit) -> Result<Response, Trouble> {
    let way = open(&state, &visit, &visit.query).await?;
    if let (Way::To(destination), Some(_)) = (&way, &visit.session) {
        return Ok(see_other(&destination.path()));
    }
    Ok(form(&state, (&visit, &way), &Params::default(), StatusCode::OK, Problems::default()))
}

pub(super) async fn submit(
    State(state): State<AppState>,
    visit: Visit,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let way = open(&state, &visit, &params).await?;
    let again = |status, problems| form(&state, (&visit, &way), &params, status, problems);
    if state.config.signup.honeypot && params.get(UNSEEN).is_some_and(|text| !text.is_empty()) {
        tracing::info!("a field that nobody sees was filled in; no account is made");
        let text =
            "A field was filled in that nobody sees. Type your user name and password yourself.";
        return Ok(again(StatusCode::UNPROCESSABLE_ENTITY, Problems::one("username", text)));
    }
    let people = state.people();
    let mut said = said(&params);
    let rights = rights(&state, &params);
    if let Err(text) = rights {
        let mut problems = people.check(&said).map_or_else(problems_of, |()| Problems::default());
        problems.add("rights", text);
        return Ok(again(StatusCode::UNPROCESSABLE_ENTITY, problems));
    }
    said.rights = rights.unwrap_or_default();
    let made = match people.register(said).await {
        Ok(made) => made,
        Err(Error::Failed(e)) => return Err(e.into()),
        Err(Error::Refused(Refusal::Throttled(seconds))) => {
            let text = format!(
                "Too many accounts were made from where you are. Try again in {seconds} seconds."
            );
            let mut response =
                again(StatusCode::TOO_MANY_REQUESTS, Problems::one("username", text));
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            return Ok(response);
        }
        Err(Error::Refused(Refusal::Conflict(_))) => {
            let text = "This user name is taken. Choose another one, or sign in if it is yours.";
            return Ok(again(StatusCode::UNPROCESSABLE_ENTITY, Problems::one("username", text)));
        }
        Err(Error::Refused(refusal)) => {
            return Ok(again(StatusCode::UNPROCESSABLE_ENTITY, problems_of(refusal)));
        }
    };
    let user = made.user;
    let password = Some(StoredPassword::of_user(&state.store, &user).await?);
    let first = FirstFactor { user, amr: vec!["pwd".into()], at: state.now(), password };
    let response = second_factor::after(&state, &visit, way, first).await?;
    Ok(response.unwrap_or_else(|| see_other("/login")))
}

/// What somebody who signs up says, rights aside.
fn said(params: &Params) -> Registration {
    let text = |name: &str| params.get(name).map(str::to_owned);
    Registration {
        // A name is asked for on the page, so an empty one is not one to be made up.
        username: text("username").or_else(|| Some(String::new())),
        email: text("email"),
        password: text("password").unwrap_or_default(),
        agrees: params.get("agreement") == Some("yes"),
        ..Registration::default()
    }
}

/// What was wrong, at the fields of the page.
fn problems_of(refusal: Refusal) -> Problems {
    let mut problems = Problems::default();
    let Refusal::Invalid(complaints) = refusal else { return problems };
    for complaint in complaints {
        let fields = ["username", "email", "password", "agreement"];
        let field = fields.into_iter().find(|field| *field == complaint.field);
        problems.add(field.unwrap_or("username"), complaint.text);
    }
    problems
}

async fn open(state: &AppState, visit: &Visit, params: &Params) -> Result<Way, Trouble> {
    if !state.config.signup.open {
        return Err(Explanation::signup_closed().into());
    }
    Way::of(state, visit, params).await
}

/// A right on every API, those without any included: what is written down is certain.
fn rights(state: &AppState, params: &Params) -> Result<Vec<(String, Access)>, &'static str> {
    let default = state.config.signup.default_access;
    let chosen = |api: &str| match state.config.self_service() {
        SelfService::None => Ok(Access::None),
        SelfService::Fixed => Ok(default),
        SelfService::Choose => match params.get(&format!("right:{api}")) {
            None => Ok(Access::None),
            Some(word) => Access::parse(word).ok_or("Choose none, read or write for each API."),
        },
    };
    let apis = state.config.known_apis().into_iter();
    apis.map(|api| Ok((chosen(&api.name)?, api.name))).map(|r| r.map(|(a, n)| (n, a))).collect()
}

fn form(
    state: &AppState,
    (visit, way): (&Visit, &Way),
    params: &Params,
    status: StatusCode,
    problems: Problems,
) -> Response {
    let asker = way.asker(visit);
    let logo = asker.as_ref().and_then(|a| a.logo.clone());
    let page_of_signup = Signup {
        frame: Frame::bare(state),
        asker,
        interaction: way.id(),
        to: way.to(),
        query: way.query(),
        username: params.get("username").unwrap_or_default().to_owned(),
        email: params.get("email").unwrap_or_default().to_owned(),
        email_required: state.config.accounts.email == AccountEmail::Required,
        terms_url: state.config.accounts.terms_url.clone(),
        password_length: state.config.signup.password_length,
        rights: offered(state, params),
        known: visit.session.as_ref().map(|session| session.user.username.clone()),
        honeypot: state.config.signup.honeypot,
        providers: buttons(state),
        problems,
    };
    let response = match way.interaction() {
        Some(i) => show_to(status, page_of_signup, &i.pending.redirect_uri, logo.as_deref()),
        None => page(status, page_of_signup),
    };
    lead_out(state, response)
}

fn offered(state: &AppState, params: &Params) -> Vec<Right> {
    if state.config.self_service() != SelfService::Choose {
        return Vec::new();
    }
    let default = state.config.signup.default_access;
    let right = |api: crate::config::Api| {
        let chosen = params.get(&format!("right:{}", api.name));
        let chosen = chosen.and_then(Access::parse).unwrap_or(default);
        let level = |(access, title): (Access, _)| Level {
            word: access.as_str(),
            title,
            checked: access == chosen,
        };
        let levels = [(Access::None, "None"), (Access::Read, "Read"), (Access::Write, "Write")];
        Right {
            title: if api.title.is_empty() { api.name.clone() } else { api.title },
            name: api.name,
            levels: levels.into_iter().map(level).collect(),
        }
    };
    state.config.known_apis().into_iter().map(right).collect()
}
