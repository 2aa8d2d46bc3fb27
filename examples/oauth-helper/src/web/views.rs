//! What the pages show.

use super::{forms::lines, guard::Visit};
use crate::{
    client::{State, Status},
    clock::readable,
    error::Error,
    model::{AuthMethod, Client, Credentials, Grant},
    pages::{self, STYLE, page},
};
use askama::Template;
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};

/// A client in the list.
pub(super) struct Row {
    id: u32,
    name: String,
    service: String,
    state: &'static str,
    expires: String,
}

impl Row {
    pub(super) fn new(client: &Client, status: &Status) -> Self {
        Self {
            id: client.id,
            name: client.name.clone(),
            service: client.service.clone(),
            state: status.state.text(),
            expires: status.expires_at.map_or_else(|| "–".into(), readable),
        }
    }
}

#[derive(Template)]
#[template(path = "web/list.html")]
struct List {
    rows: Vec<Row>,
}

pub(super) fn list(rows: Vec<Row>) -> Response {
    page(StatusCode::OK, &List { rows })
}

#[derive(Template)]
#[template(path = "web/detail.html")]
struct Detail<'a> {
    token: &'a str,
    client: &'a Client,
    facts: Vec<(&'static str, String)>,
    by_browser: bool,
    renewable: bool,
    has_tokens: bool,
}

pub(super) fn detail(
    visit: &Visit,
    client: &Client,
    status: &Status,
    (credentials, redirect): (&Credentials, &str),
) -> Response {
    let endpoints = client.endpoints();
    let yes_no = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let text = |url: Option<url::Url>| url.map_or_else(|| "–".into(), |u| u.to_string());
    let time = |at: Option<i64>| at.map_or_else(|| "–".into(), readable);
    let facts = vec![
        ("State", status.state.text().to_owned()),
        ("Access token until", time(status.expires_at)),
        ("Access token since", time(status.obtained_at)),
        ("Refresh token", yes_no(status.has_refresh_token)),
        ("Scope granted", status.scope.clone().unwrap_or_else(|| "–".into())),
        ("Signed in", status.subject.clone().unwrap_or_else(|| "–".into())),
        ("Service", client.service.clone()),
        ("Client ID", client.client_id.clone()),
        ("Client secret stored", yes_no(credentials.secret.is_some())),
        ("Proves who it is by", value(&client.auth)),
        ("Gets tokens by", value(&client.grant)),
        ("Issuer", client.issuer.clone().unwrap_or_else(|| "–".into())),
        ("Authorization endpoint", text(endpoints.authorization)),
        ("Token endpoint", text(endpoints.token)),
        ("Revocation endpoint", text(endpoints.revocation)),
        ("Redirect URL to register", redirect.to_owned()),
        ("Added", time(Some(client.added_at))),
        ("Changed", time(Some(client.modified_at))),
    ];
    let own = client.grant == Grant::ClientCredentials;
    let template = Detail {
        token: &visit.token,
        client,
        facts,
        by_browser: client.grant == Grant::AuthorizationCode,
        renewable: own || status.has_refresh_token,
        has_tokens: status.obtained_at.is_some() && status.state != State::LoginNeeded
            || status.has_refresh_token,
    };
    page(StatusCode::OK, &template)
}

/// The name of a value, as the command line has it.
fn value<T: clap::ValueEnum>(of: &T) -> String {
    of.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default()
}

/// A choice in a form.
struct Choice {
    name: String,
    help: String,
    chosen: bool,
}

fn choices<T: clap::ValueEnum + PartialEq>(chosen: &T) -> Vec<Choice> {
    T::value_variants()
        .iter()
        .filter_map(|variant| {
            let value = variant.to_possible_value()?;
            let help = value.get_help().map(ToString::to_string).unwrap_or_default();
            Some(Choice { name: value.get_name().to_owned(), help, chosen: variant == chosen })
        })
        .collect()
}

#[derive(Template)]
#[template(path = "web/form.html")]
struct Form<'a> {
    token: &'a str,
    client: &'a Client,
    is_new: bool,
    problem: Option<String>,
    services: &'a [String],
    methods: Vec<Choice>,
    grants: Vec<Choice>,
    issuer: &'a str,
    auth_url: String,
    token_url: String,
    revocation_url: String,
    redirect_url: String,
    auth_params: String,
    token_params: String,
    refresh_params: String,
}

