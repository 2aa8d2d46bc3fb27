//! The account of whoever is signed in: the profile, the password, and where else that person is signed in.

mod activity;
mod browser;
mod data;
mod email;
mod identities;
mod overview;
pub(in crate::pages) mod passkeys;
mod password;
mod profile;
pub(in crate::pages) mod recent;
mod second_factor;
mod sessions;

pub(super) use super::admin::is_recent;
pub(super) use browser::name as browser_name;

use super::social;
use crate::state::AppState;
use axum::{
    Router,
    routing::{get, post},
};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/account", get(overview::show))
        .route("/account/profile", get(profile::show).post(profile::save))
        .route("/account/email", get(email::show).post(email::change))
        .route("/account/email/again", post(email::again))
        .route("/account/password", get(password::show).post(password::change))
        .route("/account/identities", get(identities::show))
        .route("/account/identities/link", post(social::depart_to_link))
        .route("/account/identities/unlink", post(identities::unlink))
        .route("/account/passkeys", get(passkeys::show))
        .route("/account/passkeys/rename", post(passkeys::rename))
        .route("/account/passkeys/remove", post(passkeys::remove))
        .route("/account/second-factor", get(second_factor::show))
        .route("/account/second-factor/begin", post(second_factor::begin))
        .route("/account/second-factor/picture", get(second_factor::picture))
        .route("/account/second-factor/confirm", post(second_factor::confirm))
        .route("/account/second-factor/codes", post(second_factor::renew))
        .route("/account/second-factor/remove", post(second_factor::remove))
        .route("/account/activity", get(activity::show))
        .route("/account/data", get(data::show))
        .route("/account/data/export", post(data::export))
        .route("/account/delete", get(data::ask).post(data::delete))
        .route("/account/sessions", get(sessions::show))
        .route("/account/sessions/end", post(sessions::end))
        .route("/account/sessions/end_others", post(sessions::end_others))
}
