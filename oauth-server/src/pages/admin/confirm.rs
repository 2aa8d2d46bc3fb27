//! The question before what cannot be taken back: a page of its own, without whose answer nothing is done.

use super::Recent;
use crate::{
    pages::{
        clients::{is_first, mark},
        page::{Frame, show as page},
    },
    state::AppState,
};
use askama::Template;
use axum::{http::StatusCode, response::Response};
use oauth_core::{error::PortError, params::Params};

/// What is asked.
pub(super) struct Question {
    pub(super) here: &'static str,
    pub(super) title: String,
    pub(super) text: &'static str,
    /// What it is about, to be recognised by.
    pub(super) about: String,
    /// Where the answer goes.
    pub(super) action: String,
    /// What goes with it.
    pub(super) field: Option<(&'static str, String)>,
    pub(super) back: String,
    pub(super) button: &'static str,
}

#[derive(Template)]
#[template(path = "admin/confirm.html")]
struct Confirm {
    frame: Frame,
    question: Question,
    once: String,
}

impl Question {
    pub(super) fn page(self, state: &AppState, admin: &Recent) -> Response {
        let frame = admin.0.frame(state, self.here);
        page(StatusCode::OK, Confirm { frame, question: self, once: mark(state) })
    }
}

/// What a form says to the question.
pub(super) enum Answer {
    Yes,
    /// Yes, but the same form said so before.
    Again,
    /// It is not the form of the question.
    NotAsked,
}

impl Answer {
    pub(super) async fn of(state: &AppState, form: &Params) -> Result<Self, PortError> {
        if form.get("confirm") != Some("yes") || form.get("once").is_none() {
            return Ok(Self::NotAsked);
        }
        Ok(if is_first(state, form).await? { Self::Yes } else { Self::Again })
    }
}
