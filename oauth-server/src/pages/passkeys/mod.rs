//! Asking browsers for passkeys: `/login/passkey` to sign in, `/account/passkeys/add` to add one.
//!
//! Each begins with a challenge, which the script of the page fetches as JSON, and ends with an ordinary form in which it
//! sends the answer. So whatever follows a sign-in follows this one as well: redirects, consent, answers by form.

mod adding;
mod entering;

use crate::{
    front::Problem,
    passkeys::{Begun, Refusal},
    state::AppState,
};
use axum::{
    Json, Router,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use oauth_core::error::OAuthError;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/login/passkey/begin", post(entering::begin))
        .route("/login/passkey", post(entering::submit))
        .route("/account/passkeys/begin", post(adding::begin))
        .route("/account/passkeys/add", post(adding::submit))
}

/// A challenge for the script of a page.
fn challenge(begun: Result<Begun, Refusal>) -> Response {
    let refusal = match begun {
        Ok(Begun { options, cookie }) => {
            let headers = [(header::SET_COOKIE, cookie)];
            return (headers, Json(options)).into_response();
        }
        Err(refusal) => refusal,
    };
    let problem = match refusal {
        Refusal::Off => (StatusCode::FORBIDDEN, "off", "Passkeys cannot be used here."),
        Refusal::Many => (StatusCode::CONFLICT, "too_many", "There are enough passkeys."),
        Refusal::Inside(e) => {
            tracing::error!(error = OAuthError::from(e).causes(), "no challenge for a passkey");
            failure()
        }
        refusal => {
            tracing::error!(code = refusal.code(), "no challenge for a passkey");
            failure()
        }
    };
    let (status, code, title) = problem;
    Problem::new(status, code, title).into_response()
}

const fn failure() -> (StatusCode, &'static str, &'static str) {
    let title = "Something failed inside. Try again later.";
    (StatusCode::INTERNAL_SERVER_ERROR, "server_error", title)
}

/// What a refusal is for the person at the browser. Whoever is not let in learns nothing of why: whether there is such a
/// passkey, and whether its owner is locked out, is nobody else's business.
fn words(refusal: &Refusal) -> (StatusCode, String) {
    let (status, text) = match refusal {
        Refusal::Known => (StatusCode::CONFLICT, "This passkey is in use already."),
        Refusal::Malformed => (
            StatusCode::BAD_REQUEST,
            "What came from your browser is not the answer of a passkey. Try again.",
        ),
        Refusal::Many => (StatusCode::CONFLICT, "You have 20 passkeys. Remove one first."),
        Refusal::Off => (StatusCode::FORBIDDEN, "Passkeys cannot be used here."),
        Refusal::Over => (
            StatusCode::FORBIDDEN,
            "This took too long, was finished already, or began in another browser. Try again.",
        ),
        Refusal::Throttled(seconds) => {
            let text = format!("There were too many attempts. Try again in {seconds} seconds.");
            return (StatusCode::TOO_MANY_REQUESTS, text);
        }
        Refusal::Unverified => (
            StatusCode::FORBIDDEN,
            "Your device did not check that it is you. Try again with your fingerprint, your face or a PIN.",
        ),
        Refusal::Counter(_)
        | Refusal::Inside(_)
        | Refusal::Locked
        | Refusal::Unknown
        | Refusal::Wrong(_) => (StatusCode::FORBIDDEN, "This passkey is not accepted here."),
    };
    (status, text.to_owned())
}
