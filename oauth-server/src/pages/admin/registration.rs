//! `/admin/registration`: who may register clients by a program, initial access tokens, and the clients.

use super::{Admin, Recent, registered::Registered};
use crate::{
    administration::invitations,
    config::RegistrationMode,
    entity::initial_access_token::Model,
    pages::{
        clients::{is_first, mark},
        errors::{Explanation, Trouble},
        form::{Form, Problems},
        page::{Frame, see_other, show as page},
        words::{minute, span},
    },
    registration::is_deceptive,
    state::AppState,
};
use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use oauth_core::{model::Timestamp, params::Params};
use std::time::Duration;

/// The longest life of an initial access token.
const MOST_DAYS: u64 = 3650;
const LONGEST_LABEL: usize = 100;

#[derive(Template)]
#[template(path = "admin/registration.html")]
struct RegistrationPage {
    frame: Frame,
    notice: Option<&'static str>,
    mode: &'static str,
    explanation: String,
    /// A token that was just made: its label, the token, until when.
    made: Option<(String, String, String)>,
    invitations: Vec<Invitation>,
    label: String,
    days: String,
    once: String,
    clients: Registered,
    problems: Problems,
}

struct Invitation {
    id: String,
    label: String,
    made: String,
    expires: String,
}

impl Invitation {
    fn of(row: Model) -> Self {
        Self {
            made: minute(Timestamp::from_unix(row.created_at)),
            expires: minute(Timestamp::from_unix(row.expires_at)),
            id: row.id,
            label: row.label,
        }
    }
}

/// What is on the page beside what the database holds.
struct Shown<'a> {
    status: StatusCode,
    notice: Option<&'static str>,
    made: Option<(String, String, String)>,
    label: &'a str,
    days: &'a str,
    problems: Problems,
}

impl Default for Shown<'_> {
    fn default() -> Self {
        let problems = Problems::default();
        Self { status: StatusCode::OK, notice: None, made: None, label: "", days: "1", problems }
    }
}

pub(super) async fn show(State(state): State<AppState>, admin: Admin) -> Result<Response, Trouble> {
    let notice = admin.notice();
    whole(&state, &admin, Shown { notice, ..Shown::default() }).await
}

async fn whole(state: &AppState, admin: &Admin, shown: Shown<'_>) -> Result<Response, Trouble> {
    let invitations = state.registrars.invitations().await?;
    let settings = &state.config.registration;
    let content = RegistrationPage {
        frame: admin.frame(state, "admin-registration"),
        notice: shown.notice,
        mode: settings.mode.as_str(),
        explanation: match settings.mode {
            RegistrationMode::Closed => {
                "No program may register clients: there is no such endpoint. Tokens that are made now work once that is changed in the configuration.".into()
            }
            RegistrationMode::Token => {
                "Programs that have an initial access token may register clients.".into()
            }
            RegistrationMode::Approval => format!(
                "Every program may register clients. Those that come without an initial access token await approval, and are deleted after {} if nobody approves of them.",
                span(settings.pending_client_ttl)
            ),
            RegistrationMode::Open => format!(
                "Every program may register clients. Those that come without an initial access token are deleted after {} unless they are used.",
                span(settings.unused_client_ttl)
            ),
        },
        made: shown.made,
        invitations: invitations.into_iter().map(Invitation::of).collect(),
        label: shown.label.to_owned(),
        days: shown.days.to_owned(),
        once: mark(state),
        clients: Registered::load(state).await?,
        problems: shown.problems,
    };
    Ok(page(shown.status, content))
}

pub(super) async fn invite(
    State(state): State<AppState>,
    admin: Recent,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let (label, days) = match typed(&params) {
        Ok(typed) => typed,
        Err(problems) => {
            let shown = Shown {
                status: StatusCode::UNPROCESSABLE_ENTITY,
                label: params.get("label").unwrap_or_default(),
                days: params.get("days").unwrap_or_default(),
                problems,
                ..Shown::default()
            };
            return whole(&state, &admin.0, shown).await;
        }
    };
    if !is_first(&state, &params).await? {
        return Ok(see_other("/admin/registration?done=made_before"));
    }
    let life = Duration::from_hours(24 * days);
    let by = Some(&admin.0.user().id);
    let (row, token) = invitations::invite(&state, by, label, life).await?;
    admin.record("initial access token made", &row.id);
    let until = minute(Timestamp::from_unix(row.expires_at));
    let made = Some((row.label, token.reveal(), until));
    whole(&state, &admin.0, Shown { status: StatusCode::CREATED, made, ..Shown::default() }).await
}

/// The label and the days that were typed, or what is wrong with them.
fn typed(params: &Params) -> Result<(&str, u64), Problems> {
    let mut problems = Problems::default();
    let label = params.get("label").unwrap_or_default().trim();
    if label.chars().count() > LONGEST_LABEL {
        problems.add("label", format!("Use at most {LONGEST_LABEL} characters."));
    } else if label.chars().any(is_deceptive) {
        problems.add("label", "Leave out invisible and control characters.");
    }
    let days = params.get("days").unwrap_or_default().trim().parse().ok();
    let days = days.filter(|days| (1..=MOST_DAYS).contains(days));
    if days.is_none() {
        problems.add("days", format!("Give a number of days from 1 to {MOST_DAYS}."));
    }
    match days {
        Some(days) if problems.is_empty() => Ok((label, days)),
        _ => Err(problems),
    }
}

pub(super) async fn revoke(
    State(state): State<AppState>,
    admin: Recent,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let id = params.get("token").ok_or(Explanation::bad_form(Some("token is missing")))?;
    let known = state.registrars.invitations().await?.into_iter().any(|row| row.id == id);
    if known && invitations::uninvite(&state, Some(&admin.0.user().id), id).await? {
        admin.record("initial access token revoked", id);
        return Ok(see_other("/admin/registration?done=revoked"));
    }
    Ok(see_other("/admin/registration?done=no_token"))
}
