//! Who may: an administrator through a program, or a client that the operator made, by an access token of the scope.

use super::{Refusal, SCOPE};
use crate::{
    administration::{clients::is_operators, users::is_administrator},
    state::AppState,
};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use oauth_core::model::{ClientId, HashedToken, ResourceUri, UserId};
use serde_json::{Map, Value};

/// Somebody who may do what administrators do.
pub(super) struct Operator {
    /// The administrator, unless a client acts for itself.
    pub(super) user: Option<UserId>,
    /// The client.
    pub(super) client: ClientId,
}

impl FromRequestParts<AppState> for Operator {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Refusal> {
        let token = bearer(&parts.headers)?;
        let claims = state.provider.access_token(token).await;
        let claims = claims.map_err(|_| Refusal::InvalidToken)?.ok_or(Refusal::InvalidToken)?;
        if !is_for_us(state, &claims) {
            return Err(Refusal::InvalidToken);
        }
        let scope = claims.get("scope").and_then(Value::as_str).unwrap_or_default();
        if !scope.split(' ').any(|word| word == SCOPE) {
            return Err(Refusal::InsufficientScope);
        }
        let client = claims.get("client_id").and_then(Value::as_str).unwrap_or_default();
        let client = ClientId::new(client);
        let row = state.provider.env().grants.token(&HashedToken::of(token)).await?;
        let user = row.as_ref().and_then(|token| token.user()).cloned();
        let may = match &user {
            Some(user) => is_administrator(state, user).await?,
            None => is_operators(state, &client).await?,
        };
        if may { Ok(Self { user, client }) } else { Err(Refusal::InsufficientScope) }
    }
}

impl Operator {
    /// Puts who it was into a row of the audit log.
    pub(super) fn sign(&self, entry: crate::audit::Entry, detail: &str) -> crate::audit::Entry {
        let by = match &self.user {
            Some(_) => format!("{detail}, through the client {}", self.client),
            None => format!("{detail}, by the client {}", self.client),
        };
        let entry = entry.detail(by);
        match &self.user {
            Some(user) => entry.user(user),
            None => entry,
        }
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().and_then(|value| value.to_str().ok()).ok_or(Refusal::NoToken)?;
    let token = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match (token, values.next()) {
        (Some((_, token)), None) if !token.trim().is_empty() => Ok(token.trim()),
        _ => Err(Refusal::NoToken),
    }
}

/// Whether the token is for whoever is meant where nobody is named, and not for a resource of its own.
fn is_for_us(state: &AppState, claims: &Map<String, Value>) -> bool {
    let env = state.provider.env();
    let rules = &env.policy.audience;
    let is_ours = |aud: &str| {
        let named = env.resources.iter().any(|resource| ResourceUri::as_str(&resource.uri) == aud);
        let general = rules.otherwise.iter().chain(rules.by_scope.values().flatten());
        !named && (aud == env.issuer.as_str() || general.into_iter().any(|name| name == aud))
    };
    match claims.get("aud") {
        Some(Value::String(aud)) => is_ours(aud),
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).any(is_ours),
        _ => false,
    }
}
