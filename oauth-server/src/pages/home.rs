//! `/`: what this is, for visitors; one's clients, for those who are signed in.

use super::{
    errors::Trouble,
    page::{Frame, show as page},
    visit::Visit,
    words,
};
use crate::state::AppState;
use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

#[derive(Template)]
#[template(path = "home.html")]
struct Welcome {
    frame: Frame,
    notice: Option<&'static str>,
    signup_open: bool,
    issuer: String,
    endpoints: Vec<Endpoint>,
}

#[derive(Template)]
#[template(path = "clients.html")]
struct Overview {
    frame: Frame,
    notice: Option<&'static str>,
    clients: Vec<Line>,
    issuer: String,
    endpoints: Vec<Endpoint>,
}

struct Line {
    id: String,
    name: String,
    grants: String,
    created: String,
}

struct Endpoint {
    id: &'static str,
    title: &'static str,
    url: String,
    /// Whether a browser can look at it.
    is_link: bool,
}

pub(super) async fn show(State(state): State<AppState>, visit: Visit) -> Result<Response, Trouble> {
    let notice = words::notice(visit.query.get("done"));
    let issuer = state.config.issuer().to_string();
    let Some(session) = visit.session else {
        let frame = Frame::bare(&state);
        let signup_open = state.config.signup.open;
        let endpoints = endpoints(&state);
        let welcome = Welcome { frame, notice, signup_open, issuer, endpoints };
        return Ok(page(StatusCode::OK, welcome));
    };
    let clients = state.provider.env().clients.clients_of(&session.user.id).await?;
    let line = |client: oauth_core::model::Client| Line {
        id: client.id.to_string(),
        grants: words::grants(&client.grant_types),
        created: words::day(client.created_at),
        name: client.name,
    };
    let overview = Overview {
        frame: Frame::of(&state, &session.user, "clients"),
        notice,
        clients: clients.into_iter().map(line).collect(),
        issuer,
        endpoints: endpoints(&state),
    };
    Ok(page(StatusCode::OK, overview))
}

/// Where clients go, by the metadata's own words.
fn endpoints(state: &AppState) -> Vec<Endpoint> {
    let issuer = state.config.issuer();
    let paths = state.provider.paths();
    let fixed = |id, title, url| Endpoint { id, title, url, is_link: true };
    let mut all = vec![fixed("metadata", "Metadata", state.config.metadata_url())];
    let protocol = [
        ("authorization-endpoint", "Authorization", &paths.authorize, false),
        ("token-endpoint", "Token", &paths.token, false),
        ("introspection-endpoint", "Introspection", &paths.introspect, false),
        ("revocation-endpoint", "Revocation", &paths.revoke, false),
        ("jwks", "Key set", &paths.jwks, true),
    ];
    all.extend(protocol.into_iter().map(|(id, title, path, is_link)| Endpoint {
        id,
        title,
        url: issuer.join(path),
        is_link,
    }));
    all.push(fixed("certs", "Certificates", format!("{}/certs", state.config.origin())));
    all
}
