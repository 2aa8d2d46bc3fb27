//! `/clients/{id}/token`: the request that the client would send to the token endpoint, sent from a page.

use super::{Owned, has_secret};
use crate::{
    pages::{
        errors::{Explanation, Trouble},
        form::{Form, Problems},
        page::{Frame, show as page},
        words,
    },
    state::AppState,
};
use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use oauth_core::{
    error::{ErrorCode, OAuthError},
    issue::TokenResponse,
    model::{Client, ClientAuth, SecretMethod, Timestamp},
    params::{Incoming, Params},
};
use serde_json::Value;

pub(super) const CLIENT_CREDENTIALS: &str = "client_credentials";
const PASSWORD: &str = "password";

#[derive(Template)]
#[template(path = "clients/token.html")]
struct TokenPage {
    frame: Frame,
    client_id: String,
    client_name: String,
    has_secret: bool,
    secret: String,
    username: String,
    scope: String,
    allowed: String,
    forms: Vec<RequestForm>,
    signs: bool,
    answer: Option<Answer>,
    jwks: String,
    problems: Problems,
}

struct RequestForm {
    grant: &'static str,
    title: &'static str,
}

struct Answer {
    json: String,
    jwt: Option<Jwt>,
}

/// A JWT as it reads.
struct Jwt {
    header: String,
    claims: String,
    until: String,
}

/// The grants that a page can play the client of. It has no key to sign an assertion with.
pub(super) fn grants(state: &AppState, client: &Client) -> Vec<&'static str> {
    if signs(client) {
        return Vec::new();
    }
    let usable = |g: &&str| client.may_use(g) && state.provider.grants().get(g).is_some();
    [CLIENT_CREDENTIALS, PASSWORD].into_iter().filter(usable).collect()
}

const fn signs(client: &Client) -> bool {
    !matches!(client.auth, ClientAuth::Public | ClientAuth::Secret(..))
}

pub(super) async fn show(State(state): State<AppState>, owned: Owned) -> Response {
    let outcome = (None, Problems::default());
    token_page(&state, &owned, &Params::default(), outcome, StatusCode::OK)
}

pub(super) async fn request(
    State(state): State<AppState>,
    owned: Owned,
    Form(params): Form,
) -> Result<Response, Trouble> {
    if params.get("fill").is_some() {
        // From the page that just showed the secret: there are more fields to fill in.
        let outcome = (None, Problems::default());
        return Ok(token_page(&state, &owned, &params, outcome, StatusCode::OK));
    }
    let asked = params.get("grant_type").unwrap_or_default();
    let grant = grants(&state, &owned.client).into_iter().find(|g| *g == asked);
    let grant =
        grant.ok_or(Explanation::bad_form(Some("this client does not use this grant type")))?;
    let incoming = incoming(&owned.client, grant, &params)?;
    Ok(match state.provider.token(&incoming).await {
        Ok(response) => {
            let outcome = (Some(answer(&response)), Problems::default());
            token_page(&state, &owned, &params, outcome, StatusCode::OK)
        }
        Err(e) if e.code() == ErrorCode::ServerError => return Err(e.into()),
        Err(e) => {
            let status = match e.code() {
                ErrorCode::TemporarilyUnavailable => StatusCode::TOO_MANY_REQUESTS,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            let outcome = (None, refusal(grant, &e));
            token_page(&state, &owned, &params, outcome, status)
        }
    })
}

/// The request as the client would send it.
fn incoming(client: &Client, grant: &str, typed: &Params) -> Result<Incoming, OAuthError> {
    let mut incoming = Incoming::default();
    let mut add = |name: &str, value: &str| incoming.params.add(name.to_owned(), value.to_owned());
    let typed = |name: &str| typed.get(name).unwrap_or_default();
    let secret = typed("client_secret").trim();
    add("grant_type", grant)?;
    add("scope", typed("scope").trim())?;
    if grant == PASSWORD {
        add("username", typed("username"))?;
        add("password", typed("password"))?;
    }
    match &client.auth {
        ClientAuth::Secret(SecretMethod::Post, _) => {
            add("client_id", client.id.as_str())?;
            add("client_secret", secret)?;
        }
        ClientAuth::Secret(..) => {
            let encoded = |text: &str| -> String {
                form_urlencoded::byte_serialize(text.as_bytes()).collect()
            };
            let pair = format!("{}:{}", encoded(client.id.as_str()), encoded(secret));
            incoming.authorization = Some(format!("Basic {}", STANDARD.encode(pair)));
        }
        _ => add("client_id", client.id.as_str())?,
    }
    Ok(incoming)
}

fn refusal(grant: &str, e: &OAuthError) -> Problems {
    let is_password = grant == PASSWORD;
    let field = match (e.code(), is_password) {
        (ErrorCode::InvalidClient, false) => "client_credentials-client_secret",
        (ErrorCode::InvalidClient, true) => "password-client_secret",
        (ErrorCode::InvalidScope, false) => "client_credentials-scope",
        (ErrorCode::InvalidScope, true) => "password-scope",
        (_, true) => "password",
        (_, false) => "client_credentials-form",
    };
    let code = e.code().as_str();
    let text = e.description().map_or_else(|| code.to_owned(), |d| format!("{code}: {d}."));
    Problems::one(field, text)
}

fn answer(response: &TokenResponse) -> Answer {
    let json = serde_json::to_string_pretty(response).unwrap_or_default();
    Answer { json, jwt: Jwt::read(&response.access_token) }
}

impl Jwt {
    /// Reads a token without checking it; `None` for one that is opaque.
    fn read(token: &str) -> Option<Self> {
        let mut parts = token.split('.').map(|part| {
            let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
            serde_json::from_slice::<Value>(&bytes).ok()
        });
        let (header, claims) = (parts.next()??, parts.next()??);
        let until = claims.get("exp").and_then(Value::as_i64).map(Timestamp::from_unix);
        Some(Self {
            header: format!("{header:#}"),
            claims: format!("{claims:#}"),
            until: until.map_or_else(|| "for ever".into(), words::second),
        })
    }
}

fn token_page(
    state: &AppState,
    owned: &Owned,
    typed: &Params,
    (answer, problems): (Option<Answer>, Problems),
    status: StatusCode,
) -> Response {
    let client = &owned.client;
    let form = |grant| RequestForm {
        grant,
        title: if grant == PASSWORD {
            "For somebody whose password you know"
        } else {
            "For the client itself"
        },
    };
    let text = |name: &str| typed.get(name).unwrap_or_default().to_owned();
    let token_page = TokenPage {
        frame: Frame::of(state, owned.user(), "clients"),
        client_id: client.id.to_string(),
        client_name: client.name.clone(),
        has_secret: has_secret(client),
        secret: text("client_secret"),
        username: typed.get("username").unwrap_or(&owned.user().username).to_owned(),
        scope: typed.get("scope").map_or_else(|| client.scope.to_string(), str::to_owned),
        allowed: client.scope.to_string(),
        signs: signs(client),
        forms: grants(state, client).into_iter().map(form).collect(),
        answer,
        jwks: state.config.issuer().join(&state.provider.paths().jwks),
        problems,
    };
    page(status, token_page)
}
