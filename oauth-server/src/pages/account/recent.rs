//! What a browser that somebody left open is not enough for: whoever asks signed in a short while ago.

use crate::{
    pages::{admin, errors::Trouble, page::see_other, visit::SignedIn, way::Destination},
    state::AppState,
};
use axum::{extract::FromRequestParts, http::request::Parts};

/// A request by somebody who signed in a short while ago; others are sent to sign in again, and come back.
pub(in crate::pages) struct Recent(pub(in crate::pages) SignedIn);

impl FromRequestParts<AppState> for Recent {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Trouble> {
        let visit = SignedIn::from_request_parts(parts, state).await?;
        let to = Destination::of_path(parts.uri.path());
        if admin::is_recent(visit.session.login.at, state.now())
            && to.is_open_to(&visit.session, state)
        {
            return Ok(Self(visit));
        }
        Err(see_other(&format!("/login{}", to.query())).into())
    }
}
