//! `/clients/{id}`: what a client is, and how to get a token with it.

use super::{
    Owned, has_secret,
    more::{self, Fact},
    token,
};
use crate::{
    pages::{
        page::{Frame, show as page},
        recipes::{Recipe, recipes},
        words,
    },
    registration::ClientDraft,
    state::AppState,
};
use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use oauth_core::{
    client_auth,
    model::{Client, ClientAuth, PlainToken, User},
};
use serde_json::json;
use std::collections::BTreeSet;

#[derive(Template)]
#[template(path = "clients/show.html")]
struct Show {
    frame: Frame,
    notice: Option<&'static str>,
    client: Sheet,
    /// Shown once, when it was just made.
    secret: Option<String>,
    assertion: Option<Assertion>,
    can_try: bool,
    try_now: bool,
    recipes: Vec<Recipe>,
}

/// A client in words.
struct Sheet {
    id: String,
    name: String,
    uri: Option<String>,
    grants: String,
    auth: &'static str,
    scope: String,
    redirect_uris: Vec<String>,
    format: String,
    life: String,
    created: String,
    has_secret: bool,
    /// Whether this server knows the secret again.
    is_sealed: bool,
    more: Vec<Fact>,
}

/// What a client sends that proves who it is by a JWT.
struct Assertion {
    with: &'static str,
    algorithms: String,
    claims: String,
}

pub(super) async fn show(State(state): State<AppState>, owned: Owned) -> Response {
    let notice = words::notice(owned.visit.query.get("done"));
    sheet(&state, owned.user(), &owned.client, None, notice, StatusCode::OK)
}

/// The page with a secret that was just made, the one time it is shown.
pub(super) fn made(
    state: &AppState,
    user: &User,
    client: &Client,
    secret: Option<PlainToken>,
    status: StatusCode,
) -> Response {
    sheet(state, user, client, secret.map(PlainToken::reveal), None, status)
}

fn sheet(
    state: &AppState,
    user: &User,
    client: &Client,
    secret: Option<String>,
    notice: Option<&'static str>,
    status: StatusCode,
) -> Response {
    let policy = &state.provider.env().policy;
    let life = client.access_token_ttl.unwrap_or(policy.access_token_ttl);
    let forms = token::grants(state, client);
    let show = Show {
        frame: Frame::of(state, user, "clients"),
        notice,
        can_try: !forms.is_empty(),
        try_now: forms.contains(&token::CLIENT_CREDENTIALS),
        assertion: assertion(state, client),
        recipes: recipes(state, client, secret.as_deref()),
        secret,
        client: Sheet {
            id: client.id.to_string(),
            name: client.name.clone(),
            uri: client.uri.clone(),
            grants: words::grants(&client.grant_types),
            auth: words::auth(&client.auth),
            scope: client.scope.to_string(),
            redirect_uris: client.redirect_uris.iter().map(ToString::to_string).collect(),
            format: words::format(client.access_token_format.unwrap_or(policy.access_token_format)),
            life: words::span(life.min(policy.access_token_max_ttl)),
            created: words::day(client.created_at),
            has_secret: has_secret(client),
            is_sealed: matches!(client.auth, ClientAuth::SecretJwt(_)),
            more: facts(client),
        },
    };
    page(status, show)
}

/// What is registered beyond the essentials, where it is not the default.
fn facts(client: &Client) -> Vec<Fact> {
    let mut facts = more::facts(&ClientDraft::from(client));
    let plainest = [("authorization_code", "code"), ("implicit", "token")];
    let usual: BTreeSet<_> = plainest
        .into_iter()
        .filter(|(grant, _)| client.grant_types.contains(*grant))
        .map(|(_, response)| response.to_owned())
        .collect();
    if client.response_types != usual {
        facts.push(Fact {
            id: "registered-response_types".into(),
            label: "Response types".into(),
            values: client.response_types.iter().cloned().collect(),
        });
    }
    facts
}

/// [RFC 7523 2.2](https://www.rfc-editor.org/rfc/rfc7523#section-2.2),
/// [OpenID Connect Core 9](https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication).
fn assertion(state: &AppState, client: &Client) -> Option<Assertion> {
    let with = match client.auth {
        ClientAuth::SecretJwt(_) => "secured with the secret",
        ClientAuth::PrivateKeyJwt => "signed with the private key of one of its public keys",
        _ => return None,
    };
    let fitting = client_auth::signing_algorithms(client.auth.method());
    let only = client.metadata.token_endpoint_auth_signing_alg.clone();
    let claims = json!({
        "iss": client.id,
        "sub": client.id,
        "aud": state.config.issuer().as_str(),
        "jti": "another one each time",
        "exp": "the time when it ends, in seconds since 1970: at most an hour from now",
    });
    Some(Assertion {
        with,
        algorithms: only.unwrap_or_else(|| fitting.join(", ")),
        claims: format!("{claims:#}"),
    })
}
