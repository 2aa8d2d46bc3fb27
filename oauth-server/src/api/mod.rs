//! `/api`: the user service as JSON, for front ends and programs. Every route is here; what each does is in
//! [`people`](crate::people).
//!
//! Nothing here looks at cookies, so no other site can act in somebody's name: who calls is told by the access token
//! in the `Authorization` header alone.

mod accounts;
mod answer;
mod asked;
mod features;
mod forms;
mod me;
mod problem;
mod users;

pub use asked::{Bearer, Json};
pub(crate) use forms::{Came, Plain, Unfit, Visitor, hushed, read as read_form};
pub use problem::Problem;

use crate::state::AppState;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{delete, get, post},
};

/// The largest body of a request, in bytes. A profile with every field at its longest fits.
const LARGEST: usize = 16 * 1024;

/// The paths below `/api` that applications of other origins may call.
pub const PATHS: [&str; 19] = [
    "/api/auth/features",
    "/api/guest",
    "/api/register",
    "/api/login",
    "/api/refresh",
    "/api/logout",
    "/api/confirm-email",
    "/api/forgot-password",
    "/api/reset-password",
    "/api/confirm-new-email",
    "/api/undo-email",
    "/api/users",
    "/api/users/me",
    "/api/users/me/email",
    "/api/users/me/email/confirmation",
    "/api/users/me/password",
    "/api/users/me/sessions",
    "/api/users/me/sessions/{id}",
    "/api/users/{id}",
];

/// | path | method | who |
/// |---|---|---|
/// | `/api/auth/features` | GET | anybody |
/// | `/api/guest` | POST | anybody |
/// | `/api/register`, `/api/login` | POST | anybody, or guests, as the configuration says |
/// | `/api/refresh` | POST | anybody |
/// | `/api/logout` | POST | whoever has a token |
/// | `/api/confirm-email`, `/api/forgot-password`, `/api/reset-password`, `/api/confirm-new-email`, `/api/undo-email` | POST | anybody, mostly with a token from a letter |
/// | `/api/users/me` | GET, PATCH, DELETE | users |
/// | `/api/users/me/email`, `/api/users/me/email/confirmation`, `/api/users/me/password` | POST | users |
/// | `/api/users/me/sessions` | GET, DELETE | users |
/// | `/api/users/me/sessions/{id}` | DELETE | users |
/// | `/api/users` | GET | whoever has a token |
/// | `/api/users/{id}` | GET | whoever has a token |
/// | `/api/users/{id}` | PATCH | staff and administrators |
/// | `/api/users/{id}` | DELETE | administrators |
pub fn router(state: &AppState) -> Router {
    Router::new()
        .route("/api/auth/features", get(features::show))
        .route("/api/guest", post(accounts::guest))
        .route("/api/register", post(accounts::register))
        .route("/api/login", post(accounts::log_in))
        .route("/api/refresh", post(accounts::refresh))
        .route("/api/logout", post(accounts::log_out))
        .route("/api/confirm-email", post(accounts::confirm))
        .route("/api/forgot-password", post(accounts::forgot))
        .route("/api/reset-password", post(accounts::reset))
        .route("/api/confirm-new-email", post(accounts::confirm_new_email))
        .route("/api/undo-email", post(accounts::undo_email))
        .route("/api/users", get(users::list))
        .route("/api/users/me", get(me::show).patch(me::edit).delete(me::remove))
        .route("/api/users/me/email", post(me::change_email))
        .route("/api/users/me/email/confirmation", post(me::confirm_again))
        .route("/api/users/me/password", post(me::change_password))
        .route("/api/users/me/sessions", get(me::sessions).delete(me::end_others))
        .route("/api/users/me/sessions/{id}", delete(me::end))
        .route("/api/users/{id}", get(users::show).patch(users::edit).delete(users::remove))
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(DefaultBodyLimit::max(LARGEST))
        .with_state(state.clone())
}
