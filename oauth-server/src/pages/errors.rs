//! Pages that explain an error: what happened, and what to do now.

use super::page::{Frame, show};
use crate::{config::Config, shell, state::AppState};
use askama::Template;
use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use oauth_core::{
    error::{ErrorCode, OAuthError, PortError},
    http::{Edge, ErrorPages},
};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use tower_http::csrf::ProtectionError;

/// An error in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    status: StatusCode,
    title: &'static str,
    text: &'static str,
    advice: &'static str,
    code: &'static str,
    detail: Option<&'static str>,
    /// Seconds.
    retry_after: Option<u64>,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    frame: Frame,
    title: &'static str,
    text: &'static str,
    advice: &'static str,
    code: &'static str,
    detail: Option<&'static str>,
    request: Option<String>,
}

/// Where a handler cannot go on: to a page that explains why, or somewhere else.
#[derive(Debug)]
pub(super) enum Trouble {
    Explain(Box<Explanation>),
    Answer(Box<Response>),
}

const START_AGAIN: &str = "Go back to the application and start again. If it happens again, tell the people who run the application.";
const TELL_THEM: &str =
    "You did nothing wrong. Tell the people who run the application what you see here.";

impl Explanation {
    const fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        text: &'static str,
        advice: &'static str,
    ) -> Self {
        Self { status, title, text, advice, code, detail: None, retry_after: None }
    }

    /// There is nothing at this address.
    pub const fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "There is nothing here",
            "The address may be mistyped, or what was here is gone.",
            "Check the address, or begin at the home page.",
        )
    }

    /// The method makes no sense at this address.
    pub(super) const fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "This address cannot be used like that",
            "The page exists, but not for this kind of request.",
            "Begin at the home page.",
        )
    }

    /// A form that another site sent.
    pub(super) const fn from_elsewhere() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "cross_site_request",
            "This request came from another site",
            "Forms are accepted only from the pages of this server, so that no other site can act in your name.",
            "Nothing was changed. If you wanted to do this, do it from the home page.",
        )
    }

    /// A form that cannot be read.
    pub(super) const fn bad_form(detail: Option<&'static str>) -> Self {
        let mut this = Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "This form cannot be read",
            "What arrived here is not what our page would have sent.",
            "Go back, reload the page and fill in the form again.",
        );
        this.detail = detail;
        this
    }

    /// An administrator would lock itself out.
    pub(super) const fn own_account() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "own_account",
            "Nobody does this to itself",
            "Whoever locks itself out, or stops being an administrator, could not take it back.",
            "Nothing was changed. Ask another administrator.",
        )
    }

    /// Signing up is not for everybody here.
    pub(super) const fn signup_closed() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "signup_closed",
            "Accounts are not made here",
            "The people who run this server make the accounts themselves.",
            "Ask them for one, then sign in.",
        )
    }

    /// The link of a letter is not good.
    pub(super) const fn link_invalid() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "link_invalid",
            "This link does not work any more",
            "It was used already, it is too old, or another letter took its place.",
            "Look for a newer letter, or ask for another one where you asked for this one.",
        )
    }

    /// Somebody else was faster.
    pub(super) const fn changed_meanwhile() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "changed_meanwhile",
            "It was changed at the same moment",
            "Somebody changed this while you did, so what you did was left undone.",
            "Open it again, look at what it is now, and do it once more.",
        )
    }

    /// Somebody else has the address by now.
    pub(super) const fn email_taken() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "email_taken",
            "This address belongs to another account",
            "Somebody confirmed it for another account in the meantime.",
            "Sign in with that account, or give this one another address.",
        )
    }

    /// No letters leave this server.
    pub(super) const fn no_letters() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "no_letters",
            "This server sends no letters",
            "So it can neither confirm an address nor help with a forgotten password.",
            "Ask the people who run this server.",
        )
    }

    /// Something inside failed.
    pub const fn failure() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "server_error",
            "Something went wrong on our side",
            "You did nothing wrong, and trying again may help.",
            "If it happens again, give the number of the request to the people who run this server.",
        )
    }

    /// The request is larger than any of our forms.
    pub(crate) const fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "invalid_request",
            "This is too large",
            "What was sent here is larger than anything our forms can hold.",
            "Go back and send less.",
        )
    }

    /// There was no answer in time; try again after so many seconds.
    pub(crate) const fn overloaded(seconds: u64) -> Self {
        let mut this = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            "The server is too busy",
            "It did not come to an answer in time.",
            "Wait a moment, then try again.",
        );
        this.retry_after = Some(seconds);
        this
    }

    /// Too busy, or throttled, for so many seconds.
    pub(super) fn busy(seconds: u64) -> Self {
        let mut this = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_requests",
            "Too many attempts",
            "There were too many attempts from where you are in a short time.",
            "Wait a while, then try again.",
        );
        this.retry_after = Some(seconds);
        this
    }

    /// An error of the protocol that nobody but the person at the browser can be told.
    pub(super) fn of(error: &OAuthError) -> Self {
        let status = error.code().status();
        let code = error.code().as_str();
        let detail = error.description();
        let said = |text: &str| detail.is_some_and(|d| d.contains(text));
        let (title, text, advice) = match error.code() {
            ErrorCode::ServerError => return Self::failure(),
            ErrorCode::TemporarilyUnavailable => return Self::busy(5),
            ErrorCode::AccessDenied => {
                ("Access denied", "The application did not get what it asked for.", START_AGAIN)
            }
            _ if said("is over") => (
                "This sign-in is over",
                "It took too long, was finished already, or began in another browser.",
                "Go back to the application and start again from there.",
            ),
            _ if said("id_token_hint") || said("post_logout_redirect_uri") => (
                "This application cannot sign you out like that",
                "It sent you here without what would prove that it may. Nothing was changed.",
                "If you want to sign out, go to the home page and press the button there.",
            ),
            _ if said("not registered here") => (
                "This application is unknown here",
                "An application sent you here, but no client with its ID is registered on this server.",
                TELL_THEM,
            ),
            _ if said("redirect_uri") => (
                "This application asks to send you to an unknown place",
                "For your safety nobody is sent to an address that the application has not registered before.",
                TELL_THEM,
            ),
            _ => (
                "This request cannot be answered",
                "An application sent you here with a request that is not right.",
                START_AGAIN,
            ),
        };
        Self { detail, ..Self::new(status, code, title, text, advice) }
    }
}

