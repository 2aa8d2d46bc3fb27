//! `/signup`: making an account, with the access rights that the operator lets people choose.

use super::{
    asker::Asker,
    errors::{Explanation, Trouble},
    form::{Form, Problems},
    page::{Frame, see_other, show as page, show_to},
    social::{Button, buttons, lead_out},
    visit::Visit,
    way::Way,
};
use crate::{
    config::SelfService,
    credentials::{check_password, check_username},
    shell,
    state::AppState,
    throttle::Admission,
};
use askama::Template;
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use oauth_core::{
    error::PortError,
    model::{Access, AccessRight, UserId},
    params::Params,
    seaorm::{NewUser, new_user_id},
};

#[derive(Template)]
#[template(path = "signup.html")]
struct Signup {
    frame: Frame,
    asker: Option<Asker>,
    interaction: String,
    to: String,
    query: String,
    username: String,
    password_length: u16,
    rights: Vec<Right>,
    /// Who is signed in already.
    known: Option<String>,
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
    let wanted = match Wanted::of(&state, &params) {
        Ok(wanted) => wanted,
        Err(problems) => return Ok(again(StatusCode::UNPROCESSABLE_ENTITY, problems)),
    };
    let address = shell::client_address();
    if let Some(address) = address
        && let Admission::Wait(seconds) = state.throttle.admit_signup(address).await?
    {
        let text = format!(
            "Too many accounts were made from where you are. Try again in {seconds} seconds."
        );
        let mut response = again(StatusCode::TOO_MANY_REQUESTS, Problems::one("username", text));
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        return Ok(response);
    }
    let Some(user) = make(&state, wanted).await? else {
        let text = "This user name is taken. Choose another one, or sign in if it is yours.";
        return Ok(again(StatusCode::UNPROCESSABLE_ENTITY, Problems::one("username", text)));
    };
    tracing::info!(user.id = %user, "user signed up");
    let started = state.sessions.start(&visit.headers, &user, &["pwd"], address).await?;
    Ok(way.begin(&state, &visit.browser, started).await)
}

async fn open(state: &AppState, visit: &Visit, params: &Params) -> Result<Way, Trouble> {
    if !state.config.signup.open {
        return Err(Explanation::signup_closed().into());
    }
    Way::of(state, visit, params).await
}

/// What somebody who signs up wants, checked.
struct Wanted {
    username: String,
    password: String,
    rights: Vec<(String, Access)>,
}

impl Wanted {
    fn of(state: &AppState, params: &Params) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let typed = params.get("username").unwrap_or_default();
        let username = check_username(typed).unwrap_or_else(|text| {
            problems.add("username", text);
            String::new()
        });
        let password = params.get("password").unwrap_or_default();
        let shortest = state.config.signup.password_length;
        if let Err(text) = check_password(password, typed, shortest) {
            problems.add("password", text);
        }
        let rights = rights(state, params).unwrap_or_else(|text| {
            problems.add("rights", text);
            Vec::new()
        });
        if problems.is_empty() {
            Ok(Self { username, password: password.to_owned(), rights })
        } else {
            Err(problems)
        }
    }
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

/// The rights of somebody who signs up without choosing any.
pub(super) fn self_service(state: &AppState) -> Vec<(String, Access)> {
    let access = match state.config.self_service() {
        SelfService::Fixed => state.config.signup.default_access,
        SelfService::None | SelfService::Choose => Access::None,
    };
    state.config.known_apis().into_iter().map(|api| (api.name, access)).collect()
}

/// Makes the user; nothing when the name is taken.
async fn make(state: &AppState, wanted: Wanted) -> Result<Option<UserId>, PortError> {
    // The same work whether the name is free or not.
    let password_hash = Some(state.passwords.hash(&wanted.password).await?);
    let now = state.now();
    let id = new_user_id(now, &*state.provider.env().random);
    let new = NewUser { password_hash, ..NewUser::new(id, wanted.username, now) };
    let Some(id) = state.store.create_user(new).await? else { return Ok(None) };
    let right = |(api, access)| AccessRight { user: id.clone(), api, access, paths: Vec::new() };
    state.store.set_rights(&id, wanted.rights.into_iter().map(right).collect()).await?;
    Ok(Some(id))
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
        password_length: state.config.signup.password_length,
        rights: offered(state, params),
        known: visit.session.as_ref().map(|session| session.user.username.clone()),
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
