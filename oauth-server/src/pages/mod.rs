//! The pages: signing up, in and out, consent, one's clients and account, connected applications, what
//! administrators do, and what explains an error.
//!
//! Plain HTML and one style sheet: nothing here needs a script, and none is allowed to run but the one that asks a browser
//! for a passkey, where that can be asked for.

mod account;
mod admin;
mod applications;
mod asker;
mod assets;
mod clients;
mod consent;
mod errors;
mod form;
mod home;
mod languages;
mod login;
mod logout;
mod mail_links;
mod page;
#[cfg(feature = "passkeys")]
mod passkeys;
mod recipes;
mod second_factor;
mod select_account;
mod signup;
mod social;
mod visit;
mod way;
mod words;

pub use errors::Explanation;
pub(crate) use errors::{EarlyPages, edge};
pub(crate) use logout::sign_out;

use crate::state::AppState;
use axum::{
    Router, middleware,
    routing::{get, post},
};
use tower_http::csrf::CsrfLayer;

/// The routes of all pages.
///
/// Every one but the style sheet trusts the cookie of the session, so all of them are behind the check of
/// `Sec-Fetch-Site` and `Origin`. The protocol endpoints must not be, and the end session endpoint is one of them:
/// other sites post to them.
pub fn router(state: &AppState) -> Router {
    let guard = CsrfLayer::new()
        .add_trusted_origin(state.config.origin())
        .unwrap_or_default()
        .with_rejection_response(errors::from_elsewhere);
    let admit = middleware::from_fn_with_state(state.clone(), admin::admit);
    let admin = admin::routes().layer(guard.clone()).layer(admit);
    let pages = Router::new()
        .route("/", get(home::show))
        .route("/signup", get(signup::show).post(signup::submit))
        .route("/login", get(login::show).post(login::submit))
        .route("/login/with/{provider}", post(social::depart))
        .route("/login/from/{provider}", get(social::arrive))
        .merge(second_factor::routes())
        .route("/logout", get(logout::show).post(logout::submit))
        .route("/consent", get(consent::show).post(consent::submit))
        .route("/select-account", get(select_account::show).post(select_account::submit))
        .route("/account/applications", get(applications::show))
        .route("/account/applications/revoke", post(applications::revoke))
        .merge(account::routes())
        .merge(mail_links::routes())
        .merge(clients::routes());
    #[cfg(feature = "passkeys")]
    let pages = pages.merge(passkeys::routes());
    pages
        .method_not_allowed_fallback(errors::method_not_allowed)
        .layer(guard)
        .merge(admin)
        .merge(assets::routes())
        .merge(logout::routes(state))
        .layer(middleware::map_response_with_state(state.clone(), errors::explained))
        .with_state(state.clone())
}

/// The page for an address where nothing is.
pub fn not_found(state: &AppState) -> axum::response::Response {
    errors::nothing(state)
}
