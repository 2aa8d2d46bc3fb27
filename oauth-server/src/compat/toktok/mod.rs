//! `compat = "toktok"`: the user service with the addresses, the header and the JSON of TokTok, for the front ends of
//! that family. Every decision is made by [`people`](crate::people); here is nothing but translation.
//!
//! What is not as it was, and why, is in `docs/toktok.md`.

mod answers;
mod auth;
mod body;
mod caller;
mod claims;
mod credentials;
mod described;
mod editing;
mod listing;
mod password;
mod refusal;
mod registration;

pub use claims::TokenClaims;
pub(crate) use described::describe;
pub(crate) use refusal::unserved;

use crate::{config::Config, state::AppState};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{MethodRouter, get, post, put},
};

/// The largest body of a request, in bytes; as that of the API below `/api`.
const LARGEST: usize = 16 * 1024;

/// Every address, with what is there.
fn routes() -> Vec<(&'static str, MethodRouter<AppState>)> {
    vec![
        ("/api/auth/login/anonymous", get(auth::anonymous)),
        ("/api/auth/login/anonymous/", get(auth::anonymous)),
        ("/api/auth/login", post(auth::log_in)),
        ("/api/auth/login/", post(auth::log_in)),
        ("/api/auth/tokens/confirm_access", get(auth::confirm_access)),
        ("/api/auth/tokens/new_access_token", get(auth::new_access_token)),
        ("/api/auth/tokens/fresh_access_token", get(auth::fresh_access_token)),
        ("/api/auth/tokens/new_refresh_token/{old_refresh_token}", post(auth::new_refresh_token)),
        ("/api/auth/password/password_forgotten", post(password::forgotten)),
        ("/api/auth/password/reset_password", get(password::check).post(password::reset)),
        ("/api/usr/register", post(registration::register)),
        ("/api/usr/register/", post(registration::register)),
        (
            "/api/usr/register/confirm_email",
            get(registration::check_confirmation).post(registration::confirm),
        ),
        ("/api/usr/edit/{usr_id}", put(editing::edit).delete(editing::remove)),
        ("/api/usr/infos/get_one/{id}", get(listing::one)),
        ("/api/usr/infos/list", get(listing::list)),
    ]
}

/// The routes, if they are wanted.
pub fn router(state: &AppState) -> Router {
    if !state.config.is_toktok() {
        return Router::new();
    }
    let add = |router: Router<AppState>, (path, methods)| router.route(path, methods);
    routes()
        .into_iter()
        .fold(Router::new(), add)
        .method_not_allowed_fallback(refusal::method_not_allowed)
        .layer(DefaultBodyLimit::max(LARGEST))
        .with_state(state.clone())
}

/// The paths that applications of other origins may call.
pub fn paths(config: &Config) -> Vec<String> {
    if !config.is_toktok() {
        return Vec::new();
    }
    routes().into_iter().map(|(path, _)| path.to_owned()).collect()
}
