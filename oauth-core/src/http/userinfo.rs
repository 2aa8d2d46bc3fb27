//! The userinfo endpoint over HTTP: GET, and POST with the token in the header or in a form.

use super::{Edge, incoming, incoming::authorization, render};
use crate::{
    endpoints::UserInfo,
    error::OAuthError,
    params::{Incoming, Params},
};
use axum::{
    extract::{Request, State},
    http::{Method, header},
    response::{IntoResponse, Response},
};

pub(super) async fn userinfo(State(edge): State<Edge>, request: Request) -> Response {
    let asked = match read(request).await {
        Ok(asked) => asked,
        Err(e) => return render::challenge(&e),
    };
    if asked.authorization.is_none() && asked.params.get("access_token").is_none() {
        return render::token_required();
    }
    match edge.provider().userinfo(&asked).await {
        Ok(UserInfo::Json(claims)) => (render::NO_STORE, axum::Json(claims)).into_response(),
        Ok(UserInfo::Jwt(jwt)) => {
            (render::NO_STORE, [(header::CONTENT_TYPE, "application/jwt")], jwt).into_response()
        }
        Err(e) => render::challenge(&e),
    }
}

/// A POST without a form has its token in the header, like a GET.
async fn read(request: Request) -> Result<Incoming, OAuthError> {
    let has_form = request.method() == Method::POST
        && request.headers().contains_key(header::CONTENT_TYPE)
        && !is_empty(&request);
    if has_form {
        return incoming(request).await;
    }
    let authorization = authorization(request.headers())?;
    Ok(Incoming { authorization, params: Params::default() })
}

fn is_empty(request: &Request) -> bool {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok());
    length == Some("0")
}
