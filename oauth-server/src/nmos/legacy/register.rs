//! `POST /x-nmos/auth/v1.0/register_client`: a user registers a client with its own name and password, in a form in
//! which `redirect_uri`, `grant_type` and `response_type` may be repeated or have one value on each line.

use super::errors::refusal;
use crate::{
    administration::users::is_administrator,
    audit::{Entry, Kind},
    registration::{self, ClientDraft, Field, MOST_CLIENTS, Objection, Registered, Rules},
    state::AppState,
};
use axum::{
    Json,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use oauth_core::{error::PortError, model::UserId, ports::SignIn, registration::describe};
use serde_json::json;
use zeroize::Zeroizing;

const LARGEST: usize = 64 * 1024;
/// The most fields of a form.
const MOST: usize = 100;
/// The longest `Authorization` header that is read.
const LONGEST: usize = 4096;

/// Registers a client for whoever the credentials belong to.
pub(super) async fn register(State(state): State<AppState>, request: Request) -> Response {
    match attempt(&state, request).await {
        Ok(response) => response,
        Err(Refused::Answer(response)) => *response,
        Err(Refused::Failure(e)) => {
            tracing::error!(error = crate::causes(&e), "request failed");
            let text = "something went wrong here";
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "server_error", text)
        }
    }
}

enum Refused {
    Answer(Box<Response>),
    Failure(PortError),
}

impl From<PortError> for Refused {
    fn from(e: PortError) -> Self {
        Self::Failure(e)
    }
}

impl From<Response> for Refused {
    fn from(response: Response) -> Self {
        Self::Answer(Box::new(response))
    }
}

async fn attempt(state: &AppState, request: Request) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    from_a_program(&parts.headers)?;
    // The form is read before the password is tried: what cannot be understood costs no attempt.
    let body = axum::body::to_bytes(body, LARGEST).await;
    let body = body.map_err(|_| invalid("the body is too long or was cut short"))?;
    let draft = draft(&parts.headers, &body)?;
    let user = user(state, &parts.headers).await?;
    let rules = rules_for(state, &user).await?;
    let env = state.provider.env();
    let checked = draft.check(&rules).map_err(|objections| objected(&objections))?;
    if !registration::has_room(state, &user).await? {
        let text = format!("this user has {MOST_CLIENTS} clients, which is the most");
        return Err(invalid(&text).into());
    }
    let registered = checked.register(env, Some(user.clone())).await;
    let Registered { client, secret } = registered.map_err(|objections| objected(&objections))?;
    if !env.clients.insert_client(client.clone()).await? {
        return Err(PortError::new("a new client id was taken").into());
    }
    let entry = Entry::new(Kind::Registered).user(&user).client(&client.id);
    state.audit.write(entry.scope(&client.scope.to_string()).detail("by the path of 2019")).await?;
    tracing::info!(client.id = %client.id, user.id = %user, "client registered by the path of 2019");
    let mut answer = describe(env, &client);
    if let Some(secret) = secret {
        answer.insert("client_secret".into(), secret.reveal().into());
        answer.insert("client_secret_expires_at".into(), json!(0));
    }
    let no_store = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
    Ok((StatusCode::CREATED, no_store, Json(answer)).into_response())
}

/// What this user may register. A client that acts for itself is registered at once here, so it takes whoever could approve
/// of one: an administrator.
async fn rules_for(state: &AppState, user: &UserId) -> Result<Rules, PortError> {
    let mut rules = registration::rules(state.provider.grants(), &state.config);
    if !is_administrator(state, user).await? {
        rules.grant_types.retain(|&grant| grant != "client_credentials");
    }
    Ok(rules)
}

/// A browser that remembers a password would send it along with a form on any page.
fn from_a_program(headers: &HeaderMap) -> Result<(), Refused> {
    let says = |name: &str, word: &str| headers.get(name).is_some_and(|value| value == word);
    if says("sec-fetch-mode", "navigate") || says("sec-fetch-site", "cross-site") {
        let text = "this is for programs, not for forms of pages";
        return Err(refusal(StatusCode::FORBIDDEN, "access_denied", text).into());
    }
    Ok(())
}

/// Who the name and the password belong to. One answer for an unknown name and a wrong password.
async fn user(state: &AppState, headers: &HeaderMap) -> Result<UserId, Refused> {
    let (name, password) = credentials(headers).ok_or_else(unauthorized)?;
    match state.users.sign_in(&name, &password).await? {
        // Nobody can be asked for a second factor here.
        SignIn::Accepted(user) if state.users.password_suffices(&user).await? => Ok(user),
        SignIn::Throttled(seconds) => {
            let text = "too many attempts, try again later";
            let mut response =
                refusal(StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable", text);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            Err(response.into())
        }
        _ => Err(unauthorized().into()),
    }
}

fn unauthorized() -> Response {
    let text = "the name and the password of a user are needed here";
    let mut response = refusal(StatusCode::UNAUTHORIZED, "access_denied", text);
    let challenge = HeaderValue::from_static("Basic realm=\"oauth\", charset=\"UTF-8\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

fn credentials(headers: &HeaderMap) -> Option<(String, Zeroizing<String>)> {
    let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = header.split_once(' ').filter(|_| header.len() <= LONGEST)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = Zeroizing::new(STANDARD.decode(encoded.trim()).ok()?);
    let (name, password) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    Some((name.to_owned(), Zeroizing::new(password.to_owned())))
}

fn draft(headers: &HeaderMap, body: &Bytes) -> Result<ClientDraft, Refused> {
    let mime = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let mime = mime.split(';').next().unwrap_or_default().trim();
    if !mime.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(invalid("the body must be application/x-www-form-urlencoded").into());
    }
    let fields: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
    if fields.len() > MOST {
        return Err(invalid("there are too many fields").into());
    }
    let one = |name: &str| -> Result<String, Refused> {
        let mut values = fields.iter().filter(|(n, _)| n == name).map(|(_, value)| value);
        let value = values.next().cloned().unwrap_or_default();
        match values.next() {
            None => Ok(value),
            Some(_) => Err(invalid("a field is there twice that may be there once").into()),
        }
    };
    let many = |name: &str| -> Vec<String> {
        let plural = format!("{name}s");
        let values = fields.iter().filter(|(n, _)| n == name || *n == plural);
        let lines = values.flat_map(|(_, value)| value.lines().map(str::trim));
        lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    Ok(ClientDraft {
        name: one("client_name")?,
        uri: one("client_uri")?,
        scope: one("scope")?,
        redirect_uris: many("redirect_uri"),
        grant_types: many("grant_type"),
        response_types: many("response_type"),
        auth_method: one("token_endpoint_auth_method")?,
        ..ClientDraft::default()
    })
}

fn invalid(text: &str) -> Response {
    refusal(StatusCode::BAD_REQUEST, "invalid_client_metadata", text)
}

/// What is wrong with the client. Addresses have an error code of their own
/// ([RFC 7591 3.2.2](https://www.rfc-editor.org/rfc/rfc7591#section-3.2.2)).
fn objected(objections: &[Objection]) -> Response {
    let error = if objections.iter().any(|o| o.field == Field::RedirectUris) {
        "invalid_redirect_uri"
    } else {
        "invalid_client_metadata"
    };
    let texts: Vec<_> =
        objections.iter().map(|o| format!("{}: {}", o.field.as_str(), o.text)).collect();
    refusal(StatusCode::BAD_REQUEST, error, &texts.join(" "))
}
