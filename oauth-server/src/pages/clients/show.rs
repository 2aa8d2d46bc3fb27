//! `/clients/{id}`: what a client is, and how to get a token with it.

use super::{Owned, token};
use crate::{
    pages::{
        page::{Frame, show as page},
        recipes::{Recipe, recipes},
        words,
    },
    state::AppState,
};
use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use oauth_core::model::{Client, PlainToken, User};

#[derive(Template)]
#[template(path = "clients/show.html")]
struct Show {
    frame: Frame,
    notice: Option<&'static str>,
    client: Sheet,
    /// Shown once, when it was just made.
    secret: Option<String>,
    can_try: bool,
    try_now: bool,
    recipes: Vec<Recipe>,
}

/// A client in words.
struct Sheet {
    id: String,
    name: String,
    uri: Option<String>,
    grants: String,
    auth: &'static str,
    scope: String,
    redirect_uris: Vec<String>,
    format: String,
    life: String,
    created: String,
    has_secret: bool,
}

pub(super) async fn show(State(state): State<AppState>, owned: Owned) -> Response {
    let notice = words::notice(owned.visit.query.get("done"));
    sheet(&state, owned.user(), &owned.client, None, notice, StatusCode::OK)
}

/// The page with a secret that was just made, the one time it is shown.
pub(super) fn made(
    state: &AppState,
    user: &User,
    client: &Client,
    secret: Option<PlainToken>,
    status: StatusCode,
) -> Response {
    sheet(state, user, client, secret.map(PlainToken::reveal), None, status)
}

fn sheet(
    state: &AppState,
    user: &User,
    client: &Client,
    secret: Option<String>,
    notice: Option<&'static str>,
    status: StatusCode,
) -> Response {
    let policy = &state.provider.env().policy;
    let life = client.access_token_ttl.unwrap_or(policy.access_token_ttl);
    let forms = token::grants(state, client);
    let show = Show {
        frame: Frame::of(state, user, "clients"),
        notice,
        can_try: !forms.is_empty(),
        try_now: forms.contains(&token::CLIENT_CREDENTIALS),
        recipes: recipes(state, client, secret.as_deref()),
        secret,
        client: Sheet {
            id: client.id.to_string(),
            name: client.name.clone(),
            uri: client.uri.clone(),
            grants: words::grants(&client.grant_types),
            auth: words::auth(&client.auth),
            scope: client.scope.to_string(),
            redirect_uris: client.redirect_uris.iter().map(ToString::to_string).collect(),
            format: words::format(client.access_token_format.unwrap_or(policy.access_token_format)),
            life: words::span(life.min(policy.access_token_max_ttl)),
            created: words::day(client.created_at),
            has_secret: !client.is_public(),
        },
    };
    page(status, show)
}