pub(super) fn form(
    visit: &Visit,
    client: &Client,
    problem: Option<&Error>,
    services: &[String],
) -> Response {
    let text = |url: &Option<url::Url>| url.as_ref().map(ToString::to_string).unwrap_or_default();
    let template = Form {
        token: &visit.token,
        client,
        is_new: client.id == 0,
        problem: problem.map(ToString::to_string),
        services,
        methods: choices::<AuthMethod>(&client.auth),
        grants: choices::<Grant>(&client.grant)
            .into_iter()
            .filter(|g| g.name != value(&Grant::Password) || g.chosen)
            .collect(),
        issuer: client.issuer.as_deref().unwrap_or_default(),
        auth_url: text(&client.endpoints.authorization),
        token_url: text(&client.endpoints.token),
        revocation_url: text(&client.endpoints.revocation),
        redirect_url: text(&client.redirect_url),
        auth_params: lines(&client.params.authorization),
        token_params: lines(&client.params.token),
        refresh_params: lines(&client.params.refresh),
    };
    let status = problem.map_or(StatusCode::OK, status_of);
    page(status, &template)
}

#[derive(Template)]
#[template(path = "web/exchange.html")]
struct Exchange<'a> {
    token: &'a str,
    client: &'a Client,
    ready: bool,
}

pub(super) fn exchange(visit: &Visit, client: &Client, ready: bool) -> Response {
    page(StatusCode::OK, &Exchange { token: &visit.token, client, ready })
}

#[derive(Template)]
#[template(path = "web/confirm.html")]
struct Confirm<'a> {
    token: &'a str,
    client: &'a Client,
    removes: bool,
}

pub(super) fn confirm_refresh(visit: &Visit, client: &Client) -> Response {
    page(StatusCode::OK, &Confirm { token: &visit.token, client, removes: false })
}

pub(super) fn confirm_remove(visit: &Visit, client: &Client) -> Response {
    page(StatusCode::OK, &Confirm { token: &visit.token, client, removes: true })
}

#[derive(Template)]
#[template(path = "web/access.html")]
struct Access<'a> {
    token: &'a str,
    wrong: bool,
}

pub(super) fn access(visit: &Visit, wrong: bool) -> Response {
    let status = if wrong { StatusCode::FORBIDDEN } else { StatusCode::OK };
    page(status, &Access { token: &visit.token, wrong })
}

#[derive(Template)]
#[template(path = "web/message.html")]
struct Message<'a> {
    title: &'a str,
    text: &'a str,
    failed: bool,
    client: Option<(u32, &'a str)>,
}

pub(super) fn succeeded(client: &Client, title: &str, text: &str) -> Response {
    let client = Some((client.id, client.name.as_str()));
    page(StatusCode::OK, &Message { title, text, failed: false, client })
}

pub(super) fn failed(error: &Error) -> Response {
    let text = error.to_string();
    let title = "That did not work";
    page(status_of(error), &Message { title, text: &text, failed: true, client: None })
}

const fn status_of(error: &Error) -> StatusCode {
    match error {
        Error::UnknownClient(_) => StatusCode::NOT_FOUND,
        Error::Invalid(_) | Error::Cancelled(_) => StatusCode::BAD_REQUEST,
        Error::LoginNeeded { .. } => StatusCode::CONFLICT,
        Error::Refused { .. } | Error::Unusable { .. } => StatusCode::BAD_GATEWAY,
        Error::Unreachable { .. } => StatusCode::GATEWAY_TIMEOUT,
        Error::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

pub(super) async fn not_found() -> Response {
    let text = "There is no page at this address.";
    page(StatusCode::NOT_FOUND, &Message { title: "Not here", text, failed: true, client: None })
}

pub(super) async fn not_allowed() -> Response {
    pages::plain(StatusCode::METHOD_NOT_ALLOWED, "this address is not asked in that way")
}

/// The style sheet.
pub(super) async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "max-age=3600"),
    ];
    (headers, STYLE).into_response()
}

/// What holds for every answer.
pub(super) async fn finish(response: Response) -> Response {
    pages::guarded(response)
}
