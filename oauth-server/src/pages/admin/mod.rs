//! The administrator's area: signing keys, clients that programs register, people.
//!
//! For everybody else it does not exist. Whoever is not signed in is sent to sign in; whoever is, and is no
//! administrator at this very moment, gets the page for an address where nothing is. What changes something needs a
//! sign-in that is not long ago, so that a browser left alone is not enough.

mod audit;
mod confirm;
mod keys;
mod overview;
mod pending;
mod person;
mod place;
mod registered;
mod registration;
mod rights;
mod users;
mod words;

pub(super) use place::Place;

use super::{
    errors::{self, Explanation, Trouble},
    page::{Frame, see_other},
    way::Destination,
};
use crate::{
    administration::users::is_administrator, session::Session, sign_in::is_fresh, state::AppState,
};
use axum::{
    Router,
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use oauth_core::{
    model::{Timestamp, User},
    params::Params,
};
use person::{Act, Person};
use std::{sync::Arc, time::Duration};

/// How old a sign-in may be for a change.
pub(super) const RECENT: Duration = Duration::from_mins(15);

/// The routes, to be put behind [`admit`].
pub(super) fn routes() -> Router<AppState> {
    let act = |act: Act| {
        get(move |state: State<AppState>, admin: Recent, whom: Person| async move {
            person::ask(act, &state, &admin, &whom)
        })
        .post(move |state, admin, person, form| person::act(act, state, admin, person, form))
    };
    Router::new()
        .route("/admin", get(overview::show))
        .route("/admin/keys", get(keys::show))
        .route("/admin/keys/rotate", post(keys::rotate))
        .route("/admin/keys/rotate_now", get(keys::ask_rotate_now).post(keys::rotate_now))
        .route("/admin/keys/retire", get(keys::ask_retire).post(keys::retire))
        .route("/admin/registration", get(registration::show))
        .route("/admin/registration/invite", post(registration::invite))
        .route("/admin/registration/revoke", post(registration::revoke))
        .route("/admin/registration/delete", get(registered::ask_delete).post(registered::delete))
        .route("/admin/pending", get(pending::show))
        .route("/admin/pending/approve", post(pending::approve))
        .route("/admin/pending/refuse", get(pending::ask_refuse).post(pending::refuse))
        .route("/admin/audit", get(audit::show))
        .route("/admin/audit/export", get(audit::export))
        .route("/admin/users", get(users::show))
        .route("/admin/users/{id}", get(person::show))
        .route("/admin/users/{id}/disable", act(Act::Disable))
        .route("/admin/users/{id}/promote", act(Act::Promote))
        .route("/admin/users/{id}/demote", act(Act::Demote))
        .route("/admin/users/{id}/reset_factors", act(Act::ResetFactors))
        .route("/admin/users/{id}/enable", post(person::enable))
        .route("/admin/users/{id}/sign_out", post(person::sign_out))
        .route("/admin/users/{id}/verified", post(person::verified))
        .route("/admin/users/{id}/rights", post(rights::set))
        .method_not_allowed_fallback(errors::method_not_allowed)
}

/// Lets administrators in. Before everything else, so that nothing here answers anybody else in a way of its own.
pub(super) async fn admit(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let (headers, path) = (request.headers().clone(), request.uri().path().to_owned());
    match administrator(&state, &headers, &path).await {
        Ok(session) => {
            request.extensions_mut().insert(Arc::new(session));
            next.run(request).await
        }
        Err(trouble) => trouble.into_response(),
    }
}

async fn administrator(
    state: &AppState,
    headers: &HeaderMap,
    path: &str,
) -> Result<Session, Trouble> {
    let Some(session) = state.sessions.current(headers).await? else {
        return Err(sign_in(path).into());
    };
    // The session does not know: it may have begun before this was granted, or taken back.
    if is_administrator(state, &session.user.id).await? {
        Ok(session)
    } else {
        Err(Explanation::not_found().into())
    }
}

fn sign_in(path: &str) -> Response {
    see_other(&format!("/login{}", Destination::of_path(path).query()))
}

/// Whether a sign-in is recent enough for a change.
pub(super) fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    is_fresh(at, RECENT, now)
}

/// A request of an administrator to see something.
struct Admin {
    session: Arc<Session>,
    query: Params,
}

/// A request of an administrator who signed in a short while ago; others have to sign in again.
struct Recent(Admin);

impl FromRequestParts<AppState> for Admin {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Trouble> {
        let session = parts.extensions.get::<Arc<Session>>().map(Arc::clone);
        let session = session.ok_or(Explanation::not_found())?;
        let query = parts.uri.query().unwrap_or_default();
        let query =
            Params::parse(query.as_bytes()).map_err(|e| Explanation::bad_form(e.description()))?;
        Ok(Self { session, query })
    }
}

impl FromRequestParts<AppState> for Recent {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Trouble> {
        let admin = Admin::from_request_parts(parts, state).await?;
        if is_recent(admin.session.login.at, state.now()) {
            Ok(Self(admin))
        } else {
            Err(sign_in(parts.uri.path()).into())
        }
    }
}

impl Admin {
    fn user(&self) -> &User {
        &self.session.user
    }

    fn frame(&self, state: &AppState, here: &'static str) -> Frame {
        Frame::of(state, self.user(), here)
    }

    /// What happened just now.
    fn notice(&self) -> Option<&'static str> {
        words::notice(self.query.get("done")?)
    }
}

impl Recent {
    /// Writes down who changed what.
    fn record(&self, what: &'static str, of: &str) {
        tracing::info!(user.id = %self.0.user().id, what, of, "administrator made a change");
    }
}
