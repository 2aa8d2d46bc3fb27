//! Who is at the browser, and who has to be.

use super::{
    errors::{Explanation, Trouble},
    page::see_other,
    way::Destination,
};
use crate::{session::Session, state::AppState};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};
use oauth_core::{
    http::Browser,
    model::{Epoch, User},
    params::Params,
};

/// A request for a page.
pub(super) struct Visit {
    /// The epoch, read before the session: what is allowed in this request counts if nothing of the user is revoked
    /// meanwhile.
    pub(super) since: Epoch,
    /// The session, if somebody is signed in.
    pub(super) session: Option<Session>,
    /// The cookie that ties pending authorizations to the browser.
    pub(super) browser: Browser,
    /// The query.
    pub(super) query: Params,
    /// The headers, for the session.
    pub(super) headers: HeaderMap,
}

/// A request for a page by somebody who is signed in; others are sent to sign in first.
pub(super) struct SignedIn {
    /// The session.
    pub(super) session: Session,
    /// The query.
    pub(super) query: Params,
    /// The headers, for a session in place of this one.
    pub(super) headers: HeaderMap,
}

impl FromRequestParts<AppState> for Visit {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Trouble> {
        let query = parts.uri.query().unwrap_or_default();
        let query =
            Params::parse(query.as_bytes()).map_err(|e| Explanation::bad_form(e.description()))?;
        Ok(Self {
            since: state.provider.epoch().await?,
            session: state.sessions.current(&parts.headers).await?,
            browser: Browser::of(&state.provider, &parts.headers),
            query,
            headers: parts.headers.clone(),
        })
    }
}

impl FromRequestParts<AppState> for SignedIn {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Trouble> {
        let visit = Visit::from_request_parts(parts, state).await?;
        let Some(session) = visit.session else {
            let to = Destination::of_path(parts.uri.path());
            return Err(see_other(&format!("/login{}", to.query())).into());
        };
        Ok(Self { session, query: visit.query, headers: visit.headers })
    }
}

impl SignedIn {
    /// Who.
    pub(super) const fn user(&self) -> &User {
        &self.session.user
    }
}
