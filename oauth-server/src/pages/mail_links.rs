//! Where letters lead: confirming addresses, choosing another password, taking a change back; and asking for a letter.
//!
//! Following a link changes nothing, since programs that look through mail follow links. A button does. The token is in
//! the address of these pages, so they tell nobody where somebody came from.

use super::{
    errors::{Explanation, Trouble},
    form::{Form, Problems},
    page::{Frame, show as page},
    visit::Visit,
};
use crate::{
    people::{Error, Purpose, Refusal},
    state::AppState,
};
use askama::Template;
use axum::{
    Router,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
    routing::get,
};
use oauth_core::params::Params;

/// A button that does what a letter is about.
#[derive(Template)]
#[template(path = "mail_link.html")]
struct LinkPage {
    frame: Frame,
    title: &'static str,
    lead: &'static str,
    button: &'static str,
    action: &'static str,
    token: String,
    username: String,
    email: String,
    /// The fewest characters of a password, where one is to be chosen.
    password_length: Option<u16>,
    problems: Problems,
}

/// That it is done.
#[derive(Template)]
#[template(path = "mail_done.html")]
struct DonePage {
    frame: Frame,
    title: &'static str,
    text: &'static str,
    /// What the link that goes on is called, and where it leads.
    next: (&'static str, &'static str),
}

#[derive(Template)]
#[template(path = "forgot_password.html")]
struct ForgotPage {
    frame: Frame,
    typed: String,
    problems: Problems,
}

/// The routes.
pub(super) fn routes() -> Router<AppState> {
    let mut router = Router::new().route("/forgot-password", get(show_forgot).post(forgot));
    for purpose in Purpose::ALL {
        let methods = get(move |state, visit| show(purpose, state, visit))
            .post(move |state, form| submit(purpose, state, form));
        router = router.route(purpose.path(), methods);
    }
    router
}

async fn show(
    purpose: Purpose,
    State(state): State<AppState>,
    visit: Visit,
) -> Result<Response, Trouble> {
    link_page(&state, purpose, &visit.query, StatusCode::OK, Problems::default()).await
}

async fn submit(
    purpose: Purpose,
    State(state): State<AppState>,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let token = params.get("token").unwrap_or_default();
    let people = state.people();
    let outcome = match purpose {
        Purpose::Confirm => people.confirm(token).await,
        Purpose::Change => people.confirm_new_email(token).await,
        Purpose::Undo => people.undo_email(token).await,
        Purpose::Reset => people.reset(token, params.get("password").unwrap_or_default()).await,
    };
    match outcome {
        Ok(_) => Ok(done(&state, purpose)),
        Err(Error::Refused(Refusal::Invalid(complaints))) => {
            let mut problems = Problems::default();
            for complaint in complaints {
                problems.add("password", complaint.text);
            }
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            link_page(&state, purpose, &params, status, problems).await
        }
        Err(Error::Refused(Refusal::LinkInvalid)) => Err(Explanation::link_invalid().into()),
        Err(Error::Refused(Refusal::Conflict(_))) => Err(Explanation::email_taken().into()),
        Err(Error::Refused(_)) => Err(Explanation::failure().into()),
        Err(Error::Failed(e)) => Err(e.into()),
    }
}

async fn link_page(
    state: &AppState,
    purpose: Purpose,
    params: &Params,
    status: StatusCode,
    problems: Problems,
) -> Result<Response, Trouble> {
    let token = params.get("token").unwrap_or_default().to_owned();
    let about = match state.people().link(purpose, &token).await {
        Ok(about) => about,
        Err(Error::Failed(e)) => return Err(e.into()),
        Err(Error::Refused(_)) => return Err(Explanation::link_invalid().into()),
    };
    let (title, lead, button) = words(purpose);
    let resets = purpose == Purpose::Reset;
    let content = LinkPage {
        frame: Frame::bare(state),
        title,
        lead,
        button,
        action: purpose.path(),
        token,
        username: about.username,
        email: about.email,
        password_length: resets.then_some(state.config.signup.password_length),
        problems,
    };
    Ok(secretive(page(status, content)))
}

