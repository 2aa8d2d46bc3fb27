//! Outcomes to bytes. Errors are logged here, once.

use super::{Edge, form_post};
use crate::{
    authorize::{Answer, Next, Refused, ResponseMode},
    error::{ErrorCode, OAuthError},
};
use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use serde::Serialize;

/// Nothing with a credential in it may be kept by anybody on the way
/// ([RFC 6749 5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)).
pub(super) const NO_STORE: [(HeaderName, &str); 2] =
    [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];

/// Pages that explain an error to a person. Shown where nothing proves that an answer may be sent to a client.
pub trait ErrorPages: Send + Sync {
    /// The page; its status should be that of the error.
    fn page(&self, error: &OAuthError) -> Response;
}

/// Error pages without any style.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlainPages;

impl ErrorPages for PlainPages {
    fn page(&self, error: &OAuthError) -> Response {
        let code = error.code().as_str();
        let text = error.description().unwrap_or("something went wrong here");
        let html = format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Error: {code}</title>\
             <main><h1>This request cannot be answered</h1><p id=\"error-description\">{text}</p>\
             <p><code id=\"error-code\">{code}</code></p></main></html>"
        );
        (error.code().status(), NO_STORE, Html(html)).into_response()
    }
}

/// The JSON error response of [RFC 6749 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2).
pub fn error_json(error: &OAuthError) -> Response {
    log(error);
    let body: serde_json::Map<String, serde_json::Value> =
        error.fields().map(|(k, v)| (k.to_owned(), v.into())).collect();
    let mut response = (error.code().status(), NO_STORE, axum::Json(body)).into_response();
    let headers = response.headers_mut();
    match error.code() {
        ErrorCode::InvalidClient => {
            let challenge = HeaderValue::from_static("Basic realm=\"oauth\", charset=\"UTF-8\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        ErrorCode::TemporarilyUnavailable => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        _ => {}
    }
    response
}

/// The refusal of a protected resource ([RFC 6750 3](https://www.rfc-editor.org/rfc/rfc6750#section-3)).
pub(super) fn challenge(error: &OAuthError) -> Response {
    let mut response = error_json(error);
    let fields = error.fields().map(|(name, value)| format!("{name}=\"{value}\""));
    let fields: Vec<_> = fields.collect();
    let value = HeaderValue::from_str(&format!("Bearer realm=\"oauth\", {}", fields.join(", ")));
    if let (Ok(value), false) = (value, error.code().status().is_server_error()) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}

/// The same for whoever sent no token, and is told of no error in the challenge
/// ([RFC 6750 3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1)).
pub(super) fn token_required() -> Response {
    let error = OAuthError::new(ErrorCode::InvalidToken, "an access token is needed here");
    let mut response = error_json(&error);
    let challenge = HeaderValue::from_static("Bearer realm=\"oauth\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

pub(super) fn json<T: Serialize>(outcome: Result<T, OAuthError>) -> Response {
    match outcome {
        Ok(body) => (NO_STORE, axum::Json(body)).into_response(),
        Err(e) => error_json(&e),
    }
}

pub(super) fn document(content_type: &'static str, body: String) -> Response {
    let headers =
        [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "public, max-age=300")];
    (headers, body).into_response()
}

/// `status` is 302 in answer to a GET, as AMWA IS-10 asks for the code flow, and 303 after a form, so that no
/// form is ever posted on to the client ([RFC 9700 4.12](https://www.rfc-editor.org/rfc/rfc9700#section-4.12)). On the
/// way to a client the edge may say otherwise.
pub(super) fn outcome(edge: &Edge, outcome: Result<Next, Refused>, status: StatusCode) -> Response {
    let screens = edge.provider().screens();
    let screen = |page: &str, id: String| {
        let separator = if page.contains('?') { '&' } else { '?' };
        redirect(status, &format!("{page}{separator}interaction={id}"))
    };
    match outcome {
        Ok(Next::Login(id)) => screen(&screens.login, id.reveal()),
        Ok(Next::SignUp(id)) => {
            screen(screens.sign_up.as_ref().unwrap_or(&screens.login), id.reveal())
        }
        Ok(Next::SelectAccount(id)) => {
            screen(screens.select_account.as_ref().unwrap_or(&screens.login), id.reveal())
        }
        Ok(Next::Consent(id)) => screen(&screens.consent, id.reveal()),
        Ok(Next::Return(answer)) => send(edge, &answer, status),
        Err(Refused::Return(target, e)) => {
            log(&e);
            send(edge, &Answer::refusal(target, &e), status)
        }
        Err(Refused::Page(e)) => {
            log(&e);
            edge.pages.page(&e)
        }
    }
}

fn send(edge: &Edge, answer: &Answer, status: StatusCode) -> Response {
    if answer.target.mode() == ResponseMode::FormPost {
        return form_post::page(answer, edge.issuer().as_str());
    }
    let status = if status == StatusCode::SEE_OTHER { edge.to_client } else { status };
    redirect(status, &answer.location(edge.issuer().as_str()))
}

pub(super) fn redirect(status: StatusCode, to: &str) -> Response {
    match HeaderValue::from_str(to) {
        Ok(location) => {
            let mut response = (status, NO_STORE).into_response();
            response.headers_mut().insert(header::LOCATION, location);
            response
        }
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

fn log(error: &OAuthError) {
    let code = error.code().as_str();
    let description = error.description().unwrap_or_default();
    if error.code().status().is_server_error() {
        tracing::error!(error = code, description, causes = error.causes(), "request failed");
    } else {
        tracing::info!(error = code, description, causes = error.causes(), "request refused");
    }
}