/// The page as a response.
pub(super) fn explain(state: &AppState, e: &Explanation) -> Response {
    explain_in(Frame::bare(state), e)
}

/// The page as a response, in a frame.
fn explain_in(frame: Frame, e: &Explanation) -> Response {
    let page = ErrorPage {
        frame,
        title: e.title,
        text: e.text,
        advice: e.advice,
        code: e.code,
        detail: e.detail,
        request: shell::request_id().map(|id| id.to_string()),
    };
    let mut response = show(e.status, page);
    if let Some(seconds) = e.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Turns what a handler left into the page: handlers need no state to fail.
pub(super) async fn explained(State(state): State<AppState>, response: Response) -> Response {
    match response.extensions().get::<Arc<Explanation>>() {
        Some(e) => explain(&state, &Arc::clone(e)),
        None => response,
    }
}

pub(super) async fn method_not_allowed() -> Explanation {
    Explanation::method_not_allowed()
}

pub(super) fn from_elsewhere(_: ProtectionError) -> Response<Body> {
    Explanation::from_elsewhere().into_response()
}

impl IntoResponse for Explanation {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        match self {
            Self::Explain(e) => e.into_response(),
            Self::Answer(response) => *response,
        }
    }
}

impl From<Explanation> for Trouble {
    fn from(e: Explanation) -> Self {
        Self::Explain(Box::new(e))
    }
}

impl From<Response> for Trouble {
    fn from(response: Response) -> Self {
        Self::Answer(Box::new(response))
    }
}

impl From<PortError> for Trouble {
    fn from(e: PortError) -> Self {
        OAuthError::from(e).into()
    }
}

impl From<OAuthError> for Trouble {
    fn from(e: OAuthError) -> Self {
        if e.code().status().is_server_error() {
            tracing::error!(error = e.code().as_str(), causes = e.causes(), "page failed");
        }
        Explanation::of(&e).into()
    }
}

/// The pages for what is refused before any handler is reached, from nothing but the configuration.
#[derive(Clone)]
pub(crate) struct EarlyPages(Frame);

impl EarlyPages {
    /// For the server with this configuration.
    pub(crate) fn new(config: &Config) -> Self {
        Self(Frame::configured(config))
    }

    /// The page as a response.
    pub(crate) fn explain(&self, e: &Explanation) -> Response {
        explain_in(self.0.clone(), e)
    }
}

/// The pages for errors of the protocol that must not be sent to a client.
#[derive(Clone)]
pub(crate) struct Explainer(AppState);

impl Explainer {
    /// For this server.
    pub(crate) const fn new(state: AppState) -> Self {
        Self(state)
    }
}

impl ErrorPages for Explainer {
    fn page(&self, error: &OAuthError) -> Response {
        if wants_data(&self.0) {
            let body: Map<String, Value> =
                error.fields().map(|(name, value)| (name.to_owned(), value.into())).collect();
            return (error.code().status(), Json(body)).into_response();
        }
        explain(&self.0, &Explanation::of(error))
    }
}

/// There is nothing at this address.
pub(super) fn nothing(state: &AppState) -> Response {
    if wants_data(state) {
        return (StatusCode::NOT_FOUND, Json(json!({ "error": "not_found" }))).into_response();
    }
    explain(state, &Explanation::not_found())
}

/// Whether whoever asks is a program that gets JSON unless it says otherwise (AMWA IS-10, API conventions).
fn wants_data(state: &AppState) -> bool {
    state.config.profile().is_nmos() && shell::wants_data()
}

/// The edge of the protocol, with the pages of this server and the habits of its profile.
pub(crate) fn edge(state: &AppState) -> Edge {
    let edge = Edge::new(state.provider.clone()).error_pages(Explainer::new(state.clone()));
    let is_nmos = state.config.profile().is_nmos();
    if is_nmos { edge.plain_key_set().found_to_clients() } else { edge }
}
