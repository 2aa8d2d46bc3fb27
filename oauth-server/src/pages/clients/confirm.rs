//! `/clients/{id}/delete` and `/clients/{id}/secret`: what cannot be taken back is asked for twice.

use super::{Owned, has_secret, is_first, mark, show::made, was_changed};
use crate::{
    audit::{Entry, Kind},
    pages::{
        errors::{Explanation, Trouble},
        form::Form,
        page::{Frame, see_other, show as page},
    },
    registration::{Registered, rotate_secret},
    state::AppState,
};
use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

#[derive(Template)]
#[template(path = "clients/confirm.html")]
struct Confirm {
    frame: Frame,
    title: String,
    text: &'static str,
    action: String,
    back: String,
    once: String,
    button: &'static str,
    is_destructive: bool,
}

pub(super) async fn ask_delete(State(state): State<AppState>, owned: Owned) -> Response {
    let text = "Its tokens stop working, people who allowed it are asked anew should it come back, and it cannot be undone.";
    let title = format!("Delete {}?", owned.client.name);
    confirm(&state, &owned, "delete", title, text, "Delete")
}

pub(super) async fn delete(
    State(state): State<AppState>,
    owned: Owned,
    Form(_): Form,
) -> Result<Response, Trouble> {
    if state.provider.env().clients.remove_client(&owned.client.id).await? {
        let entry = Entry::new(Kind::RegistrationRemoved).client(&owned.client.id);
        state.audit.write(entry.user(&owned.user().id).detail("on the pages")).await?;
    }
    tracing::info!(client.id = %owned.client.id, user.id = %owned.user().id, "client deleted");
    Ok(see_other("/?done=deleted"))
}

pub(super) async fn ask_rotate(
    State(state): State<AppState>,
    owned: Owned,
) -> Result<Response, Trouble> {
    if !has_secret(&owned.client) {
        return Err(Explanation::not_found().into());
    }
    let text =
        "The old secret stops working at once, wherever it is in use. The new one is shown once.";
    let title = format!("Make a new secret for {}?", owned.client.name);
    Ok(confirm(&state, &owned, "secret", title, text, "Make a new secret"))
}

pub(super) async fn rotate(
    State(state): State<AppState>,
    owned: Owned,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let env = state.provider.env();
    let rotated = rotate_secret(env, &owned.client).ok_or(Explanation::not_found())?;
    if !is_first(&state, &params).await? {
        return Ok(see_other(&format!("/clients/{}?done=made", owned.client.id)));
    }
    let Registered { client, secret } = rotated;
    if !env.clients.replace_unchanged_client(client.clone(), &owned.client).await? {
        was_changed(&state, &client).await?;
        return Err(Explanation::changed_meanwhile().into());
    }
    let entry = Entry::new(Kind::RegistrationChanged).client(&client.id).user(&owned.user().id);
    state.audit.write(entry.detail("another secret, on the pages")).await?;
    tracing::info!(client.id = %client.id, user.id = %owned.user().id, "client secret changed");
    Ok(made(&state, owned.user(), &client, secret, StatusCode::OK))
}

fn confirm(
    state: &AppState,
    owned: &Owned,
    what: &str,
    title: String,
    text: &'static str,
    button: &'static str,
) -> Response {
    let back = format!("/clients/{}", owned.client.id);
    let confirm = Confirm {
        frame: Frame::of(state, owned.user(), "clients"),
        title,
        text,
        action: format!("{back}/{what}"),
        back,
        once: mark(state),
        button,
        is_destructive: what == "delete",
    };
    page(StatusCode::OK, confirm)
}
