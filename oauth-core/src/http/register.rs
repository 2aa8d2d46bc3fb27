//! Registration over HTTP: JSON in, JSON out, and a bearer token in the header.

use super::{Edge, incoming::authorization, render};
use crate::{
    endpoints::{RegistrationRefused, RegistrationResponse},
    error::{ErrorCode, OAuthError},
};
use axum::{
    Router,
    body::Bytes,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};

/// More than any registration needs.
const LONGEST_BODY: usize = 64 * 1024;

/// The client in the path; one that cannot be read is nobody's.
type Id = Result<Path<String>, PathRejection>;

/// The endpoints of [RFC 7591 3](https://www.rfc-editor.org/rfc/rfc7591#section-3) and
/// [RFC 7592 2](https://www.rfc-editor.org/rfc/rfc7592#section-2), where clients can be registered.
pub(super) fn routes(edge: &Edge) -> Router<Edge> {
    if !edge.provider().can_register() {
        return Router::new();
    }
    let at = format!("{}{}", edge.issuer().path(), edge.provider().paths().register);
    Router::new()
        .route(&at, post(register))
        .route(&format!("{at}/{{client_id}}"), get(registration).put(update).delete(remove))
}

async fn register(State(edge): State<Edge>, request: Request) -> Response {
    let outcome = async {
        let (token, body) = read(request).await?;
        edge.provider().register(token.as_deref(), &body).await
    };
    answer(StatusCode::CREATED, outcome.await)
}

async fn registration(State(edge): State<Edge>, id: Id, headers: HeaderMap) -> Response {
    let outcome = async {
        let token = bearer(&headers)?;
        edge.provider().registration(&text(id), token.as_deref()).await
    };
    answer(StatusCode::OK, outcome.await)
}

async fn update(State(edge): State<Edge>, id: Id, request: Request) -> Response {
    let outcome = async {
        let (token, body) = read(request).await?;
        edge.provider().update_registration(&text(id), token.as_deref(), &body).await
    };
    answer(StatusCode::OK, outcome.await)
}

async fn remove(State(edge): State<Edge>, id: Id, headers: HeaderMap) -> Response {
    let outcome = async {
        let token = bearer(&headers)?;
        edge.provider().remove_registration(&text(id), token.as_deref()).await
    };
    match outcome.await {
        Ok(()) => (StatusCode::NO_CONTENT, render::NO_STORE).into_response(),
        Err(refused) => refusal(&refused),
    }
}

fn text(id: Id) -> String {
    id.map_or_else(|_| String::new(), |Path(id)| id)
}

async fn read(request: Request) -> Result<(Option<String>, Bytes), OAuthError> {
    let (parts, body) = request.into_parts();
    let token = bearer(&parts.headers)?;
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let mime = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !mime.eq_ignore_ascii_case("application/json") {
        return Err(OAuthError::invalid_request("the body must be application/json"));
    }
    let body = axum::body::to_bytes(body, LONGEST_BODY)
        .await
        .map_err(|_| OAuthError::invalid_request("the body is too long or was cut short"))?;
    Ok((token, body))
}

/// The bearer token of the request ([RFC 6750 2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)). Other schemes
/// are not for here.
fn bearer(headers: &HeaderMap) -> Result<Option<String>, OAuthError> {
    let header = authorization(headers)?;
    let token = header.as_deref().and_then(|header| {
        let (scheme, token) = header.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    });
    Ok(token.filter(|token| !token.is_empty()))
}

fn answer(
    status: StatusCode,
    outcome: Result<RegistrationResponse, RegistrationRefused>,
) -> Response {
    match outcome {
        Ok(response) => (status, render::NO_STORE, axum::Json(response)).into_response(),
        Err(refused) => refusal(&refused),
    }
}

fn refusal(refused: &RegistrationRefused) -> Response {
    match refused {
        RegistrationRefused::Error(e) if e.code() == ErrorCode::InvalidToken => {
            render::challenge(e)
        }
        RegistrationRefused::Error(e) => render::error_json(e),
        RegistrationRefused::TokenRequired => render::token_required(),
        RegistrationRefused::Throttled(seconds) => {
            let code = ErrorCode::TemporarilyUnavailable;
            let e = OAuthError::new(code, "too many attempts, try again later");
            let mut response = render::error_json(&e);
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            response
        }
    }
}
