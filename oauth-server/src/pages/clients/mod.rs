//! One's clients: making, showing, changing and deleting them, and trying them out.

mod confirm;
mod fields;
mod form;
mod more;
mod show;
mod token;

use super::{
    errors::{Explanation, Trouble},
    visit::SignedIn,
};
use crate::{
    registration::{self, Rules},
    state::AppState,
};
use axum::{
    Router,
    extract::{FromRequestParts, Path},
    http::request::Parts,
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_core::{
    error::PortError,
    model::{Client, ClientAuth, ClientId, HashedToken, User},
    params::Params,
};
use std::{sync::Arc, time::Duration};

/// How long a form that shows a secret is good for.
const DAY: Duration = Duration::from_hours(24);

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/create_client", get(form::new).post(form::create))
        .route("/clients/{id}", get(show::show))
        .route("/clients/{id}/edit", get(form::edit).post(form::save))
        .route("/clients/{id}/secret", get(confirm::ask_rotate).post(confirm::rotate))
        .route("/clients/{id}/delete", get(confirm::ask_delete).post(confirm::delete))
        .route("/clients/{id}/token", get(token::show).post(token::request))
}

/// The client in the path, for the one who made it. For everybody else it does not exist.
struct Owned {
    client: Arc<Client>,
    visit: SignedIn,
}

impl FromRequestParts<AppState> for Owned {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Trouble> {
        let visit = SignedIn::from_request_parts(parts, state).await?;
        let id = Path::<String>::from_request_parts(parts, state).await;
        let Path(id) = id.map_err(|_| Explanation::not_found())?;
        if id.chars().any(char::is_control) {
            return Err(Explanation::not_found().into());
        }
        // What is changed is the registration as it is, and not as it was a moment ago.
        let client = state.provider.env().clients.current_client(&ClientId::new(id)).await?;
        let owned = client.filter(|c| c.owner.as_ref() == Some(&visit.user().id));
        Ok(Self { client: owned.ok_or(Explanation::not_found())?, visit })
    }
}

impl Owned {
    const fn user(&self) -> &User {
        self.visit.user()
    }
}

fn rules(state: &AppState) -> Rules {
    registration::rules(state.provider.grants(), &state.config)
}

/// Whether it authenticates by a secret, which can be lost or replaced.
const fn has_secret(client: &Client) -> bool {
    matches!(client.auth, ClientAuth::Secret(..) | ClientAuth::SecretJwt(_))
}

/// Whether a client that was not written over is there and another one; where it is gone, it does not exist.
async fn was_changed(state: &AppState, client: &Client) -> Result<(), Trouble> {
    match state.provider.env().clients.current_client(&client.id).await? {
        Some(_) => Ok(()),
        None => Err(Explanation::not_found().into()),
    }
}

/// A new mark for a form that must not be sent twice.
pub(super) fn mark(state: &AppState) -> String {
    state.provider.env().secret().reveal()
}

/// Whether the form is sent for the first time. Whoever reloads the page that shows a secret sends it again, and
/// would otherwise get another client, or another secret. Forms without a mark were not made by our page.
pub(super) async fn is_first(state: &AppState, form: &Params) -> Result<bool, PortError> {
    let Some(mark) = form.get("once") else { return Ok(true) };
    let key = URL_SAFE_NO_PAD.encode(HashedToken::of(mark).as_bytes());
    let now = state.now();
    state.provider.env().grants.see("form", &key, now.plus(DAY), now).await
}
