//! Requests to the end session endpoint, for the embedder whose route it is
//! ([RP-Initiated Logout 2](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout)).

use super::{LONGEST_QUERY, incoming, render};
use crate::{error::OAuthError, params::Params};
use axum::{
    extract::Request,
    http::{Method, StatusCode},
    response::Response,
};

/// The parameters of a request to log out: the query of a GET, the form of a POST.
pub async fn end_session_params(request: Request) -> Result<Params, OAuthError> {
    if request.method() == Method::POST {
        Ok(incoming(request).await?.params)
    } else {
        Params::parse(request.uri().query().unwrap_or_default().as_bytes())
    }
}

/// The way to ask again with a GET, for a POST that arrived without a session: a form that comes from another site
/// brings no cookies along, and a GET does. None for what is too long for an address.
pub fn ask_again_by_get(path: &str, params: &Params) -> Option<Response> {
    let query = params.to_query();
    let fits = query.len() <= LONGEST_QUERY;
    fits.then(|| render::redirect(StatusCode::SEE_OTHER, &format!("{path}?{query}")))
}