/// Nobody is told the address of the page, which has the token in it.
fn secretive(mut response: Response) -> Response {
    let nobody = HeaderValue::from_static("no-referrer");
    response.headers_mut().insert(header::REFERRER_POLICY, nobody);
    response
}

const fn words(purpose: Purpose) -> (&'static str, &'static str, &'static str) {
    match purpose {
        Purpose::Confirm => (
            "Confirm your address",
            "Is this your account and your address? Then say so.",
            "Confirm the address",
        ),
        Purpose::Change => (
            "Confirm your new address",
            "Shall this be the address of your account from now on?",
            "Confirm the new address",
        ),
        Purpose::Undo => (
            "Take the change back",
            "This brings your old address back and ends every session. Choose another password then: whoever changed the address may know it.",
            "Bring the old address back",
        ),
        Purpose::Reset => (
            "Choose another password",
            "It ends every session and takes back what applications may do.",
            "Replace the password",
        ),
    }
}

fn done(state: &AppState, purpose: Purpose) -> Response {
    let sign_in = ("Sign in", "/login");
    let (title, text, next) = match purpose {
        Purpose::Confirm => {
            ("Your address is confirmed", "From now on you can sign in with it, too.", sign_in)
        }
        Purpose::Change => (
            "Your new address is confirmed",
            "Letters go there from now on. Your old address was told, too.",
            ("To your account", "/account"),
        ),
        Purpose::Undo => (
            "Your old address is back",
            "Every session has ended. Choose another password now.",
            ("Choose another password", "/forgot-password"),
        ),
        Purpose::Reset => (
            "Your password is replaced",
            "Every session has ended. Sign in with the new password.",
            sign_in,
        ),
    };
    let content = DonePage { frame: Frame::bare(state), title, text, next };
    secretive(page(StatusCode::OK, content))
}

async fn show_forgot(State(state): State<AppState>, visit: Visit) -> Result<Response, Trouble> {
    let typed = visit.query.get("username").unwrap_or_default();
    forgot_page(&state, typed, StatusCode::OK, Problems::default())
}

/// The answer is the same whoever is named.
async fn forgot(State(state): State<AppState>, Form(params): Form) -> Result<Response, Trouble> {
    let typed = params.get("email").unwrap_or_default().trim();
    if typed.is_empty() {
        let problems = Problems::one("email", "Type your e-mail address.");
        return forgot_page(&state, typed, StatusCode::UNPROCESSABLE_ENTITY, problems);
    }
    if !state.mail.is_on() {
        return Err(Explanation::no_letters().into());
    }
    match state.people().forgot(typed).await {
        Ok(()) => Ok(page(
            StatusCode::OK,
            DonePage {
                frame: Frame::bare(&state),
                title: "Look into your mailbox",
                text: "If there is an account with this address, a letter is on its way. If none comes, look among what was taken for spam, or ask for the address you signed up with.",
                next: ("Sign in", "/login"),
            },
        )),
        Err(Error::Refused(Refusal::Throttled(seconds))) => {
            let text = format!("There were too many letters. Try again in {seconds} seconds.");
            let problems = Problems::one("email", text);
            let mut response = forgot_page(&state, typed, StatusCode::TOO_MANY_REQUESTS, problems)?;
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            Ok(response)
        }
        Err(Error::Refused(_)) => Err(Explanation::failure().into()),
        Err(Error::Failed(e)) => Err(e.into()),
    }
}

fn forgot_page(
    state: &AppState,
    typed: &str,
    status: StatusCode,
    problems: Problems,
) -> Result<Response, Trouble> {
    if !state.mail.is_on() {
        return Err(Explanation::no_letters().into());
    }
    let content = ForgotPage { frame: Frame::bare(state), typed: typed.to_owned(), problems };
    Ok(page(status, content))
}
